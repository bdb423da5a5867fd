"""Binding parameters: what the user gave, typed and checked (heat.md §3.4, cloudformation.md W47)."""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from engine.expr.json_text import check_depth, parse_json
from engine.expr.patterns import BadPattern, matches_whole
from engine.model.diagnostic import Diagnostic, Invalid
from engine.model.nearest import closest, did_you_mean
from engine.model.template import MISSING, Constraint, Dialect, Parameter, ParameterType, Template
from engine.model.value import UNKNOWN, Value, is_known

HIDDEN = "******"
_STORED = "AWS::SSM::Parameter::Value<"
_NUMBERS = frozenset({"Number", f"{_STORED}Number>"})
_LISTS_OF_NUMBERS = frozenset({"List<Number>", f"{_STORED}List<Number>>"})


@dataclass(frozen=True, slots=True)
class Bindings:
    """`values` by name, typed; `masked` the same with hidden ones as `******`; `shown` all as text, hidden masked.

    `custom`: (parameter, constraint of heat.md §3.5, value), for the cloud to answer. `resolved`: the values, as text,
    of parameters that name one of the parameter store; `shown` has those names.
    """

    values: Mapping[str, Value]
    masked: Mapping[str, Value]
    shown: Mapping[str, str]
    custom: tuple[tuple[str, str, Value], ...] = ()
    resolved: Mapping[str, str] = field(default_factory=dict)


def bind(
    template: Template, given: Mapping[str, Value], *, defaults: Mapping[str, Value] | None = None,
    stored: Mapping[str, str] | None = None,
) -> Bindings:  # fmt: skip
    """Return the typed parameters. `defaults` are the environment's parameter_defaults, between the user's value and
    the template's default. `stored` are values of the parameter store by name (cloudformation.md L66 to L69): what is
    given for a parameter of such a type is a name, and the limits are for the name. Raises Invalid with all findings.
    """
    findings = list(_strangers(template, given))
    values: dict[str, Value] = {}
    names: dict[str, str] = {}
    missing: list[Parameter] = []
    for parameter in template.parameters.values():
        raw = _raw(parameter, given, defaults or {})
        if raw is MISSING:
            missing.append(parameter)
            continue
        if parameter.source_type.startswith(_STORED) and isinstance(raw, str) and raw in (stored or {}):
            names[parameter.name] = raw
        try:
            values[parameter.name] = typed(parameter, (stored or {})[raw] if parameter.name in names else raw)
        except _Wrong as wrong:
            findings.append(_not_of_type(template, parameter, wrong))
            continue
        findings.extend(_broken(template, parameter, names.get(parameter.name, values[parameter.name])))
        findings.extend(_bad_default(template, parameter, raw))
    findings.extend(_missing(template, missing))
    if findings:
        raise Invalid(dict.fromkeys(findings))
    bound = _bindings(template, values)
    if not names:
        return bound
    resolved = {name: bound.shown[name] for name in names}
    return replace(bound, shown={**bound.shown, **names}, resolved=resolved)


def check_immutable(template: Template, before: Mapping[str, Value], after: Mapping[str, Value]) -> None:
    """TP-11: raise Invalid when an update would change a parameter that may not change."""
    changed = [
        name
        for name, parameter in template.parameters.items()
        if parameter.immutable and name in before and name in after and before[name] != after[name]
    ]
    if changed:
        raise Invalid(Diagnostic(
            "ImmutableParameterModified",
            f"The following parameters are immutable and may not be updated: {', '.join(changed)}",
            "Give the values they had.", address=f"parameters.{changed[0]}", span=template.parameters[changed[0]].span,
        ))  # fmt: skip


def placeholders(
    template: Template, given: Mapping[str, Value], defaults: Mapping[str, Value] | None = None
) -> Bindings:
    """Bindings for a template looked at before its parameters are known: what is given, else defaults, else UNKNOWN,
    which stands for what is not of its type too (`wrong_values`)."""
    values: dict[str, Value] = {}
    for parameter in template.parameters.values():
        raw = _raw(parameter, given, defaults or {})
        values[parameter.name] = UNKNOWN
        if raw is not MISSING and is_known(raw):
            with contextlib.suppress(_Wrong):
                values[parameter.name] = typed(parameter, raw)
    return Bindings(values, values, {})


