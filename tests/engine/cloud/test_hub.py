"""The poll hub in virtual time: who asks, how often, and what waiters are told."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from engine.cloud.contract import Ready, Reply
from engine.cloud.errors import NotFound, Permanent, Temporary
from engine.cloud.hub import Hub
from engine.cloud.settings import CloudSettings

READY = Ready(reason="fault.message")


class Servers:
    """A cloud's servers as a client shows them. `calls` counts what was asked."""

    def __init__(self, key="project"):
        self.context = SimpleNamespace(key=key)
        self.rows, self.calls, self.trouble, self.list_trouble = {}, [], None, None
        self.listed = 0  # rows shown in lists

    async def request(self, service, method, path, *, microversion=None):
        self.calls.append(path)
        await asyncio.sleep(0)
        if self.trouble:
            raise self.trouble
        row = self.rows.get(path.rsplit("/", 1)[1])
        if row is None:
            raise NotFound("no such server", status=404)
        return Reply(200, {"server": row})

    async def list(self, service, path, key, *, microversion=None, newest=None):
        self.calls.append(path)
        await asyncio.sleep(0)
        if self.list_trouble or self.trouble:
            raise self.list_trouble or self.trouble
        rows = list(self.rows.values())[::-1][:newest]
        self.listed += len(rows)
        return rows

    def build(self, *ids):
        for server in ids:
            self.rows[server] = {"id": server, "status": "BUILD"}

    def become(self, status, *ids, **more):
        for server in ids:
            self.rows[server] = {"id": server, "status": status, **more}


@pytest.fixture
def servers():
    return Servers()


@pytest.fixture
def hub(virtual_clock):
    return Hub(CloudSettings(), virtual_clock)


@pytest.fixture
def wait(hub, servers, virtual_clock):
    def start(server, ready=READY, seconds=100.0, client=servers):
        return asyncio.ensure_future(
            hub.wait_ready(
                client,
                "compute",
                "/servers",
                "servers",
                server,
                ready,
                deadline=virtual_clock.monotonic() + seconds,
                microversion=None,
            )
        )

    return start


@pytest.fixture
def wait_gone(hub, servers, virtual_clock):
    def start(server, seconds=100.0):
        return asyncio.ensure_future(
            hub.wait_gone(
                servers,
                "compute",
                "/servers",
                "servers",
                server,
                deadline=virtual_clock.monotonic() + seconds,
                microversion=None,
            )
        )

    return start


async def test_a_single_waiter_asks_for_its_object_at_once(servers, wait, virtual_clock):
    servers.become("ACTIVE", "a")
    task = wait("a")
    await virtual_clock.advance(0)
    assert (await task)["status"] == "ACTIVE"
    assert servers.calls == ["/servers/a"]


async def test_many_waiters_are_served_by_one_list_per_interval(servers, wait, virtual_clock):
    ids = [f"s{n}" for n in range(50)]
    servers.build(*ids)
    tasks = [wait(server) for server in ids]
    await virtual_clock.advance(1.0)
    servers.become("ACTIVE", *ids)
    await virtual_clock.advance(2.0)
    assert [(await task)["id"] for task in tasks] == ids
    lists = servers.calls.count("/servers/detail")
    assert 1 <= lists <= 10
    assert len(servers.calls) == lists


async def test_the_interval_grows_from_fast_to_slow(servers, wait, virtual_clock):
    servers.build("a")
    task = wait("a", seconds=1000)
    await virtual_clock.advance(1.0)
    fast = len(servers.calls)
    await virtual_clock.advance(99.0)
    before = len(servers.calls)
    await virtual_clock.advance(20.0)
    assert 4 <= fast <= 6
    assert len(servers.calls) - before == 10
    task.cancel()


async def test_a_failure_is_told_with_its_reason_and_state(servers, wait, virtual_clock):
    servers.become("ERROR", "a", fault={"message": "No valid host was found."})
    task = wait("a")
    await virtual_clock.advance(0)
    with pytest.raises(Permanent, match=r"Nova server a went to ERROR: No valid host was found\.") as caught:
        await task
    assert caught.value.kind == "ERROR"


