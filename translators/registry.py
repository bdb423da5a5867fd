"""The environment's resource registry: which type a written type stands for, and templates used as types.

It holds for both dialects, so it works on parsed templates.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from engine.model.diagnostic import Span
from engine.model.expression import AttributeRef, Expression, ListOf, Literal, MapOf, find
from engine.model.nearest import nearest
from engine.model.settings import inside, settings_of
from engine.model.source import Question, Source
from engine.model.template import Resource, Template
from engine.model.value import Value
from translators.findings import Findings
from translators.operator import BUILTIN, Operator

TEMPLATE_RESOURCE = "OS::Heat::TemplateResource"
# Types whose members' type is written in a property, and in which.
_HOLDERS: Mapping[str, str] = {"OS::Heat::ResourceGroup": "resource_def", "OS::Heat::AutoScalingGroup": "resource"}
_CHAIN = "OS::Heat::ResourceChain"
_URLS = ("http://", "https://")
_NAMED = re.compile(r"""\b(?:get_file|type)["']?\s*:\s*["']?([^\s"',}\]]+)""")
_MOST_STEPS = 20  # a type mapped to a type mapped to …
_ENDINGS = (".yaml", ".yml", ".template", ".json")


@dataclass(slots=True)
class _Applying:
    """One template's types being resolved; `questions` are for the texts of templates that are URLs."""

    source: Source
    operator: Operator
    findings: Findings
    questions: list[Question]


def apply_registry(
    template: Template, source: Source, findings: Findings, operator: Operator
) -> tuple[Template, tuple[Question, ...]]:
    """`template` with its types resolved, template resources put in (TE-07…TE-12, TE-20), and what must be asked for
    that; mistakes are reported."""
    entries = source.environment.get("resource_registry")
    registry = Registry(entries if isinstance(entries, Mapping) else {}, operator.registry)
    applying = _Applying(source, operator, findings, [])
    changed: dict[str, Resource] = {}
    for address, resource in template.resources.items():
        made = _resolved(resource, registry, applying)
        if made is not resource:
            changed[address] = made
    if changed:
        _tell_what_is_asked(template, changed)
    done = replace(template, resources={**template.resources, **changed}) if changed else template
    return done, tuple(applying.questions)


def _tell_what_is_asked(template: Template, changed: dict[str, Resource]) -> None:
    """Write into template resources which of their inner resources are asked for."""
    asked: dict[str, set[str]] = {}
    parts = [part for one in template.resources.values() for part in (one.properties, one.metadata) if part is not None]
    for part in (*parts, *(output.value for output in template.outputs.values())):
        for inner in find(part, AttributeRef):
            name = inner.attribute.value if isinstance(inner.attribute, Literal) else None
            if isinstance(name, str) and name.startswith("resource.") and inner.address in changed:
                asked.setdefault(inner.address, set()).add(name.split(".")[1])
    for address, names in asked.items():
        resource = changed[address]
        if resource.type == TEMPLATE_RESOURCE:
            entries = (*resource.properties.entries, ("inner", Literal(sorted(names), span=resource.span)))
            changed[address] = replace(resource, properties=replace(resource.properties, entries=entries))


def _resolved(resource: Resource, registry: Registry, applying: _Applying) -> Resource:
    kind = registry.resolve(resource.type, resource.address)
    if is_template(kind):
        place = Place(resource.address, f"resources.{resource.address}.type", resource.place("type"))
        properties = _template_properties(kind, resource.type, resource.properties, place, registry, applying)
        return resource if properties is None else replace(resource, type=TEMPLATE_RESOURCE, properties=properties)
    if kind in _HOLDERS:
        made = _with_definition(resource, _HOLDERS[kind], registry, applying)
        return made if made.type == kind else replace(made, type=kind)
    if kind == _CHAIN:
        _check_chain(resource, registry, applying)
    return resource if kind == resource.type else replace(resource, type=kind)


def _with_definition(resource: Resource, name: str, registry: Registry, applying: _Applying) -> Resource:
    """A group whose members' type, written in its property `name`, is resolved as a resource's own would be."""
    definition = resource.properties.get(name)
    written = definition.get("type") if isinstance(definition, MapOf) else None
    if not isinstance(definition, MapOf) or not isinstance(written, Literal) or not isinstance(written.value, str):
        return resource
    inner = Registry(registry.inside(resource.address), applying.operator.registry)
    kind = inner.resolve(written.value, "0")
    made: dict[str, Expression] = dict(definition.entries)
    if is_template(kind):
        place = Place(resource.address, f"resources.{resource.address}.properties.{name}.type", written.span)
        given = made.get("properties", MapOf(()))
        properties = _template_properties(kind, written.value, given, place, inner, applying)
        if properties is None:
            return resource
        made |= {"type": Literal(TEMPLATE_RESOURCE, span=written.span), "properties": properties}
    elif kind != written.value:
        made["type"] = Literal(kind, span=written.span)
    else:
        return resource
    changed = MapOf(tuple(made.items()), definition.rest, span=definition.span, keys=definition.keys)
    entries = dict(resource.properties.entries) | {name: changed}
    return replace(resource, properties=replace(resource.properties, entries=tuple(entries.items())))


