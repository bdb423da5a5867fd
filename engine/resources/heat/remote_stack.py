"""A stack in another region or another cloud, made through the orchestration API there: Heat's or ours (ENGN-09).

It is found again by its tag, the token; and its name, made of the token too, is taken only once in a project.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from engine.cloud.contract import Cloud, Place, Ready
from engine.cloud.errors import Conflict, NotFound, WentToError
from engine.cloud.secrets import secret_payload
from engine.model.status import Action, Status
from engine.model.value import Value
from engine.resources.base import Gone, Operation, OperationFailed
from engine.resources.heat.nested import OUTPUTS

_SERVICE: Final = "orchestration"
_NAME: Final = "remote_name"  # a note: the name of a stack that was adopted
_UNFIT: Final = re.compile(r"[^A-Za-z0-9_.-]")
_SECTIONS: Final = ("resource_registry", "parameter_defaults")  # of an environment, that hold for other stacks too
_BEGINS_WITHIN: Final = 10.0  # seconds; Heat may answer before it begins
_LOOK_AGAIN: Final = 0.5

_NO_REST: Final = (Action.INIT, Action.DELETE, Action.ROLLBACK)
_RESTING: Final = Ready(
    path="stack_status",
    ok=frozenset(f"{action}_complete".lower() for action in Action if action not in _NO_REST),
    failed=frozenset({*(f"{action}_failed".lower() for action in Action), "rollback_complete", "delete_complete"}),
    reason="stack_status_reason",
)
_COPIED: Final = Ready(
    path="status", ok=frozenset({"complete"}), failed=frozenset({"failed"}), reason="status_reason"
)  # fmt: skip


def is_elsewhere(context: Value, region: str) -> bool:
    """Whether a `context` leads away from this engine, which works in `region`."""
    if not isinstance(context, Mapping):
        return False
    return bool(context.get("credential_secret_id")) or context.get("region_name") not in (None, "", region)


async def reach(op: Operation, context: Mapping[str, Value], name: str, stack_id: str | None) -> RemoteStack:
    """The stack of that name where `context` leads. Raises OperationFailed when its secret is of no use, CloudError."""
    secret_id, credential = context.get("credential_secret_id"), None
    if secret_id:
        credential = await _credential(op.cloud, str(secret_id).rstrip("/").rpartition("/")[2])
    place = Place(
        context.get("region_name") or None, credential, context.get("ca_cert") or None, bool(context.get("insecure"))
    )
    return RemoteStack(op, await op.cloud.elsewhere(place), context, name, stack_id)


def name_of(op: Operation) -> str:
    """The stack's name there."""
    return str(op.data.get(_NAME) or _UNFIT.sub("-", op.physical_name()))


async def _credential(cloud: Cloud, secret_id: str) -> Mapping[str, Any]:
    try:
        found = json.loads(await secret_payload(cloud, secret_id))
    except ValueError:  # UnicodeDecodeError too; neither is shown, for both quote what they have read
        found = None
    if not isinstance(found, Mapping):
        raise OperationFailed(
            f"context.credential_secret_id: the secret {secret_id} is no JSON object; it must have auth_type and auth"
        )
    return found


