"""Plans that are kept and run later; policies; what nobody may see."""

from __future__ import annotations

import sqlite3

import pytest

from engine.cloud.errors import Permanent
from engine.model.errors import ChangeSetNotFound, Forbidden, InvalidState, NoChange
from engine.model.source import Source
from engine.model.stack import ChangeAction, ExecutionStatus, Options, Replacement
from tests.engine.runs.sketch import ref, sketch, thing
from tests.engine.runs.story import CALLER, Story

PAIR = sketch(a=thing(), b=thing(near=ref("a")))
SQUARE = sketch(a=thing(shape="square"), b=thing(near=ref("a")), c=thing())


async def test_w37_a_change_set_of_a_new_stack_makes_nothing_until_it_is_executed(story: Story) -> None:
    found = await story.change_set(PAIR, kind="CREATE")
    assert (await story.find()).state == "INIT_COMPLETE"
    assert story.world.objects == {}
    with pytest.raises(InvalidState, match="REVIEW_IN_PROGRESS"):
        await story.change(PAIR)
    await story.engine.execute_change_set(CALLER, found.id)
    assert (await story.end()).state == "CREATE_COMPLETE"
    assert story.world.addresses() == ["a", "b"]


async def test_s18_a_stack_in_review_can_be_deleted(story: Story) -> None:
    await story.change_set(PAIR, kind="CREATE")
    assert (await story.delete()).state == "DELETE_COMPLETE"


@pytest.mark.parametrize(("ask", "done"), [("check_stack", "checked"), ("suspend_stack", "suspended")])
async def test_s18_nothing_but_its_change_sets_and_a_delete_takes_a_stack_out_of_review(
    story: Story, ask: str, done: str
) -> None:
    found = await story.change_set(PAIR, kind="CREATE")
    with pytest.raises(InvalidState, match=f"REVIEW_IN_PROGRESS state and can not be {done}"):
        await getattr(story.engine, ask)(CALLER, "s")
    await story.engine.execute_change_set(CALLER, found.id)
    assert (await story.end()).state == "CREATE_COMPLETE"


async def test_c04_a_change_set_tells_what_executing_it_does(story: Story) -> None:
    await story.create(PAIR)
    found = await story.change_set(SQUARE)
    assert found.plan is not None
    told = {c.address: (c.action, c.replacement) for c in found.plan.changes}
    assert told == {
        "a": (ChangeAction.MODIFY, Replacement.ALWAYS),
        "b": (ChangeAction.MODIFY, Replacement.NEVER),
        "c": (ChangeAction.ADD, Replacement.NEVER),
    }
    await story.engine.execute_change_set(CALLER, found.id)
    assert (await story.end()).state == "UPDATE_COMPLETE"
    assert story.world.the("a").properties["shape"] == "square"


async def test_c02_a_change_set_is_obsolete_once_its_stack_is_another(story: Story) -> None:
    await story.create(PAIR)
    found = await story.change_set(SQUARE)
    await story.engine.set_options(CALLER, "s", termination_protection=True)
    assert (await story.engine.find_change_set(CALLER, found.id)).execution_status is ExecutionStatus.AVAILABLE
    await story.update(sketch(a=thing(size=2), b=thing(near=ref("a"))))
    assert (await story.engine.find_change_set(CALLER, found.id)).execution_status is ExecutionStatus.OBSOLETE
    assert [one.execution_status for one in await story.engine.list_change_sets(CALLER, "s")] == ["OBSOLETE"]
    with pytest.raises(InvalidState, match="has changed since"):
        await story.engine.execute_change_set(CALLER, found.id)


async def test_b12_b13_guards_do_not_touch_what_a_change_set_was_made_for(story: Story) -> None:
    await story.create(PAIR)
    found = await story.change_set(SQUARE)
    everything = '{"Statement": [{"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"}]}'
    await story.engine.set_options(CALLER, "s", termination_protection=True, stack_policy=everything)
    await story.engine.execute_change_set(CALLER, found.id)
    stack = await story.end()
    assert (stack.state, stack.options.stack_policy) == ("UPDATE_COMPLETE", everything)


async def test_c05_the_other_change_sets_are_gone_after_one_is_executed(story: Story) -> None:
    await story.create(PAIR)
    first = await story.change_set(SQUARE, called="one")
    second = await story.change_set(SQUARE, called="two")
    await story.engine.execute_change_set(CALLER, first.id)
    await story.end()
    with pytest.raises(ChangeSetNotFound):
        await story.engine.find_change_set(CALLER, second.id)
    assert await story.engine.list_change_sets(CALLER, "s") == []


async def test_a_change_set_for_a_stack_that_has_changed_is_refused(story: Story) -> None:
    await story.create(PAIR)
    found = await story.change_set(SQUARE)
    await story.engine.mark_unhealthy(CALLER, "s", "a", unhealthy=True, reason="smells")
    with pytest.raises(InvalidState, match="has changed since"):
        await story.engine.execute_change_set(CALLER, found.id)


async def test_w36_a_change_set_without_changes_fails(story: Story) -> None:
    await story.create(PAIR)
    found = await story.change_set(PAIR)
    assert (found.status, found.no_change) == ("FAILED", True)
    with pytest.raises(InvalidState):
        await story.engine.execute_change_set(CALLER, found.id)


async def test_an_update_without_changes_is_refused_where_the_dialect_says_so(story: Story) -> None:
    await story.create(PAIR)
    with pytest.raises(NoChange):
        await story.change(PAIR, refuse_no_change=True)


async def test_b19_two_updates_at_once_are_not_both_obeyed(story: Story) -> None:
    await story.create(PAIR)
    story.world.slow("update", "a", 60)
    await story.change(sketch(a=thing(size=2), b=thing(near=ref("a"))))
    with pytest.raises(InvalidState):
        await story.change(SQUARE)
    await story.end()


