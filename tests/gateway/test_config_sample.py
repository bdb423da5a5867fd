"""`isotherm config-sample`: all options are in it, each explained, and what it says is what holds."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from engine.cloud.settings import MICROVERSIONS, CloudSettings
from engine.runs.context import EngineSettings
from gateway import config_help
from gateway.cli import app
from gateway.config import Settings, load, sections
from mappings import OPTIONS


@pytest.fixture(scope="module")
def sample() -> str:
    done = CliRunner().invoke(app, ["config-sample"])
    assert done.exit_code == 0, done.output
    return done.output


def _load(folder: Path, text: str) -> Settings:
    file = folder / "isotherm.conf"
    file.write_text(text, encoding="utf-8")
    return load(Settings(), str(file))


def _section(sample: str, name: str) -> str:
    return re.split(r"^\[\w+\]$", sample.partition(f"[{name}]\n")[2], maxsplit=1, flags=re.MULTILINE)[0]


@pytest.mark.parametrize(
    "section", ["DEFAULT", "engine", "cloud", "mapping", "oslo_messaging_notifications", "oslo_messaging_rabbit"]
)
def test_every_option_is_in_it_and_explained(sample: str, section: str) -> None:
    texts = {"DEFAULT": config_help.DEFAULT, "engine": config_help.ENGINE, "cloud": config_help.CLOUD,
             "mapping": config_help.MAPPING, "oslo_messaging_notifications": config_help.NOTIFICATIONS,
             "oslo_messaging_rabbit": config_help.RABBIT}[section]  # fmt: skip
    fields = {
        "DEFAULT": set(texts),
        "engine": {one.name for one in dataclasses.fields(EngineSettings)} - {"region"},  # that of [DEFAULT]
        "cloud": {one.name for one in dataclasses.fields(CloudSettings)},
        "mapping": set(OPTIONS),
        "oslo_messaging_notifications": {"driver", "topics", "transport_url"},
        "oslo_messaging_rabbit": {"amqp_durable_queues", "rabbit_quorum_queue"},
    }[section]

    shown = re.findall(r"^(?:# .+\n)+#(\w+) =", _section(sample, section), flags=re.MULTILINE)

    assert set(shown) == fields == {option.name for option in sections()[section]}
    assert sorted(shown) == sorted(texts)


def test_it_loads_and_sets_nothing(sample: str, tmp_path: Path) -> None:
    assert _load(tmp_path, sample) == _load(tmp_path, "")


def test_its_defaults_are_those_that_hold(sample: str, tmp_path: Path) -> None:
    said = re.sub(r"^#(\w+ =)", r"\1", re.sub(r"^#\w+ = <None>$", "", sample, flags=re.MULTILINE), flags=re.MULTILINE)

    found = _load(tmp_path, said)

    assert found == _load(tmp_path, "")
    assert (found.engine, found.clouds) == (EngineSettings(), CloudSettings())


def test_options_that_are_sets_and_mappings(tmp_path: Path) -> None:
    found = _load(
        tmp_path, "[cloud]\nservice_user_extra_roles = service, auditor\nmicroversions = compute:2.79,placement:1.30\n"
    ).clouds

    assert found.service_user_extra_roles == frozenset({"service", "auditor"})
    assert found.microversions == {**MICROVERSIONS, "compute": "2.79", "placement": "1.30"}
