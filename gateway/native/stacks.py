"""Handlers: one stack, made, changed, looked at and removed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import orjson
from aiohttp import web

from engine.model.errors import Forbidden
from engine.model.source import Source
from engine.model.stack import Stack
from engine.model.status import OnFailure
from gateway.native import views
from gateway.native.answers import accepted, data, nothing
from gateway.native.call import Call
from gateway.native.definitions import document
from gateway.native.faults import Fault, bad_request, forbidden
from gateway.native.nested import used_types
from gateway.native.requests import changes_definition, converge_of, options_of, source_of

_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9_.-]{0,254}")
_ACTIONS = ("suspend", "resume", "check", "cancel_update", "cancel_without_rollback")


async def show(call: Call) -> web.Response:
    """API-18."""
    outputs = call.flag("resolve_outputs", True)
    return data({"stack": views.stack_full(await call.stack(), call.links, outputs=outputs)})


# --- making -----------------------------------------------------------------------------------------------------------
async def create(call: Call) -> web.Response:
    """API-10, API-11."""
    body = call.required_body()
    name = _stack_name(body)
    if body.get("adopt_stack_data"):
        stack = await _adopt(call, body, name)
    else:
        source = await _allowed(call, await source_of(call, body))
        stack = await call.engine.create_stack(call.caller, name, source, options_of(body))
    place = call.links.stack(stack)
    return data({"stack": {"id": stack.id, "links": [{"href": place, "rel": "self"}]}}, 201, {"Location": place})


def _stack_name(body: Mapping[str, Any]) -> str:
    """APIX-14."""
    name = body.get("stack_name")
    if not isinstance(name, str) or not name:
        raise bad_request("No stack name specified")
    if not _NAME.fullmatch(name):
        raise Fault(
            400, "StackValidationFailed",
            f"Invalid stack name {name} must contain only alphanumeric or \"_-.\" characters, must start with alpha "
            "and must be 255 characters or less.",
        )  # fmt: skip
    return name


async def _allowed(call: Call, source: Source) -> Source:
    """`source` with what its template asked of the outside. AUTH-09: raises Forbidden that names every type that the
    caller may not use, nested stacks' included."""
    source = await call.engine.answered(call.caller, source)
    template = call.engine.translate(source)
    types = await used_types(call, template, source, call.settings.max_nested_stack_depth)
    refused = call.forbidden_types(sorted(types))
    if refused:
        raise Forbidden(f"You are not authorized to use {', '.join(refused)}.")
    return source


async def _adopt(call: Call, body: Mapping[str, Any], name: str) -> Stack:
    given = body["adopt_stack_data"]
    try:
        adopted = orjson.loads(given) if isinstance(given, str) else given
    except orjson.JSONDecodeError as error:
        raise bad_request(f"adopt_stack_data is no JSON: {error}") from error
    if not isinstance(adopted, Mapping) or not isinstance(adopted.get("resources"), Mapping):
        raise bad_request("Invalid adopt data: a map with `template` and `resources` was expected.")
    resources = adopted["resources"]
    if not all(isinstance(one, Mapping) for one in resources.values()):
        raise bad_request("Invalid adopt data: each of `resources` must be a map with a `resource_id`.")
    files = (adopted.get("files") or {}, body.get("files") or {})
    if not all(isinstance(one, Mapping) for one in files):
        raise bad_request("Invalid adopt data: `files` must be a map.")
    merged = {
        "template": adopted.get("template") or body.get("template"),
        "template_url": body.get("template_url"),
        "files": {**files[0], **files[1]},
        "environment": adopted.get("environment") or {},
        "parameters": body.get("parameters") or {},
    }
    source = await _allowed(call, await source_of(call, merged))
    return await call.engine.adopt_stack(call.caller, name, source, options_of(body), resources)


# --- changing ---------------------------------------------------------------------------------------------------------
async def update(call: Call) -> web.Response:
    """API-22."""
    stack, body = await call.stack(deleted=False), call.required_body()
    source = await source_of(call, body)
    return await _update(call, stack, body, source, patch=False)