POLICY = """{"Statement": [
    {"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"},
    {"Effect": "Deny", "Action": "Update:Replace", "Principal": "*", "Resource": "LogicalResourceId/a"}]}"""


async def test_b13_a_stack_policy_protects_a_resource(story: Story) -> None:
    await story.create(PAIR, stack_policy=POLICY)
    with pytest.raises(Forbidden, match=r"Statement \[#2\] does not allow \[Update:Replace\]"):
        await story.change(SQUARE)
    during = '{"Statement": [{"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"}]}'
    assert (await story.update(SQUARE, policy_during_update=during)).state == "UPDATE_COMPLETE"


# --- secrets ------------------------------------------------------------------------------------------------------
SECRET = "correct-horse-battery"
HIDING = sketch(
    parameters={"p": {"hidden": True}},
    a={**thing(word={"param": "p"}), "metadata": {"m": {"param": "p"}}},
    outputs={"o": {"param": "p"}},
)


async def test_hidden_parameters_are_masked_in_every_record(story: Story) -> None:
    stack = await story.create(HIDING, parameters={"p": SECRET})
    assert story.world.the("a").properties["word"] == SECRET
    assert stack.parameters == {"p": "******"}
    plan = await story.engine.preview_update(CALLER, "s", Source(HIDING, parameters={"p": SECRET + "2"}))
    properties = [r.properties for r in await story.engine.list_resources(stack)]
    events = [e.properties for e in await story.engine.list_events(stack)]
    for shown in (plan, properties, events):
        assert SECRET not in repr(shown)


async def test_a_refusal_that_quotes_a_hidden_parameter_is_veiled(story: Story) -> None:
    story.world.fail("create", "a", Permanent(f"Bad word: {SECRET}"))
    stack = await story.create(HIDING, parameters={"p": SECRET})
    assert stack.state == "ROLLBACK_COMPLETE"
    reasons = [e.reason for e in await story.engine.list_events(stack)]
    assert "Bad word: ******" in reasons
    assert SECRET not in _everything(story)


async def test_hidden_parameters_are_sealed_at_rest(story: Story) -> None:
    await story.create(HIDING, parameters={"p": SECRET})
    source = Source(HIDING.replace('"word"', '"near"'), parameters={"p": SECRET})
    await story.engine.create_change_set(CALLER, "s", "cs", source, Options(), kind="UPDATE")
    assert SECRET not in _everything(story)
    assert "delegated-secret" not in _everything(story)


async def test_a_secret_is_nowhere_in_clear_whatever_it_went_through(story: Story) -> None:
    """Property, attribute, output, export, what imports that, a member's and a group's reason, an output's error."""
    story.world.fail("create", "bad", Permanent(f"Bad word: {SECRET}!"))
    made = {**thing(word={"join": ["", ["", {"param": "p"}]]}), "metadata": {"m": {"param": "p"}}}
    group = {"members": {"x": thing(word={"param": "p"})}, "properties": {"P": {"param": "p"}}}
    outputs = {"o": {"value": {"attr": ["a", "word"]}, "export": "word"}, "g": {"attr": ["g", "Size"]}}
    text = sketch(parameters={"p": {"hidden": True}}, a=made, g=group, outputs=outputs)
    await story.create(text, parameters={"p": SECRET})
    told = (await story.engine.list_exports(CALLER))[0]
    assert (told.name, told.value, told.secret) == ("word", SECRET, True)
    imports = sketch(b=thing(word={"import": "word"}), outputs={"again": {"value": {"import": "word"}, "export": "w2"}})
    importer = await story.create(imports, "importer")
    assert importer.state == "CREATE_COMPLETE", importer.status_reason
    assert story.world.the("b").properties["word"] == SECRET
    assert SECRET not in repr([event.properties for event in await story.engine.list_events(importer)])
    failing = sketch(parameters={"p": {"hidden": True}}, bad=thing(word={"param": "p"}))
    failed = await story.create(failing, "failing", parameters={"p": SECRET})
    assert failed.state == "ROLLBACK_COMPLETE"
    assert "'word'" in _everything(story)  # names can be looked for
    for written in (_everything(story), *_files(story)):
        assert SECRET not in written


async def test_an_attribute_that_is_secret_by_itself_is_sealed_as_an_output_too(story: Story) -> None:
    value = {"value": {"attr": ["r", "value"]}, "export": "e"}
    text = sketch(r={"type": "OS::Heat::RandomString"}, outputs={"o": value})
    stack = await story.create(text)
    [output] = stack.outputs
    assert len(output.value) == 32
    assert output.value not in _everything(story)


async def test_exports_of_before_are_read_and_sealed_by_the_next_run(story: Story) -> None:
    value = {"value": {"param": "p"}, "export": "e"}
    text = sketch(parameters={"p": {"hidden": True}}, a=thing(), outputs={"o": value})
    await story.create(text, parameters={"p": SECRET})
    with sqlite3.connect(story.path) as connection:
        connection.execute("UPDATE exports SET value = ?", (SECRET,))
    [export] = await story.engine.list_exports(CALLER)
    assert (export.value, export.secret) == (SECRET, False)
    await story.update(text.replace('"properties": {}', '"properties": {"size": 2}'), parameters={"p": SECRET})
    assert SECRET not in _everything(story)
    assert [one.value for one in await story.engine.list_exports(CALLER)] == [SECRET]


def _everything(story: Story) -> str:
    with sqlite3.connect(story.path) as connection:
        return "\n".join(connection.iterdump())


def _files(story: Story) -> list[str]:
    """The database as it lies on the disk, its journal too."""
    return [path.read_bytes().decode("latin-1") for path in story.folder.glob("state.db*")]
