"""Handlers: what is known without a stack: validation, types, formats, functions, the service itself."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from engine.expr.parameters import shown
from engine.model.template import MISSING, Constraint, Parameter, ParameterType
from engine.resources.base import ResourceType
from engine.resources.describe import schema_of, template_of
from gateway.native import views
from gateway.native.answers import data
from gateway.native.call import Call
from gateway.native.faults import Fault, bad_request
from gateway.native.requests import source_of
from translators import functions, versions

_SUPPORT = {"UNKNOWN", "SUPPORTED", "DEPRECATED", "UNSUPPORTED", "HIDDEN"}
_TYPE_NAMES = {
    ParameterType.STRING: "String", ParameterType.NUMBER: "Number", ParameterType.LIST: "CommaDelimitedList",
    ParameterType.JSON: "Json", ParameterType.BOOLEAN: "Boolean",
}  # fmt: skip


async def validate(call: Call) -> web.Response:
    """API-03."""
    source = await source_of(call, call.required_body())
    template = await call.engine.validate(call.caller, source)
    answer: dict[str, Any] = {
        "Description": template.description or "No description",
        "Parameters": {n: _parameter(p, source.parameters.get(n)) for n, p in template.parameters.items()},
        "Environment": {"parameters": dict(source.parameters), **source.environment},
    }
    if template.parameter_groups:
        answer["ParameterGroups"] = [
            {"label": g.label, "description": g.description, "parameters": list(g.parameters)}
            for g in template.parameter_groups
        ]
    if call.flag("show_nested"):
        answer["NestedParameters"] = {}
    return data(answer)


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
        found["Value"] = "******" if parameter.hidden else shown(value)
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


# --- types ----------------------------------------------------------------------------------------------------------
async def resource_types(call: Call) -> web.Response:
    """API-04."""
    support = call.first("support_status")
    if support is not None and support not in _SUPPORT:
        raise bad_request(f"Invalid support status {support}, should be one of {', '.join(sorted(_SUPPORT))}")
    pattern = call.first("name")
    found = sorted(
        name
        for name, kind in call.engine.resource_types().items()
        if _matches(pattern, name) and (kind.support == support if support else kind.support != "HIDDEN")
    )
    if call.flag("with_description"):
        types = call.engine.resource_types()
        return data({"resource_types": [{"resource_type": n, "description": types[n].description} for n in found]})
    return data({"resource_types": found})


def _matches(pattern: str | None, name: str) -> bool:
    if not pattern:
        return not name.startswith("Isotherm::") and name != "OS::Heat::TemplateResource"
    try:
        return re.match(pattern, name) is not None
    except re.error:
        return False


def _kind(call: Call) -> ResourceType:
    name = call.path["type_name"]
    kind = call.engine.resource_types().get(name)
    if kind is None:
        raise Fault(404, "EntityNotFound", f"The Resource Type ({name}) could not be found.")
    return kind


async def resource_schema(call: Call) -> web.Response:
    """API-05."""
    return data(schema_of(_kind(call)))


async def resource_template(call: Call) -> web.Response:
    """API-06."""
    dialect = call.first("template_type") or "cfn"
    if dialect not in ("cfn", "hot"):
        raise bad_request(f"Template type is not supported: {dialect}")
    return data(template_of(_kind(call), dialect))


async def template_versions(call: Call) -> web.Response:
    """API-07."""
    return data({
        "template_versions": [{"version": v, "type": t, "aliases": list(a)} for v, t, a in versions()]
    })  # fmt: skip


async def template_functions(call: Call) -> web.Response:
    """API-08."""
    version = call.path["template_version"]
    if not any(version in (key, key.partition(".")[2], *aliases) for key, _, aliases in versions()):
        raise Fault(404, "NotFound", f"Template with version {version} not found")
    found = functions(version, with_conditions=call.flag("with_condition_func"))
    return data({"template_functions": [{"functions": name, "description": told} for name, told in found]})


# --- the service ----------------------------------------------------------------------------------------------------
async def build_info(call: Call) -> web.Response:
    """API-45."""
    revision = {"revision": call.settings.revision}
    return data({"api": revision, "engine": revision})


async def services(call: Call) -> web.Response:
    """API-46."""
    now = dt.datetime.now(dt.UTC)
    return data({"services": [views.service(one, now) for one in await call.engine.list_services()]})


async def not_here(call: Call) -> web.Response:
    """Snapshots, software configurations and deployments are not served yet; nothing pretends they are."""
    raise Fault(400, "NotSupported", f"{_what(call.path, call.request.path)} are not supported by Isotherm yet.")


def _what(path: Mapping[str, str], url: str) -> str:
    if "/snapshots" in url:
        return "Snapshots"
    return "Software deployments" if "software_deployments" in url else "Software configurations"