async def update_patch(call: Call) -> web.Response:
    """API-23."""
    body = call.body or {}
    if not call.allows("stacks:update_patch" if changes_definition(body) else "stacks:update_no_change"):
        raise forbidden()
    stack, body = await call.stack(deleted=False), call.required_body()
    source = await source_of(call, body, await call.engine.source_of(stack))
    return await _update(call, stack, body, source, patch=True)


async def _update(call: Call, stack: Stack, body: Mapping[str, Any], source: Source, *, patch: bool) -> web.Response:
    source = await _allowed(call, source)
    options = options_of(body, stack, patch=patch)
    await call.engine.update_stack(call.caller, stack.id, source, options, supersede=True, converge=converge_of(body))
    return accepted()


async def delete(call: Call) -> web.Response:
    """API-26."""
    stack = await call.stack(deleted=False)
    await call.engine.delete_stack(call.caller, stack.id)
    return nothing()


async def action(call: Call) -> web.Response:
    """API-44: exactly one action, its value ignored."""
    body = call.required_body()
    if len(body) < 1:
        raise bad_request("No action specified")
    if len(body) > 1:
        raise bad_request("Multiple actions specified")
    name = next(iter(body))
    if name not in _ACTIONS:
        raise bad_request(f"Invalid action {name} specified")
    if not call.allows(f"actions:{name}"):
        raise forbidden()
    stack, engine = await call.stack(), call.engine
    match name:
        case "suspend":
            await engine.suspend_stack(call.caller, stack.id)
        case "resume":
            await engine.resume_stack(call.caller, stack.id)
        case "check":
            await engine.check_stack(call.caller, stack.id)
        case _:
            await engine.cancel_update(call.caller, stack.id, rollback=name == "cancel_update")
    return data(None)


# --- previews ---------------------------------------------------------------------------------------------------------
async def preview(call: Call) -> web.Response:
    """API-12."""
    body = call.required_body()
    name, options = _stack_name(body), options_of(body)
    source = await _allowed(call, await source_of(call, body))
    plan = await call.engine.preview_create(call.caller, name, source, options)
    template = call.engine.translate(source)
    return data({
        "stack": {
            "stack_name": name,
            "description": template.description or views.NO_DESCRIPTION,
            "template_description": template.description or views.NO_DESCRIPTION,
            "disable_rollback": options.on_failure is OnFailure.DO_NOTHING,
            "timeout_mins": options.timeout_mins,
            "tags": views.tag_names(options) or None,
            "parameters": views.parameters_shown(template, source.parameters, call.tenant, name),
            "capabilities": [],
            "notification_topics": [],
            "links": [],
            "creation_time": None,
            "updated_time": None,
            "deletion_time": None,
            "resources": [views.planned(c, name, "", call.tenant) for c in plan.changes if c.group is None],
        }
    })  # fmt: skip


async def preview_update(call: Call) -> web.Response:
    """API-24."""
    stack = await call.stack(deleted=False)
    return await _preview_update(call, stack, await source_of(call, call.required_body()))


async def preview_update_patch(call: Call) -> web.Response:
    """API-25."""
    stack = await call.stack(deleted=False)
    source = await source_of(call, call.required_body(), await call.engine.source_of(stack))
    return await _preview_update(call, stack, source)


async def _preview_update(call: Call, stack: Stack, source: Source) -> web.Response:
    """`show_nested` shows the members of lowered resources too."""
    nested = call.flag("show_nested")
    source = await _allowed(call, source)
    plan = await call.engine.preview_update(call.caller, stack.id, source)
    changes = [change for change in plan.changes if nested or change.group is None]
    return data({"resource_changes": views.resource_changes(changes, stack.name, stack.id, call.tenant)})


# --- leaving without deleting -----------------------------------------------------------------------------------------
async def abandon(call: Call) -> web.Response:
    """API-27."""
    stack = await call.stack(deleted=False)
    return data(_exported(await call.engine.abandon_stack(call.caller, stack.id)))


async def export(call: Call) -> web.Response:
    """API-28."""
    stack = await call.stack()
    return data(_exported(await call.engine.export_stack(call.caller, stack.id)))


def _exported(found: Mapping[str, Any]) -> dict[str, Any]:
    return {**found, "template": document(found["template"])}
