"""The language of rows: YAML trees written in HOT terms → expressions.

{get_property: CidrBlock, default: 10.0.0.0/16}    the written property; dots go into maps
{text: {get_property: Value}}                      truth as CloudFormation has it in a text: true, false
{present: KeyName}                                 whether it is there (a condition)
{get_resource: subnet}, {get_attr: [port, fixed_ips, 0, ip_address]}    members of the same row
{get_param: OS::stack_name}                        pseudo parameters; logical_id is the resource's own name
{get_tag: Name}, {tag_list: [more]}, {tag_map: true}  the tags: one value, a list of texts, a map
{tag_pairs: true}                     the tags as they are written, with the stack's
{table: instance_types, key: …, path: vcpus, default: …}
{each: list, as: name, make: tree}, {item: name.Key}
if, equals, not, and, or, is_true, list_join, str_split, list_concat, map_merge, sub    as in HOT
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from engine.model.expression import (
    And,
    AttributeRef,
    Concat,
    Equals,
    Expression,
    ForEach,
    If,
    Item,
    Join,
    ListConcat,
    ListOf,
    Literal,
    MapMerge,
    MapOf,
    MapReplace,
    NoValue,
    Or,
    PropertyPath,
    Pseudo,
    PseudoRef,
    ResourceRef,
    Split,
    StackTags,
    TableLookup,
)
from mappings import MappingError
from translators.lowering import logic
from translators.lowering.draft import Draft

Tree = Any

_PSEUDO = {
    "OS::stack_id": Pseudo.STACK_ID,
    "OS::stack_name": Pseudo.STACK_NAME,
    "OS::project_id": Pseudo.PROJECT_ID,
    "AWS::Region": Pseudo.REGION,
    "AWS::AccountId": Pseudo.ACCOUNT_ID,
}


def build(tree: Tree, draft: Draft) -> Expression:
    """The expression of a tree of `draft`'s row. Raises MappingError for what is not in the language."""
    match tree:
        case dict():
            function = _function(tree)
            if function is not None:
                return function(tree, draft)
            return MapOf(tuple(_kept((str(key), build(inner, draft)) for key, inner in tree.items())))
        case list():
            return ListOf(tuple(one for one in (build(inner, draft) for inner in tree) if one != NoValue()))
        case _:
            return Literal(tree)


def _function(tree: Mapping[str, Tree]) -> Callable[[Mapping[str, Tree], Draft], Expression] | None:
    """The function a map stands for: its first key is a name of one, and it has no other keys than that one's."""
    name = str(next(iter(tree), ""))
    if name not in _FUNCTIONS or set(tree) - {name, *_OPTIONS.get(name, ())}:
        return None
    return _FUNCTIONS[name]


def _kept(entries: Any) -> Any:
    return ((key, value) for key, value in entries if value != NoValue())


# --- properties ---------------------------------------------------------------------------------------------------
def _get_property(tree: Mapping[str, Tree], draft: Draft) -> Expression:
    first, *path = str(tree["get_property"]).split(".")
    found = draft.prop(first)
    for position, step in enumerate(path):
        if found is None:
            break
        if isinstance(found, MapOf):
            found = found.get(step)
        else:
            found = PropertyPath(found, tuple(path[position:]))
            break
    if "default" not in tree:
        return NoValue() if found is None else found
    fallback = build(tree["default"], draft)
    return fallback if found is None else logic.choose(logic.present(found), found, fallback)


def _text(tree: Mapping[str, Tree], draft: Draft) -> Expression:
    return _as_text(build(tree["text"], draft))


def _as_text(found: Expression) -> Expression:
    if isinstance(found, If):
        otherwise = None if found.otherwise is None else _as_text(found.otherwise)
        return replace(found, then=_as_text(found.then), otherwise=otherwise)
    if isinstance(found, Literal) and isinstance(found.value, bool):
        return replace(found, value=logic.text(found))
    return found


