"""From a name to an id, for every kind of object that templates name; and what the cloud is like as a whole.

One name is asked for by a filter where the service has one; several names of a kind are looked up in one listing.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple
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
    inside: str = ""  # the key below which each row of a list has its fields
    by_path: bool = False  # `GET path/name` finds it, and the name is its id
    params: tuple[tuple[str, str], ...] = ()


class Row(NamedTuple):
    """What of an object tells whether it is the one that was named."""

    id: str
    name: Any
    owner: Any


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
    "keypair": Lookup("compute", "/os-keypairs", "keypairs", id="name", by_path=True, inside="keypair"),
    "server": Lookup("compute", "/servers", "servers", None),
    "server_group": Lookup("compute", "/os-server-groups", "server_groups", None),
    "hypervisor": Lookup("compute", "/os-hypervisors", "hypervisors", None, name="hypervisor_hostname"),
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
    "port_pair": Lookup("network", "/sfc/port_pairs", "port_pairs"),
    "port_pair_group": Lookup("network", "/sfc/port_pair_groups", "port_pair_groups"),
    "flow_classifier": Lookup("network", "/sfc/flow_classifiers", "flow_classifiers"),
    "tap_flow": Lookup("network", "/taas/tap_flows", "tap_flows"),
    "tap_service": Lookup("network", "/taas/tap_services", "tap_services"),
    "load_balancer_provider": Lookup("load-balancer", "/lbaas/providers", "providers", id="name"),
    "load_balancer_flavor_profile": Lookup("load-balancer", "/lbaas/flavorprofiles", "flavorprofiles"),
    "load_balancer_zone": Lookup("load-balancer", "/lbaas/availabilityzones", "availability_zones", id="name"),
    "load_balancer_zone_profile": Lookup("load-balancer", "/lbaas/availabilityzoneprofiles",
                                         "availability_zone_profiles"),
    "share_snapshot": Lookup("shared-file-system", "/snapshots", "snapshots", None),
    "lease": Lookup("reservation", "/leases", "leases", None),
    "node": Lookup("baremetal", "/nodes", "nodes", None, id="uuid", params=(("fields", "uuid,name"),)),
    "port_group": Lookup("baremetal", "/portgroups", "portgroups", None, id="uuid"),
    "database_flavor": Lookup("database", "/flavors", "flavors", None, any_id=True),
}  # fmt: skip

KINDS = frozenset(_BY_KIND)

_UUID = re.compile(r"[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}", re.IGNORECASE)


async def resolve(cloud: Cloud, kind: str, name_or_id: str) -> str:
    """Return the id. Raises NotFound when there is none, Permanent when several bear the name."""
    lookup = _lookup(kind)
    if lookup.by_path:
        found = await _get(cloud, lookup, name_or_id)
        if found is None:
            raise NotFound(_missing(cloud, kind, name_or_id), status=404)
        return name_or_id
    found_id = await _by_id(cloud, lookup, name_or_id) if _UUID.fullmatch(name_or_id) else None
    if found_id is not None:
        return found_id
    params = dict(lookup.params)
    if lookup.filter:
        params[lookup.filter] = name_or_id
    rows = await _rows(cloud, lookup, params)
    found_id = chosen(cloud, kind, name_or_id, rows)
    if found_id is not None:
        return found_id
    if lookup.any_id and await _get(cloud, lookup, name_or_id) is not None:
        return name_or_id
    raise NotFound(_missing(cloud, kind, name_or_id), status=404)


async def listing(cloud: Cloud, kind: str) -> Sequence[Row]:
    """Every object of the kind that the project can see, as little of each as is needed to find it by name or id."""
    lookup = _lookup(kind)
    if lookup.service == "network":  # ports are many and large
        lookup = replace(lookup, path=f"{lookup.path}?fields=id&fields={lookup.name}&fields=project_id")
    return await _rows(cloud, lookup, dict(lookup.params))


async def resolve_all(
    cloud: Cloud, kind: str, names: Collection[str], rows: Sequence[Row]
) -> Mapping[str, str | CloudError]:
    """The id of each name, or why there is none, in the `listing` of the kind.

    Not everything that may be named is listed (images shared by others, flavors that are not public): what is not
    in the list and may be an id is asked for by itself.
    """
    lookup = _lookup(kind)
    found: dict[str, str | CloudError] = {}
    for name in dict.fromkeys(names):
        try:
            listed = chosen(cloud, kind, name, rows)
            if listed is None and (lookup.any_id or _UUID.fullmatch(name)):
                listed = await _by_id(cloud, lookup, name)
            found[name] = NotFound(_missing(cloud, kind, name), status=404) if listed is None else listed
        except (NotFound, Permanent) as error:
            found[name] = error
    return found


def chosen(cloud: Cloud, kind: str, name: str, rows: Sequence[Row]) -> str | None:
    """The id of the row that bears the id or the name. Raises Permanent when several bear the name."""
    if any(row.id == name for row in rows):
        return name
    matching = [row for row in rows if row.name == name]
    if len(matching) > 1:
        matching = [row for row in matching if row.owner == cloud.project_id] or matching
    if len(matching) > 1:
        ids = ", ".join(sorted(row.id for row in matching)[:5])
        raise Permanent(f"{len(matching)} {_spoken(kind)}s are named {name!r} ({ids}); give the id of one.")
    return matching[0].id if matching else None


async def _by_id(cloud: Cloud, lookup: Lookup, name: str) -> str | None:
    try:
        found = await _get(cloud, lookup, name)
    except Permanent as error:
        if error.status == 403:
            return name  # users may name projects and users that they may not look at
        raise
    return None if found is None else str(found.get(lookup.id) or name)


def _lookup(kind: str) -> Lookup:
    found = _BY_KIND.get(kind)
    if found is None:
        raise Permanent(f"Nothing is known about names of the kind {kind!r}.")
    return found


async def _rows(cloud: Cloud, lookup: Lookup, params: Mapping[str, str]) -> Sequence[Row]:
    found = []
    for listed in await cloud.list(lookup.service, lookup.path, lookup.key, params=params):
        row = listed.get(lookup.inside, listed) if lookup.inside else listed
        found.append(Row(str(row.get(lookup.id)), row.get(lookup.name), _owner(row)))
    return found


def _spoken(kind: str) -> str:
    return kind.replace("_", " ")


def _missing(cloud: Cloud, kind: str, name: str) -> str:
    return f"There is no {_spoken(kind)} with the name or id {name!r} that project {cloud.project_id} can see."


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


__all__ = ["KINDS", "CloudError", "facts", "listing", "resolve", "resolve_all"]