@dataclass(frozen=True, slots=True)
class RemoteStack:
    """Made by `reach`. Every verb is safe to repeat."""

    op: Operation
    cloud: Cloud
    context: Mapping[str, Value]
    name: str
    id: str | None

    # --- made, changed, removed -------------------------------------------------------------------------------------
    async def create(self) -> str:
        body = {"stack_name": self.name, **await self._definition()}
        try:
            reply = await self.cloud.request(_SERVICE, "POST", "/stacks", json=body)
        except Conflict:
            # A retry of ours may have met its own earlier success (tokens.md rule 4).
            found = await self.find()
            if found is None:
                raise
            return found
        return str(_part(reply.body, "stack")["id"])

    async def find(self) -> str | None:
        """The id of the stack that carries our token."""
        for row in await self.cloud.list(_SERVICE, "/stacks", "stacks", params={"tags": self.op.token}):
            mine = row.get("stack_name") == self.name and self.op.token in (row.get("tags") or ())
            if mine and str(row["id"]) not in self.op.owned_ids:
                return str(row["id"])
        return None

    async def adopt(self, stack_id: str) -> str:
        """Raises Gone when there is no such stack."""
        for row in await self.cloud.list(_SERVICE, "/stacks", "stacks", params={"id": stack_id}):
            if row.get("id") == stack_id:
                await self.op.remember(**{_NAME: str(row["stack_name"])})
                return stack_id
        raise Gone(f"There is no stack {stack_id} {self._where}")

    async def update(self) -> None:
        await self._change(await self.show(), "PUT", self._path, await self._definition())

    async def delete(self) -> None:
        try:
            before = await self.show()
            await self._change(before, "DELETE", self._path)
            await self._wait(Action.DELETE)
        except Gone:
            return

    async def act(self, action: Action) -> None:
        """SUSPEND and RESUME of what is so already are done; a check is always made anew."""
        before = await self.show()
        if action is Action.RESUME and not _is_in(before, (Action.SUSPEND, Action.RESUME)):
            return
        if action is not Action.CHECK and _state(before) == _ended(action, Status.COMPLETE):
            return
        if _state(before) != _ended(action, Status.IN_PROGRESS):
            await self._change(before, "POST", f"{self._path}/actions", {action.value.lower(): None})
        await self._wait(action)

    # --- snapshots ----------------------------------------------------------------------------------------------------
    async def save(self, name: str) -> str:
        """The id of the snapshot of that name, which is made if need be."""
        path = f"{self._path}/snapshots"
        found = await self._snapshot(name)
        if found is None:
            reply = await self._call("POST", path, {"name": name})
            found = str(reply["id"])  # heat.md TRAP-04: it is not wrapped
        await self._waited(path, "snapshots", found, _COPIED)
        return found

    async def restore(self, snapshot_id: str) -> None:
        before = await self.show()
        if _state(before) != _ended(Action.RESTORE, Status.IN_PROGRESS):
            await self._change(before, "POST", f"{self._path}/snapshots/{snapshot_id}/restore")
        await self._wait(Action.RESTORE)

    async def discard(self, name: str) -> None:
        try:
            found = await self._snapshot(name)
            if found is not None:
                await self._call("DELETE", f"{self._path}/snapshots/{found}")
        except Gone:
            return

    async def _snapshot(self, name: str) -> str | None:
        found = _part(await self._call("GET", f"{self._path}/snapshots"), "snapshots")
        return next((str(one["id"]) for one in found if one.get("name") == name), None)

    # --- looking --------------------------------------------------------------------------------------------------
    async def show(self) -> dict[str, Any]:
        """Raises Gone."""
        row: dict[str, Any] = _part(await self._call("GET", self._path), "stack")
        if _state(row) == _ended(Action.DELETE, Status.COMPLETE):
            raise Gone(f"The stack {self.name} {self._where} has been deleted")
        return row

    async def ready(self) -> Mapping[str, Value]:
        """The attributes to keep, once nothing is in progress."""
        assert self.id is not None
        return _kept(await self._waited(f"/stacks/{quote(self.name)}", "stacks", self.id, _RESTING))

    async def read(self) -> Mapping[str, Value]:
        return _kept(await self.show())

    # --- inside -----------------------------------------------------------------------------------------------------
    @property
    def _path(self) -> str:
        return f"/stacks/{quote(self.name)}/{self.id}"

    @property
    def _where(self) -> str:
        region = self.context.get("region_name")
        there = f"in region {region}" if region else "there"
        return f"{there}, in another cloud" if self.context.get("credential_secret_id") else there

    async def _definition(self) -> dict[str, Any]:
        """What makes the stack what it is. It never goes back by itself: that is for the run of the outer stack."""
        properties = self.op.properties
        files, environment = await self.op.services.inherited(self.op)
        body = {
            "template": properties["template"],
            "parameters": {name: value for name, value in properties["parameters"].items() if value is not None},
            "files": dict(files),
            "environment": {name: environment[name] for name in _SECTIONS if environment.get(name)},
            "disable_rollback": True,
            "tags": self.op.token,
        }
        return body if properties.get("timeout") is None else {**body, "timeout_mins": properties["timeout"]}

    async def _call(self, method: str, path: str, json: Any = None) -> Any:
        try:
            return (await self.cloud.request(_SERVICE, method, path, json=json)).body
        except NotFound as error:
            raise Gone(error.message) from error

    async def _change(self, before: Mapping[str, Any], method: str, path: str, json: Any = None) -> None:
        """Ask for an operation and return when it has begun, so that no earlier end is taken for its own."""
        await self._call(method, path, json)
        services = self.op.services
        until = services.monotonic() + _BEGINS_WITHIN
        while _moment(await self.show()) == _moment(before) and services.monotonic() < until:
            await services.sleep(_LOOK_AGAIN)

    async def _wait(self, action: Action) -> None:
        assert self.id is not None
        ended = Ready(
            path="stack_status",
            ok=frozenset({_ended(action, Status.COMPLETE).lower()}),
            failed=frozenset({_ended(action, Status.FAILED).lower()}),
            reason="stack_status_reason",
        )
        await self._waited(f"/stacks/{quote(self.name)}", "stacks", self.id, ended)

    async def _waited(self, path: str, key: str, object_id: str, ready: Ready) -> dict[str, Any]:
        """Raises OperationFailed with what was said there: the stack is not made again for it."""
        try:
            return await self.cloud.wait_ready(_SERVICE, path, key, object_id, ready, deadline=self.op.deadline)
        except WentToError as error:
            raise OperationFailed(f"The stack {self.name} {self._where}: {error.message}") from error
        except NotFound as error:
            raise Gone(error.message) from error


def _part(body: Any, key: str) -> Any:
    """What an answer has under `key`. Raises OperationFailed where that is missing: it is no orchestration API's."""
    if not isinstance(body, Mapping) or key not in body:
        raise OperationFailed(f"The orchestration API there answered without {key!r}; is its address in the catalogue?")
    return body[key]


def _kept(row: Mapping[str, Any]) -> dict[str, Value]:
    outputs = {one["output_key"]: one.get("output_value") for one in row.get("outputs") or ()}
    return {OUTPUTS: outputs, "stack_name": row.get("stack_name"), "show": dict(row)}


def _state(row: Mapping[str, Any]) -> str:
    return str(row.get("stack_status"))


def _moment(row: Mapping[str, Any]) -> tuple[str, Any]:
    return _state(row), row.get("updated_time")


def _ended(action: Action, status: Status) -> str:
    return f"{action}_{status}"


def _is_in(row: Mapping[str, Any], actions: tuple[Action, ...]) -> bool:
    return _state(row).startswith(tuple(f"{action}_" for action in actions))
