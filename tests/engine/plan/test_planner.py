"""What a plan tells before anything happens."""

from __future__ import annotations

from engine.model.source import Source
from engine.model.stack import ChangeAction, Plan, Replacement
from engine.model.value import UNKNOWN
from tests.engine.runs.sketch import attr, ref, sketch, thing
from tests.engine.runs.story import CALLER, Story


async def plan_of(story: Story, text: str, **parameters: str) -> Plan:
    return await story.engine.preview_update(CALLER, "s", Source(text, parameters=parameters))


async def test_no_change_is_an_empty_plan(story: Story) -> None:
    text = sketch(a=thing(), b=thing(near=ref("a")), outputs={"o": ref("a")})
    await story.create(text)
    assert (await plan_of(story, text)).is_empty


async def test_c04_each_change_names_what_brings_it_about(story: Story) -> None:
    text = sketch(parameters={"p": {}}, a=thing(shape={"param": "p"}), b=thing(near=ref("a"), size=attr("a", "size")))
    await story.create(text, parameters={"p": "round"})
    a, b = (await plan_of(story, text, p="square")).changes
    assert (a.action, a.replacement) == (ChangeAction.MODIFY, Replacement.ALWAYS)
    assert [(p.name, p.before, p.after, p.cause) for p in a.properties] == [("shape", "round", "square", "p")]
    assert {(p.name, p.after, p.cause) for p in b.properties} == {("near", UNKNOWN, "a"), ("size", UNKNOWN, "a")}


async def test_c04_an_unknown_value_may_mean_replacement(story: Story) -> None:
    text = sketch(a=thing(), b=thing(beside=ref("a")))
    await story.create(text)
    _, b = (await plan_of(story, sketch(a=thing(shape="square"), b=thing(beside=ref("a"))))).changes
    assert (b.action, b.replacement) == (ChangeAction.MODIFY, Replacement.CONDITIONAL)


async def test_c04_removals_tell_whether_the_object_stays(story: Story) -> None:
    await story.create(sketch(a=thing(), b=thing(policy="Retain"), c=thing()))
    removed = {c.address: c.retained for c in (await plan_of(story, sketch(a=thing()))).changes if c.action == "Remove"}
    assert removed == {"b": True, "c": False}


async def test_a_plan_does_what_it_says_nothing_by_itself(story: Story) -> None:
    await story.create(sketch(a=thing()))
    calls = list(story.world.calls)
    await plan_of(story, sketch(a=thing(size=2), b=thing()))
    assert story.world.calls == calls
