"""What is in a project, so that two deployments can be compared: every object with its properties and its relations to
the others, names, ids and what is given out by chance aside."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from openstack.connection import Connection

_COLLECTIONS: Mapping[str, Callable[[Connection], Iterable[Any]]] = {
    "network": lambda sdk: sdk.network.networks(),
    "subnet": lambda sdk: sdk.network.subnets(),
    "port": lambda sdk: sdk.network.ports(),
    "router": lambda sdk: sdk.network.routers(),
    "security group": lambda sdk: sdk.network.security_groups(),
    "floating ip": lambda sdk: sdk.network.ips(),
    "subnet pool": lambda sdk: sdk.network.subnet_pools(),
    "address scope": lambda sdk: sdk.network.address_scopes(),
    "server": lambda sdk: sdk.compute.servers(),
    "server group": lambda sdk: sdk.compute.server_groups(),
    "key": lambda sdk: sdk.compute.keypairs(),
    "volume": lambda sdk: sdk.block_storage.volumes(),
    "container": lambda sdk: sdk.object_store.containers(),
    "image": lambda sdk: sdk.image.images(),
    "flavor": lambda sdk: sdk.compute.flavors(),
}
# Names, times, and what the cloud chooses: addresses from pools, MACs, hosts.
_BY_CHANCE = frozenset(
    {
        "name", "created_at", "updated_at", "launched_at", "attached_at", "location", "links", "revision_number",
        "mac_address", "ip_address", "fixed_ip_address", "floating_ip_address", "addresses", "access_ipv4", "hostname",
        "instance_name", "host_id", "hypervisor_hostname", "compute_host", "binding_host_id", "private_key",
        "public_key", "fingerprint", "dns_assignment", "private_v4", "public_v4", "access_ip_v4", "interface_ip",
        "reservation_id",
    }
)  # fmt: skip
_ID = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}")
_TOKEN = re.compile(r"oe-[0-9a-f]{26}")  # by which the engine finds again what it has made
Objects = Mapping[str, Mapping[str, Any]]


def objects(sdk: Connection, admin: Connection) -> Objects:
    """Everything in the project by id, or by name where there is no id; administrators see the servers' user data."""
    found: dict[str, Mapping[str, Any]] = {}
    for kind, listed in _COLLECTIONS.items():
        for one in listed(sdk):
            plain = one.to_dict(original_names=False, computed=False)
            if kind == "server":
                plain["user_data"] = admin.compute.get_server(plain["id"]).user_data
            found[str(plain.get("id") or plain["name"])] = {"a": kind, **plain}
    return found


def picture(before: Objects, after: Objects, stack_id: str) -> Counter[str]:
    """One text for each new object: equal where the objects are, and what they refer to is, and so on."""
    made = {key: one for key, one in after.items() if key not in before}
    labels = {**{key: key for key in before}, **dict.fromkeys(made, "new"), stack_id: "the stack"}
    plain = {key: _plain({**one, "id": None}, labels) for key, one in made.items()}  # for who reads a difference
    for _ in range(5):  # as far as anything is from anything else
        found = {key: _digest(_plain({**one, "id": None}, labels)) for key, one in made.items()}
        labels |= found
    return Counter(f"{json.dumps(plain[key], sort_keys=True)} {labels[key]}" for key in made)


def _plain(value: Any, labels: Mapping[str, str]) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(one, labels) for key, one in value.items() if key not in _BY_CHANCE and one is not None}
    if isinstance(value, list | tuple):
        return sorted((_plain(one, labels) for one in value), key=lambda one: json.dumps(one, sort_keys=True))
    if not isinstance(value, str):
        return value
    if value in labels:
        return labels[value]
    return _TOKEN.sub("oe", _ID.sub(lambda found: f"<{labels.get(found.group(), '')}>", value))


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:12]
