"""How close a run comes to what its cloud needs: the longest chain of calls and builds, and the calls it makes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bench.cloud import Cloud
from bench.server import Server
from bench.table import Figure
from bench.throughput import create_and_wait

_CALL, _BUILD = 0.05, 1.0  # seconds
_CONFIG = "[engine]\nmax_resources_per_stack = 10000\n"


def measure(folder: Path, lanes: int = 20, depth: int = 24, servers: int = 500) -> list[Figure]:
    """`lanes` networks, on each a chain of `depth` servers that wait for one another, and as many ports; then
    `servers` at once."""
    with Cloud(folder / "cloud") as cloud, Server(folder / "makespan", _CONFIG, cloud.clouds_yaml) as server:
        cloud.settings(delay_ms=_CALL * 1000, build_seconds=_BUILD)
        create_and_wait(server, "warm", _template(1, 2))
        template = _template(lanes, depth)
        used = server.cpu_seconds()
        took = create_and_wait(server, "lanes", template, every=0.1)
        used = server.cpu_seconds() - used
        asked = cloud.asked("compute")
        together = create_and_wait(server, "together", _template(1, servers, chained=False), every=0.1)
        asked = cloud.asked("compute") - asked
    # Network, subnet and port are one call each; a server is asked for, built, seen ready, and shows its ports.
    critical = 3 * _CALL + depth * (_CALL + _BUILD + 2 * _CALL)
    return [
        Figure(f"{len(template['resources'])} resources, {_CALL * 1000:.0f} ms a call", took, "s"),
        Figure("makespan to critical path", took / critical, "x", 1.10),
        Figure("server CPU meanwhile", used, "s"),
        Figure(f"{servers} servers at once", together, "s"),
        Figure("calls of Nova a server", asked / servers, "", 1.5),
    ]


def _template(lanes: int, depth: int, *, chained: bool = True) -> dict[str, Any]:
    resources: dict[str, Any] = {}
    for lane in range(lanes):
        net = {"get_resource": f"net{lane}"}
        resources[f"net{lane}"] = {"type": "OS::Neutron::Net"}
        resources[f"subnet{lane}"] = {
            "type": "OS::Neutron::Subnet", "properties": {"network": net, "cidr": "10.0.0.0/16"},
        }  # fmt: skip
        for step in range(depth):
            port = f"port{lane}-{step}"
            resources[port] = {"type": "OS::Neutron::Port", "properties": {"network": net}}
            resources[f"server{lane}-{step}"] = {
                "type": "OS::Nova::Server",
                "properties": {"image": "cirros", "flavor": "m1.tiny", "networks": [{"port": {"get_resource": port}}]},
                **({"depends_on": f"server{lane}-{step - 1}"} if step and chained else {}),
            }
    return {"heat_template_version": "2018-08-31", "resources": resources}