def _present(tree: Mapping[str, Tree], draft: Draft) -> Expression:
    first, *path = str(tree["present"]).split(".")
    found = draft.prop(first)
    for step in path:
        found = logic.entry(found, step)
    return logic.present(found)


def _is_true(tree: Mapping[str, Tree], draft: Draft) -> Expression:
    return logic.is_true(build(tree["is_true"], draft))


# --- members and surroundings ---------------------------------------------------------------------------------------
def _get_resource(tree: Mapping[str, Tree], draft: Draft) -> Expression:
    return ResourceRef(draft.address(tree["get_resource"]))


def _get_attr(tree: Mapping[str, Tree], draft: Draft) -> Expression:
    member, name, *path = tree["get_attr"]
    return AttributeRef(draft.address(member), Literal(name), tuple(Literal(step) for step in path))


def _get_param(tree: Mapping[str, Tree], draft: Draft) -> Expression:
    name = tree["get_param"]
    if name == "logical_id":
        return Literal(draft.source.address)
    if name not in _PSEUDO:
        raise MappingError(f"{draft.row.origin}: there is no parameter {name}; known are logical_id, {[*_PSEUDO]}")
    return PseudoRef(_PSEUDO[name])


# --- tags -----------------------------------------------------------------------------------------------------------
def _get_tag(tree: Mapping[str, Tree], draft: Draft) -> Expression:
    for tag in logic.items(draft.prop("Tags")) or ():
        if logic.text(logic.entry(tag, "Key")) == tree["get_tag"]:
            return logic.entry(tag, "Value") or NoValue()
    return NoValue()


_OWN_TAGS: tuple[tuple[str, Expression | None], ...] = (
    ("aws:cloudformation:stack-name", PseudoRef(Pseudo.STACK_NAME)),
    ("aws:cloudformation:stack-id", PseudoRef(Pseudo.STACK_ID)),
    ("aws:cloudformation:logical-id", None),
)


def tag_list(draft: Draft, more: tuple[Expression, ...] = ()) -> Expression:
    """`key=value` of every tag, those that CloudFormation adds, and `more`."""
    own = [Concat((Literal(f"{key}="), value or Literal(draft.source.address))) for key, value in _OWN_TAGS]
    written = draft.prop("Tags") or ListOf(())
    one = Concat((Item("tag", ("Key",)), Literal("="), Item("tag", ("Value",))))
    tags = [source for source in (_of_stack(draft, written), written) if source != ListOf(())]
    if not tags:
        return ListOf((*own, *more))
    return ListConcat(ListOf((*(ForEach(source, "tag", one) for source in tags), ListOf((*own, *more)))))


def _of_stack(draft: Draft, own: Expression, not_in_keys: str = "") -> Expression:
    """The stack's tags that go to a resource with `own` ones; none in templates of Heat (cloudformation.md Q15)."""
    return ListOf(()) if draft.of_heat else StackTags(own, not_in_keys)


def _tag_pairs(draft: Draft) -> Expression:
    written = draft.prop("Tags") or ListOf(())
    return ListConcat(ListOf((_of_stack(draft, written), written)))


_NOT_IN_KEYS = re.compile(r"[^a-zA-Z0-9\-_:. ]")


def tag_map(draft: Draft, written: Expression | None = None) -> Expression:
    """Tags as metadata of servers and volumes, whose keys know fewer characters."""
    own = MapOf(tuple((key, value or Literal(draft.source.address)) for key, value in _OWN_TAGS))
    written = draft.prop("Tags") if written is None else written
    inherited = _of_stack(draft, ListOf(()), _NOT_IN_KEYS.pattern)
    maps = [_maps(tags) for tags in (inherited, written) if tags is not None and tags != ListOf(())]
    return MapMerge(ListConcat(ListOf((*maps, ListOf((own,)))))) if maps else own


