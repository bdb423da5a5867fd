"""A server to measure: `isotherm serve` in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

import yaml


class Installation(Protocol):
    """What a measurement asks over HTTP, and what it costs; `url` is the native API's."""

    url: str

    def cloud(self) -> dict[str, Any]: ...
    def memory_mb(self) -> float: ...
    def cpu_seconds(self) -> float: ...


class Server:
    """Started in `__enter__`; `ready_seconds` is from exec to the line that says it is ready.

    `config` is the text of an isotherm.conf; `clouds_yaml` has an entry `bench`, the cloud instead of an embedded one.
    """

    def __init__(self, state_dir: Path, config: str = "", clouds_yaml: Path | None = None) -> None:
        self.state_dir, self._config, self._clouds_yaml = state_dir, config, clouds_yaml
        self.url = ""
        self.ready_seconds = 0.0
        self._process: subprocess.Popen[str]

    def __enter__(self) -> Server:
        command = [str(Path(sys.executable).parent / "isotherm"), "serve", "--port", "0", "--state-dir",
                   str(self.state_dir)]  # fmt: skip
        if self._config:
            file = self.state_dir.with_suffix(".conf")
            file.write_text(self._config, encoding="utf-8")
            command += ["--config-file", str(file)]
        env = dict(os.environ)
        if self._clouds_yaml is not None:
            command += ["--cloud", "bench"]
            env["OS_CLIENT_CONFIG_FILE"] = str(self._clouds_yaml)
        began = time.perf_counter()
        self._process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=env)
        assert self._process.stderr is not None
        for line in self._process.stderr:
            if "isotherm is ready at" in line:
                self.ready_seconds = time.perf_counter() - began
                self.url = line.split("isotherm is ready at", 1)[1].split()[0].strip("\"'")
                return self
        raise RuntimeError("isotherm serve ended before it was ready")

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._process.terminate()
        self._process.wait(30)
        if self._process.stderr is not None:
            self._process.stderr.close()

    def env(self) -> dict[str, str]:
        lines = (self.state_dir / "aws.env").read_text(encoding="utf-8").splitlines()
        pairs = (line.removeprefix("export ").partition("=") for line in lines)
        return {name: value.strip("'\"") for name, _, value in pairs}

    def cloud(self) -> dict[str, Any]:
        text = (self.state_dir / "clouds.yaml").read_text(encoding="utf-8")
        entry: dict[str, Any] = yaml.safe_load(text)["clouds"]["isotherm"]
        return entry

    def simulator(self) -> str:
        """URL below which the embedded cloud's knobs are."""
        return "/".join(self.cloud()["auth"]["auth_url"].split("/")[:3]) + "/simulator"

    def memory_mb(self) -> float:
        return resident_mb(self._process.pid)

    def cpu_seconds(self) -> float:
        return cpu_seconds(self._process.pid)


def resident_mb(pid: int) -> float:
    """Resident set of the process, as Linux counts it."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    kilobytes = next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))
    return int(kilobytes) / 1024


def cpu_seconds(pid: int) -> float:
    """What the process has used so far, in user and in system mode."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100
