"""From a catalogue type to an address: aliases, interfaces, regions, and the version part of each service's root."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from engine.cloud.token import TokenInfo

#: Official type → other names it has in catalogues, best first (service-types-authority).
ALIASES: Mapping[str, tuple[str, ...]] = {
    "alarm": ("alarming",),
    "baremetal": ("bare-metal",),
    "block-storage": ("volumev3", "volume", "block-store"),
    "container-infrastructure-management": ("container-infra", "container-infrastructure"),
    "instance-ha": ("ha",),
    "message": ("messaging",),
    "orchestration": ("heat",),
    "shared-file-system": ("sharev2", "share"),
    "workflow": ("workflowv2",),
}

#: The version part that an unversioned catalogue address lacks. `{project}` is the project's id.
_VERSION_PART: Mapping[str, str] = {
    "alarm": "/v2",
    "block-storage": "/v3/{project}",
    "compute": "/v2.1",
    "container-infrastructure-management": "/v1",
    "database": "/v1.0/{project}",
    "dns": "/v2",
    "identity": "/v3",
    "image": "/v2",
    "instance-ha": "/v1/{project}",
    "key-manager": "/v1",
    "load-balancer": "/v2",
    "message": "/v2",
    "metric": "/v1",
    "network": "/v2.0",
    "object-store": "/v1/AUTH_{project}",
    "orchestration": "/v1/{project}",
    "reservation": "/v1",
    "shared-file-system": "/v2",
    "workflow": "/v2",
}

_VERSION = re.compile(r"/v\d+(\.\d+)?(?=/|$)")
_OFFICIAL = {alias: official for official, aliases in ALIASES.items() for alias in aliases}


def official_type(name: str) -> str:
    """Return the official name of a catalogue type; an old version's own type (`volumev2`) stays as it is."""
    return _OFFICIAL.get(name, name)


def service_types(info: TokenInfo, region: str | None, interface: str) -> frozenset[str]:
    """Return the official types that have an endpoint here, and their names in the catalogue."""
    found = set()
    for entry in info.catalog:
        url = _endpoint(entry, region, interface)
        if url is not None:
            official = official_type(entry["type"])
            found |= {entry["type"], official} if _right_version(url, official) else {entry["type"]}
    return frozenset(found)


def service_root(
    info: TokenInfo, service: str, region: str | None, interface: str, overrides: Mapping[str, str]
) -> str | None:
    """Return the versioned root of `service` (no slash at its end), or None when the catalogue has no endpoint."""
    official = official_type(service)
    for name in dict.fromkeys((service, official, *ALIASES.get(official, ()))):
        if url := overrides.get(name):
            return _versioned(url, official, info.project_id)
        for entry in info.catalog:
            if entry.get("type") != name:
                continue
            url = _endpoint(entry, region, interface)
            if url is not None and _right_version(url, official):
                return _versioned(url, official, info.project_id)
    return None


def default_region(info: TokenInfo) -> str:
    """Return the first region that the catalogue names, "" when there is none."""
    for entry in info.catalog:
        for endpoint in entry.get("endpoints", ()):
            if region := endpoint.get("region_id") or endpoint.get("region"):
                return str(region)
    return ""


def _endpoint(entry: Mapping[str, Any], region: str | None, interface: str) -> str | None:
    endpoints: Sequence[Mapping[str, Any]] = entry.get("endpoints", ())
    for endpoint in endpoints:
        if endpoint.get("interface", "").removesuffix("URL") != interface.removesuffix("URL"):
            continue
        if region and region not in (endpoint.get("region_id"), endpoint.get("region")):
            continue
        return str(endpoint["url"])
    return None


def _right_version(url: str, official: str) -> bool:
    """`volume` may still be the first or second block storage API."""
    return official != "block-storage" or re.search(r"/v[12](/|$)", url) is None


def _versioned(url: str, official: str, project_id: str) -> str:
    url = url.rstrip("/")
    if official == "identity":
        return url if url.endswith("/v3") else _VERSION.sub("", url) + "/v3"
    if _VERSION.search(url.split("://", 1)[-1]):
        return url
    return url + _VERSION_PART.get(official, "").format(project=project_id)


def version_root(root: str) -> str:
    """Return `root` up to its version part: where a service tells its microversions."""
    head, separator, rest = root.partition("://")
    match = _VERSION.search(rest)
    return root if match is None else f"{head}{separator}{rest[: match.end()]}"