def wrong_values(template: Template, given: Mapping[str, Value]) -> list[Diagnostic]:
    """What is wrong with the values that are given, before all of them are."""
    findings = list(_strangers(template, given))
    for parameter in template.parameters.values():
        raw = given.get(parameter.name)
        if raw is not None and is_known(raw):
            findings.extend(_wrong(template, parameter, raw))
    return findings


def wrong_defaults(template: Template) -> list[Diagnostic]:
    """TP-12: a default must be valid even where it is not used."""
    return [
        _of_default(parameter, one)
        for parameter in template.parameters.values()
        if parameter.default is not MISSING
        for one in _wrong(template, parameter, parameter.default)
    ]


def _wrong(template: Template, parameter: Parameter, raw: Value) -> list[Diagnostic]:
    if parameter.source_type.startswith(_STORED):
        return list(_broken(template, parameter, raw))  # a name, whatever the type of what has it
    try:
        value = typed(parameter, raw)
    except _Wrong as wrong:
        return [_not_of_type(template, parameter, wrong)]
    return list(_broken(template, parameter, value))


def _bindings(template: Template, values: Mapping[str, Value]) -> Bindings:
    hidden = {name for name, parameter in template.parameters.items() if parameter.hidden}
    masked = {name: HIDDEN if name in hidden else value for name, value in values.items()} if hidden else values
    custom = tuple(
        (name, limit.custom, values[name])
        for name, parameter in template.parameters.items()
        for limit in parameter.constraints
        if limit.custom is not None
    )
    return Bindings(
        values, masked, {name: HIDDEN if name in hidden else shown(v) for name, v in values.items()}, custom
    )


def shown(value: Value) -> str:
    """A parameter as the APIs show it: text (TP-21); lists with commas, maps as JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "True" if value else "False"
    if isinstance(value, list | tuple) and all(isinstance(item, str | int | float) for item in value):
        return ",".join(str(item) for item in value)
    return "" if value is None else json.dumps(value) if isinstance(value, dict | list | tuple) else str(value)


def _raw(parameter: Parameter, given: Mapping[str, Value], defaults: Mapping[str, Value]) -> Value:
    for source in (given, defaults):
        if source.get(parameter.name) is not None:
            return source[parameter.name]
    return parameter.default


# --- types ------------------------------------------------------------------------------------------------------------
class _Wrong(Exception):
    """The value is not of the parameter's type; `aws` is what CloudFormation says of it, where that differs."""

    def __init__(self, sentence: str, aws: str | None = None) -> None:
        super().__init__(sentence)
        self.aws = sentence if aws is None else aws


_TRUE, _FALSE = {"1", "t", "true", "on", "y", "yes"}, {"0", "f", "false", "off", "n", "no"}


def typed(parameter: Parameter, raw: Value) -> Value:
    """Convert as heat.md TP-13…16 says; CloudFormation's Number stays text."""
    match parameter.type:
        case ParameterType.STRING:
            if isinstance(raw, dict | list):
                raise _Wrong("Value must be a string")
            if isinstance(raw, bool) and parameter.source_type:
                return "true" if raw else "false"  # CloudFormation; Heat writes booleans as Python does
            return str(raw)
        case ParameterType.NUMBER:
            number = _number(raw)
            return shown(raw) if parameter.source_type in _NUMBERS else number
        case ParameterType.LIST:
            return _items(parameter, raw)
        case ParameterType.JSON:
            return _json(raw)
        case ParameterType.BOOLEAN:
            text = str(raw).lower()
            if text in _TRUE | _FALSE:
                return text in _TRUE
            said = HIDDEN if parameter.hidden else raw
            raise _Wrong(f"Unrecognized value '{said}', acceptable values are: 'true', 'false'")


def _number(raw: Value) -> int | float:
    """TP-16: text is a whole number where possible; a number stays what it is, so that 2.0 is not shown as 2."""
    if isinstance(raw, float) and math.isfinite(raw):
        return raw
    if not isinstance(raw, bool) and not (isinstance(raw, str) and "_" in raw):
        for convert in (int, float):
            try:
                found = convert(raw)
            except (ValueError, TypeError, OverflowError):
                continue
            if isinstance(found, int) or math.isfinite(found):
                return found
    raise _Wrong("Value must be a number", "must be a number.")


