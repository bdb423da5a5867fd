"""Drift: looked for in the background, kept, told (cloudformation.md A31, A32, A34, A35, B15)."""

from __future__ import annotations

import pytest

from engine.cloud.errors import Permanent
from engine.model.errors import Busy, DetectionNotFound, ResourceNotFound
from engine.model.stack import DetectionStatus, DriftDetection, DriftStatus, ResourceDrift
from engine.resources.base import Operation
from engine.runs.drift import put
from tests.engine.runs.sketch import ref, sketch, thing
from tests.engine.runs.story import CALLER, Story
from tests.engine.runs.world import ThingType

PAIR = sketch(a=thing(), b=thing(near=ref("a")))


async def looked(story: Story, *addresses: str) -> DriftDetection:
    begun = await story.run(story.engine.detect_drift(CALLER, "s", addresses))
    assert begun.status is DetectionStatus.IN_PROGRESS
    await story.pass_time(1)
    return await story.engine.drift_detection(CALLER, begun.id)


async def found(story: Story) -> dict[str, ResourceDrift]:
    return {one.address: one for one in await story.engine.resource_drifts(await story.find())}


async def test_b15_what_nobody_touched_is_in_sync(story: Story) -> None:
    before = await story.create(PAIR)
    assert (before.drift, before.drift_checked) == (DriftStatus.NOT_CHECKED, None)
    detection = await looked(story)
    assert (detection.status, detection.drift, detection.drifted) == (
        DetectionStatus.COMPLETE, DriftStatus.IN_SYNC, 0,
    )  # fmt: skip
    stack = await story.find()
    assert stack.drift is DriftStatus.IN_SYNC
    assert (stack.state, stack.version) == (before.state.replace("IN_PROGRESS", "COMPLETE"), stack.version)
    assert {a: one.status for a, one in (await found(story)).items()} == {"a": "IN_SYNC", "b": "IN_SYNC"}


async def test_b15_what_was_changed_or_is_gone_is_told(story: Story) -> None:
    await story.create(sketch(a=thing(size=1), b=thing(), c=thing()))
    story.world.the("a").properties["size"] = 7
    story.world.objects.pop(story.world.the("b").id)
    detection = await looked(story)
    assert (detection.drift, detection.drifted) == (DriftStatus.DRIFTED, 2)
    drifts = await found(story)
    assert {a: one.status for a, one in drifts.items()} == {"a": "MODIFIED", "b": "DELETED", "c": "IN_SYNC"}
    (difference,) = drifts["a"].differences
    assert (difference.path, difference.expected, difference.actual) == ("size", 1, 7)
    assert (drifts["a"].expected["size"], drifts["a"].actual["size"]) == (1, 7)
    shown = {one.address: one.drift for one in await story.engine.list_resources(await story.find())}
    assert shown == {"a": "MODIFIED", "b": "DELETED", "c": "IN_SYNC"}


async def test_a32_one_resource_is_looked_at_by_itself(story: Story) -> None:
    await story.create(PAIR)
    story.world.the("a").properties["size"] = 7
    one = await story.run(story.engine.detect_resource_drift(CALLER, "s", "a"))
    assert one.status is DriftStatus.MODIFIED
    assert (await story.find()).drift is DriftStatus.NOT_CHECKED
    with pytest.raises(ResourceNotFound):
        await story.run(story.engine.detect_resource_drift(CALLER, "s", "none"))


async def test_a31_only_named_resources(story: Story) -> None:
    await story.create(PAIR)
    story.world.the("a").properties["size"] = 7
    assert (await looked(story, "b")).drifted == 0
    assert list(await found(story)) == ["b"]


