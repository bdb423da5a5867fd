"""What a hint is on the wire: JSON with a version, so that engines of two versions can hear each other."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

import orjson

_VERSION = 1
_MOST_KEYS = 1000


class Kind(enum.StrEnum):
    WORK = "work"
    POKE = "poke"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Message:
    """`keys` are stack ids; of a signal `stack/address`. `sender` is the process, which ignores what it said itself."""

    kind: Kind
    keys: Sequence[str]
    sender: str

    def encode(self) -> bytes:
        return orjson.dumps({"v": _VERSION, "kind": self.kind.value, "keys": list(self.keys), "from": self.sender})


def merged(messages: Sequence[Message]) -> list[Message]:
    """The same hints of one sender in fewer messages, each stack once in each kind. Work stays apart: each piece is for
    whoever is free. It comes last: who takes it need not look again at once because of a poke."""
    found = []
    for kind in (Kind.POKE, Kind.CHANGED):
        keys = list(dict.fromkeys(key for message in messages if message.kind is kind for key in message.keys))
        starts = range(0, len(keys), _MOST_KEYS)
        found += [Message(kind, keys[start : start + _MOST_KEYS], messages[0].sender) for start in starts]
    return [*found, *(message for message in messages if message.kind is Kind.WORK)]


def decode(body: bytes) -> Message | None:
    """The hint, None when it is of a later version, or none at all: nobody depends on it."""
    try:
        found = orjson.loads(body)
        if found["v"] != _VERSION:
            return None
        kind, keys, sender = Kind(found["kind"]), found["keys"], found["from"]
    except (orjson.JSONDecodeError, ValueError, KeyError, TypeError):
        return None
    if not isinstance(keys, list) or len(keys) > _MOST_KEYS or not all(isinstance(key, str) for key in keys):
        return None
    return Message(kind, keys, str(sender))
