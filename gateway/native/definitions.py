"""Handlers: what a stack was made from, and its outputs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from engine.model.diagnostic import Invalid
from engine.model.source import Source
from engine.model.stack import Stack
from engine.model.template import Template
from gateway.native import views
from gateway.native.answers import data
from gateway.native.call import Call
from gateway.native.faults import Fault
from translators.source import SourceNode, read

MASK = "******"


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


def _long(node: SourceNode) -> Any:
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
    source = await call.engine.source_of(await call.stack())
    found = source.environment
    return data({
        "parameters": masked(call, source, source.parameters),
        "parameter_defaults": masked(call, source, found.get("parameter_defaults") or {}),
        "resource_registry": {"resources": {}, **(found.get("resource_registry") or {})},
        "encrypted_param_names": sorted(_hidden(call, source) & source.parameters.keys()),
        "event_sinks": found.get("event_sinks") or [],
    })  # fmt: skip


def masked(call: Call, source: Source, values: Mapping[str, Any]) -> dict[str, Any]:
    """`values` with those of hidden parameters hidden; with all of them, when the template does not tell any more."""
    found = translated(call, source)
    if found is None:
        return dict.fromkeys(values, MASK) if source.text else dict(values)
    hidden = {name for name, parameter in found.parameters.items() if parameter.hidden}
    return {name: MASK if name in hidden else value for name, value in values.items()}


def _hidden(call: Call, source: Source) -> set[str]:
    """TE-16: the parameters whose values are kept sealed."""
    found = translated(call, source)
    return set() if found is None else {name for name, parameter in found.parameters.items() if parameter.hidden}


def translated(call: Call, source: Source) -> Template | None:
    """The template of a stored source; None when there is none (a stack under review), or when it was accepted once
    and is not any more."""
    if not source.text:
        return None
    try:
        return call.engine.translate(source)
    except Invalid:
        return None


async def files(call: Call) -> web.Response:
    """API-21."""
    source = await call.engine.source_of(await call.stack())
    return data(dict(source.files))


# --- outputs ----------------------------------------------------------------------------------------------------------
async def outputs(call: Call) -> web.Response:
    """API-34: those of the template, whether they have a value yet or not."""
    stack = await call.stack()
    described = {one.name: one.description for one in stack.outputs} or await _declared(call, stack)
    return data({
        "outputs": [
            {"output_key": name, "description": told or views.NO_OUTPUT_DESCRIPTION}
            for name, told in described.items()
        ]
    })  # fmt: skip


async def output(call: Call) -> web.Response:
    """API-35."""
    stack, name = await call.stack(), call.path["output_key"]
    for one in stack.outputs:
        if one.name == name:
            return data({"output": views.output(one)})
    described = await _declared(call, stack)
    if name not in described:
        raise Fault(404, "NotFound", f"Specified output key {name} not found.")
    told = described[name] or views.NO_OUTPUT_DESCRIPTION
    return data({"output": {"output_key": name, "description": told, "output_value": None}})


async def _declared(call: Call, stack: Stack) -> dict[str, str]:
    if stack.deleted is not None:
        return {}
    found = translated(call, await call.engine.source_of(stack))
    return {} if found is None else {one.name: one.description for one in found.outputs.values()}
