"""From a name to an id, for every kind of object that templates name; and what the cloud is like as a whole."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from engine.cloud.contract import Cloud
from engine.cloud.errors import CloudError, NotFound, Permanent
from engine.cloud.hub import unwrap
from engine.model.value import Value


@dataclass(frozen=True, slots=True)
class Lookup:
    """How one kind is found. `filter` is the list's parameter for the name, None where there is none or it lies;
    names are compared here in any case (tokens.md §3: services ignore filters silently)."""

    service: str
    path: str
    key: str
    filter: str | None = "name"
    name: str = "name"
    id: str = "id"
    any_id: bool = False  # ids need not be UUIDs, so every name may be one
    by_path: bool = False  # `GET path/name` finds it, and the name is its id
    params: tuple[tuple[str, str], ...] = ()


_BY_KIND: Mapping[str, Lookup] = {
    "address_scope": Lookup("network", "/address-scopes", "address_scopes"),
    "floating_ip": Lookup("network", "/floatingips", "floatingips", "floating_ip_address", "floating_ip_address"),
    "network": Lookup("network", "/networks", "networks"),
    "port": Lookup("network", "/ports", "ports"),
    "qos_policy": Lookup("network", "/qos/policies", "policies"),
    "router": Lookup("network", "/routers", "routers"),
    "security_group": Lookup("network", "/security-groups", "security_groups"),
    "segment": Lookup("network", "/segments", "segments"),
    "subnet": Lookup("network", "/subnets", "subnets"),
    "subnet_pool": Lookup("network", "/subnetpools", "subnetpools"),
    "trunk": Lookup("network", "/trunks", "trunks"),
    "flavor": Lookup("compute", "/flavors", "flavors", None, any_id=True, params=(("is_public", "None"),)),
    "keypair": Lookup("compute", "/os-keypairs", "keypairs", by_path=True),
    "server": Lookup("compute", "/servers", "servers", None),
    "server_group": Lookup("compute", "/os-server-groups", "server_groups", None),
    "image": Lookup("image", "/images", "images"),
    "backup": Lookup("block-storage", "/backups", "backups"),
    "snapshot": Lookup("block-storage", "/snapshots", "snapshots"),
    "volume": Lookup("block-storage", "/volumes", "volumes"),
    "volume_type": Lookup("block-storage", "/types", "volume_types", None, params=(("is_public", "None"),)),
    "qos_specs": Lookup("block-storage", "/qos-specs", "qos_specs", None),
    "domain": Lookup("identity", "/domains", "domains", any_id=True),
    "group": Lookup("identity", "/groups", "groups"),
    "project": Lookup("identity", "/projects", "projects"),
    "region": Lookup("identity", "/regions", "regions", None, name="id", any_id=True),
    "role": Lookup("identity", "/roles", "roles"),
    "service": Lookup("identity", "/services", "services"),
    "user": Lookup("identity", "/users", "users"),
    "listener": Lookup("load-balancer", "/lbaas/listeners", "listeners"),
    "load_balancer": Lookup("load-balancer", "/lbaas/loadbalancers", "loadbalancers"),
    "load_balancer_flavor": Lookup("load-balancer", "/lbaas/flavors", "flavors"),
    "pool": Lookup("load-balancer", "/lbaas/pools", "pools"),
    "l7policy": Lookup("load-balancer", "/lbaas/l7policies", "l7policies"),
    "zone": Lookup("dns", "/zones", "zones"),
    "secret": Lookup("key-manager", "/secrets", "secrets", id="secret_ref"),
    "container": Lookup("key-manager", "/containers", "containers", id="container_ref"),
    "share": Lookup("shared-file-system", "/shares", "shares"),
    "share_network": Lookup("shared-file-system", "/share-networks", "share_networks"),
    "share_type": Lookup("shared-file-system", "/types", "share_types", None),
    "cluster_template": Lookup("container-infrastructure-management", "/clustertemplates", "clustertemplates", None,
                               id="uuid"),
    "workflow": Lookup("workflow", "/workflows", "workflows", None),
}  # fmt: skip

KINDS = frozenset(_BY_KIND)

_UUID = re.compile(r"[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}", re.IGNORECASE)


async def resolve(cloud: Cloud, kind: str, name_or_id: str) -> str:
    """Return the id. Raises NotFound when there is none, Permanent when several bear the name."""
    lookup = _BY_KIND.get(kind)
    if lookup is None:
        raise Permanent(f"Nothing is known about names of the kind {kind!r}.")
    if lookup.by_path:
        found = await _get(cloud, lookup, name_or_id)
        if found is None:
            raise NotFound(_missing(cloud, kind, name_or_id), status=404)
        return name_or_id
    if _UUID.fullmatch(name_or_id):
        try:
            found = await _get(cloud, lookup, name_or_id)
        except Permanent as error:
            if error.status == 403:
                return name_or_id  # users may name projects and users that they may not look at
            raise
        if found is not None:
            return str(found.get(lookup.id) or name_or_id)
    params = dict(lookup.params)
    if lookup.filter:
        params[lookup.filter] = name_or_id
    rows = await cloud.list(lookup.service, lookup.path, lookup.key, params=params)
    by_id = [row for row in rows if row.get(lookup.id) == name_or_id]
    matching = by_id or [row for row in rows if row.get(lookup.name) == name_or_id]
    if len(matching) > 1:
        matching = [row for row in matching if _owner(row) == cloud.project_id] or matching
    match matching:
        case [row]:
            return str(row[lookup.id])
        case []:
            if lookup.any_id and await _get(cloud, lookup, name_or_id) is not None:
                return name_or_id
            raise NotFound(_missing(cloud, kind, name_or_id), status=404)
        case _:
            ids = ", ".join(sorted(str(row[lookup.id]) for row in matching)[:5])
            raise Permanent(
                f"{len(matching)} {kind.replace('_', ' ')}s are named {name_or_id!r} ({ids}); give the id of one."
            )


def _missing(cloud: Cloud, kind: str, name: str) -> str:
    return f"There is no {kind.replace('_', ' ')} with the name or id {name!r} that project {cloud.project_id} can see."


def _owner(row: Mapping[str, Any]) -> Any:
    return row.get("project_id") or row.get("tenant_id") or row.get("owner")


async def _get(cloud: Cloud, lookup: Lookup, object_id: str) -> Mapping[str, Any] | None:
    """The object with that id. None also when the service will not hear of such an id."""
    try:
        reply = await cloud.request(lookup.service, "GET", f"{lookup.path}/{quote(object_id, safe='')}")
    except NotFound:
        return None
    except Permanent as error:
        if error.status == 400:
            return None
        raise
    return unwrap(reply.body)


async def facts(cloud: Cloud, external_network: str | None) -> Mapping[str, Value]:
    """See the contract; `external_network` is the configured name or id."""
    return {
        "zones": await _zones(cloud),
        "external_network": await _external_network(cloud, external_network),
        "region": cloud.region,
    }


async def _zones(cloud: Cloud) -> list[str]:
    if "compute" not in await cloud.services():
        return []
    reply = await cloud.request("compute", "GET", "/os-availability-zone")
    rows = reply.body.get("availabilityZoneInfo", ())
    usable = (row["zoneName"] for row in rows if row.get("zoneState", {}).get("available", True))
    return sorted(zone for zone in usable if zone != "internal")  # Nova's own services live in `internal`


async def _external_network(cloud: Cloud, configured: str | None) -> str | None:
    if "network" not in await cloud.services():
        return None
    if configured:
        try:
            return await cloud.resolve("network", configured)
        except NotFound as error:
            raise Permanent(f"The configured external_network cannot be used: {error}") from error
    rows = await cloud.list("network", "/networks", "networks", params={"router:external": "true"})
    ids = [row["id"] for row in rows if row.get("router:external")]
    return ids[0] if len(ids) == 1 else None


__all__ = ["KINDS", "CloudError", "facts", "resolve"]
