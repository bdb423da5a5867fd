"""HOT functions → expressions: one reader per function, in a table (heat.md TF rows)."""

from __future__ import annotations

from collections.abc import Mapping

from engine.model import expression as x
from engine.model.diagnostic import Span
from engine.model.expression import Expression, Literal, MapOf
from engine.model.nearest import did_you_mean
from translators.hot.builder import PSEUDO, Builder, Reader
from translators.source import SourceNode

# Levels of 2017-09-01 and 2021-04-16.
_PERMUTATIONS_SINCE, _TWO_ARGUMENTS_SINCE = 7, 10
NO_PARAMETER = "The Parameter ({}) was not defined in template."
_NO_FILE = 'No content found in the "files" section for get_file path: {}.'
_FACADE = {
    "metadata": x.FacadePart.METADATA, "deletion_policy": x.FacadePart.DELETION_POLICY,
    "update_policy": x.FacadePart.UPDATE_POLICY, "Metadata": x.FacadePart.METADATA,
    "DeletionPolicy": x.FacadePart.DELETION_POLICY, "UpdatePolicy": x.FacadePart.UPDATE_POLICY,
}  # fmt: skip


def _get_param(b: Builder, node: SourceNode, span: Span) -> Expression:
    if node.kind == "scalar" and isinstance(node.value, str):
        return b.parameter(node.value, (), node.span)
    if node.kind == "list" and node.items and isinstance(node.items[0].value, str):
        return b.parameter(node.items[0].value, tuple(b.build(item) for item in node.items[1:]), node.span)
    head, keys = (node.items[0], node.items[1:]) if node.kind == "list" and node.items else (node, ())
    if head.kind != "map":
        return b.wrong("get_param", "NAME, or [NAME, KEY, …]", node.span)
    path = tuple(b.build(key) for key in keys)
    among = tuple((name, b.parameter(name, path, node.span)) for name in (*sorted(b.parameters), *PSEUDO))
    return x.Named(b.build(head), among, NO_PARAMETER, span=node.span)


def _get_resource(b: Builder, node: SourceNode, span: Span) -> Expression:
    if node.kind != "scalar" or not isinstance(node.value, str):
        return b.wrong("get_resource", "NAME", node.span)
    name = b.resource(node.value, node.span)
    return x.Mistake(span=span) if name is None else x.ResourceRef(name, span=node.span)


def _get_attr(b: Builder, node: SourceNode, span: Span) -> Expression:
    least = 1 if b.version.level >= 3 else 2
    if node.kind != "list" or len(node.items) < least or not isinstance(node.items[0].value, str):
        return b.wrong("get_attr", "[RESOURCE, ATTRIBUTE, KEY, …]", node.span)
    name = b.resource(node.items[0].value, node.items[0].span)
    if name is None:
        return x.Mistake(span=span)
    attribute = b.build(node.items[1]) if len(node.items) > 1 else None
    return x.AttributeRef(name, attribute, tuple(b.build(item) for item in node.items[2:]), span=node.span)


def _ref(b: Builder, node: SourceNode, span: Span) -> Expression:
    if node.kind != "scalar" or not isinstance(node.value, str):
        return b.wrong("Ref", "NAME", node.span)
    if node.value in b.resources:
        return x.ResourceRef(node.value, span=node.span)
    return b.parameter(node.value, (), node.span)


def _get_file(b: Builder, node: SourceNode, span: Span) -> Expression:
    if node.kind == "map":
        among = tuple((name, Literal(text)) for name, text in b.files.items())
        return x.Named(b.build(node), among, _NO_FILE, span=node.span)
    if node.kind != "scalar":
        return b.wrong("get_file", "NAME", node.span)
    content = b.files.get(node.text)
    if content is None:
        return b.fail("MissingFile", _NO_FILE.format(node.text),
                      did_you_mean(node.text, b.files) or "The client sends local files along; is the path right?",
                      node.span)  # fmt: skip
    return Literal(content, span=node.span)


def _list_join(b: Builder, node: SourceNode, span: Span) -> Expression:
    several = b.version.level >= 3
    if node.kind != "list" or len(node.items) < 2 or (len(node.items) > 2 and not several):
        form = "[DELIMITER, LIST, …]" if several else "[DELIMITER, LIST]; several lists came with 2015-10-15"
        return b.wrong("list_join", form, node.span)
    delimiter, *lists = (b.build(item) for item in node.items)
    return x.Join(delimiter, tuple(lists), serialize=several, span=node.span)


