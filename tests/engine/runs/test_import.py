"""Change sets that take over objects which exist already (cloudformation.md B14, S19 to S22)."""

from __future__ import annotations

from typing import Any

import pytest

from engine.model.diagnostic import Invalid
from engine.model.stack import ChangeAction, ChangeSet, ChangeSetStatus
from tests.engine.runs.sketch import ref, sketch, thing
from tests.engine.runs.story import CALLER, Story


async def lost(story: Story, **resources: Any) -> dict[str, str]:
    """Objects that no stack knows: address → id."""
    await story.create(sketch(**resources), "former")
    made = {one.address: one.id for one in story.world.objects.values()}
    await story.run(story.engine.abandon_stack(CALLER, "former"))
    return made


async def imported(story: Story, text: str, imports: dict[str, str]) -> ChangeSet:
    return await story.change_set(text, kind="IMPORT", imports=imports)


async def executed(story: Story, found: ChangeSet) -> str:
    await story.run(story.engine.execute_change_set(CALLER, found.id))
    return (await story.end()).state


async def test_b14_objects_become_resources_of_a_new_stack(story: Story) -> None:
    ids = await lost(story, a=thing(size=3), b=thing())
    text = sketch(a=thing(size=3, policy="Retain"), b=thing(policy="Retain"))
    found = await imported(story, text, ids)
    assert found.status is ChangeSetStatus.CREATE_COMPLETE
    assert found.plan is not None
    assert {c.address: (c.action, c.physical_id) for c in found.plan.changes} == {
        "a": (ChangeAction.IMPORT, ids["a"]), "b": (ChangeAction.IMPORT, ids["b"]),
    }  # fmt: skip
    calls = len(story.world.verbs("create"))
    assert await executed(story, found) == "IMPORT_COMPLETE"
    assert await story.states() == {"a": "IMPORT_COMPLETE", "b": "IMPORT_COMPLETE"}
    assert len(story.world.verbs("create")) == calls
    changed = sketch(a=thing(size=4, policy="Retain"), b=thing(policy="Retain"))
    assert (await story.update(changed)).state == "UPDATE_COMPLETE"
    assert story.world.objects[ids["a"]].properties["size"] == 4


async def test_b14_an_object_is_taken_into_a_stack_that_stands(story: Story) -> None:
    ids = await lost(story, b=thing())
    await story.create(sketch(a=thing()))
    found = await imported(story, sketch(a=thing(), b=thing(policy="Retain")), ids)
    assert await executed(story, found) == "IMPORT_COMPLETE"
    assert await story.states() == {"a": "CREATE_COMPLETE", "b": "IMPORT_COMPLETE"}
    assert story.world.verbs("create") == ["b", "a"]


async def test_s22_what_is_not_there_is_not_imported_and_nothing_is_deleted(story: Story) -> None:
    ids = await lost(story, b=thing(), c=thing())
    await story.create(sketch(a=thing()))
    text = sketch(a=thing(), b=thing(policy="Delete"), c=thing(policy="Delete"))
    found = await imported(story, text, {**ids, "c": "nobody"})
    assert await executed(story, found) == "ROLLBACK_COMPLETE"
    stack = await story.find()
    assert stack.reverting == "IMPORT"
    assert story.world.addresses() == ["a", "b", "c"]
    assert await story.states() == {"a": "CREATE_COMPLETE"}
    assert (await story.update(sketch(a=thing(size=2)))).state == "UPDATE_COMPLETE"


async def test_s22_a_new_stack_whose_import_fails_has_nothing(story: Story) -> None:
    await story.create(sketch(a=thing()), "other")
    found = await imported(story, sketch(b=thing()), {"b": "nobody"})
    assert await executed(story, found) == "ROLLBACK_COMPLETE"
    assert await story.states() == {}


async def test_b14_an_import_does_nothing_else(story: Story) -> None:
    ids = await lost(story, b=thing())
    await story.create(sketch(a=thing()))
    more = await imported(story, sketch(a=thing(size=2), b=thing(), c=thing()), ids)
    assert more.status is ChangeSetStatus.FAILED
    assert "You have modified resources [a, c]" in str(more.failure)
    again = await story.change_set(
        sketch(a=thing(), b=thing(), outputs={"o": ref("b")}), kind="IMPORT", imports=ids, called="two"
    )
    assert "cannot modify or add [Outputs]" in str(again.failure)
    there = await story.change_set(sketch(a=thing()), kind="IMPORT", imports={"a": ids["b"]}, called="three")
    assert "already in the stack" in str(there.failure)
    with pytest.raises(Invalid, match="not in the template"):
        await story.change_set(sketch(a=thing()), kind="IMPORT", imports={"z": "id"}, called="four")


async def test_b14_an_object_belongs_to_one_stack(story: Story) -> None:
    await story.create(sketch(a=thing()), "owner")
    with pytest.raises(Invalid, match="already managed by stack owner"):
        await imported(story, sketch(b=thing()), {"b": story.world.the("a").id})


async def test_b14_a_lowered_resource_is_imported_where_it_is_one_object(story: Story) -> None:
    def group(**members: Any) -> dict[str, Any]:
        return {"members": members}

    ids = await lost(story, b=thing())
    one = sketch(g=group(it=thing(), note=thing(of="OS::Heat::Value", value=1)))
    assert await executed(story, await imported(story, one, {"g": ids["b"]})) == "IMPORT_COMPLETE"
    assert await story.states() == {"g": "IMPORT_COMPLETE"}
    with pytest.raises(Invalid, match="not supported for Import: g is Test::Thing, Test::Thing in OpenStack"):
        await story.change_set(
            sketch(g=group(it=thing(), foot=thing())), "t", kind="IMPORT", imports={"g": "x"}
        )  # fmt: skip
