"""Small expressions about expressions: whether a property is there, conditions put together, plain values."""

from __future__ import annotations

from collections.abc import Iterable

from engine.model.expression import (
    And,
    AttributeRef,
    Concat,
    Equals,
    Expression,
    If,
    ListOf,
    Literal,
    MapOf,
    Not,
    NoValue,
    Or,
    ResourceRef,
)

TRUE, FALSE = Literal(True), Literal(False)


def present(expression: Expression | None) -> Expression:
    """A condition: the value is there. `!If [c, x, !Ref AWS::NoValue]` is there when `c` holds."""
    match expression:
        case None | NoValue() | Literal(None):
            return FALSE
        case If(condition, then, otherwise):
            return choose(condition, present(then), present(otherwise))
        case _:
            return TRUE


def choose(condition: Expression, then: Expression, otherwise: Expression) -> Expression:
    """`If`, with what can be decided now decided."""
    if condition == TRUE or then == otherwise:
        return then
    if condition == FALSE:
        return otherwise
    if then == TRUE and otherwise == FALSE:
        return condition
    if then == FALSE and otherwise == TRUE:
        return Not(condition)
    return If(condition, then, otherwise)


def both(*conditions: Expression | None) -> Expression:
    """All of them hold; None always does."""
    kept = list(dict.fromkeys(one for one in conditions if one is not None and one != TRUE))
    if FALSE in kept:
        return FALSE
    if not kept:
        return TRUE
    return kept[0] if len(kept) == 1 else And(tuple(kept))


def either(conditions: Iterable[Expression]) -> Expression:
    kept = list(dict.fromkeys(one for one in conditions if one != FALSE))
    if TRUE in kept:
        return TRUE
    if not kept:
        return FALSE
    return kept[0] if len(kept) == 1 else Or(tuple(kept))


def negated(condition: Expression) -> Expression:
    if condition in (TRUE, FALSE):
        return FALSE if condition == TRUE else TRUE
    return condition.operand if isinstance(condition, Not) else Not(condition)


def is_true(expression: Expression | None) -> Expression:
    """A condition: the value is true, or the text of it."""
    match expression:
        case None | NoValue():
            return FALSE
        case Literal(value):
            return TRUE if str(value).lower() == "true" else FALSE
        case If(condition, then, otherwise):
            return choose(condition, is_true(then), is_true(otherwise))
        case _:
            # Parameters allow `True` as well as `true`.
            return either([Equals(expression, Literal("true"), as_text=True), Equals(expression, Literal("True"))])


def items(expression: Expression | None) -> list[Expression] | None:
    """The items of a list that is written out, None for anything else."""
    match expression:
        case ListOf(found):
            return list(found)
        case Literal(list() as values):
            return [literal(value) for value in values]
        case None | NoValue():
            return []
        case _:
            return None


def entry(expression: Expression | None, key: str) -> Expression | None:
    """What stands under `key` of a map that is written out."""
    match expression:
        case MapOf():
            return expression.get(key)
        case Literal(dict() as value):
            return literal(value[key]) if key in value else None
        case _:
            return None


def keys(expression: Expression | None) -> list[str]:
    match expression:
        case MapOf(entries):
            return [key for key, _ in entries]
        case Literal(dict() as value):
            return [str(key) for key in value]
        case _:
            return []


def literal(value: object) -> Expression:
    match value:
        case dict():
            return MapOf(tuple((str(key), literal(item)) for key, item in value.items()))
        case list() | tuple():
            return ListOf(tuple(literal(item) for item in value))
        case _:
            return Literal(value)


def text(expression: Expression | None) -> str | None:
    """The text of a literal, None for what only running can tell."""
    match expression:
        case Literal(bool() as value):
            return "true" if value else "false"
        case Literal(str() | int() | float() as value):
            return str(value)
        case _:
            return None


def mapping(**entries: Expression | None) -> MapOf:
    return MapOf(tuple((name, value) for name, value in entries.items() if value is not None))


def joined(*parts: Expression | str) -> Expression:
    """Text put together from parts."""
    return Concat(tuple(Literal(part) if isinstance(part, str) else part for part in parts))


def attribute(address: str, name: str, *path: str | int) -> AttributeRef:
    return AttributeRef(address, Literal(name), tuple(Literal(step) for step in path))


def target(expression: Expression | None) -> tuple[str, str | None] | None:
    """(address, attribute) when the expression is one reference to a resource and nothing else."""
    match expression:
        case ResourceRef(address):
            return address, None
        case AttributeRef(address, Literal(str() as name), ()):
            return address, name
        case _:
            return None
