"""The README's ten minutes, typed as they stand, in order."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_EXPECTED_TO_FAIL = "examples/cfn/mistakes.yaml"


def _commands() -> list[str]:
    """The indented lines of the tour, continuation lines joined; the ones that prepare a terminal are left out."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    tour = text.split("## Ten minutes", 1)[1].split("\n## ", 1)[0]
    lines = re.sub(r"\\\n\s+", "", tour).splitlines()
    commands = [line.strip() for line in lines if line.startswith("    ")]
    return [line for line in commands if not line.startswith(("source", "export"))]


def test_the_tour_has_commands_of_both_clients() -> None:
    commands = _commands()

    assert any(command.startswith("aws ") for command in commands)
    assert any(command.startswith("openstack ") for command in commands)


@pytest.mark.timeout(240)
def test_the_tour_works_as_written(server) -> None:
    env = {
        **os.environ,
        **server.aws_env,
        "OS_CLIENT_CONFIG_FILE": str(server.clouds_yaml),
        "OS_CLOUD": "isotherm",
        "PATH": f"{server.bin}:{os.environ['PATH']}",
    }
    first = (
        "aws cloudformation deploy --stack-name web-server --template-file examples/cfn/web-server.yaml "
        "--capabilities CAPABILITY_NAMED_IAM"
    )
    for command in [first, *_commands()]:
        done = subprocess.run(command, shell=True, cwd=ROOT, env=env, capture_output=True, text=True, timeout=90)
        said = f"$ {command}\n{done.stdout}\n{done.stderr}"
        if _EXPECTED_TO_FAIL in command:
            assert done.returncode != 0, said
            assert "Did you mean" in done.stdout + done.stderr, said
        else:
            assert done.returncode == 0, said
