"""OS::Heat::Stack in another region or cloud (heat.md ENGN-09), on an orchestration API that is told how to behave."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from engine.cloud.contract import Place, Ready, Reply
from engine.cloud.errors import CloudError, Conflict, NotFound, OutcomeUnknown, WentToError
from engine.model.value import UNKNOWN
from engine.resources.base import Gone, OperationFailed
from tests.engine.resources.harness import REGISTRY, Driven, Surroundings

STACK = REGISTRY.get("OS::Heat::Stack")
NORTH = {"region_name": "North"}
TEMPLATE = "heat_template_version: 2018-08-31"


class There:
    """An orchestration API. `late`: it answers before it begins, and begins at the next look but one. `fails`: the
    reason why whatever is asked ends in failure. `loses`: the answer to the next create is lost; `holds`: it waits."""

    project_id, user_id, region = "project", "user", "North"

    def __init__(self) -> None:
        self.stacks: dict[str, dict[str, Any]] = {}
        self.bodies: dict[str, dict[str, Any]] = {}
        self.snapshots: dict[str, dict[str, Any]] = {}
        self.asked: list[str] = []
        self.late, self.loses = False, False
        self.fails: str | None = None
        self.holds: asyncio.Event | None = None
        self._moments = 0
        self._due: list[tuple[int, str, str]] = []

    # --- what the type asks -----------------------------------------------------------------------------------------
    async def request(self, service: str, method: str, path: str, *, json: Any = None, **_: Any) -> Reply:
        assert service == "orchestration"
        if method != "GET":
            self.asked.append(f"{method} {path.replace(self.only['id'], 'ID') if self.stacks else path}")
        match (method, path.strip("/").split("/")):
            case "POST", ["stacks"]:
                made = self._make(json)
                if self.holds is not None:
                    await self.holds.wait()
                return Reply(201, {"stack": {"id": made}})
            case verb, ["stacks", name, stack_id, *rest]:
                stack = self.stacks.get(stack_id)
                if stack is None or stack["stack_name"] != name:
                    raise NotFound(f"The Stack ({name}) could not be found.", status=404)
                return Reply(200, self._on(stack, verb, rest, json))
        raise AssertionError((method, path))

    async def list(self, service: str, path: str, key: str, *, params: Mapping[str, str]) -> Sequence[dict[str, Any]]:
        """Filters are ignored, as services do (tokens.md rule 3)."""
        assert (service, path, key) == ("orchestration", "/stacks", "stacks")
        assert len(params) == 1
        return [dict(one) for one in self.stacks.values()]

    async def wait_ready(
        self, service: str, path: str, key: str, object_id: str, ready: Ready, *, deadline: float
    ) -> dict[str, Any]:
        row = self.snapshots[object_id] if key == "snapshots" else self.stacks.get(object_id)
        if row is None:
            raise NotFound(f"Heat {key} {object_id} is not there any more.")
        self._end(row)
        state = row[ready.path].lower()
        if state in ready.failed:
            raise WentToError(f"Heat {key[:-1]} {object_id} went to {row[ready.path]}: {row.get(ready.reason)}")
        assert state in ready.ok, f"{state} would be waited for until the deadline"
        return dict(row)

    # --- what goes on there -------------------------------------------------------------------------------------------
    @property
    def only(self) -> dict[str, Any]:
        (stack,) = self.stacks.values()
        return stack

    def _make(self, body: dict[str, Any]) -> str:
        if any(one["stack_name"] == body["stack_name"] for one in self.stacks.values()):
            raise Conflict(f"The Stack ({body['stack_name']}) already exists.", status=409)
        stack_id = str(uuid.uuid4())
        self.stacks[stack_id] = {"id": stack_id, "stack_name": body["stack_name"], "tags": body["tags"].split(",")}
        self.bodies[stack_id] = body
        self._begin(self.stacks[stack_id], "CREATE")
        if self.loses:
            self.loses = False
            raise OutcomeUnknown("Heat did not answer POST /stacks within 60 s.")
        return stack_id

    def _on(self, stack: dict[str, Any], verb: str, rest: Sequence[str], body: Any) -> Any:
        match verb, rest:
            case "GET", []:
                self._look()
                return {"stack": dict(stack)}
            case "PUT", []:
                self.bodies[stack["id"]] = body
                self._later(stack, "UPDATE")
            case "DELETE", []:
                self._later(stack, "DELETE")
            case "POST", ["actions"]:
                (action,) = body
                self._later(stack, action.upper())
            case "GET", ["snapshots"]:
                return {"snapshots": list(self.snapshots.values())}
            case "POST", ["snapshots"]:
                made = {"id": str(uuid.uuid4()), "name": body["name"], "status": "IN_PROGRESS"}
                self.snapshots[made["id"]] = made
                return made
            case "DELETE", ["snapshots", snapshot_id]:
                del self.snapshots[snapshot_id]
            case "POST", ["snapshots", _, "restore"]:
                self._later(stack, "RESTORE")
            case _:
                raise AssertionError((verb, rest))
        return None

    def _later(self, stack: dict[str, Any], action: str) -> None:
        if self.late:
            self._due.append((2, stack["id"], action))
        else:
            self._begin(stack, action)

    def _look(self) -> None:
        due, self._due = self._due, []
        for looks, stack_id, action in due:
            if looks > 1:
                self._due.append((looks - 1, stack_id, action))
            else:
                self._begin(self.stacks[stack_id], action)

    def _begin(self, stack: dict[str, Any], action: str) -> None:
        self._moments += 1
        stack |= {"stack_status": f"{action}_IN_PROGRESS", "updated_time": self._moments, "stack_status_reason": ""}

    def _end(self, row: dict[str, Any]) -> None:
        """What is in progress comes to its end while somebody waits."""
        key = "stack_status" if "stack_status" in row else "status"
        if not row[key].endswith("IN_PROGRESS"):
            return
        end = "FAILED" if self.fails else "COMPLETE"
        row[key] = row[key].replace("IN_PROGRESS", end)
        row["stack_status_reason" if key == "stack_status" else "status_reason"] = self.fails or "done"
        if key == "stack_status":
            row["outputs"] = [{"output_key": "said", "output_value": self.bodies[row["id"]]["parameters"].get("word")}]
        if row[key] == "DELETE_COMPLETE":
            self.stacks[row["id"]] = row


class Here:
    """Our own cloud: secrets, and the way elsewhere."""

    project_id, user_id, region = "project", "user", "RegionOne"

    def __init__(self, there: There, secrets: Mapping[str, bytes] | None = None) -> None:
        self.there, self.secrets = there, secrets or {}
        self.places: list[Place] = []

    async def request(self, service: str, method: str, path: str, **_: Any) -> Reply:
        assert (service, method) == ("key-manager", "GET")
        secret_id = path.split("/")[2]
        if secret_id not in self.secrets:
            raise NotFound(f"Barbican refused GET {path}: your secret is in another castle. (HTTP 404)", status=404)
        return Reply(200, {"content_types": {"default": "text/plain"}}, raw=self.secrets[secret_id])

    async def elsewhere(self, place: Place) -> Any:
        self.places.append(place)
        return self.there


@pytest.fixture
def there() -> There:
    return There()


def driven(there: There, *, secrets: Mapping[str, bytes] | None = None, **properties: Any) -> Driven:
    services = Surroundings(virtual=True)
    given = {"template": TEMPLATE, "context": NORTH, **properties}
    return Driven("OS::Heat::Stack", given, Here(there, secrets), services=services)


# --- made -------------------------------------------------------------------------------------------------------------
async def test_engn_09_made_there_with_files_and_environment_and_its_outputs_shown(there: There) -> None:
    thing = driven(there, parameters={"word": "hello", "other": None}, timeout=7)
    environment = {"resource_registry": {"A": "B"}, "parameter_defaults": {"x": 1}, "event_sinks": [{"target": "q"}]}
    thing.services.around = ({"child.yaml": "text"}, environment)
    await thing.create()
    stack = there.only
    assert there.bodies[stack["id"]] == {
        "stack_name": f"trial-thing-{thing.token[-12:]}", "template": TEMPLATE, "parameters": {"word": "hello"},
        "files": {"child.yaml": "text"}, "disable_rollback": True, "tags": thing.token, "timeout_mins": 7,
        "environment": {"resource_registry": {"A": "B"}, "parameter_defaults": {"x": 1}},
    }  # fmt: skip
    assert thing.cloud.places[0] == Place("North")
    assert thing.reference == thing.physical_id == stack["id"]
    assert thing.get("outputs") == {"said": "hello"}
    assert thing.get("Outputs.said") == "hello"
    assert thing.get("stack_name") == stack["stack_name"]
    assert thing.get("show")["stack_status"] == "CREATE_COMPLETE"


async def test_engn_09_the_name_has_only_what_names_may_have(there: There) -> None:
    thing = driven(there)
    thing.address = "members/a thing!"
    await thing.create()
    assert there.only["stack_name"] == f"trial-members-a-thing--{thing.token[-12:]}"


async def test_engn_09_a_create_without_an_answer_is_found_again_and_made_once(there: There) -> None:
    there.loses = True
    thing = driven(there)
    with pytest.raises(OutcomeUnknown):
        await STACK.create(thing.op())
    found = await STACK.find(thing.op(resumed=True))
    assert found == there.only["id"]
    assert await STACK.create(thing.op()) == found
    assert len(there.stacks) == 1


async def test_engn_09_somebody_elses_stack_is_not_taken(there: There) -> None:
    thing = driven(there)
    there._make({"stack_name": f"trial-thing-{thing.token[-12:]}", "tags": "theirs"})
    assert await STACK.find(thing.op(resumed=True)) is None
    with pytest.raises(Conflict, match="already exists"):
        await STACK.create(thing.op())


async def test_engn_09_what_another_record_owns_is_not_taken(there: There) -> None:
    thing = driven(there)
    made = await STACK.create(thing.op())
    assert await STACK.find(thing.op(owned_ids=frozenset({made}))) is None


async def test_engn_09_a_failure_says_what_was_said_there(there: There) -> None:
    there.fails = "Resource CREATE failed: no room"
    with pytest.raises(OperationFailed, match=r"in region North: .*CREATE_FAILED: Resource CREATE failed: no room"):
        await driven(there).create()


async def test_engn_09_a_stack_that_was_there_is_adopted_under_its_own_name(there: There) -> None:
    stack_id = there._make({"stack_name": "theirs", "tags": "x", "parameters": {}})
    thing = driven(there)
    thing.physical_id = await STACK.adopt(thing.op(), {"resource_id": stack_id})
    shown = await STACK.ready(thing.op())
    assert (thing.physical_id, shown["stack_name"], shown["show"]) == (stack_id, "theirs", there.only)
    assert await STACK.adopt(thing.op(), {}) is None
    with pytest.raises(Gone, match=r"no stack none in region North"):
        await STACK.adopt(thing.op(), {"resource_id": "none"})


# --- changed ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("late", [False, True])
async def test_engn_09_an_update_is_waited_for_and_no_earlier_end_is_taken_for_its_own(
    there: There, late: bool
) -> None:
    thing = driven(there, parameters={"word": "hello"})
    await thing.create()
    there.late = late
    for word in ("bye", "again"):
        await thing.update({"template": TEMPLATE, "context": NORTH, "parameters": {"word": word}})
        assert there.only["stack_status"] == "UPDATE_COMPLETE"
        assert thing.get("outputs") == {"said": word}
    assert there.bodies[there.only["id"]]["tags"] == thing.token


async def test_engn_09_a_failed_update_says_why(there: There) -> None:
    thing = driven(there)
    await thing.create()
    there.fails = "no"
    with pytest.raises(OperationFailed, match="UPDATE_FAILED: no"):
        await thing.update({"template": "other", "context": NORTH})


async def test_engn_09_an_update_of_what_is_gone_makes_another(there: There) -> None:
    thing = driven(there)
    await thing.create()
    there.stacks.clear()
    with pytest.raises(Gone):
        await thing.update({"template": "other", "context": NORTH})


@pytest.mark.parametrize(
    ("before", "after", "replaced"),
    [
        ({"region_name": "North"}, {"region_name": "South"}, True),
        (None, {"region_name": "North"}, True),
        ({"region_name": "North"}, None, True),
        ({"region_name": "North"}, {"region_name": "North", "insecure": True}, False),
        ({"credential_secret_id": "a"}, {"credential_secret_id": "b"}, False),
        ({"region_name": "North"}, {"region_name": "North", "credential_secret_id": "b"}, True),
        ({"region_name": "North", "credential_secret_id": "b"}, {"region_name": "North"}, True),
        ({"region_name": "North"}, {"region_name": UNKNOWN}, False),
        ({"region_name": "North"}, UNKNOWN, False),
    ],
)
def test_engn_09_another_place_is_another_stack(before: Any, after: Any, replaced: bool) -> None:
    assert STACK.replaces({"context": before}, {"context": after}) is replaced


# --- acted on ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("late", [False, True])
async def test_engn_09_suspended_resumed_and_checked_there(there: There, late: bool) -> None:
    thing = driven(there, parameters={"word": "hello"})
    await thing.create()
    there.late, there.asked = late, []
    await STACK.suspend(thing.op())
    assert there.only["stack_status"] == "SUSPEND_COMPLETE"
    await STACK.suspend(thing.op())
    await STACK.resume(thing.op())
    assert there.only["stack_status"] == "RESUME_COMPLETE"
    await STACK.resume(thing.op())
    for _ in range(2):
        assert (await STACK.check(thing.op()))["outputs"] == {"said": "hello"}
        assert there.only["stack_status"] == "CHECK_COMPLETE"
    name = there.only["stack_name"]
    assert there.asked == [f"POST /stacks/{name}/ID/actions"] * 4


async def test_engn_09_what_was_not_suspended_is_not_resumed(there: There) -> None:
    thing = driven(there)
    await thing.create()
    await STACK.resume(thing.op())
    assert there.only["stack_status"] == "CREATE_COMPLETE"


async def test_engn_09_a_check_that_fails_says_what_was_found(there: There) -> None:
    thing = driven(there)
    await thing.create()
    there.fails = "server: gone"
    with pytest.raises(OperationFailed, match="CHECK_FAILED: server: gone"):
        await STACK.check(thing.op())
    there.stacks.clear()
    with pytest.raises(Gone):
        await STACK.check(thing.op())


async def test_engn_09_a_snapshot_is_made_once_restored_and_removed(there: There) -> None:
    thing = driven(there)
    await thing.create()
    saved = await STACK.save(thing.op(), "copy-1")
    assert await STACK.save(thing.op(), "copy-1") == saved
    (snapshot,) = there.snapshots.values()
    assert saved == {"snapshot_id": snapshot["id"]}
    await STACK.restore(thing.op(), saved)
    assert there.only["stack_status"] == "RESTORE_COMPLETE"
    known = {"name": "copy-1", **STACK.whereabouts(thing.op())}
    nothing = {"properties": {}, "physical_id": None}
    for _ in range(2):
        await STACK.discard(thing.op(**nothing), known)
        assert there.snapshots == {}


async def test_engn_09_a_failed_snapshot_says_why(there: There) -> None:
    thing = driven(there)
    await thing.create()
    there.fails = "disk full"
    with pytest.raises(OperationFailed, match="FAILED: disk full"):
        await STACK.save(thing.op(), "copy-1")


async def test_engn_09_snapshots_go_with_their_stack(there: There) -> None:
    thing = driven(there)
    await thing.create()
    known = {"name": "copy-1", **STACK.whereabouts(thing.op())}
    there.stacks.clear()
    await STACK.discard(thing.op(properties={}, physical_id=None), known)


# --- removed ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("late", [False, True])
async def test_engn_09_deleted_there_and_again(there: There, late: bool) -> None:
    thing = driven(there)
    await thing.create()
    there.late = late
    for _ in range(2):
        await STACK.delete(thing.op())
        assert there.only["stack_status"] == "DELETE_COMPLETE"
    there.stacks.clear()
    await STACK.delete(thing.op())


async def test_engn_09_a_failed_delete_says_why_and_can_be_repeated(there: There) -> None:
    thing = driven(there)
    await thing.create()
    there.fails = "port in use"
    for _ in range(2):
        with pytest.raises(OperationFailed, match="DELETE_FAILED: port in use"):
            await STACK.delete(thing.op())
    there.fails = None
    await STACK.delete(thing.op())


# --- credentials ------------------------------------------------------------------------------------------------------
CREDENTIAL = {"auth_type": "v3applicationcredential", "auth": {"auth_url": "http://k/v3"}}


@pytest.mark.parametrize("secret", ["s1", "http://barbican/v1/secrets/s1", "http://barbican/v1/secrets/s1/"])
async def test_engn_09_the_secret_tells_the_way_to_another_cloud(there: There, secret: str) -> None:
    context = {"credential_secret_id": secret, "region_name": "North", "insecure": True}
    thing = driven(there, context=context, secrets={"s1": json.dumps(CREDENTIAL).encode()})
    await thing.create()
    assert thing.cloud.places[0] == Place("North", CREDENTIAL, None, True)
    assert "auth_url" not in repr(thing.cloud.places[0])


@pytest.mark.parametrize("payload", [b"hunter2", b"[1]", b"\xff\xfe"])
async def test_engn_09_a_secret_that_is_no_credential(there: There, payload: bytes) -> None:
    thing = driven(there, context={"credential_secret_id": "s1"}, secrets={"s1": payload})
    with pytest.raises(OperationFailed, match=r"the secret s1 is no JSON object") as refused:
        await thing.create()
    assert "hunter2" not in str(refused.value)


async def test_engn_09_a_secret_that_there_is_not(there: There) -> None:
    thing = driven(there, context={"credential_secret_id": "s1"})
    with pytest.raises(CloudError, match="another castle"):
        await thing.create()
    # Nobody gets there without it: a snapshot that cannot be reached holds up nothing.
    known = {"name": "copy", "context": {"credential_secret_id": "s1"}, "stack_name": "n", "stack_id": "i"}
    await STACK.discard(thing.op(properties={}, physical_id=None), known)


# --- what is seen without a cloud -------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("context", "sentence"),
    [
        ({"ca_cert": "x", "insecure": True}, "ca_cert and insecure exclude each other"),
        ({"region_name": "North", "ca_cert": "/etc/ssl/ca.pem"}, "its text and not the name of a file"),
    ],
)
def test_engn_09_contradictions_are_found_before_anything_is_made(context: Any, sentence: str) -> None:
    (found,) = STACK.validate({"context": context})
    assert sentence in found


@pytest.mark.parametrize("context", [None, UNKNOWN, {}, {"ca_cert": UNKNOWN}, {"insecure": True}, NORTH])
def test_engn_09_nothing_is_found_where_nothing_is_wrong(context: Any) -> None:
    assert list(STACK.validate({"context": context})) == []


@pytest.mark.parametrize(
    ("context", "inside"),
    [
        (None, True),
        ({"region_name": "RegionOne"}, True),
        ({"region_name": None, "insecure": True}, True),
        (NORTH, False),
        ({"credential_secret_id": "s1"}, False),
        ({"region_name": "RegionOne", "credential_secret_id": "s1"}, False),
    ],
)
def test_engn_09_what_is_ours(context: Any, inside: bool) -> None:
    assert STACK.inside({"context": context}, "RegionOne") is inside
