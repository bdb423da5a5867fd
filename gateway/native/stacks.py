"""Handlers: stacks, their definitions, outputs and actions."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from engine.door import StackFilter
from engine.model.errors import StackNotFound
from engine.model.stack import Stack
from engine.model.status import Action, Status
from engine.model.template import Parameter
from gateway.native import views
from gateway.native.answers import accepted, data, nothing
from gateway.native.call import Call
from gateway.native.faults import Fault, bad_request
from gateway.native.requests import options_of, source_of
from translators.source import read

_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9_.-]{0,254}")
_FILTERS = (
    "id", "name", "status", "action", "tenant", "username", "owner_id", "stack_name", "stack_action", "stack_status",
    "stack_status_reason", "stack_owner", "parent",
)  # fmt: skip
_MASK = "******"


# --- finding --------------------------------------------------------------------------------------------------------
async def lookup(call: Call) -> web.Response:
    """API-14, API-16: a redirect to the canonical place, whatever the method."""
    stack = await call.engine.find_stack(call.caller, call.path["stack_name"])
    tail = call.path.get("sub")
    place = call.links.stack(stack) + (f"/{tail}" if tail else "")
    query = call.request.query_string
    return web.Response(status=302, headers={"Location": f"{place}?{query}" if query else place}, text="302 Found")


async def lookup_arn(call: Call) -> web.Response:
    """API-15: `arn:openstack:heat::<tenant>:stacks/<name>/<id>[/path]`."""
    found = re.fullmatch(r"arn:openstack:heat::([^:]+):stacks/([^/]+)/([^/]+)(/.*)?", call.path["arn"])
    if found is None:
        raise bad_request(f'"{call.path["arn"]}" is not a valid ARN')
    tenant, name, stack_id, tail = found.groups()
    root = str(call.request.url.origin())
    place = f"{root}/v1/{tenant}/stacks/{name}/{stack_id}{tail or ''}"
    return web.Response(status=302, headers={"Location": place}, text="302 Found")


async def index(call: Call) -> web.Response:
    """API-09."""
    everywhere = call.flag("global_tenant")
    if everywhere and not call.allows("stacks:global_index"):
        raise Fault(403, "Forbidden", "You are not authorized to list stacks of all projects.")
    wanted = _filter(call, everywhere)
    stacks = await call.engine.list_stacks(call.caller, wanted)
    body: dict[str, Any] = {"stacks": [views.stack_summary(stack, call.links, project=everywhere) for stack in stacks]}
    if wanted.limit is not None and len(stacks) == wanted.limit and stacks:
        body["links"] = [{"rel": "next", "href": _next(call, stacks[-1])}]
    if call.flag("with_count"):
        body["count"] = await call.engine.count_stacks(call.caller, wanted)
    return data(body)


def _filter(call: Call, everywhere: bool) -> StackFilter:
    where: dict[str, list[str]] = {}
    states: list[tuple[str, str]] = []
    for name in _FILTERS:
        values = list(call.query.get(name, ()))
        if not values:
            continue
        combined = [value for value in values if "_" in value] if name in ("status", "stack_status") else []
        states += [(action, status) for action, _, status in (value.partition("_") for value in combined)]
        plain = [value for value in values if value not in combined]
        if plain:
            where[name] = plain
    direction = call.first("sort_dir")
    if direction not in (None, "asc", "desc"):
        raise bad_request(f'Unknown sort direction "{direction}": asc or desc')
    return StackFilter(
        where=where, states=states, tags=_csv(call, "tags"), tags_any=_csv(call, "tags_any"),
        not_tags=_csv(call, "not_tags"), not_tags_any=_csv(call, "not_tags_any"),
        show_deleted=call.flag("show_deleted"), show_nested=call.flag("show_nested"),
        show_hidden=call.flag("show_hidden"), all_projects=everywhere, limit=call.number("limit"),
        marker=call.first("marker"), sort_keys=[k for v in call.query.get("sort_keys", ()) for k in v.split(",")],
        ascending=direction == "asc",
    )  # fmt: skip


def _csv(call: Call, name: str) -> list[str]:
    return [part for value in call.query.get(name, ()) for part in value.split(",") if part]


def _next(call: Call, last: Stack) -> str:
    pairs = [(k, v) for k, values in call.query.items() for v in values if k != "marker"] + [("marker", last.id)]
    return f"{call.request.url.origin()}{call.request.path}?{urlencode(pairs)}"


async def detail(call: Call) -> web.Response:
    """API-13."""
    stacks = await call.engine.list_stacks(call.caller, StackFilter())
    return data({"stacks": [views.stack_summary(stack, call.links) for stack in stacks]})


async def show(call: Call) -> web.Response:
    """API-18."""
    outputs = call.flag("resolve_outputs", True)
    return data({"stack": views.stack_full(await call.stack(), call.links, outputs=outputs)})


# --- changing -------------------------------------------------------------------------------------------------------
async def create(call: Call) -> web.Response:
    """API-10, API-11."""
    body = call.required_body()
    name = _stack_name(body)
    if body.get("adopt_stack_data"):
        stack = await _adopt(call, body, name)
    else:
        stack = await call.engine.create_stack(call.caller, name, await source_of(call, body), options_of(body))
    place = call.links.stack(stack)
    return data({"stack": {"id": stack.id, "links": [{"href": place, "rel": "self"}]}}, 201, {"Location": place})


def _stack_name(body: Mapping[str, Any]) -> str:
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


async def _adopt(call: Call, body: Mapping[str, Any], name: str) -> Stack:
    given = body["adopt_stack_data"]
    try:
        adopted = json.loads(given) if isinstance(given, str) else given
    except ValueError as error:
        raise bad_request(f"adopt_stack_data is no JSON: {error}") from error
    if not isinstance(adopted, Mapping) or not isinstance(adopted.get("resources"), Mapping):
        raise bad_request("Invalid adopt data: a map with `template` and `resources` was expected.")
    merged = {
        **body,
        "template": body.get("template") or adopted.get("template"),
        "files": {**(adopted.get("files") or {}), **(body.get("files") or {})},
        "environment": adopted.get("environment") or {},
        "parameters": body.get("parameters") or {},
    }
    source = await source_of(call, merged)
    return await call.engine.adopt_stack(call.caller, name, source, options_of(body), adopted["resources"])


async def update(call: Call) -> web.Response:
    """API-22."""
    stack, body = await call.stack(), call.required_body()
    _refuse_deleted(stack)
    await call.engine.update_stack(
        call.caller, stack.id, await source_of(call, body), options_of(body, stack), supersede=True
    )  # fmt: skip
    return accepted()


async def update_patch(call: Call) -> web.Response:
    """API-23."""
    stack, body = await call.stack(), call.required_body()
    _refuse_deleted(stack)
    source = await source_of(call, body, await call.engine.source_of(stack))
    await call.engine.update_stack(call.caller, stack.id, source, options_of(body, stack), supersede=True)
    return accepted()


def _refuse_deleted(stack: Stack) -> None:
    if stack.deleted is not None:
        raise StackNotFound(stack.name)


async def delete(call: Call) -> web.Response:
    """API-26."""
    stack = await call.stack()
    _refuse_deleted(stack)
    await call.engine.delete_stack(call.caller, stack.id)
    return nothing()


async def preview(call: Call) -> web.Response:
    """API-12."""
    body = call.required_body()
    name = _stack_name(body)
    options = options_of(body)
    source = await source_of(call, body)
    plan = await call.engine.preview_create(call.caller, name, source, options)
    template = call.engine.translate(source)
    changes = [c for c in plan.changes if c.group is None]
    return data({
        "stack": {
            "stack_name": name,
            "description": template.description or "No description",
            "template_description": template.description or "No description",
            "disable_rollback": options.on_failure.value == "DO_NOTHING",
            "timeout_mins": options.timeout_mins,
            "tags": sorted(options.tags) or None,
            "parameters": {k: v if isinstance(v, str) else json.dumps(v) for k, v in source.parameters.items()},
            "capabilities": [],
            "notification_topics": [],
            "links": [],
            "creation_time": None,
            "updated_time": None,
            "deletion_time": None,
            "resources": [views.planned(c, name, "", call.tenant) for c in changes],
        }
    })  # fmt: skip


async def preview_update(call: Call) -> web.Response:
    """API-24."""
    stack = await call.stack()
    plan = await call.engine.preview_update(call.caller, stack.id, await source_of(call, call.required_body()))
    return data({"resource_changes": views.resource_changes(plan.changes, stack.name, stack.id, call.tenant)})


async def preview_update_patch(call: Call) -> web.Response:
    """API-25."""
    stack = await call.stack()
    source = await source_of(call, call.required_body(), await call.engine.source_of(stack))
    plan = await call.engine.preview_update(call.caller, stack.id, source)
    return data({"resource_changes": views.resource_changes(plan.changes, stack.name, stack.id, call.tenant)})


async def abandon(call: Call) -> web.Response:
    """API-27."""
    stack = await call.stack()
    return data(_exported(await call.engine.abandon_stack(call.caller, stack.id)))


async def export(call: Call) -> web.Response:
    """API-28."""
    stack = await call.stack()
    return data(_exported(await call.engine.export_stack(call.caller, stack.id)))


def _exported(found: Mapping[str, Any]) -> dict[str, Any]:
    return {**found, "template": document(found["template"])}


_ACTIONS = ("suspend", "resume", "check", "cancel_update", "cancel_without_rollback")


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
        raise Fault(403, "Forbidden", f"You are not authorized to {name}.")
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


# --- definitions and outputs ----------------------------------------------------------------------------------------
async def template(call: Call) -> web.Response:
    """API-19: the document, read from the text that was sent."""
    source = await call.engine.source_of(await call.stack())
    return data(document(source.text))


def document(text: str) -> Any:
    """A template's text as a JSON document; short forms keep their long names."""
    try:
        return json.loads(text)
    except ValueError:
        return _long(read(text)) if text else {}


