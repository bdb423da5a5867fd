"""Questions about one object each, asked together."""

import asyncio

import pytest

from engine.cloud.errors import Temporary
from engine.cloud.gather import Gatherer, gathered
from tests.engine.cloud.conftest import VirtualClock

KEY = ("project", "network", "/ports", "device_id")


class Ports:
    """Answers for any device with one port; `asked` are the values of each request."""

    def __init__(self):
        self.asked, self.refuses = [], False

    async def ask(self, values):
        self.asked.append(list(values))
        if self.refuses:
            raise Temporary("not now")
        return [{"id": f"port-of-{value}", "device_id": value} for value in values]


async def answers(clock, gatherer, ports, values):
    tasks = [asyncio.ensure_future(gatherer.rows(KEY, "device_id", value, ports.ask)) for value in values]
    await clock.advance(1)
    return await asyncio.gather(*tasks, return_exceptions=True)


async def test_questions_of_one_moment_are_one_request_and_each_has_its_own_answer():
    clock, ports = VirtualClock(), Ports()
    gatherer = Gatherer(clock)
    found = await answers(clock, gatherer, ports, ["a", "b", "a"])
    assert ports.asked == [["a", "b"]]
    assert [[row["id"] for row in rows] for rows in found] == [["port-of-a"], ["port-of-b"], ["port-of-a"]]
    await answers(clock, gatherer, ports, ["a"])
    assert ports.asked == [["a", "b"], ["a"]], "nothing is remembered"


async def test_a_request_stays_short():
    clock, ports = VirtualClock(), Ports()
    await answers(clock, Gatherer(clock), ports, [str(number) for number in range(120)])
    assert [len(values) for values in ports.asked] == [50, 50, 20]


async def test_a_failure_is_everybody_s_and_the_next_question_is_asked_anew():
    clock, ports = VirtualClock(), Ports()
    gatherer, ports.refuses = Gatherer(clock), True
    found = await answers(clock, gatherer, ports, ["a", "b"])
    assert [str(error) for error in found] == ["not now", "not now"]
    ports.refuses = False
    assert await answers(clock, gatherer, ports, ["a"]) == [[{"id": "port-of-a", "device_id": "a"}]]


async def test_who_stops_waiting_takes_nothing_from_the_others():
    clock, ports = VirtualClock(), Ports()
    gatherer = Gatherer(clock)
    tasks = [asyncio.ensure_future(gatherer.rows(KEY, "device_id", "a", ports.ask)) for _ in range(2)]
    await asyncio.sleep(0)
    tasks[0].cancel()
    await clock.advance(1)
    assert [row["id"] for row in await tasks[1]] == ["port-of-a"]
    assert tasks[0].cancelled()


@pytest.mark.parametrize(
    ("service", "path", "params", "found"),
    [
        ("network", "/ports", {"device_id": "a"}, ("device_id", "a")),
        ("network", "/ports", {"device_id": "a", "network_id": "n"}, None),
        ("network", "/ports", {"description": "a"}, None),
        ("network", "/ports", None, None),
        ("compute", "/servers", {"device_id": "a"}, None),
    ],
)
def test_which_questions_are_gathered(service, path, params, found):
    assert gathered(service, path, params) == found
