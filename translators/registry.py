"""The environment's resource registry: which type a written type stands for, and templates used as types.

It holds for both dialects, so it works on parsed templates.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from engine.model.diagnostic import Span
from engine.model.expression import Expression, Literal, MapOf
from engine.model.source import Source
from engine.model.template import Resource, Template
from engine.model.value import Value
from translators.findings import Findings, nearest

TEMPLATE_RESOURCE = "OS::Heat::TemplateResource"
# Types whose members' type is written in a property, and in which.
_HOLDERS: Mapping[str, str] = {"OS::Heat::ResourceGroup": "resource_def", "OS::Heat::AutoScalingGroup": "resource"}
_MOST_STEPS = 20  # a type mapped to a type mapped to …
_ENDINGS = (".yaml", ".yml", ".template", ".json")
# What every Heat has without being told (TE-17).
_OPERATOR: Mapping[str, str] = {
    "OS::Quantum*": "OS::Neutron*",
    "OS::Metering::Alarm": "OS::Aodh::Alarm",
    "OS::Ceilometer::Alarm": "OS::Aodh::Alarm",
    "OS::Ceilometer::CombinationAlarm": "OS::Aodh::CombinationAlarm",
    "OS::Ceilometer::GnocchiResourcesAlarm": "OS::Aodh::GnocchiResourcesAlarm",
    "OS::Ceilometer::GnocchiAggregationByMetricsAlarm": "OS::Aodh::GnocchiAggregationByMetricsAlarm",
    "OS::Ceilometer::GnocchiAggregationByResourcesAlarm": "OS::Aodh::GnocchiAggregationByResourcesAlarm",
}


def apply_registry(template: Template, source: Source, findings: Findings) -> Template:
    """`template` with its types resolved, template resources put in (TE-07…TE-12, TE-20); mistakes are reported."""
    entries = source.environment.get("resource_registry")
    registry = Registry(entries if isinstance(entries, Mapping) else {})
    changed: dict[str, Resource] = {}
    for address, resource in template.resources.items():
        made = _resolved(resource, registry, source, findings)
        if made is not resource:
            changed[address] = made
    return replace(template, resources={**template.resources, **changed}) if changed else template


def _resolved(resource: Resource, registry: Registry, source: Source, findings: Findings) -> Resource:
    kind = registry.resolve(resource.type, resource.address)
    if is_template(kind):
        place = Place(resource.address, f"resources.{resource.address}.type", resource.span)
        properties = template_properties(kind, resource.type, resource.properties, place, registry, source, findings)
        return resource if properties is None else replace(resource, type=TEMPLATE_RESOURCE, properties=properties)
    if kind in _HOLDERS:
        made = _with_definition(resource, _HOLDERS[kind], registry, source, findings)
        return made if made.type == kind else replace(made, type=kind)
    return resource if kind == resource.type else replace(resource, type=kind)


def _with_definition(resource: Resource, name: str, registry: Registry, source: Source, findings: Findings) -> Resource:
    """A group whose members' type, written in its property `name`, is resolved as a resource's own would be."""
    definition = resource.properties.get(name)
    written = definition.get("type") if isinstance(definition, MapOf) else None
    if not isinstance(definition, MapOf) or not isinstance(written, Literal) or not isinstance(written.value, str):
        return resource
    inner = Registry(registry.inside(resource.address))
    kind = inner.resolve(written.value, "0")
    made: dict[str, Expression] = dict(definition.entries)
    if is_template(kind):
        place = Place(resource.address, f"resources.{resource.address}.properties.{name}.type", written.span)
        given = made.get("properties", MapOf(()))
        properties = template_properties(kind, written.value, given, place, inner, source, findings)
        if properties is None:
            return resource
        made |= {"type": Literal(TEMPLATE_RESOURCE, span=written.span), "properties": properties}
    elif kind != written.value:
        made["type"] = Literal(kind, span=written.span)
    else:
        return resource
    entries = dict(resource.properties.entries) | {name: MapOf(tuple(made.items()), span=definition.span)}
    return replace(resource, properties=MapOf(tuple(entries.items()), span=resource.properties.span))


class Registry:
    """The user's entries before the operator's, a resource's own before the rest, longer names first (TE-12)."""

    def __init__(self, entries: Mapping[str, Value]) -> None:
        removed = [name for name, target in entries.items() if target is None]
        operator = {name: target for name, target in _OPERATOR.items() if not _is_removed(name, removed)}
        self._entries: Mapping[str, Value] = {**operator, **entries}

    def resolve(self, written: str, resource: str) -> str:
        """The type that `written` stands for at `resource`; itself when nothing is mapped."""
        kind = written
        for _ in range(_MOST_STEPS):
            found = self._once(kind, resource)
            if found is None or found == kind:
                break
            kind = found
        return kind

    def inside(self, resource: str) -> dict[str, Value]:
        """The registry of the nested stack that `resource` is (TE-11, TE-19): what was said of its resources."""
        inner: dict[str, Value] = {}
        for settings in reversed(list(self._settings(resource))):
            inner.update({name: value for name, value in settings.items() if isinstance(value, Mapping)})
        outer = {name: value for name, value in self._entries.items() if name != "resources"}
        return {**outer, "resources": inner} if inner else outer

    def _once(self, kind: str, resource: str) -> str | None:
        for entries in (*self._settings(resource), self._entries):
            found = _match(entries, kind)
            if found is not None:
                return found
        return None

    def _settings(self, resource: str) -> Iterator[Mapping[str, Value]]:
        named = self._entries.get("resources")
        if isinstance(named, Mapping):
            for pattern in sorted(named, key=lambda one: (one != resource, -len(one))):
                if isinstance(named[pattern], Mapping) and fnmatch.fnmatchcase(resource, pattern):
                    yield named[pattern]


