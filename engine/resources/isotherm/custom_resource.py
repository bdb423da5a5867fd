"""Isotherm::CustomResource: something that a handler of the user's makes, changes and removes when it is asked to over
HTTP, and that answers by a PUT to a signed address (cloudformation.md L96).

A request is noted before it is sent and forgotten when it was answered: an engine that goes on after a crash sends the
same one again, under the same RequestId, or finds the answer that has come in the meantime.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from engine.cloud.errors import OutcomeUnknown, Temporary
from engine.model.diagnostic import invalid
from engine.model.ids import new_id
from engine.model.value import Value
from engine.resources.base import Operation, OperationFailed, ResourceType, Superseded
from engine.resources.declare import between, integer, mapping, string
from engine.resources.patience import mark_of, patience

TYPE: Final = "Isotherm::CustomResource"
URL_KIND: Final = "customresource"  # of the signed address for answers
REQUEST: Final = "request"  # the note of a request that was not answered yet: id, type, mark, sent
_LOOK_AGAIN: Final = 5.0  # seconds; what tells of an answer may be lost
_LONGEST_ID: Final = 1024


class CustomResource(ResourceType):
    name = TYPE
    race_safe = True  # handlers know a request by its id
    secret_attributes = True
    properties = {
        "service_token": string(required=True, mutable=True),
        "service_timeout": integer(between(1, 3600), default=3600, mutable=True),
        "resource_type": string(required=True, mutable=True),
        "logical_id": string(required=True),
        "stack": string(required=True, description="What the handler is told of the stack's id."),
        "given": mapping(None, default={}, mutable=True),
    }

    def reference(self, physical_id: str | None, attributes: Mapping[str, Value], address: str) -> Value:
        return attributes.get("physical") or physical_id

    def has_attribute(self, name: str) -> bool:
        return True  # the handler decides

    def attribute(self, attributes: Mapping[str, Value], name: str) -> Value:
        """A value of the answer's Data, by its name or, inside maps, by a dotted path. Raises Invalid."""
        data: Value = attributes.get("data") or {}
        if name == "show":
            return data
        if name in data:
            return data[name]
        for step in name.split("."):
            if not isinstance(data, Mapping) or step not in data:
                raise invalid(
                    "UnknownAttribute",
                    f"CustomResource attribute error: Vendor response doesn't contain {name} attribute.",
                    f"Its Data has: {', '.join(sorted(attributes.get('data') or {})) or 'nothing'}.",
                )  # fmt: skip
            data = data[step]
        return data

    def hides(self, attributes: Mapping[str, Value]) -> bool:
        return bool(attributes.get("no_echo"))

    # --- the verbs ------------------------------------------------------------------------------------------------
    async def find(self, op: Operation) -> str | None:
        """What was asked for may be there, or be on its way."""
        return op.physical_name() if _requested(op, "Create") or _physical(op, "") else None

    async def create(self, op: Operation) -> str | None:
        await self._send(op, "Create")
        return op.physical_name()

    async def ready(self, op: Operation) -> Mapping[str, Value]:
        if _requested(op, "Create"):
            answer = await self._answered(op, "Create")
            failed = _failure(answer)
            named = answer.get("PhysicalResourceId")
            if failed:
                await op.remember(**{REQUEST: None, "physical": named if _is_id(named) else None})
                raise OperationFailed(failed)
            await op.remember(**{REQUEST: None}, **_told(answer))
        return _shown(op.data)

    async def check(self, op: Operation) -> Mapping[str, Value]:
        return _shown(op.data)

    async def read(self, op: Operation) -> Mapping[str, Value]:
        return _shown(op.data)

    async def update(self, op: Operation, changed: frozenset[str]) -> None:
        """Raises Superseded when the handler answers with another PhysicalResourceId."""
        if op.before.get("service_token") != op.properties["service_token"]:
            raise OperationFailed("Modifying service token is not allowed.")
        answer = await self._answered(op, "Update")
        failed = _failure(answer)
        if failed:
            await op.remember(**{REQUEST: None})
            raise OperationFailed(failed)
        told = _told(answer)
        if told["physical"] != _physical(op, op.physical_id):
            raise Superseded(told["physical"], {**told, REQUEST: None}, _shown(told), forgotten={REQUEST: None})
        await op.remember(**{REQUEST: None}, **told)

    async def delete(self, op: Operation) -> None:
        answer = await self._answered(op, "Delete")
        await op.remember(**{REQUEST: None})
        if answer.get("Status") != "SUCCESS":
            raise OperationFailed(_failure(answer))

    # --- asking the handler ---------------------------------------------------------------------------------------
    async def _send(self, op: Operation, kind: str) -> Mapping[str, Any]:
        """The note of the request, which has been sent. Raises OperationFailed when the handler cannot be asked, and
        Temporary."""
        note = op.data.get(REQUEST)
        mark = mark_of([kind, op.properties])
        if note is None or (note["type"], note["mark"]) != (kind, mark):
            note = {"type": kind, "mark": mark, "id": new_id(), "sent": False}
            await op.remember(**{REQUEST: note})
        if not note["sent"]:
            try:
                await op.services.ask_handler(str(op.properties["service_token"]), _request(op, kind, note["id"]))
            except OutcomeUnknown:
                raise  # it may have come
            except (OperationFailed, Temporary):
                await op.remember(**{REQUEST: None})
                raise
            note = {**note, "sent": True}
            await op.remember(**{REQUEST: note})
        return note

    async def _answered(self, op: Operation, kind: str) -> Mapping[str, Any]:
        """What the handler has put to the signed address. Raises OperationFailed when nothing comes in time."""
        note = await self._send(op, kind)
        async with patience(op, float(op.properties.get("service_timeout") or 3600), note["id"]) as until:
            while True:
                for signal in await op.services.signals(op):
                    told: Mapping[str, Any] = signal.get("raw") or {}
                    if told.get("RequestId") == note["id"]:
                        return told
                left = until - op.services.monotonic()
                if left <= 0:
                    await op.remember(**{REQUEST: None})
                    raise OperationFailed(
                        "CloudFormation did not receive a response from your Custom Resource. Please check your logs "
                        f"for requestId [{note['id']}]."
                    )
                await op.services.wait_signal(op, min(left, _LOOK_AGAIN))


