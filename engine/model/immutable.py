"""Values that a template has tens of thousands of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar, dataclass_transform

_Class = TypeVar("_Class")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def immutable(declared: type[_Class]) -> type[_Class]:
    """A dataclass with slots whose fields nobody sets again: the type checker holds that.

    The interpreter does not: a frozen dataclass sets each field by a call, and costs three times as much to make.
    """
    return dataclass(slots=True, unsafe_hash=True)(declared)
