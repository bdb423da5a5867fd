"""Putting other expressions in place of some inside an expression."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

from engine.model.expression import PARTS, Expression, ListOf, Literal, MapOf, is_expression

Change = Callable[[Expression], Expression | None]


Memo = dict[int, tuple[Expression, Expression]]


def rewrite(expression: Expression, change: Change, memo: Memo | None = None) -> Expression:
    """Return `expression` with `change(part)` in place of every part for which it is not None, outermost first.

    What is put in is not looked into again. A `memo` remembers what was made of each part for the next call with the
    same `change`: a lowered resource has its properties in its group and in its members.
    """
    return _made(expression, change, {} if memo is None else memo)


def _made(expression: Expression, change: Change, memo: Memo) -> Expression:
    if type(expression) is Literal:
        return change(expression) or expression
    done = memo.get(id(expression))
    if done is None:
        changed = change(expression)
        # The key is an address in memory, which stays taken as long as the memo holds what is there.
        done = memo[id(expression)] = (expression, _inside(expression, change, memo) if changed is None else changed)
    return done[1]


def _inside(expression: Expression, change: Change, memo: Memo) -> Expression:
    match expression:
        case ListOf(parts):
            made = tuple([_made(part, change, memo) for part in parts])
            return expression if _same(made, parts) else replace(expression, items=made)
        case MapOf(entries, rest):
            pairs = tuple([(key, _made(part, change, memo)) for key, part in entries])
            new = None if rest is None else _made(rest, change, memo)
            same = _same_pairs(pairs, entries) and new is rest
            return expression if same else replace(expression, entries=pairs, rest=new)
        case _:
            found: dict[str, Any] = {}
            for name in PARTS[type(expression)]:
                held = getattr(expression, name)
                new = _held(held, change, memo)
                if new is not held:
                    found[name] = new
            return cast(Expression, replace(expression, **found)) if found else expression


def _held(held: Any, change: Change, memo: Memo) -> Any:
    if is_expression(held):
        return _made(held, change, memo)
    if isinstance(held, tuple):
        made = tuple([_held(part, change, memo) for part in held])
        return held if _same(made, held) else made
    return held


def _same(made: tuple[Any, ...], before: tuple[Any, ...]) -> bool:
    return all(map(operator.is_, made, before))


def _same_pairs(made: tuple[tuple[str, Expression], ...], before: tuple[tuple[str, Expression], ...]) -> bool:
    return all(a[1] is b[1] for a, b in zip(made, before, strict=True))