def _items(parameter: Parameter, raw: Value) -> list[Value]:
    if isinstance(raw, str):
        items: list[Value] = [item.strip() for item in raw.split(",")] if raw else []
    elif raw and isinstance(raw, list | tuple) and all(isinstance(item, dict) for item in raw):
        # TE-20: a list of maps is given on as AWS's query language has it.
        items = [f".member.{place}.{key}={shown(one)}" for place, item in enumerate(raw) for key, one in item.items()]
    elif isinstance(raw, list | tuple):
        items = [item if isinstance(item, str) else shown(item) for item in raw]
    elif isinstance(raw, dict):
        raise _Wrong("Value must be a comma-delimited list string")
    else:
        items = [str(raw)]
    if parameter.source_type in _LISTS_OF_NUMBERS:
        for item in items:
            _number(item)
    return items


def _json(raw: Value) -> Value:
    if raw == "":
        return {}
    try:
        if isinstance(raw, str):
            return parse_json(raw)
        check_depth(raw)
    except ValueError as error:
        raise _Wrong(f"Value must be valid JSON: {error}") from error
    return raw


# --- findings ---------------------------------------------------------------------------------------------------------
def _finding(template: Template, parameter: Parameter, sentence: str, code: str = "ParameterInvalid") -> Diagnostic:
    if template.dialect is Dialect.CFN:
        text = f"Parameter '{parameter.name}' {sentence}"
    else:
        text = f"Parameter '{parameter.name}' is invalid: {sentence}"
    return Diagnostic(code, text, address=f"parameters.{parameter.name}", span=parameter.span)


def _not_of_type(template: Template, parameter: Parameter, wrong: _Wrong) -> Diagnostic:
    return _finding(template, parameter, wrong.aws if template.dialect is Dialect.CFN else str(wrong))


def _strangers(template: Template, given: Mapping[str, Value]) -> Iterator[Diagnostic]:
    unknown = [name for name in given if name not in template.parameters]
    if not unknown:
        return
    if template.dialect is Dialect.CFN:
        yield Diagnostic("UnknownParameter", f"Parameters: [{', '.join(sorted(unknown))}] do not exist in the template",
                         _near(unknown, template))  # fmt: skip
        return
    for name in unknown:
        yield Diagnostic("UnknownParameter", f"The Parameter ({name}) was not defined in template.",
                         _near([name], template), address=f"parameters.{name}")  # fmt: skip


def _near(unknown: Sequence[str], template: Template) -> str:
    near = [near for name in unknown if (near := closest(name, template.parameters)) is not None]
    if near:
        return f"Did you mean {', '.join(near)}?"
    return f"It has: {', '.join(template.parameters) or 'none'}."


def _missing(template: Template, missing: Sequence[Parameter]) -> Iterator[Diagnostic]:
    if not missing:
        return
    if template.dialect is Dialect.CFN:
        names = ", ".join(parameter.name for parameter in missing)
        yield Diagnostic("ParameterMissing", f"Parameters: [{names}] must have values", span=missing[0].span)
        return
    for parameter in missing:
        yield Diagnostic("ParameterMissing", f"The Parameter ({parameter.name}) was not provided.",
                         "Give it with --parameter, or in an environment file.",
                         address=f"parameters.{parameter.name}", span=parameter.span)  # fmt: skip


def _broken(template: Template, parameter: Parameter, value: Value) -> Iterator[Diagnostic]:
    aws = template.dialect is Dialect.CFN
    for limit in parameter.constraints:
        sentence = _violation(limit, parameter, value, aws)
        if sentence is not None:
            explained = f"{sentence} ({limit.description})" if aws and limit.description else sentence
            said = _finding(template, parameter, limit.description or sentence if not aws else explained,
                            "ParameterConstraint")  # fmt: skip
            near = "" if parameter.hidden else did_you_mean(shown(value), map(shown, limit.allowed_values or ()))
            yield replace(said, detail=near)


def _bad_default(template: Template, parameter: Parameter, raw: Value) -> Iterator[Diagnostic]:
    """TP-12, where the default is not the value."""
    if parameter.default is not MISSING and parameter.default is not raw:
        for one in _wrong(template, parameter, parameter.default):
            yield _of_default(parameter, one)


