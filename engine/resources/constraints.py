"""Limits on values: those that are checked here, and which of the named ones (heat.md §3.5) the cloud must answer."""

from __future__ import annotations

import ipaddress
import json
import re
import zoneinfo
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from engine.model.template import Constraint
from engine.model.value import UNKNOWN, Value
from engine.resources.cron import wrong_with_cron
from engine.resources.declare import CONSTRAINT_OF

_KIND_OF: Mapping[str, str] = {name: kind for kind, name in CONSTRAINT_OF.items()} | {
    "barbican.container": "container",
    "barbican.secret": "secret",
    "blazar.reservation": "lease",
    "cinder.qos_specs": "qos_specs",
    "designate.zone": "zone",
    "ironic.node": "node",
    "ironic.portgroup": "port_group",
    "keystone.region": "region",
    "keystone.service": "service",
    "magnum.cluster_template": "cluster_template",
    "manila.share_network": "share_network",
    "manila.share_snapshot": "share_snapshot",
    "manila.share_type": "share_type",
    "mistral.workflow": "workflow",
    "neutron.flow_classifier": "flow_classifier",
    # Neutron's load balancers became Octavia's.
    "neutron.lbaas.listener": "listener",
    "neutron.lbaas.loadbalancer": "load_balancer",
    "neutron.lbaas.pool": "pool",
    "neutron.lbaas.provider": "load_balancer_provider",
    "neutron.port_pair": "port_pair",
    "neutron.port_pair_group": "port_pair_group",
    "neutron.taas.tap_flow": "tap_flow",
    "neutron.taas.tap_service": "tap_service",
    "nova.host": "hypervisor",
    "octavia.availabilityzone": "load_balancer_zone",
    "octavia.availabilityzoneprofile": "load_balancer_zone_profile",
    "octavia.flavor": "load_balancer_flavor",
    "octavia.flavorprofile": "load_balancer_flavor_profile",
    "octavia.l7policy": "l7policy",
    "octavia.listener": "listener",
    "octavia.loadbalancer": "load_balancer",
    "octavia.pool": "pool",
    "trove.flavor": "database_flavor",
}


def cloud_kind(constraint: str) -> str | None:
    """The kind that `Cloud.resolve` must know the value as; None for constraints checked here (TK-01)."""
    return _KIND_OF.get(constraint)


def violation(limit: Constraint, value: Value) -> str | None:
    """One sentence when `value` breaks `limit`, else None. UNKNOWN breaks nothing."""
    if value is UNKNOWN:
        return None
    found = _broken(limit, value)
    return None if found is None else limit.description or found


def _broken(limit: Constraint, value: Value) -> str | None:
    if limit.allowed_values is not None:
        return _not_allowed(limit.allowed_values, value)
    if limit.pattern is not None:
        if re.fullmatch(limit.pattern, str(value)) is None:
            return f'"{value}" does not match pattern "{limit.pattern}"'
    elif limit.length is not None:
        least, most = limit.length
        count = len(value) if isinstance(value, str | list | tuple | Mapping) else len(str(value))
        if (least is not None and count < least) or (most is not None and count > most):
            return f"length ({count}) is out of range ({_bounds(least, most)})"
    elif limit.range is not None:
        low, high = limit.range
        if not isinstance(value, int | float):
            return None
        outside = (low is not None and value < low) or (high is not None and value > high)
        if outside:
            return f"{value} is out of range ({_bounds(low, high)})"
    elif limit.modulo is not None:
        step, offset = limit.modulo
        if isinstance(value, int | float) and value % step != offset:
            return f"{value} is not a multiple of {step} with an offset of {offset}"
    elif limit.custom is not None:
        check = _LOCAL.get(limit.custom)
        if check is None or (value == "" and limit.custom in _MAY_BE_EMPTY):
            return None
        return check(value)
    return None


def _not_allowed(allowed: tuple[Value, ...], value: Value) -> str | None:
    """A list is allowed when each of its items is; text matches the text of a number."""
    items = value if isinstance(value, list | tuple) else [value]
    for item in items:
        if item is UNKNOWN or item in allowed or (isinstance(item, str) and item in {str(one) for one in allowed}):
            continue
        shown = ", ".join(str(one) for one in allowed[-20:])
        return f'"{item}" is not an allowed value [{"…, " if len(allowed) > 20 else ""}{shown}]'
    return None


def _bounds(low: float | None, high: float | None) -> str:
    ends = []
    if low is not None:
        ends.append(f"min: {low}")
    if high is not None:
        ends.append(f"max: {high}")
    return ", ".join(ends)