def _check_chain(resource: Resource, registry: Registry, applying: _Applying) -> None:
    """The types of a chain's members are resolved when its stack is made; a template that is not there is told now."""
    listed = resource.properties.get("resources")
    inner = Registry(registry.inside(resource.address), applying.operator.registry)
    for place, item in enumerate(listed.items if isinstance(listed, ListOf) else ()):
        if isinstance(item, Literal) and isinstance(item.value, str):
            address = f"resources.{resource.address}.properties.resources.{place}"
            kind = inner.resolve(item.value, str(place))
            if is_template(kind) and not kind.startswith(_URLS):
                _text_of(kind, Place(resource.address, address, item.span), applying)


class Registry:
    """The user's entries before the operator's, a resource's own before the rest, longer names first (TE-12)."""

    def __init__(self, entries: Mapping[str, Value], operator: Mapping[str, Value] = BUILTIN) -> None:
        removed = [name for name, target in entries.items() if target is None]
        self._operator = {name: target for name, target in operator.items() if not _is_removed(name, removed)}
        self._entries = entries

    def resolve(self, written: str, resource: str) -> str:
        """The type that `written` stands for at `resource`; itself when nothing is mapped."""
        kind = written
        for _ in range(_MOST_STEPS):
            if is_template(kind):
                break
            found = self._once(kind, resource)
            if found is None or found == kind:
                break
            kind = found
        return kind

    def inside(self, resource: str) -> dict[str, Value]:
        """The registry of the nested stack that `resource` is (TE-11, TE-19): what was said of its resources."""
        inner = inside(self._entries.get("resources"), resource)
        outer = {name: value for name, value in self._entries.items() if name != "resources"}
        return {**outer, "resources": inner} if inner else outer

    def _once(self, kind: str, resource: str) -> str | None:
        for entries in (*settings_of(self._entries.get("resources"), resource), self._entries, self._operator):
            found = _match(entries, kind)
            if found is not None:
                return found
        return None


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


def _template_properties(
    kind: str, written: str, given: Expression, place: Place, registry: Registry, applying: _Applying
) -> MapOf | None:
    """The properties of the nested stack that a template type is; those `given` become the child's parameters (TE-20).

    None, with a finding or a question, when the template's text is not there.
    """
    source, text = applying.source, _text_of(kind, place, applying)
    if text is None:
        return None
    environment = child_environment(source.environment, registry.inside(place.resource))
    # Where nothing may be asked the text of a URL stays empty: the engine fetches it when the stack is made.
    body = ("template", text) if text else ("url", kind)
    files = _reachable(text, environment, source.files) if text else dict(source.files)
    values: tuple[tuple[str, Value], ...] = (
        body, ("files", files), ("environment", environment), ("type", written), ("path", kind),
    )  # fmt: skip
    literals: tuple[tuple[str, Expression], ...] = tuple((name, Literal(v, span=place.span)) for name, v in values)
    return MapOf((*literals, ("parameters", given)), span=given.span)


def _text_of(kind: str, place: Place, applying: _Applying) -> str | None:
    """The template's text; None, with a finding or a question, when it is not there."""
    source = applying.source
    text = source.files.get(kind, applying.operator.files.get(kind))
    if text is None and kind.startswith(_URLS):
        question = Question("template", kind, span=place.span)
        text = source.answers.get(question.key)
        if text is None:
            applying.questions.append(question)
    elif text is None:
        applying.findings.error(
            "MissingFile",
            f'The type {kind} of {place.resource} is a template that was not sent: it is not in "files".',
            nearest(kind, source.files) or "Clients send local templates along; is the path right?",
            address=place.address, span=place.span,
        )  # fmt: skip
    return text


def child_environment(environment: Mapping[str, Value], registry: Mapping[str, Value]) -> dict[str, Value]:
    """What a nested stack inherits (TE-19)."""
    kept = {name: environment[name] for name in ("parameter_defaults", "event_sinks") if environment.get(name)}
    return {**kept, "resource_registry": dict(registry)} if registry else kept


def _reachable(text: str, environment: Mapping[str, Value], files: Mapping[str, str]) -> dict[str, str]:
    """The files that the child or its own children can name: each nested stack keeps a copy of these."""
    texts = [text, *_strings(environment)]
    found: dict[str, str] = {}
    while texts:
        here = texts.pop()
        # Files on a disk are known by the names that are asked for, not by a list.
        names = {name for name in files if name in here} | {name for name in _NAMED.findall(here) if name in files}
        for name in sorted(names - found.keys()):
            found[name] = files[name]
            texts.append(found[name])
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
