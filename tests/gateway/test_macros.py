"""Macros in isotherm.conf."""

from __future__ import annotations

from pathlib import Path

from gateway.config import Settings, load


def test_macros_are_named_in_a_section_of_their_own(tmp_path: Path) -> None:
    file = tmp_path / "isotherm.conf"
    file.write_text("[DEFAULT]\nregion = here\n[macros]\nMyMacro = https://macros/my?a=b\nOther = http://other/\n")
    assert load(Settings(), str(file)).macros == {"MyMacro": "https://macros/my?a=b", "Other": "http://other/"}


def test_without_the_section_there_are_none(tmp_path: Path) -> None:
    file = tmp_path / "isotherm.conf"
    file.write_text("[DEFAULT]\nregion = here\n")
    assert load(Settings(), str(file)).macros == {}