def _fn_join(b: Builder, node: SourceNode, span: Span) -> Expression:
    if node.kind != "list" or len(node.items) != 2:
        return b.wrong("Fn::Join", "[DELIMITER, [ITEM, …]]", node.span)
    return x.Join(b.build(node.items[0]), (b.build(node.items[1]),), span=node.span)


def _replacer(mode: x.ReplaceMode) -> Reader:
    def read(b: Builder, node: SourceNode, span: Span) -> Expression:
        template, params = node.get("template"), node.get("params")
        if node.kind != "map" or template is None or params is None:
            return b.wrong("str_replace", "{template: TEXT, params: {KEY: VALUE}}", node.span)
        b.ignored("str_replace", node, ("template", "params"))
        return x.Replace(b.build(template), b.build(params), mode, b.version.level >= 3, span=node.span)

    return read


def _fn_replace(b: Builder, node: SourceNode, span: Span) -> Expression:
    if node.kind != "list" or len(node.items) != 2:
        return b.wrong("Fn::Replace", "[{KEY: VALUE}, TEXT]", node.span)
    return x.Replace(b.build(node.items[1]), b.build(node.items[0]), span=node.span)


def _str_split(b: Builder, node: SourceNode, span: Span) -> Expression:
    if node.kind != "list" or len(node.items) not in (2, 3):
        return b.wrong("str_split", "[DELIMITER, TEXT] or [DELIMITER, TEXT, INDEX]", node.span)
    parts = [b.build(item) for item in node.items]
    return x.Split(parts[0], parts[1], parts[2] if len(parts) == 3 else None, span=node.span)


def _fn_split(b: Builder, node: SourceNode, span: Span) -> Expression:
    if node.kind != "list" or len(node.items) != 2:
        return b.wrong("Fn::Split", "[DELIMITER, TEXT]", node.span)
    return x.Split(b.build(node.items[0]), b.build(node.items[1]), span=node.span)


def _repeat(b: Builder, node: SourceNode, span: Span) -> Expression:
    template, loops = node.get("template"), node.get("for_each")
    if node.kind != "map" or template is None or loops is None or loops.kind != "map":
        return b.wrong("repeat", "{template: …, for_each: {VARIABLE: LIST}}", node.span)
    permutations = node.get("permutations")
    if permutations is not None and b.version.level < _PERMUTATIONS_SINCE:
        return b.wrong("repeat", "{template: …, for_each: {VARIABLE: LIST}}; permutations came with 2017-09-01",
                       node.span)  # fmt: skip
    b.ignored("repeat", node, ("template", "for_each", "permutations"))
    together = None if permutations is None else b.build(permutations)
    return x.Repeat(b.build(template), b.build(loops), together, span=node.span)


def _digest(b: Builder, node: SourceNode, span: Span) -> Expression:
    if node.kind != "list" or len(node.items) != 2:
        return b.wrong("digest", "[ALGORITHM, TEXT]", node.span)
    return x.Digest(b.build(node.items[0]), b.build(node.items[1]), span=node.span)


def _facade(b: Builder, node: SourceNode, span: Span) -> Expression:
    part = _FACADE.get(node.text) if node.kind == "scalar" else None
    if part is None:
        return b.wrong("resource_facade", "metadata, deletion_policy or update_policy", node.span)
    return x.Facade(part, span=node.span)


def _map_replace(b: Builder, node: SourceNode, span: Span) -> Expression:
    if node.kind != "list" or len(node.items) != 2 or node.items[1].kind != "map":
        return b.wrong("map_replace", "[MAP, {keys: {OLD: NEW}, values: {OLD: NEW}}]", node.span)
    source, changes = (b.build(item) for item in node.items)
    if isinstance(changes, MapOf) and {key for key, _ in changes.entries} - {"keys", "values"}:
        return b.wrong("map_replace", "[MAP, {keys: {OLD: NEW}, values: {OLD: NEW}}]", node.items[1].span)
    return x.MapReplace(source, changes, span=node.span)


def _yaql(b: Builder, node: SourceNode, span: Span) -> Expression:
    expression, data = node.get("expression"), node.get("data")
    if node.kind != "map" or expression is None or set(node.keys()) - {"expression", "data"}:
        return b.wrong("yaql", "{expression: TEXT, data: …}", node.span)
    return x.Yaql(b.build(expression), Literal({}) if data is None else b.build(data), span=node.span)