async def test_b15_a_group_is_what_its_members_are(story: Story) -> None:
    group = {"members": {"it": thing(), "foot": thing(near=ref("g/it"))}}
    await story.create(sketch(g=group))
    story.world.the("g/foot").properties["size"] = 7
    assert (await looked(story)).drifted == 1
    drift = (await found(story))["g"]
    assert (drift.status, [one.path for one in drift.differences]) == (DriftStatus.MODIFIED, ["foot/size"])
    assert (drift.expected["foot"], drift.actual["foot"]) == ({"size": 1}, {"size": 7})
    story.world.the("g/it").properties["size"] = 9
    await looked(story)
    drift = (await found(story))["g"]
    assert {one.path for one in drift.differences} == {"foot/size", "said/size"}
    assert drift.actual["said"] == {"size": 9}
    story.world.objects.pop(story.world.the("g/foot").id)
    await looked(story)
    assert (await found(story))["g"].status is DriftStatus.MODIFIED
    story.world.objects.pop(story.world.the("g/it").id)
    await looked(story)
    assert (await found(story))["g"].status is DriftStatus.DELETED


async def test_b15_what_cannot_be_looked_at_is_unknown(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    await story.create(PAIR)

    async def broken(self: object, op: object) -> object:
        raise Permanent("no right to look")

    monkeypatch.setattr(ThingType, "drift", broken)
    detection = await looked(story)
    assert detection.status is DetectionStatus.FAILED
    assert detection.reason == "Failed to detect drift on resources [a, b]"
    assert (await found(story))["a"].reason == "no right to look"


async def test_b15_local_and_nested_resources_are_not_looked_at(story: Story) -> None:
    inner = thing(of="OS::Heat::Stack", template=sketch(deep=thing()))
    await story.create(sketch(n=inner, v=thing(of="OS::Heat::Value", value=1)))
    story.world.objects.clear()
    assert (await looked(story)).drift is DriftStatus.IN_SYNC
    assert {one.status for one in (await found(story)).values()} == {DriftStatus.NOT_CHECKED}


async def test_b15_a_change_makes_a_look_old(story: Story) -> None:
    await story.create(PAIR)
    await looked(story)
    await story.pass_time(1)
    await story.update(sketch(a=thing(size=2), b=thing(near=ref("a"))))
    shown = {one.address: one.drift for one in await story.engine.list_resources(await story.find())}
    assert shown == {"a": "NOT_CHECKED", "b": "IN_SYNC"}


async def test_a34_a_detection_whose_engine_died_has_failed(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    await story.create(PAIR)

    async def endless(self: object, op: Operation) -> object:
        return await op.services.sleep(1e6)

    monkeypatch.setattr(ThingType, "drift", endless)
    begun = await story.run(story.engine.detect_drift(CALLER, "s"))
    await story.pass_time(60)
    await story.kill()
    await story.open()
    assert (await story.engine.drift_detection(CALLER, begun.id)).status is DetectionStatus.IN_PROGRESS
    await story.pass_time(3600)
    seen = await story.engine.drift_detection(CALLER, begun.id)
    assert (seen.status, seen.reason) == (DetectionStatus.FAILED, "The engine that looked has gone. Ask again.")
    with pytest.raises(DetectionNotFound):
        await story.engine.drift_detection(CALLER, "none")


async def test_a31_a_busy_stack_is_refused(story: Story) -> None:
    story.world.slow("ready", "a", 60)
    await story.begin(PAIR)
    with pytest.raises(Busy):
        await story.run(story.engine.detect_drift(CALLER, "s"))


async def test_engs_08_a_check_tells_where_objects_differ_and_is_complete(story: Story) -> None:
    await story.create(PAIR)
    story.world.the("a").properties["size"] = 7
    await story.engine.check_stack(CALLER, "s")
    stack = await story.end()
    assert (stack.state, stack.drift) == ("CHECK_COMPLETE", DriftStatus.DRIFTED)
    (record,) = [one for one in await story.engine.list_resources(stack) if one.address == "a"]
    assert (record.state, record.drift) == ("CHECK_COMPLETE", DriftStatus.MODIFIED)
    assert record.status_reason == "The object differs from its definition: size"


def test_b15_a_difference_deep_in_what_a_template_says_is_put_there() -> None:
    for held in ({}, {"A": None}, {"A": "text"}, {"A": {"B": 1}}):
        properties: dict[str, object] = {**held}
        put(properties, ("A", "B"), 2)
        assert properties == {"A": {"B": 2}}
