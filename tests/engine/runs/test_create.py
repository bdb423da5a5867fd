"""Creating stacks."""

from __future__ import annotations

from engine.cloud.errors import OutcomeUnknown, Permanent, Temporary, WentToError
from engine.model.status import OnFailure
from tests.engine.runs.sketch import attr, ref, sketch, thing
from tests.engine.runs.story import Story


async def test_engs_01_a_stack_is_created_in_order_of_what_it_needs(story: Story) -> None:
    text = sketch(c=thing(near=ref("b")), b=thing(needs=("a",)), a=thing(size=3), outputs={"o": attr("a", "size")})
    stack = await story.create(text)
    assert stack.state == "CREATE_COMPLETE"
    assert story.world.verbs("create") == ["a", "b", "c"]
    assert story.world.the("c").properties["near"] == story.world.the("b").id
    assert [(o.name, o.value) for o in stack.outputs] == [("o", 3)]
    assert await story.events() == [
        "- CREATE_IN_PROGRESS",
        "a CREATE_IN_PROGRESS", "a CREATE_IN_PROGRESS", "a CREATE_COMPLETE",
        "b CREATE_IN_PROGRESS", "b CREATE_IN_PROGRESS", "b CREATE_COMPLETE",
        "c CREATE_IN_PROGRESS", "c CREATE_IN_PROGRESS", "c CREATE_COMPLETE",
        "- CREATE_COMPLETE",
    ]  # fmt: skip


async def test_b19_independent_resources_are_made_at_the_same_time(story: Story) -> None:
    for name in "abc":
        story.world.slow("ready", name, 60)
    assert (await story.create(sketch(a=thing(), b=thing(), c=thing()))).state == "CREATE_COMPLETE"
    assert story.world.most_at_once == 3
    assert story.clock.monotonic() < 120


async def test_tr_10_an_output_without_a_value_tells_why(story: Story) -> None:
    outputs = {"good": attr("a", "size"), "bad": {"join": ["-", attr("a", "size")]}}
    stack = await story.create(sketch(a=thing(size=3), outputs=outputs, dialect="hot"))
    good, bad = stack.outputs
    assert (good.error, bad.value) == (None, None)
    assert "What is joined must be a list" in (bad.error or "")


async def test_engc_10_b01_a_failed_create_is_rolled_back(story: Story) -> None:
    story.world.fail("create", "b", Permanent("quota exceeded for things"))
    stack = await story.create(sketch(a=thing(), b=thing(needs=("a",)), c=thing(needs=("b",))))
    assert stack.state == "ROLLBACK_COMPLETE"
    assert story.world.objects == {}
    assert "c" not in story.world.verbs("create")
    happened = await story.events()
    assert "b CREATE_FAILED" in happened
    assert happened[-1] == "- ROLLBACK_COMPLETE"


async def test_b01_do_nothing_leaves_what_was_made(story: Story) -> None:
    story.world.fail("create", "b", Permanent("quota exceeded for things"))
    stack = await story.create(sketch(a=thing(), b=thing(needs=("a",))), on_failure=OnFailure.DO_NOTHING)
    assert stack.state == "CREATE_FAILED"
    assert stack.status_reason == ("The following resource(s) failed to create: [b]. b: quota exceeded for things")
    assert story.world.addresses() == ["a"]


async def test_b01_delete_removes_the_stack(story: Story) -> None:
    story.world.fail("create", "b", Permanent("quota exceeded for things"))
    stack = await story.create(sketch(a=thing(), b=thing(needs=("a",))), on_failure=OnFailure.DELETE)
    assert stack.state == "DELETE_COMPLETE"
    assert story.world.objects == {}


async def test_a_failure_cancels_what_is_under_way_and_loses_no_object(story: Story) -> None:
    story.world.slow("ready", "slow", 600)
    story.world.slow("create", "late", 5)
    story.world.fail("create", "bad", Permanent("no"))
    stack = await story.create(sketch(slow=thing(), late=thing(), bad=thing()))
    assert stack.state == "ROLLBACK_COMPLETE"
    assert story.world.objects == {}
    assert story.clock.monotonic() < 300
    assert "late CREATE_FAILED" in await story.events()


async def test_engu_19_without_rollback_siblings_come_to_their_end(story: Story) -> None:
    story.world.slow("ready", "slow", 600)
    story.world.fail("create", "bad", Permanent("no"))
    stack = await story.create(sketch(slow=thing(), bad=thing()), on_failure=OnFailure.DO_NOTHING)
    assert stack.state == "CREATE_FAILED"
    assert (await story.states()) == {"bad": "CREATE_FAILED", "slow": "CREATE_COMPLETE"}


async def test_a_busy_cloud_is_asked_again(story: Story) -> None:
    story.world.fail("create", "a", Temporary("come back later"), times=3)
    assert (await story.create(sketch(a=thing()))).state == "CREATE_COMPLETE"
    assert story.world.verbs("create") == ["a"] * 4
    assert story.world.addresses() == ["a"]


