"""What a hint is on the wire."""

from __future__ import annotations

import pytest

from engine.bus.message import Kind, Message, decode


@pytest.mark.parametrize("kind", list(Kind))
def test_a_hint_arrives_as_it_was_sent(kind: Kind) -> None:
    message = Message(kind, ["s1", "s2/a"], "p")
    assert decode(message.encode()) == message


@pytest.mark.parametrize(
    "body",
    [
        b"", b"no json", b"[]", b"{}", b'{"v": 1, "kind": "work", "keys": ["s"]}',
        b'{"v": 2, "kind": "work", "keys": ["s"], "from": "p"}',
        b'{"v": 1, "kind": "play", "keys": ["s"], "from": "p"}',
        b'{"v": 1, "kind": "work", "keys": "s", "from": "p"}', b'{"v": 1, "kind": "work", "keys": [1], "from": "p"}',
    ],
)  # fmt: skip
def test_what_is_not_understood_is_no_hint(body: bytes) -> None:
    assert decode(body) is None


def test_what_a_later_version_adds_does_no_harm() -> None:
    assert decode(b'{"v": 1, "kind": "work", "keys": ["s"], "from": "p", "more": 1}') == Message(Kind.WORK, ["s"], "p")
