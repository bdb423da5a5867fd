"""The templates inside a template: what can be seen of them before anything runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from engine.model.diagnostic import Invalid
from engine.model.expression import Expression, Literal, MapOf
from engine.model.source import Source
from engine.model.template import Resource, Template
from engine.model.value import Value
from gateway.native.call import Call

_TEMPLATE_RESOURCE = "OS::Heat::TemplateResource"
_STACKS = ("OS::Heat::Stack", "AWS::CloudFormation::Stack")


@dataclass(frozen=True, slots=True)
class Child:
    """A resource that is a stack, and the definition it will have; `kind` is the type as it was written."""

    address: str
    kind: str
    source: Source


def children(call: Call, template: Template, source: Source) -> Iterator[Child]:
    """Those whose template's text is at hand: a URL, or a text that is put together later, is not followed. What
    another region or cloud will make is judged there."""
    for resource in template.resources.values():
        name, kind = resource.address, resource.type
        if kind == _TEMPLATE_RESOURCE:
            text, kind = _literal(resource.properties, "template"), str(_literal(resource.properties, "type"))
            files, environment = _map(resource, "files"), _map(resource, "environment")
        elif kind in _STACKS:
            if not call.engine.makes_child(kind, {"context": _values(resource.properties.get("context"))}):
                continue
            text, files = _literal(resource.properties, "template"), source.files
            environment = {
                section: source.environment[section]
                for section in ("parameter_defaults", "resource_registry")
                if section in source.environment
            }
        else:
            continue
        if isinstance(text, str) and text:
            values = _values(resource.properties.get("parameters"))
            yield Child(name, kind, Source(text, files, environment, values, name))


async def used_types(call: Call, template: Template, source: Source, depth: int) -> set[str]:
    """The types of every resource here and, `depth` levels down, inside. What cannot be parsed is left to the
    validation that follows."""
    found = {resource.type for resource in template.resources.values()}
    if depth > 0:
        for child in children(call, template, source):
            try:
                answered = await call.engine.answered(call.caller, child.source)
                inner = call.engine.translate(answered)
            except Invalid:
                continue
            found |= await used_types(call, inner, answered, depth - 1)
    return found


def _literal(properties: MapOf, name: str) -> Value:
    found = properties.get(name)
    return found.value if isinstance(found, Literal) else None


def _map(resource: Resource, name: str) -> Mapping[str, Value]:
    found = _literal(resource.properties, name)
    return found if isinstance(found, Mapping) else {}


def _values(given: Expression | None) -> dict[str, Value]:
    """The parameters whose value is written out."""
    if isinstance(given, Literal) and isinstance(given.value, Mapping):
        return dict(given.value)
    if isinstance(given, MapOf):
        return {name: item.value for name, item in given.entries if isinstance(item, Literal)}
    return {}