def _if(b: Builder, node: SourceNode, span: Span) -> Expression:
    two = b.version.level >= _TWO_ARGUMENTS_SINCE
    if node.kind != "list" or len(node.items) not in ((2, 3) if two else (3,)):
        way_out = "or [CONDITION, VALUE]" if two else "the last one may be left out since 2021-04-16"
        return b.wrong("if", f"[CONDITION, VALUE, VALUE]; {way_out}", node.span)
    condition = b.condition(node.items[0])
    then, *rest = (b.build(item) for item in node.items[1:])
    return x.If(condition, then, rest[0] if rest else None, span=node.span)


def _filter(b: Builder, node: SourceNode, span: Span) -> Expression:
    if node.kind != "list" or len(node.items) != 2:
        return b.wrong("filter", "[[UNWANTED, …], LIST]", node.span)
    return x.Filter(b.build(node.items[0]), b.build(node.items[1]), span=node.span)


def _contains(b: Builder, node: SourceNode, span: Span) -> Expression:
    if node.kind != "list" or len(node.items) != 2:
        return b.wrong("contains", "[VALUE, SEQUENCE]", node.span)
    return x.Contains(b.build(node.items[0]), b.build(node.items[1]), span=node.span)


def _equals(b: Builder, node: SourceNode, span: Span) -> Expression:
    if node.kind != "list" or len(node.items) != 2:
        return b.wrong("equals", "[VALUE, VALUE]", node.span)
    return x.Equals(b.build(node.items[0]), b.build(node.items[1]), span=node.span)


def _not(b: Builder, node: SourceNode, span: Span) -> Expression:
    one = node.items[0] if node.kind == "list" and len(node.items) == 1 else node
    return x.Not(b.condition(one), span=node.span)


def _several(name: str, make: type[x.And] | type[x.Or]) -> Reader:
    def read(b: Builder, node: SourceNode, span: Span) -> Expression:
        if node.kind != "list" or len(node.items) < 2:
            return b.wrong(name, "[CONDITION, CONDITION, …]", node.span)
        return make(tuple(b.condition(item) for item in node.items), span=node.span)

    return read


def _select(b: Builder, node: SourceNode, span: Span) -> Expression:
    if node.kind != "list" or len(node.items) != 2:
        return b.wrong("Fn::Select", "[INDEX, LIST]", node.span)
    return x.Select(b.build(node.items[0]), b.build(node.items[1]), lenient=True, span=node.span)


def _base64(b: Builder, node: SourceNode, span: Span) -> Expression:
    """Text in base64, except where a resource's type encodes by itself (TC-06): Nova's user data would be encoded
    twice."""
    text = b.build(node)
    return text if b.plain_base64 else x.Base64(text, span=node.span)


def _member_list(b: Builder, node: SourceNode, span: Span) -> Expression:
    if node.kind != "list" or len(node.items) != 3:
        return b.wrong("Fn::MemberListToMap", "[KEY NAME, VALUE NAME, LIST]", node.span)
    one, two, three = (b.build(item) for item in node.items)
    return x.MemberListToMap(one, two, three, span=node.span)


READERS: Mapping[str, Reader] = {
    "get_param": _get_param,
    "get_resource": _get_resource,
    "get_attr": _get_attr,
    "get_file": _get_file,
    "list_join": _list_join,
    "str_replace": _replacer(x.ReplaceMode.PLAIN),
    "str_replace_strict": _replacer(x.ReplaceMode.STRICT),
    "str_replace_vstrict": _replacer(x.ReplaceMode.VERY_STRICT),
    "str_split": _str_split,
    "repeat": _repeat,
    "digest": _digest,
    "resource_facade": _facade,
    "map_merge": lambda b, n, s: x.MapMerge(b.build(n), span=n.span),
    "map_replace": _map_replace,
    "yaql": _yaql,
    "if": _if,
    "filter": _filter,
    "make_url": lambda b, n, s: x.MakeUrl(b.build(n), span=n.span),
    "list_concat": lambda b, n, s: x.ListConcat(b.build(n), span=n.span),
    "list_concat_unique": lambda b, n, s: x.ListConcat(b.build(n), unique=True, span=n.span),
    "contains": _contains,
    "equals": _equals,
    "not": _not,
    "and": _several("and", x.And),
    "or": _several("or", x.Or),
    "Ref": _ref,
    "Fn::GetAZs": lambda b, n, s: x.AvailabilityZones(b.build(n), span=n.span),
    "Fn::Select": _select,
    "Fn::Join": _fn_join,
    "Fn::Split": _fn_split,
    "Fn::Replace": _fn_replace,
    "Fn::Base64": _base64,
    "Fn::MemberListToMap": _member_list,
    "Fn::ResourceFacade": _facade,
}
