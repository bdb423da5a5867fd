"""What `deploy/` says works with this version: its commands are there, its configuration is understood."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from gateway.cli import app
from gateway.config import Settings, load

DEPLOY = Path(__file__).parents[2] / "deploy"


def _commands() -> list[list[str]]:
    units = sorted((DEPLOY / "systemd").glob("*.service"))
    lines = [re.search(r"^ExecStart=(.*)$", unit.read_text(encoding="utf-8"), re.M) for unit in units]
    found = [shlex.split(line[1])[1:] for line in lines if line]
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))["services"]
    return [*found, *(one["command"] for one in services.values() if "command" in one)]


@pytest.mark.parametrize("command", _commands(), ids=" ".join)
def test_commands_and_their_options_exist(command: list[str]) -> None:
    names = [word for word in command if not word.startswith("-")][: 2 if command[0] == "db" else 1]
    told = CliRunner().invoke(app, [*names, "--help"], env={"COLUMNS": "300"})
    assert told.exit_code == 0, told.output
    for option in (word for word in command if word.startswith("--")):
        assert option in told.output


def test_the_configuration_has_what_processes_apart_need() -> None:
    found = load(Settings(), str(DEPLOY / "isotherm.conf"))
    assert all([found.cloud, found.database, found.transport_url, found.encryption_keys])
    assert found.heat_waitcondition_server_url is not None
    assert found.engine.grace >= found.clouds.request_timeout
