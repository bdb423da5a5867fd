"""How much a text may hold: every value once, and what an alias repeats as often as it is repeated."""

from __future__ import annotations

import json

import pytest

from engine.model.diagnostic import Invalid
from translators.source import read


def test_values_deep_inside_count_once() -> None:
    document = {f"r{n}": {"type": "t", "properties": {"a": [{"b": n, "c": n}]}} for n in range(9000)}
    assert len(read(json.dumps(document)).entries) == 9000


@pytest.mark.parametrize(
    "text",
    [
        "a: [" + "x," * 200_001 + "]",
        "a: &a [" + "x," * 1000 + "]\nb: [" + "*a," * 200 + "]",
        'a: &a "' + "x" * 100_000 + '"\nb: [' + "*a," * 500 + "]",  # fifty megabytes as JSON
    ],
    ids=["values", "aliases", "aliases of a long text"],
)
def test_more_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as caught:
        read(text)
    assert caught.value.diagnostics[0].code == "TemplateTooLarge"


@pytest.mark.parametrize("text", ["a: !!bool maybe", "a: !!int 0x" + "f" * 3990, "a: 0x" + "f" * 3990])
def test_scalars_that_are_not_what_they_say(text: str) -> None:
    with pytest.raises(Invalid) as caught:
        read(text)
    assert caught.value.diagnostics[0].code == "BadScalar"
