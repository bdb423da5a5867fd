"""Results as XML, written straight from the output shape (cloudformation.md W06, W09 to W12).

A writer is made once for each shape; writing is string joining. A general serializer was ten times slower.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from gateway.aws.protocol.model import Mapped, Operation, Scalar, Sequence, Service, Shape, Structure

Writer: TypeAlias = Callable[[Any], str]

CONTENT_TYPE: Final = "text/xml"
_SPECIAL = re.compile('[&<>"\r\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]')
_ESCAPED: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\r": "&#xD;"}
_UNPRINTABLE: Final = "\ufffd"  # XML 1.0 has no way to write these

_writers: dict[int, tuple[Shape, Writer]] = {}  # by identity of the shape, which is kept so that it stays unique


def escape(text: str) -> str:
    if _SPECIAL.search(text) is None:
        return text
    return _SPECIAL.sub(lambda found: _ESCAPED.get(found.group(0), _UNPRINTABLE), text)


def response(service: Service, operation: Operation, result: Mapping[str, Any], request_id: str) -> str:
    """The whole document of a success."""
    name = operation.name
    inner = ""
    if operation.output is not None:
        inner = f"<{name}Result>{writer(operation.output)(result)}</{name}Result>"
    return (
        f'<{name}Response xmlns="{service.namespace}">{inner}'
        f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{name}Response>"
    )


def error(namespace: str, kind: str, code: str, message: str, request_id: str) -> str:
    """The whole document of an error; `kind` is Sender or Receiver (W12)."""
    return (
        f'<ErrorResponse xmlns="{namespace}"><Error><Type>{kind}</Type><Code>{escape(code)}</Code>'
        f"<Message>{escape(message)}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>"
    )


def writer(shape: Shape) -> Writer:
    """The function that writes values of `shape`; members that are None or unknown to it are left out."""
    held = _writers.get(id(shape))
    if held is None:
        held = _writers[id(shape)] = (shape, _make(shape))
    return held[1]


def _make(shape: Shape) -> Writer:
    match shape:
        case Scalar(kind="string"):
            return escape
        case Scalar(kind="boolean"):
            return lambda value: "true" if value else "false"
        case Scalar(kind="timestamp"):
            return timestamp
        case Scalar():
            return str
        case Sequence():
            return _sequence(shape)
        case Mapped():
            return _mapped(shape)
        case Structure():
            return _structure(shape)


def timestamp(time: dt.datetime) -> str:
    """`2026-11-22T10:00:00.000Z`."""
    return time.astimezone(dt.UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def _structure(shape: Structure) -> Writer:
    members: list[tuple[str, str, str, Writer]] = []

    def write(value: Mapping[str, Any]) -> str:
        if not members:  # made at the first use: shapes may contain themselves
            members.extend((name, f"<{name}>", f"</{name}>", writer(one)) for name, one in shape.members.items())
        parts: list[str] = []
        for name, opened, closed, inner in members:
            item = value.get(name)
            if item is not None:
                parts += (opened, inner(item), closed)
        return "".join(parts)

    return write


def _sequence(shape: Sequence) -> Writer:
    def write(value: list[Any]) -> str:
        inner = writer(shape.member)
        return "".join([f"<member>{inner(item)}</member>" for item in value])

    return write


def _mapped(shape: Mapped) -> Writer:
    def write(value: Mapping[str, Any]) -> str:
        key, inner = writer(shape.key), writer(shape.value)
        return "".join(
            [f"<entry><key>{key(k)}</key><value>{inner(v)}</value></entry>" for k, v in value.items()]
        )  # fmt: skip

    return write