def _of_default(parameter: Parameter, one: Diagnostic) -> Diagnostic:
    said = f"The default of {one.summary[:1].lower()}{one.summary[1:]}"
    way_out = one.detail or "Change the default or the constraint."
    return Diagnostic("ParameterDefaultInvalid", said, way_out, one.address, parameter.default_span or one.span)


def _violation(limit: Constraint, parameter: Parameter, value: Value, aws: bool) -> str | None:
    """What is wrong with `value`, in the dialect's words (W47, heat.md §3.4); hidden values are not told."""
    said = HIDDEN if parameter.hidden else shown(value)
    if limit.allowed_values is not None:
        return _not_allowed(limit.allowed_values, parameter, value, said, aws)
    if limit.pattern is not None:
        return _pattern(limit.pattern, value, said, aws)
    if limit.length is not None:
        return _length(limit.length, value, parameter.hidden, aws)
    if limit.range is not None:
        return _range(limit.range, value, said, aws)
    if limit.modulo is not None:
        step, offset = limit.modulo
        if isinstance(value, int | float) and not _is_multiple(value, step, offset):
            return f"{said} is not a multiple of {_text(step)} with an offset of {_text(offset)}"
    return None


def _is_multiple(value: float, step: float, offset: float) -> bool:
    try:
        return value % step == offset
    except (OverflowError, ZeroDivisionError):  # larger than any number with a fraction; a step of nothing
        return False


def _not_allowed(allowed: Sequence[Value], parameter: Parameter, value: Value, said: str, aws: bool) -> str | None:
    texts = {shown(one) for one in allowed}
    values = value if isinstance(value, list) else [value]
    alike = {ParameterType.NUMBER: _same_number, ParameterType.BOOLEAN: _same_truth}.get(parameter.type)
    if all(shown(one) in texts or (alike is not None and alike(one, allowed)) for one in values):
        return None
    listed = ", ".join(shown(one) for one in allowed)
    return f"must be one of AllowedValues: [{listed}]" if aws else f'"{said}" is not an allowed value [{listed}]'


def _same_number(value: Value, allowed: Sequence[Value]) -> bool:
    try:
        return _number(value) in [_number(one) for one in allowed]
    except _Wrong:
        return False


def _same_truth(value: Value, allowed: Sequence[Value]) -> bool:
    return any(str(one).lower() in (_TRUE if value else _FALSE) for one in allowed)


def _pattern(pattern: str, value: Value, said: str, aws: bool) -> str | None:
    values = value if isinstance(value, list) else [value]
    try:
        if all(matches_whole(pattern, shown(one)) for one in values):
            return None
    except BadPattern as error:
        return f"cannot be checked: {error}"
    return f"must match pattern {pattern}" if aws else f'"{said}" does not match pattern "{pattern}"'


def _length(length: tuple[int | None, int | None], value: Value, hidden: bool, aws: bool) -> str | None:
    least, most = length
    count = len(value) if isinstance(value, str | list | dict) else len(shown(value))
    what = "elements" if isinstance(value, list) else "characters"
    told = "its length" if hidden else f"length ({count})"
    if least is not None and count < least:
        return f"must contain at least {least} {what}" if aws else _out(told, least, most)
    if most is not None and count > most:
        return f"must contain at most {most} {what}" if aws else _out(told, least, most)
    return None


def _range(limits: tuple[float | None, float | None], value: Value, said: str, aws: bool) -> str | None:
    low, high = limits
    numbers = [_number(one) for one in (value if isinstance(value, list) else [value])]
    if low is not None and any(number < low for number in numbers):
        return f"must be a number not less than {_text(low)}" if aws else _out(said, low, high)
    if high is not None and any(number > high for number in numbers):
        return f"must be a number not greater than {_text(high)}" if aws else _out(said, low, high)
    return None


def _out(said: str, low: float | None, high: float | None) -> str:
    ends = (f"{name}: {_text(end)}" for name, end in (("min", low), ("max", high)) if end is not None)
    return f"{said} is out of range ({', '.join(ends)})"


def _text(number: float | None) -> str:
    """Whole numbers without a fraction."""
    return str(int(number)) if isinstance(number, float) and number.is_integer() else str(number)