async def test_a_failure_seen_in_a_list_is_read_again_for_its_reason(servers, wait, virtual_clock):
    ids = [f"s{n}" for n in range(10)]
    servers.build(*ids)
    tasks = [wait(server) for server in ids]
    await virtual_clock.advance(0.5)
    servers.become("ERROR", "s3", fault={"message": "broken"})
    servers.calls.clear()
    await virtual_clock.advance(1.0)
    with pytest.raises(Permanent, match="broken"):
        await tasks[3]
    assert servers.calls.count("/servers/s3") == 1
    for task in tasks:
        task.cancel()


async def test_what_is_not_listed_is_asked_for_itself(servers, wait, virtual_clock):
    ids = [f"s{n}" for n in range(10)]
    servers.build(*ids)
    tasks = [wait(server) for server in [*ids, "elsewhere"]]
    await virtual_clock.advance(1.0)
    with pytest.raises(NotFound, match="Nova server elsewhere is not there any more"):
        await tasks[-1]
    for task in tasks:
        task.cancel()


async def test_a_path_into_the_object_and_other_words_are_data(servers, wait, virtual_clock):
    servers.rows["a"] = {"id": "a", "x": {"state": "Online"}}
    task = wait("a", Ready(path="x.state", ok=frozenset({"online"})))
    await virtual_clock.advance(0)
    assert (await task)["id"] == "a"


async def test_the_deadline_is_temporary_and_tells_what_was_seen(servers, wait, virtual_clock):
    servers.build("a")
    task = wait("a", seconds=5.0)
    await virtual_clock.advance(5.0)
    with pytest.raises(Temporary, match=r"Nova server a did not get there in time\. It was last seen BUILD\."):
        await task


async def test_the_deadline_holds_while_the_cloud_does_not_answer(hub, servers, virtual_clock, wait):
    async def never(*_, **__):
        await asyncio.Event().wait()

    servers.request = never
    task = wait("a", seconds=5.0)
    await virtual_clock.advance(5.0)
    with pytest.raises(Temporary):
        await task


async def test_trouble_is_outlived_and_told_at_the_deadline(servers, wait, virtual_clock):
    servers.trouble = Temporary("Nova failed.")
    lost, found = wait("a", seconds=3.0), wait("b", seconds=60.0)
    await virtual_clock.advance(3.0)
    with pytest.raises(Temporary, match=r"in time\. Nova failed\."):
        await lost
    servers.trouble = None
    servers.become("ACTIVE", "b")
    await virtual_clock.advance(3.0)
    assert (await found)["id"] == "b"


async def test_a_refusal_ends_the_waiting(servers, wait, virtual_clock):
    servers.trouble = Permanent("Nova refused.", status=403)
    task = wait("a")
    await virtual_clock.advance(0)
    with pytest.raises(Permanent, match="Nova refused"):
        await task


async def test_who_may_not_list_is_served_one_by_one(servers, wait, virtual_clock):
    ids = [f"s{n}" for n in range(10)]
    servers.build(*ids)
    servers.list_trouble = Permanent("no lists", status=403)
    tasks = [wait(server) for server in ids]
    await virtual_clock.advance(1.0)
    servers.become("ACTIVE", *ids)
    await virtual_clock.advance(3.0)
    assert len([await task for task in tasks]) == 10
    assert servers.calls.count("/servers/detail") == 1


async def test_new_ones_among_very_many_are_found_among_the_newest(servers, wait, virtual_clock):
    servers.become("ACTIVE", *(f"old{n}" for n in range(1000)))
    ids = [f"s{n}" for n in range(5)]
    servers.build(*ids)
    tasks = [wait(server) for server in ids]
    await virtual_clock.advance(1.0)
    servers.become("ACTIVE", *ids)
    await virtual_clock.advance(2.0)
    assert [(await task)["id"] for task in tasks] == ids
    lists = servers.calls.count("/servers/detail")
    assert len(servers.calls) == lists
    assert servers.listed == 50 * lists


