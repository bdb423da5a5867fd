"""Groups that scaling policies make larger and smaller (heat.md ENGA-12 to ENGA-15, ENGU-13)."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from engine.cloud.errors import Permanent
from engine.door.signals import Signal
from engine.model.errors import NotSupported, ResourceNotFound
from engine.model.status import OnFailure
from engine.resources.heat.scaling_group import Members
from engine.runs.ledger import token_of
from engine.state import tables as t
from tests.engine.runs.sketch import attr, ref, sketch, thing
from tests.engine.runs.story import CALLER, Story, copy


def group(low: int = 1, high: int = 5, *, shape: str = "round", **more: Any) -> dict[str, Any]:
    member = {"type": "Test::Thing", "properties": {"shape": shape, "size": 1}}
    return thing(of="OS::Heat::AutoScalingGroup", resource=member, min_size=low, max_size=high, **more)


def policy(amount: float = 1, kind: str = "change_in_capacity", **more: Any) -> dict[str, Any]:
    return thing(
        of="OS::Heat::ScalingPolicy", auto_scaling_group_id=ref("g"), scaling_adjustment=amount, adjustment_type=kind,
        **more,
    )  # fmt: skip


def scaled(low: int = 1, high: int = 5, *, up: dict[str, Any] | None = None, **more: Any) -> str:
    outputs = {"size": attr("g", "current_size"), "refs": attr("g", "refs")}
    return sketch(g=group(low, high, **more), up=up or policy(), down=policy(-1), outputs=outputs)


async def signal(story: Story, address: str = "up", **told: Any) -> None:
    await story.engine.signal(CALLER, "s", address, Signal(**told))
    await settled(story)


async def settled(story: Story) -> None:
    """Until what follows from a signal has come to its end."""
    await story.quiet()
    for _ in range(20):
        await story.pass_time(2)


def size(story: Story) -> int:
    return len(story.world.objects)


async def outputs(story: Story) -> dict[str, Any]:
    return {one.name: one.value for one in (await story.find()).outputs}


async def metadata(story: Story, address: str) -> dict[str, Any]:
    found = await story.engine.find_resource(await story.find(), address)
    return dict(found.metadata)


# --- scaling --------------------------------------------------------------------------------------------------------
async def test_enga_14_a_signal_resizes_the_group_and_the_stack_stays_as_it_is(story: Story) -> None:
    before = await story.create(scaled(desired_capacity=2))
    assert size(story) == 2
    await signal(story)
    after = await story.find()
    assert size(story) == 3
    assert (after.state, after.updated, after.operation_id) == ("CREATE_COMPLETE", None, before.operation_id)
    found = await outputs(story)
    assert found["size"] == 3
    assert sorted(found["refs"]) == sorted(story.world.objects)
    (child,) = await story.engine.nested_stacks(after, 1)
    assert child.state == "UPDATE_COMPLETE"


async def test_enga_14_the_oldest_is_removed_first(story: Story) -> None:
    await story.create(scaled())
    (first,) = story.world.objects
    await signal(story)
    await signal(story, "down")
    assert size(story) == 1
    assert first not in story.world.objects


async def test_enga_14_within_its_limits(story: Story) -> None:
    await story.create(scaled(1, 2))
    for _ in range(3):
        await signal(story)
    assert size(story) == 2
    for _ in range(3):
        await signal(story, "down")
    assert size(story) == 1


async def test_enga_14_what_failed_does_not_count_and_is_made_anew_first(story: Story) -> None:
    await story.create(scaled(desired_capacity=2))
    names = story.world.addresses()
    story.world.fail("create", await next_name(story), Permanent("no room"))
    await signal(story)
    assert story.world.addresses() == names
    assert (await story.find()).state == "CREATE_COMPLETE"
    events = await story.engine.list_events(await story.find())
    assert "no room" in events[-1].reason
    assert f"{events[-1].address} {events[-1].action}_{events[-1].status}" == "g SIGNAL_FAILED"
    await signal(story)
    assert size(story) == 3
    assert set(names) < set(story.world.addresses())


async def next_name(story: Story) -> str:
    """What the next member will be called, as long as the stack has not been updated: it follows from those that
    stand."""
    stack = await story.find()
    (child,) = await story.engine.nested_stacks(stack, 1)
    standing = json.loads((await story.engine.source_of(child)).text)["resources"]
    token = token_of(stack.id, "g", 0, stack.operation_id)
    return [*Members(standing, tuple(standing)).turned(token, len(standing) + 1, lambda _now, _others: {})][-1]


async def test_enga_12_changes_in_percent(story: Story) -> None:
    await story.create(scaled(1, 10, up=policy(50, "percent_change_in_capacity", min_adjustment_step=2)))
    await signal(story)
    assert size(story) == 3
    await signal(story)
    assert size(story) == 5


async def test_enga_12_the_size_itself(story: Story) -> None:
    await story.create(scaled(up=policy(4, "exact_capacity")))
    await signal(story)
    assert size(story) == 4


async def test_enga_12_both_addresses_are_signed(story: Story) -> None:
    await story.create(scaled())
    found = await story.engine.find_resource(await story.find(), "up")
    assert found.attributes["alarm_url"] == found.attributes["signal_url"] != ""


async def test_enga_15_every_state_of_an_alarm_scales(story: Story) -> None:
    await story.create(scaled())
    await signal(story, raw={"current": "insufficient data"})
    assert size(story) == 2


async def test_enga_12_a_policy_needs_a_group_of_its_stack(story: Story) -> None:
    bad = thing(of="OS::Heat::ScalingPolicy", auto_scaling_group_id="g", scaling_adjustment=1,
                adjustment_type="exact_capacity")  # fmt: skip
    stack = await story.create(sketch(g=group(), up=bad), on_failure=OnFailure.DO_NOTHING)
    assert stack.state == "CREATE_FAILED"
    assert "could not find a scaling group named 'g'" in stack.status_reason


async def test_only_policies_are_signalled(story: Story) -> None:
    await story.create(scaled())
    with pytest.raises(NotSupported, match="takes no signals"):
        await signal(story, "g")
    with pytest.raises(ResourceNotFound):
        await signal(story, "nothing")


# --- what is ignored ------------------------------------------------------------------------------------------------
async def test_enga_13_a_signal_in_cooldown_is_ignored(story: Story) -> None:
    await story.create(scaled(up=policy(cooldown=600)))
    await signal(story)
    seen = await story.events()
    await signal(story)
    assert size(story) == 2
    assert await story.events() == seen
    await story.pass_time(600)
    await signal(story)
    assert size(story) == 3


async def test_enga_13_the_cooldown_of_the_group_holds_for_all_policies(story: Story) -> None:
    await story.create(scaled(cooldown=600))
    await signal(story)
    assert size(story) == 1, "making the group began its cooldown"
    await story.pass_time(600)
    await signal(story)
    await signal(story, "down")
    assert size(story) == 2


async def test_enga_13_the_metadata_tells(story: Story) -> None:
    await story.create(scaled(up=policy(cooldown=600)))
    gate = story.world.hold("create", await next_name(story))
    await story.engine.signal(CALLER, "s", "up", Signal())
    await story.quiet()
    for address in ("g", "up"):
        assert (await metadata(story, address))["scaling_in_progress"] is True
    await signal(story)  # ignored: one is under way
    gate.set()
    await settled(story)
    assert size(story) == 2
    for address in ("g", "up"):
        told = await metadata(story, address)
        assert told["scaling_in_progress"] is False
        assert list(told["cooldown_end"].values()) == ["change_in_capacity : 1"]


async def test_enga_13_no_cooldown_after_a_failure(story: Story) -> None:
    await story.create(scaled(up=policy(cooldown=600)))
    story.world.fail("create", await next_name(story), Permanent("no room"))
    await signal(story)
    await signal(story)
    assert size(story) == 2


async def test_enga_13_a_suspended_stack_takes_none(story: Story) -> None:
    await story.create(scaled())
    await story.engine.suspend_stack(CALLER, "s")
    await story.end()
    with pytest.raises(NotSupported, match="SUSPEND"):
        await signal(story)


async def test_enga_13_what_is_ignored_makes_no_change_set_obsolete(story: Story) -> None:
    await story.create(scaled(up=policy(cooldown=600)))
    await signal(story)
    made = await story.change_set(scaled(high=6, up=policy(cooldown=600)))
    before = await story.find()
    await signal(story)
    assert (await story.find()).version == before.version
    await story.engine.execute_change_set(CALLER, made.id)
    assert (await story.end()).state == "UPDATE_COMPLETE"


async def test_te_15_a_signal_is_told_to_sinks_and_nothing_is_told_again(story: Story) -> None:
    story.world.services = frozenset({"message"})
    sinks = {"event_sinks": [{"type": "zaqar-queue", "target": "q"}]}
    await story.create(scaled(), environment=sinks)
    await story.pass_time(5)
    before = len(story.world.queues["q"])
    await signal(story)
    bodies = [one["body"] for one in story.world.queues["q"]]
    told = [(p["resource_name"], p["resource_action"], p["resource_status"]) for p in _payloads(bodies[before:])]
    assert told.count(("up", "SIGNAL", "COMPLETE")) == told.count(("g", "SIGNAL", "COMPLETE")) == 1
    (made,) = [name for name, action, status in told if (action, status) == ("CREATE", "COMPLETE")]
    assert made in story.world.addresses()
    assert len({one["id"] for one in bodies}) == len(bodies)


def _payloads(bodies: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [one["payload"] for one in bodies]


# --- beside other operations ----------------------------------------------------------------------------------------
async def test_a_signal_while_the_stack_runs_is_obeyed_when_it_rests(story: Story) -> None:
    text = sketch(g=group(), up=policy(), other=thing(size=1), outputs={"size": attr("g", "current_size")})
    await story.create(text)
    gate = story.world.hold("update", "other")
    await story.change(text.replace('"properties": {"size": 1}, "policy"', '"properties": {"size": 2}, "policy"'))
    await story.quiet()
    await story.engine.signal(CALLER, "s", "up", Signal())
    await story.quiet()
    assert size(story) == 2
    gate.set()
    assert (await story.end()).state == "UPDATE_COMPLETE"
    await settled(story)
    assert size(story) == 3
    assert await outputs(story) == {"size": 2}


async def test_an_update_waits_for_the_scaling_and_sees_its_result(story: Story) -> None:
    def text(suffix: str) -> str:
        near = {"join": [suffix, attr("g", "refs")]}
        return sketch(g=group(), up=policy(), other=thing(near=near))

    await story.create(text(","))
    gate = story.world.hold("create", await next_name(story))
    await story.engine.signal(CALLER, "s", "up", Signal())
    await story.quiet()
    await story.change(text(";"))
    await story.quiet()
    gate.set()
    assert (await story.end()).state == "UPDATE_COMPLETE"
    assert story.world.the("other").properties["near"].count(";") == 1
    assert (await metadata(story, "g"))["scaling_in_progress"] is False


async def test_an_update_of_the_group_takes_the_place_of_what_scales_it(story: Story) -> None:
    await story.create(scaled())
    story.world.slow("create", await next_name(story), 300)
    await story.engine.signal(CALLER, "s", "up", Signal())
    await story.quiet()
    assert (await story.update(scaled(high=4, desired_capacity=4))).state == "UPDATE_COMPLETE"
    await settled(story)
    assert size(story) == 4
    assert (await metadata(story, "up"))["scaling_in_progress"] is False
    assert (await outputs(story))["size"] == 4


async def test_deleting_while_a_group_grows_leaves_nothing(story: Story) -> None:
    await story.create(scaled())
    story.world.slow("create", await next_name(story), 300)
    await story.engine.signal(CALLER, "s", "up", Signal())
    await story.quiet()
    assert (await story.delete()).state == "DELETE_COMPLETE"
    assert story.world.objects == {}


async def test_a_check_waits_for_the_scaling(story: Story) -> None:
    await story.create(scaled())
    story.world.slow("create", await next_name(story), 30)
    await story.engine.signal(CALLER, "s", "up", Signal())
    await story.quiet()
    await story.engine.check_stack(CALLER, "s")
    assert (await story.end()).state == "CHECK_COMPLETE"
    await settled(story)
    assert size(story) == 2
    assert (await outputs(story))["size"] == 2


async def test_a_group_inside_is_told_to_all_stacks_around_it(story: Story) -> None:
    inside = sketch(g=group(), up=policy(), outputs={"size": attr("g", "current_size")})
    nested = thing(of="OS::Heat::Stack", template=inside)
    stack = await story.create(sketch(n=nested, outputs={"size": attr("n", "Outputs.size")}))
    middle = (await story.engine.nested_stacks(stack, 1))[0]
    await story.engine.signal(CALLER, middle.id, "up", Signal())
    await settled(story)
    assert size(story) == 2
    assert await outputs(story) == {"size": 2}


# --- updates --------------------------------------------------------------------------------------------------------
async def test_enga_14_an_update_keeps_the_size_unless_it_says_another(story: Story) -> None:
    await story.create(scaled())
    await signal(story)
    await story.update(scaled(high=6))
    assert size(story) == 2
    await story.update(scaled(high=6, desired_capacity=4))
    assert size(story) == 4
    await story.update(scaled(high=3))
    assert size(story) == 3


async def test_engu_13_a_new_definition_rolls_through_the_members(story: Story) -> None:
    pace = {"max_batch_size": 2, "min_in_service": 2, "pause_time": 60}
    await story.create(scaled(desired_capacity=4))
    began = story.clock.monotonic()
    stack = await story.update(scaled(shape="square", rolling_updates=pace))
    assert stack.state == "UPDATE_COMPLETE"
    assert [one.properties["shape"] for one in story.world.objects.values()] == ["square"] * 4
    assert story.clock.monotonic() - began >= 60
    assert (await outputs(story))["size"] == 4


async def test_engu_13_a_roll_that_fails_is_taken_back_with_its_size(story: Story) -> None:
    await story.create(scaled(desired_capacity=3))
    await signal(story)
    assert size(story) == 4
    victim = story.world.addresses()[2]
    story.world.fail("create", victim, Permanent("no room"))
    stack = await story.update(scaled(shape="square", rolling_updates={"min_in_service": 4}))
    assert stack.state == "ROLLBACK_COMPLETE"
    assert {one.properties["shape"] for one in story.world.objects.values()} == {"round"}


# --- crashes --------------------------------------------------------------------------------------------------------
async def at_rest(story: Story) -> bool:
    """Whether no stack has anything to run."""
    async with story.database.reader.connect() as connection:
        busy = await connection.execute(select(t.stacks.c.id).where(t.stacks.c.run_json.isnot(None)))
        return busy.first() is None


async def die(story: Story, arm: Callable[[Story], None]) -> bool:
    """Go on until the engine dies of what `arm` does, and start another; False when all came to rest before."""
    arm(story)
    while True:
        await story.quiet()
        if story.dead:
            await story.kill()
            await story.open()
            return True
        if await at_rest(story):
            return False
        assert story.clock.jump()


async def come_to_rest(story: Story) -> None:
    while not await at_rest(story):
        await story.quiet()
        assert story.clock.jump() or await at_rest(story)
    await story.quiet()


def after_commits(more: int) -> Callable[[Story], None]:
    def arm(story: Story) -> None:
        story.traffic.last_commit = story.traffic.commits + more
        story.traffic.on_cut = story.world.die

    return arm


def at_call(more: int, when: str) -> Callable[[Story], None]:
    def arm(story: Story) -> None:
        story.world.dies_at = (len(story.world.calls) + more, when)

    return arm


ARMS: dict[str, Callable[[int], Callable[[Story], None]]] = {
    "after a commit": after_commits,
    "before a call": lambda more: at_call(more + 1, "before"),
    "after a call": lambda more: at_call(more + 1, "after"),
}


async def each_death(
    folder: Path, blank: Path, how: str, before: Callable[[Story], Awaitable[object]],
    asks: Callable[[Story], Awaitable[object]], check: Callable[[Story], Awaitable[None]], step: int = 1,
) -> None:  # fmt: skip
    for more in range(0, 200, step):
        place = folder / str(more)
        copy(blank, place)
        story = Story(place)
        await story.open()
        await before(story)
        await asks(story)
        died = await die(story, ARMS[how](more))
        await come_to_rest(story)
        await check(story)
        await story.close()
        if not died:
            assert more > 1
            return
    raise AssertionError("the story never ends")


@pytest.mark.parametrize("how", ARMS)
async def test_enga_14_whenever_the_engine_dies_a_signal_counts_once(
    tmp_path: Path, blank_database: Path, how: str
) -> None:
    async def check(story: Story) -> None:
        assert size(story) == 2
        assert await outputs(story) == {"size": 2, "refs": [*story.world.objects]}
        for address in ("g", "up"):
            assert (await metadata(story, address))["scaling_in_progress"] is False
            assert "cooldown_end" in await metadata(story, address)
        events = [one for one in await story.events() if "SIGNAL" in one]
        assert events == ["up SIGNAL_COMPLETE", "g SIGNAL_COMPLETE"]

    await each_death(
        tmp_path, blank_database, how, lambda story: story.create(scaled(up=policy(cooldown=60))),
        lambda story: story.engine.signal(CALLER, "s", "up", Signal()), check,
    )  # fmt: skip


@pytest.mark.parametrize("how", ARMS)
async def test_engu_13_whenever_the_engine_dies_a_roll_ends_with_the_size_it_began_with(
    tmp_path: Path, blank_database: Path, how: str
) -> None:
    pace = {"max_batch_size": 2, "min_in_service": 3, "pause_time": 5}

    async def before(story: Story) -> None:
        await story.create(scaled())
        for _ in range(2):
            await signal(story)

    async def check(story: Story) -> None:
        assert (await story.find()).state == "UPDATE_COMPLETE"
        assert [one.properties["shape"] for one in story.world.objects.values()] == ["square"] * 3

    await each_death(
        tmp_path, blank_database, how, before,
        lambda story: story.change(scaled(shape="square", rolling_updates=pace)), check, step=5,
    )  # fmt: skip


async def test_a_signal_taken_by_a_process_that_runs_nothing_is_obeyed_by_the_next(story: Story) -> None:
    await story.create(scaled())
    story.traffic.last_commit = story.traffic.commits + 1
    story.traffic.on_cut = story.world.die
    await story.engine.signal(CALLER, "s", "up", Signal())
    await story.quiet()
    await story.kill()
    assert size(story) == 1
    await story.open()
    await come_to_rest(story)
    assert size(story) == 2
