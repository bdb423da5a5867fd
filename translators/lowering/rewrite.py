"""Putting other expressions in place of some inside an expression."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

from engine.model.expression import PARTS, Expression, ListOf, Literal, MapOf, NoValue, is_expression

Change = Callable[[Expression], Expression | None]


def rewrite(expression: Expression, change: Change) -> Expression:
    """Return `expression` with `change(part)` in place of every part for which it is not None, outermost first.

    What is put in is not looked into again.
    """
    changed = change(expression)
    if changed is not None:
        return changed
    match expression:
        case Literal() | NoValue():
            return expression
        case ListOf(parts):
            made = tuple([rewrite(part, change) for part in parts])
            return expression if _same(made, parts) else replace(expression, items=made)
        case MapOf(entries, rest):
            pairs = tuple([(key, rewrite(part, change)) for key, part in entries])
            new = None if rest is None else rewrite(rest, change)
            same = _same_pairs(pairs, entries) and new is rest
            return expression if same else replace(expression, entries=pairs, rest=new)
        case _:
            found: dict[str, Any] = {}
            for name in PARTS[type(expression)]:
                held = getattr(expression, name)
                new = _held(held, change)
                if new is not held:
                    found[name] = new
            return cast(Expression, replace(expression, **found)) if found else expression


def _held(held: Any, change: Change) -> Any:
    if is_expression(held):
        return rewrite(held, change)
    if isinstance(held, tuple):
        made = tuple([_held(part, change) for part in held])
        return held if _same(made, held) else made
    return held


def _same(made: tuple[Any, ...], before: tuple[Any, ...]) -> bool:
    return all(map(operator.is_, made, before))


def _same_pairs(made: tuple[tuple[str, Expression], ...], before: tuple[tuple[str, Expression], ...]) -> bool:
    return all([a[1] is b[1] for a, b in zip(made, before, strict=True)])