async def test_few_old_ones_among_very_many_are_not_served_by_lists(servers, wait, virtual_clock):
    ids = [f"s{n}" for n in range(5)]
    servers.build(*ids)
    servers.become("ACTIVE", *(f"new{n}" for n in range(1000)))
    tasks = [wait(server) for server in ids]
    await virtual_clock.advance(5.0)
    assert servers.calls.count("/servers/detail") == 2  # the newest, then all
    for task in tasks:
        task.cancel()


async def test_a_cancelled_waiter_leaves_the_others_and_the_last_one_stops_the_asking(
    servers, hub, wait, virtual_clock
):
    servers.build("a", "b")
    first, second = wait("a"), wait("b")
    await virtual_clock.advance(1.0)
    first.cancel()
    await virtual_clock.advance(1.0)
    servers.calls.clear()
    await virtual_clock.advance(2.0)
    assert set(servers.calls) == {"/servers/b"}
    second.cancel()
    await virtual_clock.advance(1.0)
    servers.calls.clear()
    await virtual_clock.advance(10.0)
    assert servers.calls == []
    assert hub._collections == {}


async def test_two_projects_are_asked_for_apart(servers, wait, virtual_clock):
    other = Servers("other")
    servers.become("ACTIVE", "a")
    other.become("ACTIVE", "a")
    tasks = [wait("a"), wait("a", client=other)]
    await virtual_clock.advance(0)
    assert all(task.done() for task in tasks)
    assert servers.calls == other.calls == ["/servers/a"]


async def test_two_waiters_of_one_object_are_both_told(servers, wait, virtual_clock):
    servers.become("ACTIVE", "a")
    tasks = [wait("a"), wait("a")]
    await virtual_clock.advance(0.5)
    assert [(await task)["id"] for task in tasks] == ["a", "a"]


async def test_gone_is_not_found_or_deleted(servers, wait_gone, virtual_clock):
    servers.become("DELETED", "b")
    tasks = [wait_gone("a"), wait_gone("b")]
    await virtual_clock.advance(0)
    assert [await task for task in tasks] == [None, None]


async def test_gone_waits_while_the_object_is_there(servers, wait_gone, virtual_clock):
    servers.become("ACTIVE", "a")
    task = wait_gone("a")
    await virtual_clock.advance(1.0)
    assert not task.done()
    del servers.rows["a"]
    await virtual_clock.advance(2.0)
    assert await task is None


async def test_an_object_that_cannot_be_deleted_is_told(servers, wait_gone, virtual_clock):
    servers.become("error_deleting", "a")
    task = wait_gone("a")
    await virtual_clock.advance(0)
    with pytest.raises(Permanent, match="could not be deleted"):
        await task


async def test_a_bug_reaches_the_waiter(servers, wait, virtual_clock):
    servers.rows["a"] = None
    servers.request = None
    task = wait("a")
    await virtual_clock.advance(0)
    with pytest.raises(TypeError):
        await task


async def test_it_is_looked_around_the_moment_at_which_objects_usually_get_there(servers, wait, virtual_clock):
    async def noticed_after(server, build):
        servers.build(server)
        began, task = virtual_clock.monotonic(), wait(server, seconds=1000)
        await virtual_clock.advance(build)
        servers.become("ACTIVE", server)
        while not task.done():
            await virtual_clock.advance(0.01)
        return virtual_clock.monotonic() - began - build

    for server in ("a", "b", "c", "d"):
        late = await noticed_after(server, 20.0)
    assert late <= 1.0, "looked often enough when it mattered"
    before = len(servers.calls)
    await noticed_after("e", 20.0)
    assert len(servers.calls) - before <= 25, "and not all the time"
    assert await noticed_after("f", 60.0) <= 2.1, "one that takes longer than usual is looked for as before"
