"""The collections' tables against openstacksdk's own classes, and the reader of its source against them."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
from openstack import fields

from simulator.network.collection import Collection as NetworkCollection
from simulator.sdk import sdk_class
from simulator.seed import make_seed
from simulator.services import Services
from simulator.settings import Settings
from simulator.store import Store
from simulator.world import World


def _services() -> Services:
    settings = Settings()
    return Services(World(settings, Store(None), make_seed(settings)))


_ALL = [*_services().network.collections, *_services().identity.collections]


def _class(name: str) -> Any:
    module, _, class_name = name.rpartition(".")
    return getattr(importlib.import_module(f"openstack.{module}"), class_name)


@pytest.mark.parametrize("collection", _ALL, ids=lambda collection: collection.path)
def test_path_and_keys_are_the_sdks(collection: Any) -> None:
    sdk = _class(collection.sdk_name)
    assert collection.path == sdk.base_path
    assert (collection.key, collection.plural) == (sdk.resource_key, sdk.resources_key)


@pytest.mark.parametrize("collection", _ALL, ids=lambda collection: collection.path)
def test_source_reader_agrees_with_the_class(collection: Any) -> None:
    read, sdk = sdk_class(collection.sdk_name), _class(collection.sdk_name)
    declared = {name: part for base in reversed(sdk.__mro__) for name, part in vars(base).items()}
    bodies = {part.name for part in declared.values() if isinstance(part, fields.Body)}
    assert read.body >= bodies - {"location"}
    assert read.filters >= {wire for wire in sdk._query_mapping._mapping.values() if isinstance(wire, str)}
    assert ("create" in read.allow, "list" in read.allow) == (sdk.allow_create, sdk.allow_list)


@pytest.mark.parametrize("collection", [c for c in _ALL if isinstance(c, NetworkCollection)], ids=lambda c: c.path)
def test_defaults_are_attributes_that_the_sdk_knows(collection: NetworkCollection) -> None:
    extra = {"l2_adjacency", "qos_network_policy_id", "port_forwardings", "normalized_cidr", "remote_address_group_id",
             "ip_allocation", "dns_assignment", "stateful", "is_default", "shared"}  # fmt: skip
    assert collection.defaults.keys() <= collection.sdk.body | extra
