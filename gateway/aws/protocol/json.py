"""Results as JSON, for aws-cfn-bootstrap, which asks for it (cloudformation.md W05)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any, Final

import orjson

from gateway.aws.protocol.model import Mapped, Operation, Scalar, Sequence, Shape, Structure

CONTENT_TYPE: Final = "application/json"


def wanted(pairs: Iterable[tuple[str, str]], accept: str) -> bool:
    return "application/json" in accept or any(name == "ContentType" and text == "JSON" for name, text in pairs)


def response(operation: Operation, result: Mapping[str, Any], request_id: str) -> bytes:
    inner: dict[str, Any] = {"ResponseMetadata": {"RequestId": request_id}}
    if operation.output is not None:
        inner = {f"{operation.name}Result": _present(result, operation.output), **inner}
    return _dump({f"{operation.name}Response": inner})


def error(kind: str, code: str, message: str, request_id: str) -> bytes:
    return _dump({"Error": {"Code": code, "Message": message, "Type": kind}, "RequestId": request_id})


def _dump(document: Any) -> bytes:
    return orjson.dumps(document, default=_epoch, option=orjson.OPT_PASSTHROUGH_DATETIME)


def _epoch(value: Any) -> float:
    if isinstance(value, dt.datetime):
        return round(value.timestamp(), 3)
    raise TypeError(f"{type(value).__name__} in an answer")


def _present(value: Any, shape: Shape) -> Any:
    """`value` without members that are None or that its shape has not."""
    match shape:
        case Structure(members=members):
            return {name: _present(value[name], one) for name, one in members.items() if value.get(name) is not None}
        case Sequence(member=member):
            return [_present(item, member) for item in value]
        case Mapped():
            return dict(value)
        case Scalar():
            return value
