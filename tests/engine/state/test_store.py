"""The store: fences, leases, names, sealed columns, the same on SQLite and PostgreSQL."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from engine.model.errors import StackExists
from engine.model.source import Source
from engine.model.stack import Options
from engine.model.status import Action, Status
from engine.state import tables as t
from engine.state.commit import Committer, Fenced, Write
from engine.state.database import HEAD, Database
from engine.state.rows import ResourceRow, event_params, options_value
from engine.state.store import Store, live_name
from engine.state.vault import dump


def stack_values(stack_id: str = "s1", name: str = "web", **over: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "id": stack_id, "name": name, "project_id": "p", "user_id": "u", "user_name": "demo", "parent_id": None,
        "parent_address": None, "root_id": stack_id, "depth": 0, "dialect": "hot", "description": "",
        "action": "CREATE", "status": "IN_PROGRESS", "reason": "", "reverting": None, "cleaning": False,
        "options_json": dump(options_value(Options(tags={"a": ""}))), "parameters_json": "{}", "outputs_json": "[]",
        "created": 1, "updated": None, "deleted": None, "good_revision": None, "operation_id": "op1",
        "client_token": None, "run_json": "{}", "delegation_json": None, "owner": None, "epoch": 0,
        "lease_until": None, "version": 0, "live_name": live_name("p", name),
    }  # fmt: skip
    return {**values, **over}


def row(address: str = "net", stack_id: str = "s1", **over: Any) -> ResourceRow:
    return ResourceRow(stack_id=stack_id, address=address, type="OS::Neutron::Net", token="oe-1", **over)


@pytest.fixture
async def committer(store: Store) -> AsyncIterator[Committer]:
    made = Committer(store.database)
    made.start()
    yield made
    await made.stop()


async def test_a_name_is_taken_until_its_stack_is_deleted(store: Store, committer: Committer) -> None:
    await store.add_stack(stack_values(), Source("a: 1"))
    with pytest.raises(StackExists):
        await store.add_stack(stack_values("s2"), Source("a: 1"))

    await committer.write(Write(stack_id="s1", stack={"deleted": 2, "live_name": None}))

    await store.add_stack(stack_values("s2"), Source("a: 1"))
    found = await store.stack_by_name("p", "web")
    assert found is not None
    assert found.id == "s2"


async def test_of_stacks_created_together_only_the_one_whose_name_is_taken_is_refused(store: Store) -> None:
    first = asyncio.create_task(store.add_stack(stack_values("s0", "first"), Source("a: 0")))
    more = {"three": {"drift_status": "IN_SYNC"}}  # what one stack has to say and the others have not
    names = ("one", "two", "one", "three")
    told = await asyncio.gather(
        first, *(
            store.add_stack(stack_values(f"s{n}", name, **more.get(name, {})), Source(f"a: {n}"))
            for n, name in enumerate(names, 1)
        ),
        return_exceptions=True,
    )  # fmt: skip
    assert [type(one) for one in told] == [int, int, int, StackExists, int]
    for number in (0, 1, 2, 4):
        stack = await store.stack(f"s{number}")
        assert stack is not None
        assert (await store.source(told[number])).text == f"a: {number}"
    assert await store.live_stacks("p") == 4
    assert await store.live_stacks("elsewhere") == 0


async def test_sources_are_sealed_at_rest(store: Store) -> None:
    revision = await store.add_stack(stack_values(), Source("x", parameters={"password": "geheim-42"}))

    async with store.database.reader.connect() as connection:
        kept = (await connection.execute(select(t.revisions.c.source_json))).scalar_one()

    assert "geheim-42" not in kept
    assert (await store.source(revision)).parameters == {"password": "geheim-42"}


async def test_only_one_engine_claims_a_run(store: Store) -> None:
    await store.add_stack(stack_values(), Source(""))

    rows = await asyncio.gather(*(store.claim("s1", f"engine-{n}", 30) for n in range(5)))
    epochs = [None if claim is None else claim.row.epoch for claim in rows]

    assert sorted(epoch for epoch in epochs if epoch is not None) == [1]


async def test_an_expired_lease_is_taken_over_with_a_higher_epoch(store: Store) -> None:
    await store.add_stack(stack_values(), Source(""))
    first = await store.claim("s1", "dead", -1)

    second = await store.claim("s1", "alive", 30)

    assert first is not None
    assert second.row.epoch == first.row.epoch + 1
    assert (first.taken_over, second.taken_over) == (False, True)


async def test_a_claim_nobody_waits_for_leaves_the_writer_free(store: Store) -> None:
    await store.add_stack(stack_values(), Source("a: 1"))
    gc.disable()  # the collector would find an abandoned connection sooner or later
    try:
        for moments in range(1, 60):
            claim = asyncio.ensure_future(store.claim("s1", "e1", 10))
            for _ in range(moments):
                await asyncio.to_thread(lambda: None)
            claim.cancel()
            await asyncio.gather(claim, return_exceptions=True)
            await asyncio.wait_for(store.renew("e1", 10), 5)
    finally:
        gc.enable()


async def test_engc_02_a_write_of_a_former_owner_is_fenced_and_its_neighbours_are_not(
    store: Store, committer: Committer
) -> None:
    await store.add_stack(stack_values("s1", "one", epoch=2), Source(""))
    await store.add_stack(stack_values("s2", "two", epoch=1), Source(""))
    vault = store.vault
    stale = Write("s1", epoch=1, resources=[row("a").params(vault)])
    fresh = Write("s2", epoch=1, resources=[row("b", "s2").params(vault)])

    results = await asyncio.gather(committer.write(stale), committer.write(fresh), return_exceptions=True)

    assert isinstance(results[0], Fenced)
    assert results[1] is None
    assert await store.resources("s1") == []
    assert [r.address for r in await store.resources("s2")] == ["b"]


async def test_engc_02_what_a_call_in_flight_made_is_recorded_after_a_newer_operation_began(
    store: Store, committer: Committer
) -> None:
    await store.add_stack(stack_values(epoch=1, operation_id="newer"), Source(""))
    made = row(physical_id="id-1", action=Action.CREATE, status=Status.IN_PROGRESS).params(store.vault)

    with pytest.raises(Fenced):
        await committer.write(Write("s1", epoch=1, operation_id="older", resources=[made]))
    await committer.write(Write("s1", epoch=1, resources=[made]))

    assert [r.physical_id for r in await store.resources("s1")] == ["id-1"]


async def test_a_row_reads_back_as_it_was_written(store: Store, committer: Committer) -> None:
    await store.add_stack(stack_values(), Source(""))
    written = row(
        action=Action.UPDATE, status=Status.FAILED, reason="no", physical_id="x", properties={"a": [1, {"b": None}]},
        attempted={"a": 2}, attributes={"k": "v"}, metadata={"m": 1}, data={"private_key": "s"}, requires=("b", "c"),
        secret=True, condemned=True, created=5, updated=6, revision=3,
    )  # fmt: skip
    await committer.write(Write("s1", resources=[written.params(store.vault)]))

    (found,) = await store.resources("s1")

    assert found == written


async def test_the_last_state_of_a_row_in_one_batch_wins(store: Store, committer: Committer) -> None:
    await store.add_stack(stack_values(), Source(""))
    states = [row(reason=str(n)).params(store.vault) for n in range(5)]

    await asyncio.gather(*(committer.write(Write("s1", resources=[one])) for one in states))

    assert [r.reason for r in await store.resources("s1")] == ["4"]


async def test_events_come_in_order_and_page_both_ways(store: Store, committer: Committer) -> None:
    await store.add_stack(stack_values(), Source(""))
    stack = await store.stack("s1")
    assert stack is not None
    for n in range(4):
        event = event_params(stack, n, row(f"r{n}"))
        await committer.write(Write("s1", events=[event]))

    oldest = await store.events(stack, limit=2)
    newest = await store.events(stack, newest_first=True, limit=2)
    older = await store.events(stack, newest_first=True, after=newest[-1].seq)

    assert [e.address for e in oldest] == ["r0", "r1"]
    assert [e.address for e in newest] == ["r3", "r2"]
    assert [e.address for e in older] == ["r1", "r0"]


async def test_a_refused_item_leaves_the_others_committed(store: Store, committer: Committer) -> None:
    await store.add_stack(stack_values(), Source(""))

    async def refuse(connection: object) -> None:
        raise ValueError("no")

    good = Write("s1", resources=[row("kept").params(store.vault)])
    bad = Write("s1", resources=[row("lost").params(store.vault)], also=refuse)
    results = await asyncio.gather(committer.write(bad), committer.write(good), return_exceptions=True)

    assert isinstance(results[0], ValueError)
    assert [r.address for r in await store.resources("s1")] == ["kept"]


async def test_what_follows_a_posted_item_is_not_taken_when_the_database_refused_that(
    store: Store, committer: Committer
) -> None:
    await store.add_stack(stack_values(), Source("a: 1"))
    broken = {**row("first").params(store.vault), "type": None}
    posted = Write("s1", resources=[broken])
    dependant = Write("s1", resources=[row("second").params(store.vault)], after=posted)
    neighbour = Write("s1", resources=[row("other").params(store.vault)])

    committer.post(posted)
    told = await asyncio.gather(committer.write(dependant), committer.write(neighbour), return_exceptions=True)

    assert isinstance(told[0], IntegrityError)
    assert told[1] is None
    late = Write("s1", resources=[row("third").params(store.vault)], after=posted)
    with pytest.raises(IntegrityError):
        await committer.write(late)
    assert [one.address for one in await store.resources("s1")] == ["other"]


async def test_what_follows_a_fenced_item_stands_by_its_own_guard(store: Store, committer: Committer) -> None:
    await store.add_stack(stack_values(), Source("a: 1"))
    await store.claim("s1", "e1", 10)
    posted = Write("s1", epoch=1, operation_id="older", resources=[row("first").params(store.vault)])
    made = Write("s1", epoch=1, resources=[row("second").params(store.vault)], after=posted)

    committer.post(posted)
    await committer.write(made)

    assert isinstance(posted.error, Fenced)
    assert [one.address for one in await store.resources("s1")] == ["second"]


async def test_a_new_database_is_at_the_newest_migration(database: Database) -> None:
    await database.prepare()
    await database.prepare()

    async with database.reader.connect() as connection:
        assert (await connection.execute(text("SELECT version_num FROM alembic_version"))).scalar_one() == HEAD
