"""A simulated cloud in a process of its own, so that what it costs is not the server's."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any

import yaml

from bench.server import cpu_seconds

_USER = "isotherm"


class Cloud:
    """Started in `__enter__`; `clouds_yaml` is a file whose entry `bench` is this cloud."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self.clouds_yaml = folder / "clouds.yaml"
        self._process: subprocess.Popen[str]
        self._knobs = ""

    def __enter__(self) -> Cloud:
        command = [sys.executable, "-m", "simulator", "--port", "0"]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        auth_url = self._process.stdout.readline().partition(" is at ")[2].split()[0]
        self._knobs = "/".join(auth_url.split("/")[:3]) + "/simulator"
        auth = {"auth_url": auth_url, "username": _USER, "password": _USER, "project_name": "service",
                "user_domain_name": "Default", "project_domain_name": "Default"}  # fmt: skip
        entry = {"auth": auth, "region_name": "RegionOne", "identity_api_version": "3"}
        self.clouds_yaml.write_text(yaml.safe_dump({"clouds": {"bench": entry}}), encoding="utf-8")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._process.kill()
        self._process.wait(10)
        if self._process.stdout is not None:
            self._process.stdout.close()

    def settings(self, **settings: float) -> None:
        """`delay_ms`, `build_seconds` and the others that simulator/control.py lists."""
        self._knob("settings", "PUT", settings)

    def asked(self, service: str) -> int:
        """Requests that the service has answered."""
        return len(self._knob(f"requests?service={service}", "GET")["requests"])

    def cpu_seconds(self) -> float:
        return cpu_seconds(self._process.pid)

    def _knob(self, path: str, method: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self._knobs}/{path}", data, headers, method=method)
        with urllib.request.urlopen(request, timeout=30) as reply:
            text = reply.read()
        return json.loads(text) if text else None
