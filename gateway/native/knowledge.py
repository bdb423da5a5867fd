"""Handlers: what is known without a stack: types, formats, functions, the service itself."""

from __future__ import annotations

import datetime as dt
import re

from aiohttp import web

from engine.cloud.catalog import official_type
from engine.model.diagnostic import Invalid
from engine.resources.base import ResourceType
from engine.resources.describe import schema_of, template_of
from gateway.native import views
from gateway.native.answers import data
from gateway.native.call import Call
from gateway.native.faults import Fault, bad_request, forbidden
from translators import functions, versions

_SUPPORT = {"UNKNOWN", "SUPPORTED", "DEPRECATED", "UNSUPPORTED", "HIDDEN"}


# --- types ----------------------------------------------------------------------------------------------------------
async def resource_types(call: Call) -> web.Response:
    """API-04: those that the caller can use: not hidden, allowed by policy, of a service that the cloud has."""
    support, version = call.first("support_status"), call.first("version")
    if support is not None and support not in _SUPPORT:
        raise bad_request(f"Invalid support status {support}, should be one of {', '.join(sorted(_SUPPORT))}")
    described = call.flag("with_description")
    types = call.engine.resource_types()
    here = {official_type(entry.get("type", "")) for entry in call.token.catalog}
    found = [
        name
        for name, kind in sorted(types.items())
        if _matches(call.first("name"), name)
        and (kind.support == support if support else kind.support != "HIDDEN")
        and not version  # no type says since which release of Heat it is there
        and (kind.service is None or not here or official_type(kind.service) in here)
    ]
    forbidden_ones = set(call.forbidden_types(found))
    found = [name for name in found if name not in forbidden_ones]
    if described:
        return data({"resource_types": [{"resource_type": n, "description": types[n].description} for n in found]})
    return data({"resource_types": found})


def _matches(pattern: str | None, name: str) -> bool:
    """Types that only lowering uses are shown to those who ask for them by name."""
    if not pattern:
        return not name.startswith("Isotherm::")
    try:
        return re.match(pattern, name) is not None
    except re.error:
        return False


def _kind(call: Call) -> ResourceType:
    name = call.path["type_name"]
    kind = call.engine.resource_types().get(name)
    if kind is None:
        raise Fault(404, "EntityNotFound", f"The Resource Type ({name}) could not be found.")
    if kind.support == "HIDDEN":
        raise Fault(400, "NotSupported", f"{name} is hidden: it is kept for stacks that have it.")
    if call.forbidden_types([name]):
        raise forbidden(name)
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


# --- languages --------------------------------------------------------------------------------------------------------
async def template_versions(call: Call) -> web.Response:
    """API-07."""
    return data({
        "template_versions": [{"version": v, "type": t, "aliases": list(a)} for v, t, a in versions()]
    })  # fmt: skip


async def template_functions(call: Call) -> web.Response:
    """API-08."""
    version = call.path["template_version"]
    conditions = call.flag("with_condition_func")
    try:
        found = functions(version, with_conditions=conditions)
    except Invalid as error:
        raise Fault(404, "NotFound", f"Template with version {version} not found") from error
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
