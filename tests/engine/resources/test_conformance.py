"""Every declaration against the schema of Heat's type of that name: templates written for Heat work unchanged (5)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.cloud.sdk import describe
from engine.model.template import Constraint
from engine.resources.base import Kind, Property, Update
from engine.resources.openstack_type import OpenStackType
from engine.resources.registry import Registry

DATA = Path(__file__).parents[2] / "data" / "heat-resource-schemas.json"
HEAT = json.loads(DATA.read_text())
REGISTRY = Registry(plugins=False)


def constraint(limit: Constraint) -> dict:
    if limit.allowed_values is not None:
        return {"allowed_values": list(limit.allowed_values)}
    if limit.pattern is not None:
        return {"allowed_pattern": limit.pattern}
    if limit.custom is not None:
        return {"custom_constraint": limit.custom}
    name, ends = ("length", limit.length) if limit.length is not None else ("range", limit.range)
    assert ends is not None
    return {name: {key: end for key, end in zip(("min", "max"), ends, strict=True) if end is not None}}


def as_heat(declared: Property, wanted: dict | None) -> dict:
    found: dict = {"type": "String" if declared.kind is Kind.STRING else declared.kind.value.capitalize()}
    if declared.required:
        found["required"] = True
    if declared.update is Update.IN_PLACE:
        found["update_allowed"] = True
    if declared.update is Update.IMMUTABLE:
        found["immutable"] = True
    if declared.default is not None:
        found["default"] = declared.default
    if declared.constraints:
        found["constraints"] = [constraint(one) for one in declared.constraints]
    if declared.support != "SUPPORTED":
        found["support"] = declared.support
    inner = (wanted or {}).get("schema", {})
    if declared.schema is not None:
        found["schema"] = {name: as_heat(one, inner.get(name)) for name, one in declared.schema.items()}
    elif declared.items is not None:
        found["schema"] = {"*": as_heat(declared.items, inner.get("*"))}
    return found


@pytest.mark.parametrize("name", sorted(HEAT))
def test_properties_are_heats(name: str) -> None:
    kind, wanted = REGISTRY.get(name), HEAT[name]
    found = {one: as_heat(p, wanted["properties"].get(one)) for one, p in kind.properties.items()}
    assert found == wanted["properties"]


@pytest.mark.parametrize("name", sorted(HEAT))
def test_attributes_are_heats(name: str) -> None:
    kind, wanted = REGISTRY.get(name), HEAT[name]["attributes"]
    found = {
        one: None if a.kind is Kind.ANY else "String" if a.kind is Kind.STRING else a.kind.value.capitalize()
        for one, a in kind.attributes.items()
    }
    assert found == wanted


@pytest.mark.parametrize("name", sorted(HEAT))
def test_update_policy_is_heats(name: str) -> None:
    wanted = HEAT[name].get("update_policy", {})
    kind = REGISTRY.get(name)
    assert {one: as_heat(p, wanted.get(one)) for one, p in kind.update_policy.items()} == {
        one: {key: value for key, value in p.items() if key != "support"} for one, p in wanted.items()
    }


@pytest.mark.parametrize("name", sorted(HEAT))
def test_support_is_heats(name: str) -> None:
    assert REGISTRY.get(name).support == HEAT[name]["support"]


#: Wire names that the SDK's class does not declare though the API has them.
_SERVER = {"OS-DCF:diskConfig", "availability_zone"}
_NOT_IN_SDK = {
    "OS::Nova::Server": _SERVER,
    "Isotherm::Nova::Server": _SERVER,
    "OS::Neutron::Net": {"tenant_id"},
}
_WIRED = [n for n, k in REGISTRY.all_types().items() if isinstance(k, OpenStackType) and k.name_key is not None]


@pytest.mark.parametrize("name", _WIRED)
def test_wire_names_are_the_sdks(name: str) -> None:
    kind = REGISTRY.get(name)
    assert isinstance(kind, OpenStackType)
    sent = {one.body or key for key, one in kind.properties.items() if one.body != ""}
    known = set(describe(kind.sdk).body.values()) | _NOT_IN_SDK.get(name, set()) | {"tenant_id"}
    assert sent - known == set()


@pytest.mark.parametrize("name", _WIRED)
def test_paths_are_known(name: str) -> None:
    kind = REGISTRY.get(name)
    assert isinstance(kind, OpenStackType)
    assert kind.wire.base_path.startswith("/")
    assert kind.wire.resources_key
    assert kind.service in ("network", "compute", "block-storage", "identity")
