"""HOT functions → expressions: one reader per function, in a table (heat.md TF rows)."""

from __future__ import annotations

from collections.abc import Mapping

from engine.model import expression as x
from engine.model.diagnostic import Span
from engine.model.expression import Expression, Literal, MapOf
from translators.hot.builder import Builder, Reader
from translators.source import SourceNode

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
    return b.wrong("get_param", "NAME, or [NAME, KEY, …]", node.span)


def _get_resource(b: Builder, node: SourceNode, span: Span) -> Expression:
    if node.kind != "scalar" or not isinstance(node.value, str):
        return b.wrong("get_resource", "NAME", node.span)
    name = b.resource(node.value, node.span)
    return Literal(None, span=span) if name is None else x.ResourceRef(name, span=node.span)


def _get_attr(b: Builder, node: SourceNode, span: Span) -> Expression:
    least = 1 if b.version.level >= 3 else 2
    if node.kind != "list" or len(node.items) < least or not isinstance(node.items[0].value, str):
        return b.wrong("get_attr", "[RESOURCE, ATTRIBUTE, KEY, …]", node.span)
    name = b.resource(node.items[0].value, node.items[0].span)
    if name is None:
        return Literal(None, span=span)
    attribute = b.build(node.items[1]) if len(node.items) > 1 else None
    return x.AttributeRef(name, attribute, tuple(b.build(item) for item in node.items[2:]), span=node.span)


def _ref(b: Builder, node: SourceNode, span: Span) -> Expression:
    if node.kind != "scalar" or not isinstance(node.value, str):
        return b.wrong("Ref", "NAME", node.span)
    if node.value in b.resources:
        return x.ResourceRef(node.value, span=node.span)
    return b.parameter(node.value, (), node.span)


def _get_file(b: Builder, node: SourceNode, span: Span) -> Expression:
    if node.kind != "scalar":
        return b.wrong("get_file", "NAME", node.span)
    content = b.files.get(node.text)
    if content is None:
        return b.fail("MissingFile", f'No content found in the "files" section for get_file path: {node.text}.',
                      "The client sends local files along; is the path right?", node.span)  # fmt: skip
    return Literal(content, span=node.span)


def _list_join(b: Builder, node: SourceNode, span: Span) -> Expression:
    several = b.version.level >= 3
    if node.kind != "list" or len(node.items) < 2 or (len(node.items) > 2 and not several):
        return b.wrong("list_join", "[DELIMITER, [ITEM, …]]", node.span)
    delimiter, *lists = (b.build(item) for item in node.items)
    return x.Join(delimiter, tuple(lists), serialize=several, span=node.span)


def _fn_join(b: Builder, node: SourceNode, span: Span) -> Expression:
    if node.kind != "list" or len(node.items) != 2:
        return b.wrong("Fn::Join", "[DELIMITER, [ITEM, …]]", node.span)
    return x.Join(b.build(node.items[0]), (b.build(node.items[1]),), span=node.span)


def _replacer(mode: x.ReplaceMode) -> Reader:
    def read(b: Builder, node: SourceNode, span: Span) -> Expression:
        template, params = node.get("template"), node.get("params")
        if node.kind != "map" or template is None or params is None or len(node.entries) != 2:
            return b.wrong("str_replace", "{template: TEXT, params: {KEY: VALUE}}", node.span)
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
    extra = set(node.keys()) - {"template", "for_each", "permutations"}
    permutations = node.get("permutations")
    if extra or (permutations is not None and b.version.level < 7):
        return b.wrong("repeat", "{template: …, for_each: {VARIABLE: LIST}}", node.span)
    return x.Repeat(
        b.build(template),
        tuple((key.text, b.build(value)) for key, value in loops.entries),
        None if permutations is None else b.build(permutations),
        span=node.span,
    )


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
    source, change = node.items
    if set(change.keys()) - {"keys", "values"}:
        return b.wrong("map_replace", "[MAP, {keys: {OLD: NEW}, values: {OLD: NEW}}]", change.span)
    keys, values = change.get("keys"), change.get("values")
    nothing = MapOf((), span=change.span)
    return x.MapReplace(
        b.build(source),
        nothing if keys is None else b.build(keys),
        nothing if values is None else b.build(values),
        span=node.span,
    )


def _yaql(b: Builder, node: SourceNode, span: Span) -> Expression:
    expression, data = node.get("expression"), node.get("data")
    if node.kind != "map" or expression is None or data is None:
        return b.wrong("yaql", "{expression: TEXT, data: …}", node.span)
    return x.Yaql(b.build(expression), b.build(data), span=node.span)


def _if(b: Builder, node: SourceNode, span: Span) -> Expression:
    two = b.version.level >= 10
    if node.kind != "list" or len(node.items) not in ((2, 3) if two else (3,)):
        return b.wrong("if", "[CONDITION, VALUE, VALUE]", node.span)
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
    # Heat's template author gets the text unchanged (TC-06); Nova's user data is encoded when it is sent.
    "Fn::Base64": lambda b, n, s: b.build(n),
    "Fn::MemberListToMap": _member_list,
    "Fn::ResourceFacade": _facade,
}
