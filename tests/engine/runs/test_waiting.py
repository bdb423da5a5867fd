"""The event loop goes on while an expression is evaluated by another process."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from engine.expr import yaql
from engine.model.source import Source
from engine.model.stack import Options
from tests.engine.runs.sketch import sketch, thing
from tests.engine.runs.story import CALLER, Story

YAQL = {"yaql": "$.data"}
WAITING = sketch(
    dialect="hot", a={**thing(word=YAQL), "metadata": {"m": YAQL}}, g={"members": {"x": thing(word=YAQL)},
    "properties": {"P": YAQL}}, outputs={"o": YAQL}, conditions={"c": YAQL},
)  # fmt: skip


@pytest.fixture
async def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The questions of an evaluator that answers only when the event loop does something in the meantime."""
    loop, questions = asyncio.get_running_loop(), list[str]()

    def ask(question: dict[str, Any]) -> str:
        moved = threading.Event()
        loop.call_soon_threadsafe(moved.set)
        questions.append(question["expression"])
        assert moved.wait(10), "the event loop stood still"
        return "yes"

    monkeypatch.setattr(yaql._worker, "ask", ask)
    return questions


async def test_while_a_stack_is_made(story: Story, asked: list[str]) -> None:
    stack = await story.create(WAITING)
    assert stack.state == "CREATE_COMPLETE", stack.status_reason
    assert story.world.the("a").properties["word"] == "yes"
    assert [output.value for output in stack.outputs] == ["yes"]
    assert asked


async def test_while_a_change_is_looked_at(story: Story, asked: list[str]) -> None:
    await story.create(sketch(dialect="hot", a=thing(word="before")))
    plan = await story.engine.preview_update(CALLER, "s", Source(WAITING))
    assert {change.address: change.after for change in plan.changes}["a"]["word"] == "yes"
    await story.engine.validate(CALLER, Source(WAITING))
    await story.engine.preview_create(CALLER, "other", Source(WAITING), Options())
    assert asked


async def test_what_is_refused_is_told_where_it_is_used(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    def ask(question: dict[str, Any]) -> str:
        if story.world.objects:
            raise yaql.YaqlFailed("no more")
        return "yes"

    monkeypatch.setattr(yaql._worker, "ask", ask)
    stack = await story.create(sketch(dialect="hot", a=thing(), b=thing(word=YAQL, needs=("a",))))
    assert "no more" in stack.status_reason
