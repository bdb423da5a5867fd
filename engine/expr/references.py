"""Which resources an expression needs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from engine.expr.evaluate import evaluate, truth
from engine.expr.scope import Scope
from engine.model.diagnostic import Span
from engine.model.expression import AttributeRef, Expression, If, Literal, ResourceRef, children


@dataclass(frozen=True, slots=True)
class Reference:
    """`attribute` is None for a plain reference, and when the attribute's name is computed."""

    address: str
    attribute: str | None = None
    span: Span | None = field(default=None, compare=False)


def references(expression: Expression, scope: Scope | None = None) -> Iterator[Reference]:
    """Yield every reference inside; with a `scope`, not those of a branch that a decided condition leaves out."""
    todo = [expression]
    while todo:
        here = todo.pop()
        match here:
            case ResourceRef(address):
                yield Reference(address, span=here.span)
            case AttributeRef(address, attribute, path):
                name = attribute.value if isinstance(attribute, Literal) else None
                yield Reference(address, name if isinstance(name, str) else None, here.span)
                todo.extend(path)
                if attribute is not None:
                    todo.append(attribute)
            case If(condition, then, otherwise) if scope is not None:
                decided = truth(evaluate(condition, scope))
                if decided is not False:
                    todo.append(then)
                if decided is not True and otherwise is not None:
                    todo.append(otherwise)
            case _:
                todo.extend(children(here))
