"""Which resources an expression needs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import assert_never

from engine.expr.evaluate import holds
from engine.expr.scope import Scope
from engine.model.diagnostic import Span
from engine.model.expression import AttributeRef, Expression, If, Literal, ResourceRef, children, within


@dataclass(frozen=True, slots=True)
class Reference:
    """`attribute` is None for a plain reference, and when the attribute's name is computed."""

    address: str
    attribute: str | None = None
    span: Span | None = field(default=None, compare=False)


def references(expression: Expression, scope: Scope | None = None) -> Iterator[Reference]:
    """Yield every reference inside; with a `scope`, not those of a branch that a decided condition leaves out."""
    everything = within(expression)
    if scope is None or not any(type(inner) is If for inner in everything):
        return (_reference(inner) for inner in everything if isinstance(inner, ResourceRef | AttributeRef))
    return _of_decided(expression, scope)


def _of_decided(expression: Expression, scope: Scope) -> Iterator[Reference]:
    todo = [expression]
    while todo:
        here = todo.pop()
        match here:
            case If(condition, then, otherwise):
                decided = holds(condition, scope)
                if decided is not False:
                    todo.append(then)
                if decided is not True and otherwise is not None:
                    todo.append(otherwise)
                continue
            case ResourceRef() | AttributeRef():
                yield _reference(here)
            case _:
                pass
        todo.extend(children(here))


def _reference(expression: ResourceRef | AttributeRef) -> Reference:
    match expression:
        case ResourceRef(address):
            return Reference(address, span=expression.span)
        case AttributeRef(address, Literal(str() as name)):
            return Reference(address, name, expression.span)
        case AttributeRef(address):
            return Reference(address, span=expression.span)
        case _:
            assert_never(expression)
