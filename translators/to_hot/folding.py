"""Expressions with everything worked out that the template alone decides: loops over lists that are written out, rows
of tables, cells of mappings, branches of decided conditions, texts put together from texts."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from engine.model import expression as x
from engine.model.dynamic import OPENING
from engine.model.expression import Expression, ListOf, Literal, MapOf, NoValue
from engine.model.value import Value
from translators.cfn import images
from translators.lowering import logic
from translators.lowering.rewrite import rewrite
from translators.to_hot.kinds import Kind, Kinds, Tables

_GLOB = frozenset("*?[")


class Folder:
    """Folds the expressions of one template. What has no value is left out of lists, maps and texts."""

    def __init__(self, kinds: Kinds, tables: Tables) -> None:
        self._kinds, self._tables = kinds, tables

    def fold(self, e: Expression) -> Expression:
        return rewrite(e, self._folded)

    def maybe(self, e: Expression | None) -> Expression | None:
        return None if e is None else self.fold(e)

    def _all(self, expressions: Iterable[Expression]) -> tuple[Expression, ...]:
        folded = (self.fold(one) for one in expressions)
        return tuple(one for one in folded if not isinstance(one, NoValue))

    def _folded(self, e: Expression) -> Expression | None:
        """What `e` is once folded; None for a kind that only its parts decide."""
        fold = _FOLDS.get(type(e))
        return None if fold is None else fold(self, e)

    # --- data -----------------------------------------------------------------------------------------------------
    def literal(self, e: Literal) -> Expression:
        """A reference to a public image is the image's path, which the image table knows; lists and maps are opened."""
        if isinstance(e.value, str):
            path = images.referenced(e.value) if OPENING in e.value else None
            return e if path is None else Literal(path, span=e.span)
        return self.fold(logic.literal(e.value)) if isinstance(e.value, dict | list | tuple) else e

    def list_of(self, e: ListOf) -> Expression:
        return replace(e, items=self._all(e.items))

    def map_of(self, e: MapOf) -> Expression:
        folded = [(key, self.fold(item)) for key, item in e.entries]
        kept = tuple((key, item) for key, item in folded if not isinstance(item, NoValue))
        rest = self.maybe(e.rest)
        return replace(e, entries=kept, rest=None if isinstance(rest, NoValue) else rest)

    # --- conditions -----------------------------------------------------------------------------------------------
    def if_(self, e: x.If) -> Expression:
        condition = self.fold(e.condition)
        then, otherwise = self.fold(e.then), NoValue() if e.otherwise is None else self.fold(e.otherwise)
        if isinstance(condition, Literal) and isinstance(condition.value, bool):
            return then if condition.value else otherwise
        return then if then == otherwise else x.If(condition, then, otherwise, span=e.span)

    def equals(self, e: x.Equals) -> Expression:
        left, right = self.fold(e.left), self.fold(e.right)
        one, other = logic.text(left), logic.text(right)
        if e.as_text and one is not None and other is not None:
            return Literal(one == other, span=e.span)
        return replace(e, left=left, right=right)

    def not_(self, e: x.Not) -> Expression:
        return logic.negated(self.fold(e.operand))

    def and_(self, e: x.And) -> Expression:
        return logic.both(*(self.fold(one) for one in e.operands))

    def or_(self, e: x.Or) -> Expression:
        return logic.either(self.fold(one) for one in e.operands)

    # --- text -----------------------------------------------------------------------------------------------------
    def concat(self, e: x.Concat) -> Expression:
        parts: list[Expression] = []
        for part in self._opened(self._all(e.parts)):
            text = "" if part == Literal(None) else logic.text(part)
            if text is not None and parts and isinstance(parts[-1], Literal):
                parts[-1] = Literal(parts[-1].value + text, span=parts[-1].span)
            else:
                parts.append(part if text is None else Literal(text, span=part.span))
        if not parts:
            return Literal("", span=e.span)
        return parts[0] if len(parts) == 1 and isinstance(parts[0], Literal) else x.Concat(tuple(parts), span=e.span)

    def _opened(self, parts: tuple[Expression, ...]) -> Iterator[Expression]:
        for part in parts:
            if isinstance(part, x.Concat):
                yield from part.parts
            else:
                yield part

    def join(self, e: x.Join) -> Expression:
        delimiter, lists = self.fold(e.delimiter), self._all(e.lists)
        items = [item for one in lists for item in (one.items if isinstance(one, ListOf) else [one])]
        texts = [logic.text(item) for item in items]
        if isinstance(delimiter, Literal) and None not in texts and all(isinstance(one, ListOf) for one in lists):
            return Literal(str(delimiter.value).join(str(text) for text in texts), span=e.span)
        return replace(e, delimiter=delimiter, lists=lists)

    def split(self, e: x.Split) -> Expression:
        delimiter, text, index = self.fold(e.delimiter), self.fold(e.text), self.maybe(e.index)
        whole = replace(e, delimiter=delimiter, text=text, index=index)
        if not (isinstance(delimiter, Literal) and isinstance(text, Literal) and isinstance(text.value, str)):
            return whole
        parts = ListOf(tuple(Literal(part) for part in text.value.split(str(delimiter.value))), span=e.span)
        return parts if index is None else whole

    def select(self, e: x.Select) -> Expression:
        return self._item(self.fold(e.index), self.fold(e.source), e)

    def _item(self, index: Expression, source: Expression, e: x.Select) -> Expression:
        match source:
            case x.If():
                return in_arms(source, lambda arm: self._item(index, arm, e))
            case NoValue():
                return source
            case ListOf(items) if isinstance(index, Literal) and all(map(is_there, items)):
                at = _whole(index.value)
                if at is not None and 0 <= at < len(items):
                    return items[at]
            case _:
                pass
        return replace(e, index=index, source=source)

    def length(self, e: x.Length) -> Expression:
        source = self.fold(e.source)
        if isinstance(source, ListOf) and all(map(is_there, source.items)):
            return Literal(len(source.items), span=e.span)
        return replace(e, source=source)

    # --- lists and maps -------------------------------------------------------------------------------------------
    def list_concat(self, e: x.ListConcat) -> Expression:
        lists = self.fold(e.lists)
        written = [one for one in lists.items if isinstance(one, ListOf)] if isinstance(lists, ListOf) else []
        if isinstance(lists, ListOf) and not e.unique and len(written) == len(lists.items):
            return ListOf(tuple(item for one in written for item in one.items), span=e.span)
        return replace(e, lists=lists)

    def map_merge(self, e: x.MapMerge) -> Expression:
        """Maps of different keys put together; where a key is in two the later one may have no value."""
        maps = self.fold(e.maps)
        if isinstance(maps, ListOf) and all(isinstance(one, MapOf) and one.rest is None for one in maps.items):
            entries = [entry for one in maps.items if isinstance(one, MapOf) for entry in one.entries]
            if len({key for key, _ in entries}) == len(entries):
                return MapOf(tuple(entries), span=e.span)
        return replace(e, maps=maps)

    def map_replace(self, e: x.MapReplace) -> Expression:
        """A map that is written out, its keys renamed by texts that are."""
        source, changes = self.fold(e.source), self.fold(e.changes)
        keys = changes.get("keys") if isinstance(changes, MapOf) and len(changes.entries) == 1 else None
        if isinstance(source, MapOf) and source.rest is None and isinstance(keys, MapOf) and keys.rest is None:
            renamed = {key: logic.text(new) for key, new in keys.entries}
            names = [renamed.get(key, key) for key, _ in source.entries]
            if None not in renamed.values() and len(set(names)) == len(names):
                pairs = zip(names, (item for _, item in source.entries), strict=True)
                return MapOf(tuple((str(name), item) for name, item in pairs), span=e.span)
        return replace(e, source=source, changes=changes)

    # --- tables and loops -----------------------------------------------------------------------------------------
    def find_in_map(self, e: x.FindInMap) -> Expression:
        mapping, top, second = self.fold(e.mapping), self.fold(e.top), self.fold(e.second)
        found = x.FindInMap(mapping, top, second, self.maybe(e.default), span=e.span)
        if not all(isinstance(part, Literal) for part in (mapping, top, second)):
            return found
        cells = self._kinds.cells(found)
        if cells:
            return self.fold(logic.literal(cells[0]))
        return found if found.default is None else found.default

    def lookup(self, e: x.TableLookup) -> Expression:
        return self._row(e, self.fold(e.key), self.maybe(e.default))

    def _row(self, e: x.TableLookup, key: Expression, default: Expression | None) -> Expression:
        match key:
            case x.If():
                return in_arms(key, lambda arm: self._row(e, arm, default))
            case NoValue():
                return key
            case Literal(str() | int() | float() as value) if OPENING not in str(value):
                found = [row for glob, row in e.rows if _matches(glob, logic.text(key) or "")]
                return logic.literal(found[0]) if found else key if default is None else default
            case _:
                rows = self._reachable(e.rows, key)
                if not rows:
                    return key if default is None else default
                return x.TableLookup(rows, key, default, span=e.span)

    def _reachable(self, rows: tuple[tuple[str, Value], ...], key: Expression) -> tuple[tuple[str, Value], ...]:
        """The rows by the very values that the key can have, where these are known."""
        possible = self._kinds.possible(key)
        texts = None if possible is None else dict.fromkeys(logic.text(Literal(one)) for one in possible)
        if texts is None or any(text is None or not _GLOB.isdisjoint(text) or OPENING in text for text in texts):
            return rows
        found = ((text, [row for glob, row in rows if _matches(glob, text)]) for text in texts if text is not None)
        return tuple((text, matching[0]) for text, matching in found if matching)

    def property_path(self, e: x.PropertyPath) -> Expression:
        return into(self.fold(e.source), e.path)

    def for_each(self, e: x.ForEach) -> Expression:
        return self._loop(e, self.fold(e.source))

    def _loop(self, e: x.ForEach, source: Expression) -> Expression:
        match source:
            case NoValue() | Literal(None):
                return source
            case x.If():
                return in_arms(source, lambda arm: self._loop(e, arm))
            case ListOf(items):
                made = (self._turn(e, item) for item in items)
                return ListOf(tuple(one for one in made if not isinstance(one, NoValue)), span=e.span)
            case _ if self._kinds.kind(source) in (Kind.TEXT, Kind.NUMBER, Kind.BOOLEAN, Kind.MAP):
                return ListOf((self._turn(e, source),), span=e.span)
            case _:
                return replace(e, source=source, template=self.fold(e.template))

    def _turn(self, e: x.ForEach, item: Expression) -> Expression:
        """The loop's template for one item, which may have no value itself."""
        if isinstance(item, NoValue):
            return item
        if isinstance(item, x.If):
            return self.fold(in_arms(item, lambda arm: self._turn(e, arm)))
        return self.fold(_bound(e.template, e.variable, item))


