"""What is told of stacks on the notification topics (heat.md §5.5)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from engine.bus.notification import Notification, Undelivered
from engine.cloud.errors import Permanent
from engine.model.status import OnFailure
from tests.engine.runs.sketch import sketch, thing
from tests.engine.runs.story import CALLER, Story, copy
from tests.engine.runs.test_nested import inner
from tests.engine.runs.test_scaling import next_name, scaled, signal

ONE = sketch(a=thing(size=3))


class Listener:
    """Keeps what it is told. `refuses`: it takes nothing."""

    def __init__(self, *, refuses: bool = False) -> None:
        self.heard: list[Notification] = []
        self.refuses, self.asked, self.closed = refuses, 0, False

    async def deliver(self, notification: Notification) -> None:
        self.asked += 1
        if self.refuses:
            raise Undelivered("nobody listens")
        self.heard.append(notification)

    async def close(self) -> None:
        self.closed = True

    def events(self, stack_name: str | None = None) -> list[str]:
        return [
            f"{one.level} {one.event_type.removeprefix('orchestration.stack.')}"
            for one in self.heard
            if stack_name in (None, one.payload["stack_name"])
        ]


@pytest.fixture
async def listener() -> Listener:
    return Listener()


@pytest.fixture
async def story(tmp_path: Path, blank_database: Path, listener: Listener) -> AsyncIterator[Story]:
    copy(blank_database, tmp_path)
    told = Story(tmp_path)
    told.outlet = listener
    await told.open()
    yield told
    if not told.dead:
        await told.close()


async def _acts(story: Story, action: str) -> None:
    await getattr(story.engine, f"{action}_stack")(CALLER, story._ids["s"])
    await story.end()


async def test_enge_04_every_action_is_told_at_its_beginning_and_its_end(story: Story, listener: Listener) -> None:
    await story.create(ONE)
    await story.update(sketch(a=thing(size=4)))
    for action in ("suspend", "resume", "check"):
        await _acts(story, action)
    await story.delete()
    await story.quiet()
    assert listener.events() == [
        f"INFO {action}.{when}"
        for action in ("create", "update", "suspend", "resume", "check", "delete")
        for when in ("start", "end")
    ]
    assert {one.publisher for one in listener.heard} == {"orchestration.here"}
    assert len({one.id for one in listener.heard}) == len(listener.heard)


async def test_enge_04_a_failure_is_an_error_and_going_back_is_told_after_it(story: Story, listener: Listener) -> None:
    story.world.fail("create", "a", Permanent("no room"))
    await story.create(ONE)
    await story.quiet()
    assert listener.events() == ["INFO create.start", "ERROR create.error", "INFO rollback.start", "INFO rollback.end"]
    error = listener.heard[1].payload
    assert error["state"] == "CREATE_FAILED"
    assert "no room" in str(error["state_reason"])


async def test_enge_04_without_rollback_the_error_is_the_end(story: Story, listener: Listener) -> None:
    story.world.fail("create", "a", Permanent("no room"))
    await story.create(ONE, on_failure=OnFailure.DO_NOTHING)
    await story.quiet()
    assert listener.events() == ["INFO create.start", "ERROR create.error"]


async def test_enge_04_a_cancelled_update_ends_with_an_error_and_begins_once(story: Story, listener: Listener) -> None:
    await story.create(ONE)
    story.world.slow("create", "b", 100)
    await story.change(sketch(a=thing(size=3), b=thing()))
    await story.pass_time(1)
    await story.engine.cancel_update(CALLER, story._ids["s"], rollback=False)
    await story.end()
    await story.quiet()
    assert listener.events()[2:] == ["INFO update.start", "ERROR update.error"]


async def test_enge_04_nested_stacks_are_told_of_too(story: Story, listener: Listener) -> None:
    await story.create(sketch(n=inner(ONE)))
    await story.quiet()
    (child,) = {str(one.payload["stack_name"]) for one in listener.heard} - {"s"}
    assert listener.events(child) == listener.events("s") == ["INFO create.start", "INFO create.end"]


async def test_enge_04_an_engine_that_goes_on_tells_the_beginning_again_under_its_id(
    story: Story, listener: Listener
) -> None:
    story.world.slow("create", "a", 100)
    await story.begin(ONE)
    await story.pass_time(1)
    await story.kill()
    await story.open()
    await story.end()
    await story.quiet()
    assert listener.events() == ["INFO create.start", "INFO create.start", "INFO create.end"]
    first, again, end = (one.id for one in listener.heard)
    assert first == again != end


async def test_enge_04_an_abandoned_stack_is_told_of_as_deleted(story: Story, listener: Listener) -> None:
    await story.create(ONE)
    await story.engine.abandon_stack(CALLER, story._ids["s"])
    await story.quiet()
    assert listener.events()[2:] == ["INFO delete.end"]


async def test_enge_04_nobody_waits_for_a_broker_that_is_away(story: Story, listener: Listener) -> None:
    listener.refuses = True
    stack = await story.create(ONE)
    assert (stack.state, listener.heard) == ("CREATE_COMPLETE", [])
    before = story.clock.monotonic()
    assert (await story.delete()).state == "DELETE_COMPLETE"
    assert story.clock.monotonic() - before < 1
    await story.pass_time(60)
    assert (listener.asked, listener.heard) == (4 * 4, [])


async def test_enge_05_the_body_is_heats(story: Story, listener: Listener) -> None:
    stack = await story.create(ONE, tags={"web": "", "Owner": "me"})
    stack = await story.update(sketch(a=thing(size=4)))
    await story.quiet()
    assert listener.heard[-1].payload == {
        "tenant_id": "project",
        "user_id": "mira",
        "user_identity": "user",
        "username": "mira",
        "stack_identity": stack.id,
        "stack_name": "s",
        "state": "UPDATE_COMPLETE",
        "state_reason": stack.status_reason,
        "create_at": "2023-11-14T22:13:20Z",
        "updated_at": f"{stack.updated:%Y-%m-%dT%H:%M:%SZ}",
        "description": "No description",
        "tags": ["web", "Owner=me"],
    }
    first = listener.heard[0].payload
    assert (first["state"], first["updated_at"]) == ("CREATE_IN_PROGRESS", None)


async def test_enge_05_the_context_names_who_asked_and_holds_no_secret(story: Story, listener: Listener) -> None:
    stack = await story.create(ONE)
    await story.quiet()
    assert listener.heard[0].context == {
        "user_id": "user", "user": "mira", "username": "mira", "tenant_id": "project", "project_id": "project",
        "trustor_user_id": "user", "request_id": f"req-{stack.operation_id}",
    }  # fmt: skip


async def test_enge_06_a_group_that_is_scaled_is_told_of_at_its_beginning_and_its_end(
    story: Story, listener: Listener
) -> None:
    await story.create(scaled(desired_capacity=2))
    await signal(story)
    start, end = (one for one in listener.heard if ".autoscaling." in one.event_type)
    assert (start.event_type, start.level) == ("orchestration.autoscaling.start", "INFO")
    assert (end.event_type, end.level) == ("orchestration.autoscaling.end", "INFO")
    assert start.payload["stack_name"] == "s"
    what = {one: start.payload[one] for one in ("adjustment", "adjustment_type", "capacity", "message")}
    name = start.payload["groupname"]
    assert what == {
        "adjustment": 1, "adjustment_type": "change_in_capacity", "capacity": 2,
        "message": f"Start resizing the group {name}",
    }  # fmt: skip
    assert (end.payload["capacity"], end.payload["message"]) == (3, f"End resizing the group {name}")
    assert start.id != end.id


async def test_enge_06_a_group_that_cannot_be_scaled_is_an_error(story: Story, listener: Listener) -> None:
    await story.create(scaled(desired_capacity=2))
    story.world.fail("create", await next_name(story), Permanent("the host is full"))
    await signal(story)
    told = [(one.event_type, one.level) for one in listener.heard if ".autoscaling." in one.event_type]
    assert told == [("orchestration.autoscaling.start", "INFO"), ("orchestration.autoscaling.error", "ERROR")]
    error = next(one for one in listener.heard if one.event_type.endswith("autoscaling.error"))
    assert "the host is full" in error.payload["message"]


async def test_enge_06_an_ignored_signal_is_not_told_of(story: Story, listener: Listener) -> None:
    await story.create(scaled(high=2, desired_capacity=2))
    await signal(story)
    assert [one.event_type for one in listener.heard if ".autoscaling." in one.event_type] == []
