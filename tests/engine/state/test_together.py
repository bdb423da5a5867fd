"""Questions asked together: one at a time under way, none older than who asks."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from engine.state.together import Together


class Teller:
    """Answers with the number of the round, and holds each round until it is let go."""

    def __init__(self) -> None:
        self.rounds: list[list[str]] = []
        self.gate = asyncio.Event()
        self.together = Together(self._tell)

    async def _tell(self, keys: Sequence[str]) -> Mapping[str, int]:
        self.rounds.append(sorted(keys))
        number = len(self.rounds)
        await self.gate.wait()
        if "bad" in keys:
            raise LookupError("bad")
        return {key: number for key in keys if key != "unknown"}

    async def asked(self, *keys: str) -> list[asyncio.Task[int | None]]:
        tasks = [asyncio.create_task(self.together.get(key)) for key in keys]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return tasks


async def test_what_comes_while_a_question_is_under_way_goes_together() -> None:
    teller = Teller()
    first = await teller.asked("a")
    others = await teller.asked("b", "c", "b", "unknown")
    teller.gate.set()
    assert [await task for task in (*first, *others)] == [1, 2, 2, 2, None]
    assert teller.rounds == [["a"], ["b", "c", "unknown"]]


async def test_an_answer_is_never_older_than_its_question() -> None:
    teller = Teller()
    first, again = await teller.asked("a"), await teller.asked("a")
    teller.gate.set()
    assert (await first[0], await again[0]) == (1, 2)


async def test_an_error_reaches_its_round_and_no_other() -> None:
    teller = Teller()
    bad, good = await teller.asked("bad"), await teller.asked("good")
    teller.gate.set()
    with pytest.raises(LookupError):
        await bad[0]
    assert await good[0] == 2


async def test_who_stops_waiting_stops_nobody_else() -> None:
    teller = Teller()
    gone, stays = await teller.asked("a", "a")
    gone.cancel()
    teller.gate.set()
    assert await stays == 1
    assert gone.cancelled()