def _bound(template: Expression, variable: str, item: Expression) -> Expression:
    """`template` with `item` in place of the variable; a loop inside may have a variable of the same name."""

    def change(part: Expression) -> Expression | None:
        match part:
            case x.Item(name, path) if name == variable:
                return into(item, path)
            case x.ForEach(source, name, _) if name == variable:
                return replace(part, source=_bound(source, variable, item))
            case _:
                return None

    return rewrite(template, change)


def into(e: Expression, path: tuple[str, ...]) -> Expression:
    """What is at `path` inside `e`; nothing where that leads nowhere."""
    if not path:
        return e
    step, *rest = path
    match e:
        case MapOf(_, None):
            found = e.get(step)
            return NoValue() if found is None else into(found, tuple(rest))
        case ListOf(items) if all(map(is_there, items)):
            return into(items[int(step)], tuple(rest)) if step.isdigit() and int(step) < len(items) else NoValue()
        case x.If():
            made = in_arms(e, lambda arm: into(arm, path))
            return made.then if made.then == made.otherwise else made
        case Literal(dict() | list() as value):
            return into(logic.literal(value), path)
        case Literal() | NoValue() | x.Concat() | x.Join():
            return NoValue()
        case x.TableLookup(rows, _, default) if default is None or isinstance(default, Literal):
            reached = (into(logic.literal(row), path) for _, row in rows)
            return NoValue() if all(isinstance(one, NoValue) for one in reached) else x.PropertyPath(e, path)
        case _:
            return x.PropertyPath(e, path)


