"""The table of types, and how a type is shown (API-05, API-06)."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import EntryPoint

import pytest

from engine.resources import registry as module
from engine.resources.base import ResourceType
from engine.resources.heat.none import NoneResource
from engine.resources.registry import Registry


def test_every_name_has_its_type() -> None:
    for name, kind in Registry(plugins=False).all_types().items():
        assert kind.name == name


def test_types_are_imported_when_they_are_used() -> None:
    code = "import sys; from engine.resources.registry import Registry; Registry(); print(*sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "engine.resources.nova.server" not in found
    assert "cryptography" not in found


def test_an_unknown_type_gets_a_suggestion() -> None:
    registry = Registry(plugins=False)
    assert registry.find("OS::Nova::Sevrer") is None
    assert registry.suggest("OS::Nova::Sevrer") == "OS::Nova::Server"
    with pytest.raises(LookupError):
        registry.get("OS::Nova::Sevrer")


def test_te_17_a_retired_prefix_leads_to_todays_type() -> None:
    registry = Registry(plugins=False)
    assert registry.get("OS::Quantum::Net") is registry.get("OS::Neutron::Net")


def test_other_packages_bring_types(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = EntryPoint("Acme::Thing", f"{__name__}:Thing", module.ENTRY_POINTS)
    monkeypatch.setattr(EntryPoint, "load", lambda self: Thing)
    monkeypatch.setattr(module, "entry_points", lambda group: [entry])
    assert isinstance(Registry().get("Acme::Thing"), Thing)


class Thing(NoneResource):
    name = "Acme::Thing"


def test_api_05_schema() -> None:
    found = Registry(plugins=False).schema_of("OS::Neutron::Subnet")
    assert found["resource_type"] == "OS::Neutron::Subnet"
    assert found["properties"]["ip_version"] == {
        "type": "integer", "required": False, "update_allowed": False, "immutable": False, "default": 4,
        "constraints": [{"allowed_values": [4, 6]}],
    }  # fmt: skip
    assert "network_id" not in found["properties"]
    assert found["properties"]["host_routes"]["schema"]["*"]["schema"]["nexthop"]["required"] is True
    assert found["attributes"]["show"]["type"] == "map"
    assert found["support_status"]["status"] == "SUPPORTED"


@pytest.mark.parametrize(
    ("dialect", "version"), [("hot", "heat_template_version"), ("cfn", "HeatTemplateFormatVersion")]
)
def test_api_06_template(dialect: str, version: str) -> None:
    found = Registry(plugins=False).template_of("OS::Nova::KeyPair", dialect)
    assert version in found
    parameters = found.get("parameters") or found["Parameters"]
    assert set(parameters) == {"name", "public_key", "save_private_key", "type", "user"}
    assert set(found.get("outputs") or found["Outputs"]) == {"private_key", "public_key", "show"}


@pytest.mark.parametrize("name", sorted(Registry(plugins=False).all_types()))
def test_every_type_can_be_shown(name: str) -> None:
    registry = Registry(plugins=False)
    assert registry.schema_of(name)["properties"].keys() <= registry.get(name).properties.keys()
    assert registry.template_of(name, "hot")["resources"]
    assert registry.template_of(name, "cfn")["Resources"]


def test_a_type_has_no_state_of_its_own() -> None:
    for kind in Registry(plugins=False).all_types().values():
        assert isinstance(kind, ResourceType)
        assert not vars(kind)
