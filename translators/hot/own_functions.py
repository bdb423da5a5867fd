"""Functions of Isotherm alone: what CloudFormation and the mappings can say and Heat's HOT cannot.

They are read in the newest version only, as values and in conditions, and their names begin as those of Isotherm's own
types do. `isotherm translate` writes them; the API's lists of functions are Heat's and leave them out.

{"Isotherm::AvailabilityZones": REGION}                  zones of the cloud, at least three
{"Isotherm::Base64": TEXT}                               encoded wherever it stands
{"Isotherm::Cidr": [BLOCK, COUNT, BITS]}                 as Fn::Cidr
{"Isotherm::ForEach": {list: …, as: NAME, make: …}}      one `make` for each item; what has no value is left out
{"Isotherm::ImportValue": NAME}                          an output that another stack exports
{"Isotherm::Item": [NAME, STEP, …]}                      the item of an enclosing ForEach, or what is inside it
{"Isotherm::Lookup": {rows: {GLOB: VALUE}, key: …, default: …}}   the first row that matches; else default, else the key
{"Isotherm::MemberListToMap": [KEY, VALUE, LIST]}        as Fn::MemberListToMap
{"Isotherm::Path": [VALUE, STEP, …]}                     what is inside a value; nothing where it leads nowhere
{"Isotherm::Pseudo": account_id}                         account_id, notification_arns or tags
{"Isotherm::Select": [INDEX, LIST]}                      as CloudFormation's Fn::Select: what is not there is an error
{"Isotherm::StackOutput": {stack: …, output: …, region: …}}   an output of another stack, by the stack's name
{"Isotherm::StackTags": [OWN, PATTERN]}                  the stack's tags but those in OWN; what matches is _
{"Isotherm::ToJson": VALUE}                              JSON text as Fn::ToJsonString writes it
"""

from __future__ import annotations

from collections.abc import Mapping

from engine.model import expression as x
from engine.model.diagnostic import Span
from engine.model.expression import Expression
from translators.hot.builder import Builder, Reader
from translators.source import SourceNode

_PSEUDO = {one.value: one for one in (x.Pseudo.ACCOUNT_ID, x.Pseudo.NOTIFICATION_ARNS, x.Pseudo.TAGS)}


def _parts(b: Builder, name: str, form: str, node: SourceNode, count: int) -> list[Expression] | None:
    """The expressions of a list of `count` arguments; None, with a finding, when it is something else."""
    if node.kind != "list" or len(node.items) != count:
        b.wrong(name, form, node.span)
        return None
    return [b.build(item) for item in node.items]


def _nothing(span: Span) -> Expression:
    """Where a mistake has been reported."""
    return x.Mistake(span=span)


def _cidr(b: Builder, node: SourceNode, span: Span) -> Expression:
    parts = _parts(b, "Isotherm::Cidr", "[BLOCK, COUNT, BITS]", node, 3)
    return _nothing(span) if parts is None else x.Cidr(parts[0], parts[1], parts[2], span=node.span)


def _select(b: Builder, node: SourceNode, span: Span) -> Expression:
    parts = _parts(b, "Isotherm::Select", "[INDEX, LIST]", node, 2)
    return _nothing(span) if parts is None else x.Select(parts[0], parts[1], span=node.span)


def _members(b: Builder, node: SourceNode, span: Span) -> Expression:
    parts = _parts(b, "Isotherm::MemberListToMap", "[KEY NAME, VALUE NAME, LIST]", node, 3)
    return _nothing(span) if parts is None else x.MemberListToMap(parts[0], parts[1], parts[2], span=node.span)


def _pseudo(b: Builder, node: SourceNode, span: Span) -> Expression:
    found = _PSEUDO.get(node.text) if node.kind == "scalar" else None
    return b.wrong("Isotherm::Pseudo", " or ".join(_PSEUDO), node.span) if found is None else x.PseudoRef(found)


def _stack_output(b: Builder, node: SourceNode, span: Span) -> Expression:
    stack, output, region = (node.get(name) for name in ("stack", "output", "region"))
    if stack is None or output is None or set(node.keys()) - {"stack", "output", "region"}:
        return b.wrong("Isotherm::StackOutput", "{stack: NAME, output: NAME, region: NAME}", node.span)
    place = None if region is None else b.build(region)
    return x.StackOutput(b.build(stack), b.build(output), place, span=node.span)


def _stack_tags(b: Builder, node: SourceNode, span: Span) -> Expression:
    items = node.items if node.kind == "list" else ()
    if len(items) not in (1, 2) or not isinstance(items[-1].value if len(items) == 2 else "", str):
        return b.wrong("Isotherm::StackTags", "[TAGS, PATTERN]", node.span)
    return x.StackTags(b.build(items[0]), items[1].text if len(items) == 2 else "", span=node.span)


def _lookup(b: Builder, node: SourceNode, span: Span) -> Expression:
    rows, key, default = (node.get(name) for name in ("rows", "key", "default"))
    if rows is None or rows.kind != "map" or key is None or set(node.keys()) - {"rows", "key", "default"}:
        return b.wrong("Isotherm::Lookup", "{rows: {GLOB: VALUE}, key: TEXT, default: …}", node.span)
    table = tuple((glob.text, value.to_python()) for glob, value in rows.entries)
    return x.TableLookup(table, b.build(key), None if default is None else b.build(default), span=node.span)


def _for_each(b: Builder, node: SourceNode, span: Span) -> Expression:
    listed, variable, make = (node.get(name) for name in ("list", "as", "make"))
    named = variable is not None and variable.kind == "scalar"
    if listed is None or variable is None or not named or make is None or set(node.keys()) - {"list", "as", "make"}:
        return b.wrong("Isotherm::ForEach", "{list: …, as: NAME, make: …}", node.span)
    return x.ForEach(b.build(listed), variable.text, b.build(make), span=node.span)


def _steps(items: tuple[SourceNode, ...]) -> tuple[str, ...] | None:
    return tuple(item.text for item in items) if all(item.kind == "scalar" for item in items) else None


def _item(b: Builder, node: SourceNode, span: Span) -> Expression:
    steps = _steps(node.items) if node.kind == "list" else None
    if not steps:
        return b.wrong("Isotherm::Item", "[NAME, STEP, …]", node.span)
    return x.Item(steps[0], steps[1:], span=node.span)


def _path(b: Builder, node: SourceNode, span: Span) -> Expression:
    steps = _steps(node.items[1:]) if node.kind == "list" and node.items else None
    if not steps:
        return b.wrong("Isotherm::Path", "[VALUE, STEP, …]", node.span)
    return x.PropertyPath(b.build(node.items[0]), steps, span=node.span)


OWN_READERS: Mapping[str, Reader] = {
    "Isotherm::AvailabilityZones": lambda b, n, s: x.AvailabilityZones(b.build(n), span=n.span),
    "Isotherm::Base64": lambda b, n, s: x.Base64(b.build(n), span=n.span),
    "Isotherm::Cidr": _cidr,
    "Isotherm::ForEach": _for_each,
    "Isotherm::ImportValue": lambda b, n, s: x.ImportValue(b.build(n), span=n.span),
    "Isotherm::Item": _item,
    "Isotherm::Lookup": _lookup,
    "Isotherm::MemberListToMap": _members,
    "Isotherm::Path": _path,
    "Isotherm::Pseudo": _pseudo,
    "Isotherm::Select": _select,
    "Isotherm::StackOutput": _stack_output,
    "Isotherm::StackTags": _stack_tags,
    "Isotherm::ToJson": lambda b, n, s: x.ToJson(b.build(n), span=n.span),
}
