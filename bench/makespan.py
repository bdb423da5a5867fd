"""How close a run comes to what its cloud needs: the longest chain of calls and builds, and the calls it makes."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path
from typing import Any

from bench.server import Server
from bench.table import Figure
from bench.throughput import create_and_wait, independent

_CALL, _BUILD = 0.05, 1.0  # seconds


def measure(folder: Path, lanes: int = 25, depth: int = 19) -> list[Figure]:
    """`lanes` networks, on each a chain of `depth` servers that wait for one another, and as many ports."""
    with Server(folder / "makespan") as server:
        create_and_wait(server, "warm", independent(3))
        _knobs(server, {"delay_ms": _CALL * 1000, "build_seconds": _BUILD})
        template = _template(lanes, depth)
        took = create_and_wait(server, "lanes", template)
        _knobs(server, {"delay_ms": 0})
        asked = _asked(server, "compute")
    # Network, subnet and port are one call each; a server is asked for, built, seen ready, and shows its ports.
    critical = 3 * _CALL + depth * (_CALL + _BUILD + 2 * _CALL)
    return [
        Figure(f"{len(template['resources'])} resources, {_CALL * 1000:.0f} ms a call", took, "s"),
        Figure("makespan to critical path", took / critical, "x", 1.10),
        Figure("calls of Nova a server", asked / (lanes * depth), "", 1.5),
    ]


def _template(lanes: int, depth: int) -> dict[str, Any]:
    resources: dict[str, Any] = {}
    for lane in range(lanes):
        net = {"get_resource": f"net{lane}"}
        resources[f"net{lane}"] = {"type": "OS::Neutron::Net"}
        resources[f"subnet{lane}"] = {
            "type": "OS::Neutron::Subnet", "properties": {"network": net, "cidr": "10.0.0.0/24"},
        }  # fmt: skip
        for step in range(depth):
            port = f"port{lane}-{step}"
            resources[port] = {"type": "OS::Neutron::Port", "properties": {"network": net}}
            resources[f"server{lane}-{step}"] = {
                "type": "OS::Nova::Server",
                "properties": {"image": "cirros", "flavor": "m1.tiny", "networks": [{"port": {"get_resource": port}}]},
                **({"depends_on": f"server{lane}-{step - 1}"} if step else {}),
            }
    return {"heat_template_version": "2018-08-31", "resources": resources}


def _knobs(server: Server, settings: dict[str, Any]) -> None:
    body, headers = json.dumps(settings).encode(), {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{server.simulator()}/settings", body, headers, method="PUT")
    with urllib.request.urlopen(request, timeout=10):
        pass


def _asked(server: Server, service: str) -> int:
    """Requests that the service has answered."""
    with urllib.request.urlopen(f"{server.simulator()}/requests?service={service}", timeout=30) as reply:
        return len(json.load(reply)["requests"])
