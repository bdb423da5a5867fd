"""Dynamic references: the cloud gets what they stand for, nobody else sees it (cloudformation.md L91 to L93)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from engine.cloud.contract import Reply
from engine.cloud.errors import NotFound, Permanent
from engine.model.errors import NoChange
from engine.model.status import OnFailure
from tests.engine.runs.sketch import attr, sketch, thing
from tests.engine.runs.story import CALLER, Story
from tests.engine.runs.world import FakeCloud

SECRET = "5ecret-Of-The-House"
PASSWORD = "{{resolve:secretsmanager:db:SecretString:password}}"
WORD = "{{resolve:ssm:/word}}"


class Barbican:
    """`secrets`: (id, name, payload), oldest first."""

    def __init__(self) -> None:
        self.secrets = [("1", "db", json.dumps({"password": "old"})), ("2", "db", json.dumps({"password": SECRET}))]
        self.calls = 0

    async def request(
        self, service: str, method: str, path: str, *, params: Mapping[str, str] | None = None, **_more: Any
    ) -> Reply:  # fmt: skip
        assert (service, method) == ("key-manager", "GET")
        self.calls += 1
        if path == "/secrets":
            return Reply(200, {"secrets": [
                {"name": name, "status": "ACTIVE", "created": number, "secret_ref": f"https://keys/v1/secrets/{number}"}
                for number, name, _ in self.secrets
                if params is not None and name == params["name"]
            ]})  # fmt: skip
        found = {number: payload for number, _, payload in self.secrets}.get(path.split("/")[2])
        if found is None:
            raise NotFound("Not Found. Sorry but your secret is in another castle.")
        return Reply(200, {"content_types": {"default": "text/plain"}}, raw=found.encode())


@pytest.fixture
def barbican(monkeypatch: pytest.MonkeyPatch) -> Barbican:
    found = Barbican()

    async def request(cloud: Any, *given: Any, **more: Any) -> Reply:
        return await found.request(*given, **more)

    monkeypatch.setattr(FakeCloud, "request", request, raising=False)
    return found


def parameter(value: str) -> str:
    return sketch(p=thing(of="Isotherm::Parameter", name="/word", value=value))


def nowhere(story: Story, text: str) -> bool:
    """Whether no file of the engine's holds the text."""
    return not any(text.encode() in path.read_bytes() for path in story.folder.iterdir())


async def test_l91_stored_parameters_are_put_in_when_the_cloud_is_asked(story: Story) -> None:
    await story.create(parameter("blue"), "store")
    stack = await story.create(sketch(a=thing(word=f"it is {WORD}"), outputs={"o": WORD}))
    assert stack.state == "CREATE_COMPLETE"
    assert story.world.the("a").properties["word"] == "it is blue"
    (shown,) = await story.engine.list_resources(stack)
    assert shown.properties["word"] == f"it is {WORD}"
    assert {one.name: one.value for one in stack.outputs} == {"o": "blue"}


async def test_l91_versions_are_kept(story: Story) -> None:
    await story.create(parameter("blue"), "store")
    await story.update(parameter("green"), "store")
    await story.create(sketch(a=thing(word="{{resolve:ssm:/word:1}} {{resolve:ssm:/word:2}} {{resolve:ssm:/word}}")))
    assert story.world.the("a").properties["word"] == "blue green green"


async def test_l91_a_parameter_made_by_the_same_template_is_there_in_time(story: Story) -> None:
    text = sketch(p=thing(of="Isotherm::Parameter", name="/word", value="blue"), a=thing(word=WORD, needs=("p",)))
    assert (await story.create(text)).state == "CREATE_COMPLETE"
    assert story.world.the("a").properties["word"] == "blue"


async def test_l93_secrets_are_with_the_cloud_and_nowhere_else(story: Story, barbican: Barbican) -> None:
    text = sketch(a=thing(word=PASSWORD), b=thing(word=attr("a", "word")), outputs={"o": attr("a", "word")})
    stack = await story.create(text)
    assert stack.state == "CREATE_COMPLETE"
    # The attribute that echoes it is a reference again; what is made of it is filled in anew.
    assert [story.world.the(one).properties["word"] for one in "ab"] == [SECRET, SECRET]
    records = await story.engine.list_resources(stack)
    assert {one.attributes["word"] for one in records} == {one.properties["word"] for one in records} == {PASSWORD}
    assert stack.outputs[0].value == PASSWORD
    for event in await story.engine.list_events(stack):
        assert SECRET not in str(event)
    assert nowhere(story, SECRET)
    assert barbican.calls == 3  # the list, the secret and its payload: once a run