def _requested(op: Operation, kind: str) -> bool:
    note = op.data.get(REQUEST)
    return note is not None and note["type"] == kind


def _physical(op: Operation, otherwise: str | None) -> str | None:
    return op.data.get("physical") or otherwise


def _request(op: Operation, kind: str, request_id: str) -> dict[str, Any]:
    properties = op.properties
    request: dict[str, Any] = {
        "RequestType": kind,
        "ResponseURL": op.services.signal_url(op, kind=URL_KIND),
        "StackId": properties["stack"],
        "RequestId": request_id,
        "ResourceType": properties["resource_type"],
        "LogicalResourceId": properties["logical_id"],
        "ServiceToken": properties["service_token"],
        "ServiceTimeout": str(properties["service_timeout"]),
        "ResourceProperties": _texts(properties["given"]),
    }
    if kind != "Create":
        request["PhysicalResourceId"] = _physical(op, op.physical_id)
    if kind == "Update":
        request["OldResourceProperties"] = _texts(op.before.get("given") or {})
    return request


def _texts(value: Value) -> Value:
    """Everything is text, as CloudFormation hands it to handlers."""
    match value:
        case Mapping():
            return {key: _texts(item) for key, item in value.items()}
        case list() | tuple():
            return [_texts(item) for item in value]
        case bool():
            return "true" if value else "false"
        case _:
            return str(value)


def _failure(answer: Mapping[str, Any]) -> str:
    """Why the answer is none, or is one of failure; "" for a success."""
    status, data = answer.get("Status"), answer.get("Data")
    if status == "FAILED":
        reason = str(answer.get("Reason") or "no reason was given")
        told = f"Received response status [FAILED] from custom resource. Message returned: {reason}"
        return f"{told} (RequestId: {answer.get('RequestId')})"
    if status != "SUCCESS":
        return f"Invalid response object: the Status is SUCCESS or FAILED, not {str(status)[:40]!r}."
    if not _is_id(answer.get("PhysicalResourceId")):
        return f"Invalid PhysicalResourceId: it is a text of 1 to {_LONGEST_ID} characters."
    if data is not None and not isinstance(data, Mapping):
        return "Invalid response object: the Data must be an object."
    return ""


def _is_id(value: Value) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _LONGEST_ID


def _told(answer: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept of a success."""
    no_echo = str(answer.get("NoEcho", "")).lower() == "true"
    return {"physical": answer["PhysicalResourceId"], "data": dict(answer.get("Data") or {}), "no_echo": no_echo}


def _shown(kept: Mapping[str, Value]) -> dict[str, Value]:
    return {name: kept.get(name) for name in ("physical", "data", "no_echo")}