def _is_removed(name: str, removed: list[str]) -> bool:
    return any(name.startswith(one[:-1]) if one.endswith("*") else name == one for one in removed)


def _match(entries: Mapping[str, Value], kind: str) -> str | None:
    exact = entries.get(kind)
    if isinstance(exact, str):
        return exact
    wild = [name for name in entries if name.endswith("*") and kind.startswith(name[:-1])]
    for name in sorted(wild, key=len, reverse=True):
        target = entries[name]
        # A wildcard that maps into itself would go round and round (TE-09).
        if isinstance(target, str) and not kind.startswith(target.removesuffix("*")):
            return target[:-1] + kind[len(name) - 1 :] if target.endswith("*") else target
    return None


# --- templates as types -----------------------------------------------------------------------------------------------
def is_template(kind: str) -> bool:
    return kind.endswith(_ENDINGS)


@dataclass(frozen=True, slots=True)
class Place:
    """Which resource a type was written for, and where."""

    resource: str
    address: str
    span: Span | None


def template_properties(
    kind: str, written: str, given: Expression, place: Place, registry: Registry, source: Source, findings: Findings
) -> MapOf | None:
    """The properties of the nested stack that a template type is; those `given` become the child's parameters (TE-20).

    None, with a finding, when the template was not sent.
    """
    text = source.files.get(kind)
    if text is None and not kind.startswith(("http://", "https://")):
        findings.error(
            "MissingFile",
            f'The type {kind} of {place.resource} is a template that was not sent: it is not in "files".',
            nearest(kind, source.files) if source.files else "Clients send local templates along; is the path right?",
            address=place.address, span=place.span,
        )  # fmt: skip
        return None
    body = ("url", kind) if text is None else ("template", text)
    environment = child_environment(source.environment, registry.inside(place.resource))
    files = dict(source.files) if text is None else _reachable(text, environment, source.files)
    values: tuple[tuple[str, Value], ...] = (
        body, ("files", files), ("environment", environment), ("type", written),
    )  # fmt: skip
    literals: tuple[tuple[str, Expression], ...] = tuple((name, Literal(v, span=place.span)) for name, v in values)
    return MapOf((*literals, ("parameters", given)), span=given.span)


def child_environment(environment: Mapping[str, Value], registry: Mapping[str, Value]) -> dict[str, Value]:
    """What a nested stack inherits (TE-19)."""
    kept = {name: environment[name] for name in ("parameter_defaults", "event_sinks") if environment.get(name)}
    own = {name: target for name, target in registry.items() if _OPERATOR.get(name) != target}
    return {**kept, "resource_registry": own} if own else kept


def _reachable(text: str, environment: Mapping[str, Value], files: Mapping[str, str]) -> dict[str, str]:
    """The files that the child or its own children can name: each nested stack keeps a copy of these."""
    texts = [text, *_strings(environment)]
    found: dict[str, str] = {}
    while texts:
        here = texts.pop()
        for name, content in files.items():
            if name not in found and name in here:
                found[name] = content
                texts.append(content)
    return found


def _strings(value: Value) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _strings(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _strings(item)
