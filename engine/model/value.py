"""Values that expressions evaluate to: JSON, and two things JSON has not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

# JSON scalars, lists and maps, with UNKNOWN anywhere inside while planning. `Any` because JSON is recursive.
Value: TypeAlias = Any


class _Unknown:
    """A value that only running can tell (an id of something not made yet)."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "UNKNOWN"

    def __deepcopy__(self, memo: dict[int, object]) -> _Unknown:
        return self

    def __copy__(self) -> _Unknown:
        return self


class _NoValue:
    """The item, key or property that holds it is left out (`AWS::NoValue`, two-armed HOT `if`)."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "NO_VALUE"


UNKNOWN: Final = _Unknown()
NO_VALUE: Final = _NoValue()


def is_known(value: Value) -> bool:
    """Tell whether no UNKNOWN is anywhere inside `value`."""
    kind = type(value)
    if kind is str:  # most are, and asking whether it is a Mapping costs more
        return True
    if value is UNKNOWN:
        return False
    if kind is int or kind is bool or isinstance(value, str):
        return True
    if isinstance(value, dict | Mapping):
        return all(map(is_known, value.values()))
    if isinstance(value, list | tuple | Sequence):
        return all(map(is_known, value))
    return True


def as_text(value: Value) -> str | None:
    """What names something, as text; None where it is not known, or there is none."""
    if value is None or value is UNKNOWN or value is NO_VALUE:
        return None
    return value if isinstance(value, str) else str(value)


def as_json(value: Value) -> Value:
    """`value` with null for all that JSON has not."""
    if value is UNKNOWN or value is NO_VALUE:
        return None
    if isinstance(value, Mapping):
        return {key: as_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(item) for item in value]
    return value


def texts_in(value: Value) -> Iterator[str]:
    """Every text and number inside `value`, as text; keys of maps are none."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for item in value:
            yield from texts_in(item)
    elif isinstance(value, str | int | float) and not isinstance(value, bool):
        yield str(value)
