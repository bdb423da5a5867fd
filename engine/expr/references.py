"""Which resources an expression needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from engine.model.expression import AttributeRef, ConditionRef, Expression, If, Literal, ResourceRef, children
from engine.model.value import Value


@dataclass(frozen=True, slots=True)
class Reference:
    """`attribute` is None for a plain reference, and when the attribute's name is computed."""

    address: str
    attribute: str | None = None


def references(expression: Expression, conditions: Mapping[str, Value] | None = None) -> Iterator[Reference]:
    """Yield every reference inside; with `conditions`, not those of a branch that a decided condition leaves out."""
    todo = [expression]
    while todo:
        here = todo.pop()
        match here:
            case ResourceRef(address):
                yield Reference(address)
            case AttributeRef(address, attribute, path):
                name = attribute.value if isinstance(attribute, Literal) else None
                yield Reference(address, name if isinstance(name, str) else None)
                todo.extend(path)
                if attribute is not None:
                    todo.append(attribute)
            case If(ConditionRef(name), then, otherwise) if conditions is not None and isinstance(
                conditions.get(name), bool
            ):
                if conditions[name]:
                    todo.append(then)
                elif otherwise is not None:
                    todo.append(otherwise)
            case _:
                todo.extend(children(here))
