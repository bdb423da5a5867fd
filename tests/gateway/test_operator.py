"""The folder of the operator's environments (heat.md TE-17)."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.model.diagnostic import Invalid
from gateway.operator import load_operator

CHILD = "heat_template_version: 2018-08-31"


def test_without_a_folder_there_is_what_every_heat_has_te_17() -> None:
    assert load_operator(None).registry["OS::Quantum*"] == "OS::Neutron*"


def test_later_files_win_and_templates_are_read_te_17(tmp_path: Path) -> None:
    child = tmp_path / "child.yaml"
    child.write_text(CHILD)
    folder = tmp_path / "environment.d"
    folder.mkdir()
    (folder / "10-first.yaml").write_text("resource_registry: {A: B, 'OS::Quantum*': 'My::*'}")
    (folder / "20-second.yaml").write_text(
        f"resource_registry: {{A: C, T: '{child.as_uri()}'}}\nparameter_defaults: {{p: 1}}"
    )
    (folder / ".hidden").write_text("not an environment")
    found = load_operator(str(folder))
    assert (found.registry["A"], found.registry["OS::Quantum*"]) == ("C", "My::*")
    assert found.files == {child.as_uri(): CHILD}


def test_a_mistake_is_told_with_its_file(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("resource_registry: {A: [")
    with pytest.raises(Invalid) as refused:
        load_operator(str(tmp_path))
    assert "bad.yaml:2" in str(refused.value)
    (tmp_path / "bad.yaml").write_text("resource_registry: {A: 'file:///nowhere.yaml'}")
    with pytest.raises(Invalid, match="cannot be read"):
        load_operator(str(tmp_path))
    with pytest.raises(Invalid, match="is no folder"):
        load_operator(str(tmp_path / "none"))
