"""Putting other expressions in place of some inside an expression."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

from engine.model.expression import PARTS, Expression, ListOf, Literal, MapOf, is_expression

Change = Callable[[Any], Expression | None]
Memo = dict[int, tuple[Expression, Expression]]


def rewrite(expression: Expression, change: Change, *kinds: type) -> Expression:
    """`expression` with every part of one of `kinds`, or of any, put to `change`, as by a `Rewriter`."""
    return _By(change, *(kinds or PARTS)).rewrite(expression)


class Rewriter(ABC):
    """Puts `change(part)` in place of every part of one of `kinds` for which it is not None, outermost first.

    What is put in is not looked into again. What was made of each part is remembered: a lowered resource has its
    properties in its group and in its members.
    """

    def __init__(self, *kinds: type) -> None:
        self._kinds = frozenset(kinds)
        self._leaf = None if Literal in self._kinds else Literal  # what need not be looked at
        self._memo: Memo = {}

    @abstractmethod
    def change(self, part: Any) -> Expression | None:
        """Return what to put in place of `part`, None to leave it and look inside."""

    def rewrite(self, expression: Expression) -> Expression:
        """Return `expression` itself where nothing in it is changed."""
        kind = type(expression)
        if kind is self._leaf:
            return expression
        done = self._memo.get(id(expression))
        if done is None:
            changed = self.change(expression) if kind in self._kinds else None
            made = self._inside(expression) if changed is None else changed
            # The key is an address in memory, which stays taken as long as the memo holds what is there.
            done = self._memo[id(expression)] = (expression, made)
        return done[1]

    def _inside(self, expression: Expression) -> Expression:
        if isinstance(expression, MapOf):
            pairs, rest = self._pairs(expression.entries), expression.rest
            new = None if rest is None else self.rewrite(rest)
            same = pairs is expression.entries and new is rest
            return expression if same else MapOf(pairs, new, span=expression.span, keys=expression.keys)
        if isinstance(expression, ListOf):
            parts = self._parts(expression.items)
            return expression if parts is expression.items else ListOf(parts, span=expression.span)
        found: dict[str, Any] = {}
        for name in PARTS[type(expression)]:
            held = getattr(expression, name)
            new = self._held(held)
            if new is not held:
                found[name] = new
        return cast(Expression, replace(cast(Any, expression), **found)) if found else expression

    def _pairs(self, entries: tuple[tuple[str, Expression], ...]) -> tuple[tuple[str, Expression], ...]:
        """The very same tuple where nothing is changed; so are those of `_parts` and `_held`."""
        changed, made, leaf = False, [], self._leaf
        for pair in entries:
            part = pair[1]
            if type(part) is not leaf:
                new = self.rewrite(part)
                if new is not part:
                    changed, pair = True, (pair[0], new)
            made.append(pair)
        return tuple(made) if changed else entries

    def _parts(self, parts: tuple[Any, ...]) -> tuple[Any, ...]:
        changed, made, leaf = False, [], self._leaf
        for part in parts:
            new = part if type(part) is leaf else self._held(part)
            changed = changed or new is not part
            made.append(new)
        return tuple(made) if changed else parts

    def _held(self, held: Any) -> Any:
        if is_expression(held):
            return self.rewrite(held)
        return self._parts(held) if isinstance(held, tuple) else held


class _By(Rewriter):
    def __init__(self, change: Change, *kinds: type) -> None:
        super().__init__(*kinds)
        self._by = change

    def change(self, part: Any) -> Expression | None:
        return self._by(part)
