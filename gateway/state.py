"""The state directory of `isotherm serve`: its lock, its key, and the files that tell clients how to reach it."""

from __future__ import annotations

import fcntl
import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import yaml

from engine.state.vault import key_file


class StateInUse(Exception):
    """Another process serves from this directory."""


@dataclass(frozen=True, slots=True)
class StateDir:
    """An opened state directory; `close` gives it back."""

    path: Path
    key: str
    _lock: IO[str]

    @classmethod
    def open(cls, path: Path) -> StateDir:
        """Make the directory if need be and lock it. Raises StateInUse, OSError."""
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = (path / "lock").open("a+", encoding="ascii")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            owner = lock.read().strip()
            lock.close()
            raise StateInUse(
                f"{path} is in use by another isotherm serve (process {owner}). Stop it, or give another --state-dir."
            ) from error
        lock.seek(0)
        lock.truncate()
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        return cls(path, key_file(path / "key"), lock)

    @property
    def database_url(self) -> str:
        return database_in(self.path)

    def write_aws_env(self, values: Mapping[str, str]) -> None:
        """`export` lines for the AWS CLI and SDKs; readable by the owner only."""
        _private(self.path / "aws.env", "".join(f"export {n}={shlex.quote(v)}\n" for n, v in values.items()))

    def write_clouds_yaml(self, clouds: Mapping[str, Mapping[str, Any]]) -> None:
        """A clouds.yaml with these entries."""
        document = {"clouds": {name: dict(entry) for name, entry in clouds.items()}}
        _private(self.path / "clouds.yaml", yaml.safe_dump(document, sort_keys=False))

    def close(self) -> None:
        self._lock.close()


def database_in(path: Path) -> str:
    """The URL of the SQLite of the state directory `path`."""
    return f"sqlite+aiosqlite:///{(path / 'isotherm.db').resolve()}"


def _private(path: Path, text: str) -> None:
    """Write a file that holds secrets, whole or not at all."""
    draft = path.with_suffix(path.suffix + ".new")
    draft.unlink(missing_ok=True)
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    draft.replace(path)