def in_arms(e: x.If, change: Callable[[Expression], Expression]) -> x.If:
    """`e` with both of its values changed; one that is not written is no value."""
    return x.If(e.condition, change(e.then), change(e.otherwise or NoValue()), span=e.span)


def is_there(e: Expression) -> bool:
    """Whether it surely has a value, so that it counts in a list."""
    return not isinstance(e, NoValue | x.Item | x.PropertyPath) and not (
        isinstance(e, x.If) and not all(arm is not None and is_there(arm) for arm in (e.then, e.otherwise))
    )


def _matches(glob: str, text: str) -> bool:
    return glob == text or fnmatch.fnmatchcase(text, glob)


def _whole(value: Value) -> int | None:
    return int(value) if str(value).isdigit() else None


_FOLDS: Mapping[type, Callable[[Folder, Any], Expression]] = {
    Literal: Folder.literal,
    ListOf: Folder.list_of,
    MapOf: Folder.map_of,
    x.If: Folder.if_,
    x.Equals: Folder.equals,
    x.Not: Folder.not_,
    x.And: Folder.and_,
    x.Or: Folder.or_,
    x.Concat: Folder.concat,
    x.Join: Folder.join,
    x.Split: Folder.split,
    x.Select: Folder.select,
    x.Length: Folder.length,
    x.ListConcat: Folder.list_concat,
    x.MapMerge: Folder.map_merge,
    x.MapReplace: Folder.map_replace,
    x.FindInMap: Folder.find_in_map,
    x.TableLookup: Folder.lookup,
    x.PropertyPath: Folder.property_path,
    x.ForEach: Folder.for_each,
}
