"""Handler of template validation: what a client needs to ask its user for the parameters (heat.md API-03)."""

from __future__ import annotations

import re
from typing import Any

from aiohttp import web

from engine.expr.parameters import shown
from engine.model.source import Source
from engine.model.template import MISSING, Constraint, Parameter, ParameterType, Template
from gateway.native.answers import data
from gateway.native.call import Call
from gateway.native.definitions import MASK
from gateway.native.faults import bad_request
from gateway.native.nested import children
from gateway.native.requests import source_of
from gateway.native.views import NO_DESCRIPTION

_TYPE_NAMES = {
    ParameterType.STRING: "String", ParameterType.NUMBER: "Number", ParameterType.LIST: "CommaDelimitedList",
    ParameterType.JSON: "Json", ParameterType.BOOLEAN: "Boolean",
}  # fmt: skip
_IGNORABLE = frozenset({"99001"})  # a service that is missing: validation asks no service at all


async def validate(call: Call) -> web.Response:
    """API-03."""
    _check_ignored(call.first("ignore_errors"))
    nested = call.flag("show_nested")
    source = await source_of(call, call.required_body())
    template = await call.engine.validate(call.caller, source)
    answer: dict[str, Any] = {
        **_described(template, source),
        "Environment": {"parameters": dict(source.parameters), **source.environment},
    }
    if nested:
        answer["NestedParameters"] = await _nested(call, template, source, call.settings.max_nested_stack_depth)
    return data(answer)


def _check_ignored(codes: str | None) -> None:
    if codes is None:
        return
    unknown = [code for code in codes.split(",") if not re.fullmatch(r"\d{5}", code) or code not in _IGNORABLE]
    if unknown:
        raise bad_request(f"Invalid codes in ignore_errors : {unknown}")


def _described(template: Template, source: Source) -> dict[str, Any]:
    found: dict[str, Any] = {
        "Description": template.description or NO_DESCRIPTION,
        "Parameters": {n: _parameter(p, source.parameters.get(n)) for n, p in template.parameters.items()},
    }
    if template.parameter_groups:
        found["ParameterGroups"] = [
            {"label": g.label, "description": g.description, "parameters": list(g.parameters)}
            for g in template.parameter_groups
        ]
    return found


async def _nested(call: Call, template: Template, source: Source, depth: int) -> dict[str, Any]:
    """What `show_nested` adds: each nested stack by its resource, described as its parent is. Raises Invalid."""
    found: dict[str, Any] = {}
    for child in children(call, template, source) if depth > 0 else ():
        inner = call.engine.translate(await call.engine.answered(call.caller, child.source))
        described = {"Type": child.kind, **_described(inner, child.source)}
        deeper = await _nested(call, inner, child.source, depth - 1)
        found[child.address] = {**described, "NestedParameters": deeper} if deeper else described
    return found


def _parameter(parameter: Parameter, value: Any) -> dict[str, Any]:
    found: dict[str, Any] = {
        "Type": _TYPE_NAMES[parameter.type],
        "Description": parameter.description,
        "NoEcho": "true" if parameter.hidden else "false",
        "Label": parameter.label or parameter.name,
    }
    if parameter.default is not MISSING:
        found["Default"] = parameter.default
    if value is not None:
        found["Value"] = MASK if parameter.hidden else shown(value)
    if parameter.tags:
        found["Tags"] = list(parameter.tags)
    for limit in parameter.constraints:
        found.update(_constraint(limit))
    return found


def _constraint(limit: Constraint) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if limit.allowed_values is not None:
        found["AllowedValues"] = list(limit.allowed_values)
    if limit.pattern is not None:
        found["AllowedPattern"] = limit.pattern
    if limit.length is not None:
        found |= _ends(("MinLength", "MaxLength"), limit.length)
    if limit.range is not None:
        found |= _ends(("MinValue", "MaxValue"), limit.range)
    if limit.modulo is not None:
        found |= {"Step": limit.modulo[0], "Offset": limit.modulo[1]}
    if limit.custom is not None:
        found["CustomConstraint"] = limit.custom
    if limit.description:
        found["ConstraintDescription"] = limit.description
    return found


def _ends(names: tuple[str, str], values: tuple[float | None, float | None]) -> dict[str, float]:
    return {name: value for name, value in zip(names, values, strict=True) if value is not None}