def _maps(tags: Expression) -> Expression:
    """A list of maps, of each tag or of all."""
    listed = logic.items(tags)
    if listed is not None and all(logic.text(logic.entry(tag, "Key")) for tag in listed):
        pairs = ((logic.text(logic.entry(tag, "Key")) or "", logic.entry(tag, "Value")) for tag in listed)
        texts = tuple((_NOT_IN_KEYS.sub("_", key)[:255], Concat((value or Literal(""),))) for key, value in pairs)
        return ListOf((MapOf(texts),))
    named = MapReplace(
        MapOf((("key", Concat((Item("tag", ("Value",)),))),)),
        MapOf((("keys", MapOf((("key", Item("tag", ("Key",))),))),)),
    )
    return ForEach(tags, "tag", named)


# --- tables and lists -----------------------------------------------------------------------------------------------
def _table(tree: Mapping[str, Tree], draft: Draft) -> Expression:
    path = tree.get("path")
    default = build(tree["default"], draft) if "default" in tree else None
    key = build(tree["key"], draft)
    if key == NoValue():
        return NoValue() if default is None else default
    found: Expression = TableLookup(draft.world.rows.table(tree["table"]), key, default)
    return found if path is None else PropertyPath(found, tuple(str(path).split(".")))


def _each(tree: Mapping[str, Tree], draft: Draft) -> Expression:
    source = build(tree["each"], draft)
    return source if source == NoValue() else ForEach(source, tree["as"], build(tree["make"], draft))


def _item(tree: Mapping[str, Tree], draft: Draft) -> Expression:
    variable, *path = str(tree["item"]).split(".")
    return Item(variable, tuple(path))


# --- functions of HOT -----------------------------------------------------------------------------------------------
def _all(tree: Tree, draft: Draft) -> tuple[Expression, ...]:
    return tuple(build(one, draft) for one in tree)


def _if(tree: Mapping[str, Tree], draft: Draft) -> Expression:
    condition, then, *otherwise = _all(tree["if"], draft)
    return logic.choose(condition, then, otherwise[0] if otherwise else NoValue())


def _equals(tree: Mapping[str, Tree], draft: Draft) -> Expression:
    left, right = _all(tree["equals"], draft)
    return Equals(left, right, as_text=True)


def _list_join(tree: Mapping[str, Tree], draft: Draft) -> Expression:
    delimiter, *lists = _all(tree["list_join"], draft)
    return Join(delimiter, tuple(lists))


def _str_split(tree: Mapping[str, Tree], draft: Draft) -> Expression:
    delimiter, text, *index = _all(tree["str_split"], draft)
    return Split(delimiter, text, index[0] if index else None)


_FUNCTIONS: Mapping[str, Callable[[Mapping[str, Tree], Draft], Expression]] = {
    "get_property": _get_property,
    "text": _text,
    "present": _present,
    "is_true": _is_true,
    "get_resource": _get_resource,
    "get_attr": _get_attr,
    "get_param": _get_param,
    "get_tag": _get_tag,
    "tag_list": lambda tree, draft: tag_list(draft, _all(tree["tag_list"] or (), draft)),
    "tag_map": lambda tree, draft: tag_map(draft),
    "tag_pairs": lambda tree, draft: _tag_pairs(draft),
    "table": _table,
    "each": _each,
    "item": _item,
    "if": _if,
    "equals": _equals,
    "not": lambda tree, draft: logic.negated(build(tree["not"], draft)),
    "and": lambda tree, draft: And(_all(tree["and"], draft)),
    "or": lambda tree, draft: Or(_all(tree["or"], draft)),
    "list_join": _list_join,
    "str_split": _str_split,
    "list_concat": lambda tree, draft: ListConcat(build(tree["list_concat"], draft)),
    "map_merge": lambda tree, draft: MapMerge(build(tree["map_merge"], draft)),
    "no_value": lambda tree, draft: NoValue(),
    "sub": lambda tree, draft: Concat(_all(tree["sub"], draft)),
}

#: Keys that a function has besides its own name.
_OPTIONS: Mapping[str, tuple[str, ...]] = {
    "get_property": ("default",),
    "table": ("key", "path", "default"),
    "each": ("as", "make"),
}
