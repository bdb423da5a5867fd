"""Every named limit that the cloud answers: any number of names takes one listing (heat.md TK rows)."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from engine.cloud.errors import NotFound
from engine.resources.constraints import CUSTOM_CONSTRAINTS, cloud_kind

_ROWS = yaml.safe_load(
    (Path(__file__).parents[2] / "translators" / "language" / "rows" / "tk.yaml").read_text(encoding="utf-8")
)
_ASKED = [(row, said) for row, listed in _ROWS.items() for said in listed if "constraint" in said]
_SERVICES = frozenset(said["service"] for _, said in _ASKED)


@pytest.mark.parametrize(("row", "said"), _ASKED, ids=[f"{row}: {said['constraint']}" for row, said in _ASKED])
async def test_any_number_of_names_takes_one_listing(row, said, cloud, connect):
    cloud.catalog = {service: f"/my-{service}" for service in _SERVICES}
    client = await (await connect()).own()
    wanted = urlsplit(client._root(said["service"])).path + said["lists"]
    cloud.on("GET", wanted.split("?")[0], (200, {said["key"]: [said["row"], {"id": "x9", "name": "other"}]}))
    kind, name = cloud_kind(said["constraint"]), said.get("name") or said["row"]["name"]
    identity = str(said.get("id") or said["row"].get("id"))
    found = await client.resolve_all(kind, [name, identity, "no such"])
    assert (found[name], found[identity]) == (identity, identity)
    assert isinstance(found["no such"], NotFound)
    assert cloud.calls.count(f"GET {wanted}") == 1, cloud.calls


def test_there_are_seventy_and_each_is_asked_or_checked_here_tp_08():
    assert len(CUSTOM_CONSTRAINTS) == 70
    asked = {said["constraint"] for _, said in _ASKED}
    assert asked == {name for name in CUSTOM_CONSTRAINTS if cloud_kind(name) is not None}
