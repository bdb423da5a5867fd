"""The sections `parameters` and `parameter_groups` (heat.md TP rows)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping

import regex

from engine.model.template import MISSING, Constraint, Parameter, ParameterGroup, ParameterType
from engine.model.value import Value
from translators.findings import Findings, nearest
from translators.hot import shapes
from translators.hot.constraint_names import CUSTOM_CONSTRAINTS
from translators.hot.versions import Version
from translators.source import SourceNode

_TYPES: Mapping[str, ParameterType] = {one.value: one for one in ParameterType}
_KEYS = ("type", "label", "description", "default", "hidden", "constraints", "immutable", "schema")
_TAGS_SINCE, _MODULO_SINCE = 8, 6  # levels of 2018-03-02 and 2017-02-24
_TEXTS = frozenset({ParameterType.STRING})
_NUMBERS = frozenset({ParameterType.NUMBER})
_SIZED = frozenset({ParameterType.STRING, ParameterType.LIST, ParameterType.JSON})
_COUNTED = frozenset(ParameterType) - {ParameterType.JSON}
# Constraint → the types it may limit (Heat refuses the rest).
_VALID_FOR: Mapping[str, frozenset[ParameterType]] = {
    "length": _SIZED,
    "range": _NUMBERS,
    "modulo": _NUMBERS,
    "allowed_values": _COUNTED,
    "allowed_pattern": _TEXTS,
    "custom_constraint": frozenset(ParameterType),
}


def read_parameters(node: SourceNode | None, version: Version, findings: Findings) -> dict[str, Parameter]:
    """Every parameter that could be read; what is wrong with the others is reported."""
    found: dict[str, Parameter] = {}
    for key, item in shapes.section(node, "parameters", findings):
        name, address = key.text, f"parameters.{key.text}"
        if shapes.definition(item, "a parameter definition", address, findings):
            found[name] = _parameter(key, item, version, address, findings)
        else:
            found[name] = Parameter(name, ParameterType.STRING, span=key.span)
    return found


def _parameter(key: SourceNode, item: SourceNode, version: Version, address: str, findings: Findings) -> Parameter:
    known = (*_KEYS, "tags") if version.level >= _TAGS_SINCE else _KEYS
    shapes.known_keys(item, known, "a parameter definition", address, findings, {"tags": "2018-03-02"})
    kind = _type(key, item, known, address, findings)
    return Parameter(
        name=key.text,
        type=kind,
        default=_default(item.get("default"), kind, address, findings),
        description=shapes.text(item.get("description"), f"{address}.description", findings),
        label=shapes.text(item.get("label"), f"{address}.label", findings),
        hidden=shapes.flag(item.get("hidden"), f"{address}.hidden", findings),
        immutable=shapes.flag(item.get("immutable"), f"{address}.immutable", findings),
        constraints=tuple(_constraints(item.get("constraints"), kind, version, address, findings)),
        tags=tuple(_tags(item.get("tags"), f"{address}.tags", findings)),
        span=key.span,
        default_span=None if (default := item.get("default")) is None else default.span,
    )


def _type(key: SourceNode, item: SourceNode, known: tuple[str, ...], address: str, findings: Findings) -> ParameterType:
    node = item.get("type")
    if node is None and shapes.misspelt(item, "type", known):
        return ParameterType.STRING
    if node is None or shapes.is_null(node):
        findings.error("MissingKey", f"Missing parameter type for parameter: {key.text}",
                       f"Add type: one of {', '.join(_TYPES)}.", address=address, span=key.span)  # fmt: skip
        return ParameterType.STRING
    found = _TYPES.get(node.text) if node.kind == "scalar" else None
    if found is None:
        near = _TYPES.get(node.text.lower()) if node.kind == "scalar" else None
        way_out = f"Did you mean {near}?" if near else nearest(node.text, _TYPES)
        findings.error("UnknownParameterType", f"Invalid type ({node.text}) of parameter {key.text}.", way_out,
                       address=f"{address}.type", span=node.span)  # fmt: skip
        return ParameterType.STRING
    return found


def _default(node: SourceNode | None, kind: ParameterType, address: str, findings: Findings) -> Value:
    if node is None or shapes.is_null(node):
        return MISSING
    fits = node.kind == "scalar" or kind is ParameterType.JSON or (kind is ParameterType.LIST and node.kind == "list")
    if not fits:
        findings.error("ParameterDefaultInvalid", f"The default of a {kind} parameter cannot be a {node.kind}.",
                       "Change it or the type.", address=f"{address}.default", span=node.span)  # fmt: skip
        return MISSING
    wrong = _SCALARS.get(kind, _any)(node.text.lower())
    if wrong:
        findings.error("ParameterDefaultInvalid", f"The default {node.text!r} is {wrong}.", "Change it or the type.",
                       address=f"{address}.default", span=node.span)  # fmt: skip
        return MISSING
    return node.to_python()


def _any(text: str) -> str:
    return ""


# What is wrong with a default's text, by type.
_SCALARS: Mapping[ParameterType, Callable[[str], str]] = {
    ParameterType.NUMBER: lambda text: "no number" if _as_number(text) is None else "",
    ParameterType.BOOLEAN: lambda text: "" if text in shapes.WORDS else "neither true nor false",
}


def _tags(node: SourceNode | None, address: str, findings: Findings) -> Iterator[str]:
    if node is None or shapes.is_null(node):
        return
    if node.kind != "list":
        findings.error("InvalidDefinition", f"{address} must be a list.", "Begin each with a dash.",
                       address=address, span=node.span)  # fmt: skip
        return
    for item in node.items:
        yield shapes.text(item, address, findings)


# --- constraints ------------------------------------------------------------------------------------------------------
def _constraints(
    node: SourceNode | None, kind: ParameterType, version: Version, address: str, findings: Findings
) -> Iterator[Constraint]:
    if node is None or shapes.is_null(node):
        return
    if node.kind != "list":
        findings.error("InvalidConstraint", "Invalid parameter constraints, expected a list.",
                       "Begin each with a dash.", address=f"{address}.constraints", span=node.span)  # fmt: skip
        return
    known = [name for name in _READERS if name != "modulo" or version.level >= _MODULO_SINCE]
    for index, item in enumerate(node.items):
        where = f"{address}.constraints.{index}"
        if not shapes.definition(item, "a constraint", where, findings):
            continue
        allowed = (*known, "description")
        if not shapes.known_keys(item, allowed, "a parameter constraint", where, findings, {"modulo": "2017-02-24"}):
            continue
        limits = [(name, limit) for name in known if (limit := item.get(name)) is not None]
        if not limits:
            findings.error("InvalidConstraint", "A constraint needs a limit.", f"Limits are {', '.join(known)}.",
                           address=where, span=item.span)  # fmt: skip
        for name, limit in limits:
            yield from _limit(name, limit, item, kind, where, findings)


def _limit(
    name: str, limit: SourceNode, item: SourceNode, kind: ParameterType, where: str, findings: Findings
) -> Iterator[Constraint]:
    if kind not in _VALID_FOR[name]:
        findings.error("InvalidConstraint", f"{name} constraint invalid for {kind}.",
                       f"It is for {', '.join(sorted(_VALID_FOR[name]))}.",
                       address=where, span=shapes.key_span(item, name))  # fmt: skip
        return
    description = shapes.text(item.get("description"), where, findings)
    made = _READERS[name](limit, description, f"{where}.{name}", findings)
    if made is not None:
        yield made


def _bounds(
    node: SourceNode, names: tuple[str, str], address: str, findings: Findings
) -> tuple[float | int | None, float | int | None] | None:
    if not shapes.definition(node, f"{address.rpartition('.')[2]}", address, findings):
        return None
    if not shapes.known_keys(node, names, "a constraint", address, findings):
        return None
    found: list[float | int | None] = []
    for name in names:
        item = node.get(name)
        value = None if item is None else _as_number(item.value)
        if item is not None and value is None:
            findings.error("InvalidConstraint", f"{name} must be a number.", f"{item.text or 'This'} is none.",
                           address=address, span=item.span)  # fmt: skip
            return None
        found.append(value)
    if found == [None, None]:
        findings.error("InvalidConstraint", f"{' and/or '.join(names)} must be given.",
                       f"Write {{{names[0]}: …, {names[1]}: …}}.", address=address, span=node.span)  # fmt: skip
        return None
    return found[0], found[1]


def _as_number(value: Value) -> int | float | None:
    if isinstance(value, str):
        try:
            value = float(value) if not value.lstrip("-").isdigit() else int(value)
        except ValueError:
            return None
    whole = isinstance(value, int) and not isinstance(value, bool)
    usable = whole or (isinstance(value, float) and math.isfinite(value))
    return value if usable else None


def _length(node: SourceNode, description: str, address: str, findings: Findings) -> Constraint | None:
    bounds = _bounds(node, ("min", "max"), address, findings)
    if bounds is None:
        return None
    least, most = (None if bound is None else int(bound) for bound in bounds)
    return Constraint(length=(least, most), description=description)


def _range(node: SourceNode, description: str, address: str, findings: Findings) -> Constraint | None:
    bounds = _bounds(node, ("min", "max"), address, findings)
    return None if bounds is None else Constraint(range=bounds, description=description)


def _modulo(node: SourceNode, description: str, address: str, findings: Findings) -> Constraint | None:
    bounds = _bounds(node, ("step", "offset"), address, findings)
    if bounds is None:
        return None
    step, offset = bounds
    if step is None:
        findings.error("InvalidConstraint", "A modulo constraint needs a step.", "Write {step: 2, offset: 0}.",
                       address=address, span=node.span)  # fmt: skip
        return None
    if not step or abs(offset or 0) >= abs(step) or (offset or 0) * step < 0:
        findings.error("InvalidConstraint", "step must not be 0, and offset must be nearer to 0 than step, "
                       "with the same sign.", "Write {step: 2, offset: 0} for even numbers.",
                       address=address, span=node.span)  # fmt: skip
        return None
    return Constraint(modulo=(step, offset or 0), description=description)


def _allowed_values(node: SourceNode, description: str, address: str, findings: Findings) -> Constraint | None:
    if node.kind != "list":
        findings.error("InvalidConstraint", "allowed_values must be a list.", "Write [first, second].",
                       address=address, span=node.span)  # fmt: skip
        return None
    return Constraint(allowed_values=tuple(node.to_python()), description=description)


def _pattern(node: SourceNode, description: str, address: str, findings: Findings) -> Constraint | None:
    if node.kind != "scalar":
        findings.error("InvalidConstraint", f"allowed_pattern must be text, not a {node.kind}.",
                       "Write one regular expression.", address=address, span=node.span)  # fmt: skip
        return None
    try:
        regex.compile(node.text)
    except (regex.error, OverflowError, RecursionError) as error:
        findings.error("InvalidConstraint", f"{node.text} is no regular expression: {error}.",
                       "A backslash before a character takes it as itself.",
                       address=address, span=node.span)  # fmt: skip
        return None
    return Constraint(pattern=node.text, description=description)


def _custom(node: SourceNode, description: str, address: str, findings: Findings) -> Constraint | None:
    if node.text not in CUSTOM_CONSTRAINTS:
        findings.error("UnknownConstraint", f'There is no custom constraint "{node.text}".',
                       nearest(node.text, CUSTOM_CONSTRAINTS), address=address, span=node.span)  # fmt: skip
        return None
    return Constraint(custom=node.text, description=description)


_READERS: Mapping[str, Callable[[SourceNode, str, str, Findings], Constraint | None]] = {
    "length": _length,
    "range": _range,
    "modulo": _modulo,
    "allowed_values": _allowed_values,
    "allowed_pattern": _pattern,
    "custom_constraint": _custom,
}


# --- groups -----------------------------------------------------------------------------------------------------------
def read_groups(
    node: SourceNode | None, parameters: Mapping[str, Parameter], findings: Findings
) -> tuple[ParameterGroup, ...]:
    """TP-19: every named parameter exists and is in one group only."""
    if node is None or shapes.is_null(node):
        return ()
    if node.kind != "list":
        findings.error("InvalidTemplateSection", 'The section "parameter_groups" must be a list.',
                       "Begin each with a dash.", address="parameter_groups", span=node.span)  # fmt: skip
        return ()
    seen: set[str] = set()
    return tuple(
        _group(item, f"parameter_groups.{index}", parameters, seen, findings) for index, item in enumerate(node.items)
    )


def _group(
    item: SourceNode, address: str, parameters: Mapping[str, Parameter], seen: set[str], findings: Findings
) -> ParameterGroup:
    if not shapes.definition(item, "a parameter group", address, findings):
        return ParameterGroup("", "", ())
    shapes.known_keys(item, ("label", "description", "parameters"), "a parameter group", address, findings)
    members = item.get("parameters")
    if members is None or members.kind != "list":
        findings.error("MissingKey", "The parameters of a parameter group must be a list.",
                       "Add parameters: [NAME, …].", address=address,
                       span=item.span if members is None else members.span)  # fmt: skip
        members = None
    names: list[str] = []
    for member in members.items if members is not None else ():
        name = member.text
        if name not in parameters:
            findings.error("UnknownParameter", f"The Parameter ({name}) of a parameter group was not defined in "
                           "template.", nearest(name, parameters), address=address, span=member.span)  # fmt: skip
        elif name in seen:
            findings.error("DuplicateName", f"The parameter {name} is in more than one parameter group.",
                           "Name it once.", address=address, span=member.span)  # fmt: skip
        seen.add(name)
        names.append(name)
    label = shapes.text(item.get("label"), address, findings)
    return ParameterGroup(label, shapes.text(item.get("description"), address, findings), tuple(names))
