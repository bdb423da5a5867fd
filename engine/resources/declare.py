"""The words resource types are declared in: one line per property.

    properties = {
        "name": string(mutable=True),
        "network": named("network", required=True, body="network_id"),
        "network_id": formerly("network"),
        "ip_version": integer(one_of(4, 6), default=4),
    }

`mutable=True` is a property that is updated in place; any other change makes a new object.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypedDict, Unpack

from engine.model.template import Constraint
from engine.model.value import Value
from engine.resources.base import Attribute, Kind, Property, Update


class _Options(TypedDict, total=False):
    required: bool
    default: Value
    mutable: bool
    refers: str
    body: str
    description: str
    secret: bool
    support: str
    null: Value


def _declare(
    kind: Kind, limits: tuple[Constraint, ...], options: _Options,
    *, schema: Mapping[str, Property] | None = None, items: Property | None = None,
) -> Property:  # fmt: skip
    return Property(
        kind=kind,
        required=options.get("required", False),
        default=options.get("default"),
        update=Update.IN_PLACE if options.get("mutable") else Update.REPLACE,
        constraints=limits,
        refers=options.get("refers"),
        schema=schema,
        items=items,
        body=options.get("body"),
        description=options.get("description", ""),
        secret=options.get("secret", False),
        support=options.get("support", "SUPPORTED"),
        null=options.get("null"),
    )


def string(*limits: Constraint, **options: Unpack[_Options]) -> Property:
    return _declare(Kind.STRING, limits, options)


def integer(*limits: Constraint, **options: Unpack[_Options]) -> Property:
    return _declare(Kind.INTEGER, limits, options)


def number(*limits: Constraint, **options: Unpack[_Options]) -> Property:
    return _declare(Kind.NUMBER, limits, options)


def boolean(*limits: Constraint, **options: Unpack[_Options]) -> Property:
    return _declare(Kind.BOOLEAN, limits, options)


def anything(*limits: Constraint, **options: Unpack[_Options]) -> Property:
    return _declare(Kind.ANY, limits, options)


def mapping(schema: Mapping[str, Property] | None, *limits: Constraint, **options: Unpack[_Options]) -> Property:
    """A map with these keys; None for a map of any."""
    return _declare(Kind.MAP, limits, options, schema=schema)


def listing(items: Property | None, *limits: Constraint, **options: Unpack[_Options]) -> Property:
    """A list of such items; None for a list of anything."""
    return _declare(Kind.LIST, limits, options, items=items)


def named(kind: str, **options: Unpack[_Options]) -> Property:
    """A name or id of an object of the cloud; the cloud is asked whether there is one, and for its id."""
    options["refers"] = kind
    return _declare(Kind.STRING, (Constraint(custom=CONSTRAINT_OF[kind]),), options)


def formerly(name: str, kind: str | None = None) -> Property:
    """An older name of property `name`, still understood."""
    limits = () if kind is None else (Constraint(custom=CONSTRAINT_OF[kind]),)
    return Property(Kind.STRING, constraints=limits, body="", support="HIDDEN", stands_for=name)


# --- limits -------------------------------------------------------------------------------------------------------
def one_of(*values: Value) -> Constraint:
    return Constraint(allowed_values=values)


def between(low: float | None = None, high: float | None = None) -> Constraint:
    return Constraint(range=(low, high))


def length(least: int | None = None, most: int | None = None) -> Constraint:
    return Constraint(length=(least, most))


def custom(name: str) -> Constraint:
    """A named limit of heat.md §3.5."""
    return Constraint(custom=name)


# --- attributes ---------------------------------------------------------------------------------------------------
def attribute(kind: Kind = Kind.STRING, body: str | None = None, *, live: bool = False) -> Attribute:
    return Attribute(kind, body=body, live=live)


def attributes(*names: str) -> dict[str, Attribute]:
    """Text attributes that bear the wire's names."""
    return {name: Attribute() for name in names}


def maps_of(value: Value) -> list[tuple[int, Mapping[str, Value]]]:
    """The maps of a list with their places, for `validate`, which sees values that are unknown or of a wrong type."""
    if not isinstance(value, list | tuple):
        return []
    return [(position, one) for position, one in enumerate(value) if isinstance(one, Mapping)]


VALUE_SPECS: Final = mapping(None, default={}, mutable=True, body="")
TAGS: Final = listing(Property(Kind.STRING), mutable=True, body="")

#: What a name refers to → the custom constraint of heat.md §3.5 that asks the cloud for it.
CONSTRAINT_OF: Final[Mapping[str, str]] = {
    "address_scope": "neutron.address_scope",
    "network": "neutron.network",
    "port": "neutron.port",
    "qos_policy": "neutron.qos_policy",
    "router": "neutron.router",
    "security_group": "neutron.security_group",
    "segment": "neutron.segment",
    "subnet": "neutron.subnet",
    "subnet_pool": "neutron.subnetpool",
    "flavor": "nova.flavor",
    "keypair": "nova.keypair",
    "server": "nova.server",
    "image": "glance.image",
    "backup": "cinder.backup",
    "snapshot": "cinder.snapshot",
    "volume": "cinder.volume",
    "volume_type": "cinder.vtype",
    "domain": "keystone.domain",
    "group": "keystone.group",
    "project": "keystone.project",
    "role": "keystone.role",
    "user": "keystone.user",
}