async def test_a_cloud_that_stays_busy_is_given_up(story: Story) -> None:
    story.world.fail("create", "a", Temporary("come back later"), times=99)
    stack = await story.create(sketch(a=thing()), on_failure=OnFailure.DO_NOTHING)
    assert stack.state == "CREATE_FAILED"
    assert "come back later" in stack.status_reason


async def test_a_lost_answer_does_not_make_a_second_object(story: Story) -> None:
    story.world.fail("create", "a", OutcomeUnknown("reset by peer"), after=True)
    assert (await story.create(sketch(a=thing()))).state == "CREATE_COMPLETE"
    assert story.world.verbs("create") == ["a"]


async def test_a_lost_request_is_repeated_after_the_settle_time(story: Story) -> None:
    story.world.fail("create", "a", OutcomeUnknown("reset by peer"))
    assert (await story.create(sketch(a=thing()))).state == "CREATE_COMPLETE"
    assert story.world.verbs("create") == ["a", "a"]
    assert story.clock.monotonic() >= story.settings.settle


async def test_an_exception_of_a_resource_type_fails_the_resource_not_the_engine(story: Story) -> None:
    story.world.fail("create", "b", ValueError("oops"))
    stack = await story.create(sketch(a=thing(), b=thing()), on_failure=OnFailure.DO_NOTHING)
    assert stack.state == "CREATE_FAILED"
    assert await story.states() == {"a": "CREATE_COMPLETE", "b": "CREATE_FAILED"}
    assert "Isotherm's own fault" in stack.status_reason


async def test_engc_12_a_create_that_takes_too_long_is_rolled_back(story: Story) -> None:
    story.world.slow("ready", "a", 10_000)
    stack = await story.create(sketch(a=thing()), timeout_mins=5)
    assert stack.state == "ROLLBACK_COMPLETE"
    assert 300 <= story.clock.monotonic() < 600
    assert story.world.objects == {}


async def test_b06_the_timeout_s_reason_is_that_of_cloudformation(story: Story) -> None:
    story.world.slow("ready", "a", 10_000)
    stack = await story.create(sketch(a=thing()), timeout_mins=5, on_failure=OnFailure.DO_NOTHING)
    assert stack.state == "CREATE_FAILED"
    assert stack.status_reason.startswith("Stack creation time exceeded the specified timeout.")


async def test_what_only_running_can_tell_is_refused_when_it_is_known(story: Story) -> None:
    stack = await story.create(sketch(a=thing(size=13 - 1), b=thing(size=attr("a", "size"))))
    assert stack.state == "CREATE_COMPLETE"


async def test_a_cloud_that_is_away_for_a_moment_while_it_is_waited_for_fails_nothing(story: Story) -> None:
    story.world.fail("ready", "a", Temporary("come back later"), times=2)
    assert (await story.create(sketch(a=thing()))).state == "CREATE_COMPLETE"
    assert story.world.verbs("create") == ["a"]


# --- ENGU-01 ----------------------------------------------------------------------------------------------------------
async def test_engu_01_what_breaks_while_it_is_built_is_taken_away_and_made_again(story: Story) -> None:
    story.world.fail("ready", "a", WentToError("the host caught fire"), times=2)
    stack = await story.create(sketch(a=thing(), b=thing(near=ref("a"))))
    assert stack.state == "CREATE_COMPLETE"
    assert story.world.addresses() == ["a", "b"]
    assert [call for call in story.world.calls if call[1] == "a" and call[0] != "ready"] == [
        ("create", "a"), ("delete", "a"), ("create", "a"), ("delete", "a"), ("create", "a"),
    ]  # fmt: skip
    reasons = [one.reason for one in await story.engine.list_events(stack) if one.address == "a"]
    assert "Made again (1): the host caught fire" in reasons
    assert await story.states() == {"a": "CREATE_COMPLETE", "b": "CREATE_COMPLETE"}


async def test_engu_01_after_so_many_attempts_it_fails(story: Story) -> None:
    story.world.fail("ready", "a", WentToError("no host will have it"), times=99)
    stack = await story.create(sketch(a=thing()), on_failure=OnFailure.DO_NOTHING)
    assert stack.state == "CREATE_FAILED"
    assert stack.status_reason.endswith("a: no host will have it")
    assert len(story.world.verbs("create")) == 1 + story.settings.action_retry_limit
    assert story.world.addresses() == ["a"], "the last one stays to be looked at"


async def test_engu_01_what_cannot_be_taken_away_is_left_to_the_cleanup(story: Story) -> None:
    story.world.fail("ready", "a", WentToError("the host caught fire"))
    story.world.fail("delete", "a", Permanent("it is still burning"))
    stack = await story.create(sketch(a=thing()))
    assert stack.state == "CREATE_COMPLETE"
    assert story.world.addresses() == ["a"]
    assert story.world.verbs("delete") == ["a", "a"]


async def test_engu_01_a_replacement_is_made_again_too(story: Story) -> None:
    await story.create(sketch(a=thing()))
    story.world.fail("ready", "a", WentToError("the host caught fire"))
    assert (await story.update(sketch(a=thing(shape="square")))).state == "UPDATE_COMPLETE"
    assert story.world.the("a").properties["shape"] == "square"
