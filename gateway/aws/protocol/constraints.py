"""The model's constraints on an input, in AWS's words, all of them in one message (cloudformation.md W15)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gateway.aws.protocol.model import Mapped, Scalar, Sequence, Shape, Structure
from gateway.aws.protocol.query import constraint, lower


def violations(value: Any, shape: Shape, path: str = "") -> Iterator[str]:
    """Yield each violation; values that could not be read are None and have been reported already."""
    match shape:
        case Scalar():
            if value is not None:
                yield from (constraint(_text(value), path, failed) for failed in _broken(value, shape))
        case Structure():
            prefix = f"{path}." if path else ""
            for name in shape.required:
                if name not in value:
                    yield constraint(None, prefix + lower(name), "Member must not be null")
            for name, item in value.items():
                yield from violations(item, shape.members[name], prefix + lower(name))
        case Sequence():
            yield from _sequence(value, shape, path)
        case Mapped():
            for name, item in value.items():
                yield from violations(name, shape.key, f"{path}.{name}.key")
                yield from violations(item, shape.value, f"{path}.{name}.value")


def message(found: list[str]) -> str:
    """`2 validation errors detected: …; …`."""
    errors = "error" if len(found) == 1 else "errors"
    return f"{len(found)} validation {errors} detected: {'; '.join(found)}"


def _sequence(value: list[Any], shape: Sequence, path: str) -> Iterator[str]:
    shown = f"[{', '.join(_text(item) for item in value[:20])}]"
    if shape.least is not None and len(value) < shape.least:
        yield constraint(shown, path, f"Member must have length greater than or equal to {shape.least}")
    if shape.most is not None and len(value) > shape.most:
        yield constraint(shown, path, f"Member must have length less than or equal to {shape.most}")
    member = shape.member
    if isinstance(member, Scalar):  # members of a list of texts are reported together
        broken = [failed for item in value if item is not None for failed in _broken(item, member)]
        if broken:
            yield constraint(shown, path, f"Member must satisfy constraint: [{', '.join(dict.fromkeys(broken))}]")
        return
    for number, item in enumerate(value, 1):
        yield from violations(item, member, f"{path}.{number}.member")


def _broken(value: Any, shape: Scalar) -> Iterator[str]:
    """What `value` must do and does not."""
    if isinstance(value, str):
        length = len(value.encode("utf-8", "replace")) if shape.in_bytes else len(value)
        if shape.most is not None and length > shape.most:
            yield f"Member must have length less than or equal to {shape.most}"
        if shape.least is not None and length < shape.least:
            yield f"Member must have length greater than or equal to {shape.least}"
        if shape.pattern is not None and not shape.pattern.fullmatch(value):
            yield f"Member must satisfy regular expression pattern: {shape.shown_pattern}"
        if shape.values and value not in shape.values:
            yield f"Member must satisfy enum value set: [{', '.join(shape.values)}]"
    elif isinstance(value, int | float) and not isinstance(value, bool):
        if shape.most is not None and value > shape.most:
            yield f"Member must have value less than or equal to {shape.most:g}"
        if shape.least is not None and value < shape.least:
            yield f"Member must have value greater than or equal to {shape.least:g}"


def _text(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case dict():
            return f"{{{', '.join(f'{name}={_text(item)}' for name, item in value.items())}}}"
        case list():
            return f"[{', '.join(_text(item) for item in value)}]"
        case _:
            return str(value)