async def test_l93_stages_and_versions(story: Story, barbican: Barbican) -> None:
    def of(rest: str) -> str:
        return "{{resolve:secretsmanager:db:SecretString:password" + rest + "}}"

    await story.create(sketch(a=thing(word=of("")), b=thing(word=of(":AWSPREVIOUS")), c=thing(word=of("::1"))))
    assert [story.world.the(one).properties["word"] for one in "abc"] == [SECRET, "old", "old"]


async def test_l92_secure_strings_are_secrets_of_that_name(story: Story, barbican: Barbican) -> None:
    barbican.secrets += [("3", "/p", "one"), ("4", "/p", "two")]
    await story.create(sketch(a=thing(word="{{resolve:ssm-secure:/p:1}}{{resolve:ssm-secure:/p}}")))
    assert story.world.the("a").properties["word"] == "onetwo"


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("{{resolve:ssm:/none}}", "Parameters: [ssm:/none] cannot be found."),
        ("{{resolve:ssm:/none:3}}", "Parameters: [ssm:/none:3] cannot be found."),
        ("{{resolve:ssm-secure:/none}}", "Parameters: [ssm-secure:/none] cannot be found."),
        ("{{resolve:secretsmanager:none}}", "Secrets Manager can't find the specified secret."),
        ("{{resolve:secretsmanager:db:SecretString:none}}", "Could not find a value associated with JSONKey"),
        ("{{resolve:secretsmanager:db:SecretString:password:MINE}}", "its stage is none of AWSCURRENT, AWSPREVIOUS."),
        ("{{resolve:nowhere:x}}", "Dynamic references are of ssm, ssm-secure, secretsmanager"),
    ],
)
async def test_what_cannot_be_resolved(story: Story, barbican: Barbican, reference: str, said: str) -> None:
    stack = await story.create(sketch(a=thing(word=reference)), on_failure=OnFailure.DO_NOTHING)
    assert stack.state == "CREATE_FAILED"
    assert said in stack.status_reason
    assert story.world.addresses() == []


async def test_a_secret_that_is_no_json_has_no_keys(story: Story, barbican: Barbican) -> None:
    barbican.secrets = [("1", "db", "plain")]
    stack = await story.create(sketch(a=thing(word=PASSWORD)), on_failure=OnFailure.DO_NOTHING)
    assert "Could not parse SecretString JSON" in stack.status_reason


async def test_a_changed_secret_is_no_change_and_a_changed_reference_is_one(story: Story, barbican: Barbican) -> None:
    await story.create(sketch(a=thing(word=PASSWORD, shape="round")))
    barbican.secrets.append(("3", "db", json.dumps({"password": "third"})))
    with pytest.raises(NoChange):
        await story.change(sketch(a=thing(word=PASSWORD, shape="round")), refuse_no_change=True)
    previous = PASSWORD.replace("}}", ":AWSPREVIOUS}}")
    await story.update(sketch(a=thing(word=previous, shape="round")))
    assert story.world.the("a").properties["word"] == SECRET


async def test_what_the_cloud_says_of_a_secret_is_veiled(story: Story, barbican: Barbican) -> None:
    story.world.fail("create", "a", Permanent(f"'{SECRET}' is too long"), times=99)
    stack = await story.create(sketch(a=thing(word=PASSWORD)), on_failure=OnFailure.DO_NOTHING)
    assert f"'{PASSWORD}' is too long" in stack.status_reason
    assert nowhere(story, SECRET)


async def test_a_creation_that_is_taken_up_again_gets_the_secret(story: Story, barbican: Barbican) -> None:
    story.world.dies_at = (1, "before")
    await story.begin(sketch(a=thing(word=PASSWORD)))
    while not story.dead:
        await story.pass_time(1)
    await story.kill()
    await story.open()
    assert (await story.end()).state == "CREATE_COMPLETE"
    assert story.world.the("a").properties["word"] == SECRET


async def test_references_in_parameters_hold_too(story: Story, barbican: Barbican) -> None:
    text = sketch(a=thing(word={"param": "p"}), parameters={"p": {}})
    stack = await story.create(text, parameters={"p": PASSWORD})
    assert story.world.the("a").properties["word"] == SECRET
    assert stack.parameters == {"p": PASSWORD}


async def test_drift_does_not_tell_secrets(story: Story, barbican: Barbican) -> None:
    stack = await story.create(sketch(a=thing(word=PASSWORD, shape="round")))
    story.world.the("a").properties["shape"] = "square"
    drifts = await story.run(story.engine.detect_resource_drift(CALLER, stack.id, "a"))
    assert [one.path for one in drifts.differences] == ["shape"]
    assert SECRET not in str(drifts)


async def test_templates_of_heat_have_no_dynamic_references(story: Story) -> None:
    await story.create(sketch(a=thing(word=WORD), dialect="hot"))
    assert story.world.the("a").properties["word"] == WORD
