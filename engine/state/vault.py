"""Sealing: every secret at rest is a Fernet token; the key ring rotates by putting the new key first."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Sequence
from pathlib import Path

import orjson
from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from engine.model.value import Value

_SEALED = "gAAAA"  # how every Fernet token begins (version byte 0x80, then a time before 2106)
_UNUSUAL = b"\n"  # what is behind JSON that orjson could not write, and would not read as it was


class WrongKey(Exception):
    """A sealed column cannot be opened with any key of the ring."""


def dump(value: Value) -> str:
    """Return JSON text; keys that are not strings become strings, other objects are refused with TypeError."""
    return _encoded(value).decode()


def _encoded(value: Value) -> bytes:
    try:
        return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS)
    except orjson.JSONEncodeError:  # integers beyond 64 bits and halves of surrogate pairs, which templates may hold
        return json.dumps(value).encode() + _UNUSUAL


def _decoded(text: str | bytes) -> Value:
    return json.loads(text) if text[-1:] in ("\n", _UNUSUAL) else orjson.loads(text)


class Vault:
    """Seals and opens JSON values. `keys` are url-safe base64 of 32 bytes each; the first one seals."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._ring = MultiFernet([Fernet(key) for key in keys])

    def seal(self, value: Value) -> str:
        """Return `value` as sealed text; the empty map is left in clear, it tells nothing."""
        if value == {}:
            return "{}"
        return self._ring.encrypt(_encoded(value)).decode()

    def seal_text(self, text: str, *, secret: bool) -> str:
        """Return `text`, sealed when it is secret, or when it looks as if it were sealed."""
        return self.seal(text) if secret or text.startswith(_SEALED) else text

    def open_text(self, text: str) -> tuple[str, bool]:
        """Return what `seal_text` was given, and whether it is sealed. Raises WrongKey."""
        return (self.open(text), True) if text.startswith(_SEALED) else (text, False)

    def open(self, text: str | None) -> Value:
        """Return the value of sealed or clear JSON text; None stays None. Raises WrongKey."""
        if text is None:
            return None
        if not text.startswith(_SEALED):
            return _decoded(text)
        try:
            return _decoded(self._ring.decrypt(text.encode()))
        except InvalidToken as error:
            raise WrongKey(
                "a stored secret cannot be opened: the configured auth_encryption_key is not the one it was sealed with"
            ) from error


def key_file(path: Path) -> str:
    """Return the key kept in `path`, made (mode 0600) when there is none."""
    if path.exists():
        return path.read_text(encoding="ascii").strip()
    key = base64.urlsafe_b64encode(os.urandom(32)).decode()
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(key + "\n")
    return key