# --- the named ones that need nobody's answer ---------------------------------------------------------------------
def _ip_address(value: Value) -> str | None:
    try:
        ipaddress.ip_address(str(value))
    except ValueError:
        return f'Invalid IP address: "{value}"'
    return None


def _network(value: Value) -> str | None:
    try:
        ipaddress.ip_network(str(value), strict=False)
    except ValueError as error:
        return f'Invalid net cidr "{value}": {error}'
    if "/" not in str(value):
        return f'Invalid net cidr "{value}": it has no prefix length'
    return None


def _address_or_network(value: Value) -> str | None:
    if _ip_address(value) is not None and _network(value) is not None:
        return f'"{value}" is neither an IP address nor a CIDR'
    return None


# With colons or hyphens, in Cisco's groups of four, or bare: what netaddr takes.
_MAC = re.compile(r"([0-9a-f]{1,2}[:-]){5}[0-9a-f]{1,2}|([0-9a-f]{4}[.:-]){2}[0-9a-f]{4}|[0-9a-f]{12}", re.IGNORECASE)
_LABEL = re.compile(r"(?!-)[a-zA-Z0-9-]{1,63}(?<!-)")


def _mac(value: Value) -> str | None:
    return None if _MAC.fullmatch(str(value)) else f'Invalid MAC address: "{value}"'


def _dns_name(value: Value) -> str | None:
    text = str(value)
    labels = text.removesuffix(".").split(".")
    if len(text) > 255 or not all(_LABEL.fullmatch(label) for label in labels):
        return f'"{value}" is not a valid DNS name: labels of 1 to 63 letters, digits and hyphens, 255 in all'
    if text.endswith(".") and labels[-1].isdigit():
        return f'"{value}" is not a valid DNS name: its top level is all digits'
    return None


def _relative_dns_name(value: Value) -> str | None:
    if str(value).endswith("."):
        return f'"{value}" is not a relative name: it ends with a dot'
    return _dns_name(value)


def _dns_domain(value: Value) -> str | None:
    if not str(value).endswith("."):
        return f'"{value}" must end with "."'
    return _dns_name(value)


def _json(value: Value) -> str | None:
    try:
        json.loads(value)
    except (TypeError, ValueError, RecursionError) as error:
        return f"JSON string {value} is invalid: {error}"
    return None


def _iso_8601(value: Value) -> str | None:
    try:
        datetime.fromisoformat(str(value))
    except ValueError:
        return f'"{value}" is not a date in ISO 8601'
    return None


def _expiration(value: Value) -> str | None:
    try:
        until = datetime.fromisoformat(str(value).strip())
    except ValueError:
        return f"Expiration {value} is invalid: it is not a date in ISO 8601"
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return None if until > datetime.now(UTC) else f"Expiration {value} is invalid: it is past"


def _timezone(value: Value) -> str | None:
    try:
        zoneinfo.ZoneInfo(str(value))
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return f'Invalid timezone: "{value}"'
    return None


def _cron(value: Value) -> str | None:
    return wrong_with_cron(str(value))


def _queue(value: Value) -> str | None:
    """Zaqar makes queues when they are first used, so any name is one."""
    return None if len(str(value)) <= _LONGEST_QUEUE else f"Queue name length must be 1-{_LONGEST_QUEUE}"


def _anything(value: Value) -> str | None:
    """`test_constr` and its placeholder `nova.network` only make Heat's tests wait."""
    return None


_LONGEST_QUEUE = 64
#: These have nothing against an empty text.
_MAY_BE_EMPTY = frozenset(
    {"cron_expression", "dns_domain", "dns_name", "expiration", "json_string", "rel_dns_name", "timezone"}
)
_LOCAL: Mapping[str, Callable[[Value], str | None]] = {
    "cron_expression": _cron,
    "dns_domain": _dns_domain,
    "dns_name": _dns_name,
    "expiration": _expiration,
    "ip_addr": _ip_address,
    "ip_or_cidr": _address_or_network,
    "iso_8601": _iso_8601,
    "json_string": _json,
    "mac_addr": _mac,
    "net_cidr": _network,
    "nova.network": _anything,
    "rel_dns_name": _relative_dns_name,
    "test_constr": _anything,
    "timezone": _timezone,
    "zaqar.queue": _queue,
}

#: Every name there is.
CUSTOM_CONSTRAINTS = frozenset(_KIND_OF) | frozenset(_LOCAL)