def _long(node: Any) -> Any:
    if node.kind == "scalar":
        value: Any = node.value
    elif node.kind == "list":
        value = [_long(item) for item in node.items]
    else:
        value = {name.text: _long(item) for name, item in node.entries}
    if node.tag is None:
        return value
    name = node.tag.lstrip("!")
    if name == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {name if name in ("Ref", "Condition") else f"Fn::{name}": value}


async def environment(call: Call) -> web.Response:
    """API-20."""
    stack = await call.stack()
    source = await call.engine.source_of(stack)
    hidden = _hidden(call.engine.translate(source).parameters) if source.text else set()

    def masked(values: Mapping[str, Any]) -> dict[str, Any]:
        return {name: _MASK if name in hidden else value for name, value in values.items()}

    found = source.environment
    return data({
        "parameters": masked(source.parameters),
        "parameter_defaults": masked(found.get("parameter_defaults") or {}),
        "resource_registry": {"resources": {}, **(found.get("resource_registry") or {})},
        "encrypted_param_names": [],
        "event_sinks": found.get("event_sinks") or [],
    })  # fmt: skip


def _hidden(parameters: Mapping[str, Parameter]) -> set[str]:
    return {name for name, parameter in parameters.items() if parameter.hidden}


async def files(call: Call) -> web.Response:
    """API-21."""
    source = await call.engine.source_of(await call.stack())
    return data(dict(source.files))


async def outputs(call: Call) -> web.Response:
    """API-34."""
    stack = await call.stack()
    return data({
        "outputs": [
            {"output_key": o.name, "description": o.description or "No description given"} for o in stack.outputs
        ]
    })  # fmt: skip


async def output(call: Call) -> web.Response:
    """API-35."""
    stack = await call.stack()
    for one in stack.outputs:
        if one.name == call.path["output_key"]:
            return data({"output": views.output(one)})
    known = await _declares(call, stack)
    name = call.path["output_key"]
    if name in known and stack.status is Status.IN_PROGRESS and stack.action is not Action.DELETE:
        return data({"output": {"output_key": name, "description": known[name], "output_value": None}})
    raise Fault(404, "NotFound", f"Specified output key {name} not found.")


async def _declares(call: Call, stack: Stack) -> dict[str, str]:
    source = await call.engine.source_of(stack)
    return {o.name: o.description for o in call.engine.translate(source).outputs.values()} if source.text else {}
