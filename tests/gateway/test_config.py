"""isotherm.conf: what it says reaches the rooms, what it must not say is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from oslo_config import cfg

from gateway.config import Settings, load
from mappings import OPTIONS, Mappings


def _load(folder: Path, text: str) -> Settings:
    file = folder / "isotherm.conf"
    file.write_text(text, encoding="utf-8")
    return load(Settings(), str(file))


def test_without_a_file_nothing_changes() -> None:
    assert load(Settings(port=9), None) == Settings(port=9)


def test_a_section_for_each_room(tmp_path: Path) -> None:
    found = _load(
        tmp_path,
        "[DEFAULT]\nregion = North\n[engine]\nmax_resources_per_stack = 7\n[cloud]\nmax_concurrent_requests = 3\n"
        "[mapping]\npublic_subnet_snat = deny\n",
    )
    assert found.region == "North"
    assert found.engine.max_resources_per_stack == 7
    assert found.clouds.max_concurrent_requests == 3
    assert Mappings(options=found.mapping).options == {**OPTIONS, "public_subnet_snat": "deny"}


def test_a_choice_that_there_is_not(tmp_path: Path) -> None:
    with pytest.raises(cfg.ConfigFileValueError, match=r"network_acl.*maybe"):
        _load(tmp_path, "[mapping]\nnetwork_acl = maybe\n")
