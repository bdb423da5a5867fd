"""What can be known of templates inside a template: of types that are templates (heat.md TE-20)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from engine.expr.evaluate import evaluate
from engine.expr.parameters import bind, placeholders
from engine.model.diagnostic import Diagnostic, Invalid
from engine.model.expression import MapOf
from engine.model.nearest import closest, did_you_mean
from engine.model.source import Examined, Source, Translator, Unanswered
from engine.model.template import MISSING, ParameterType, Resource, Template
from engine.model.value import NO_VALUE, UNKNOWN, Value, is_known
from engine.plan.deployment import Deployment, decided, imports_of
from engine.plan.scope import NOTHING_ASKED, View
from engine.resources.base import Kind, ResourceType
from engine.resources.registry import Registry

TEMPLATE_RESOURCE = "OS::Heat::TemplateResource"
_OWN_ATTRIBUTES = ("show", "outputs")
# What a property of the type that a template stands for must be as a parameter.
_PARAMETER_OF: Mapping[Kind, ParameterType] = {
    Kind.STRING: ParameterType.STRING,
    Kind.INTEGER: ParameterType.NUMBER,
    Kind.NUMBER: ParameterType.NUMBER,
    Kind.BOOLEAN: ParameterType.BOOLEAN,
    Kind.LIST: ParameterType.LIST,
    Kind.MAP: ParameterType.JSON,
}


@dataclass(frozen=True, slots=True)
class Child:
    """The template that a resource is, its source with the values that are known, and every value it is given.

    `errors` are those in the template; `whole` is false where it cannot be understood without asking.
    """

    template: Template
    source: Source
    given: Mapping[str, Value]
    written: str  # the type as the user wrote it
    errors: tuple[Diagnostic, ...] = ()
    whole: bool = True


def child_of(deployment: Deployment, resource: Resource, translator: Translator) -> Child | None:
    """None for what is no template, or one that is not there yet. Raises Invalid where nothing can be read of it."""
    if resource.type != TEMPLATE_RESOURCE:
        return None
    told = evaluate(resource.properties, deployment.scope(View()))
    text = told.get("template") if isinstance(told, Mapping) else None
    if not isinstance(text, str):
        return None
    files, environment = told.get("files") or {}, told.get("environment") or {}
    if not _is_whole(files, environment):
        return None  # the type's own properties are wrong, which is told of them
    given = told.get("parameters")
    values = {name: value for name, value in given.items() if value is not None} if isinstance(given, Mapping) else {}
    source = Source(
        text, files, environment, {name: value for name, value in values.items() if is_known(value)},
        name=str(told.get("path") or told.get("type") or resource.type),
    )  # fmt: skip
    examined, whole = _examined(translator, source)
    if examined is None:
        return None
    template = examined.template
    unknown = given is UNKNOWN or given is NO_VALUE
    values = dict.fromkeys(template.parameters, UNKNOWN) if unknown else values
    written = source.name if told.get("type") is None else str(told["type"])
    return Child(template, source, values, written, examined.errors, whole)


def _examined(translator: Translator, source: Source) -> tuple[Examined | None, bool]:
    """What can be read of a template, and whether that is the whole of it."""
    try:
        return translator.examine(source), True
    except Unanswered:
        pass
    try:
        return Examined(translator.outline(source)), False
    except Unanswered:
        return None, False


def _is_whole(files: Value, environment: Value) -> bool:
    """Whether they are what translators write; users may name the type too."""
    if not isinstance(files, Mapping) or not isinstance(environment, Mapping):
        return False
    defaults, registry = environment.get("parameter_defaults") or {}, environment.get("resource_registry") or {}
    texts = all(isinstance(text, str) for text in files.values())
    return texts and isinstance(defaults, Mapping) and isinstance(registry, Mapping)


def child_findings(child: Child, resource: Resource, registry: Registry) -> Iterator[Diagnostic]:
    """What is wrong with what the resource gives its template, and with the template as that type."""
    yield from _properties(child, resource)
    kind = registry.find(child.written)
    if kind is not None and kind.name != TEMPLATE_RESOURCE:
        for sentence in _facade(child.template, kind):
            one = _finding(resource, "FacadeMismatch", sentence, "The template stands for that type.")
            yield replace(one, span=resource.place("type"))


def _properties(child: Child, resource: Resource) -> Iterator[Diagnostic]:
    declared, defaults = child.template.parameters, child.source.environment.get("parameter_defaults") or {}
    meant = set()
    for name in child.given:
        if name not in declared:
            meant.add(closest(name, declared))
            way_out = did_you_mean(name, declared) or f"It has: {', '.join(sorted(declared)) or 'none'}."
            yield _finding(resource, "UnknownProperty", f"Property error: Unknown Property {name}", way_out, key=name)
    for name, parameter in declared.items():
        if parameter.default is MISSING and name not in child.given and name not in defaults and name not in meant:
            yield _finding(resource, "PropertyMissing", f"Property error: Property {name} not assigned",
                           f"{child.source.name} needs it.")  # fmt: skip
    known = {name: value for name, value in child.source.parameters.items() if name in declared}
    wanted = {name: parameter for name, parameter in declared.items() if name in known}
    try:
        bind(replace(child.template, parameters=wanted), known)
    except Invalid as error:
        for one in error.diagnostics:
            name = one.address.removeprefix("parameters.")
            given = _given(resource).get(name)
            span = given.span if given is not None and given.span is not None else one.span
            yield replace(one, summary=f"{resource.address}: {one.summary}", span=span)


def _given(resource: Resource) -> MapOf:
    """The properties that the resource gives its template, as they are written."""
    written = resource.properties.get("parameters")
    return written if isinstance(written, MapOf) else MapOf(())


def _facade(template: Template, kind: ResourceType) -> Iterator[str]:
    """heat.md TE-20: what may be said of the type must be possible with the template that stands for it."""
    for name, one in kind.properties.items():
        parameter = template.parameters.get(name)
        if one.required and parameter is None:
            yield f"Required property {name} for facade {kind.name} missing in provider"
        elif parameter is not None and _PARAMETER_OF.get(one.kind, parameter.type) is not parameter.type:
            yield (
                f"Property {name} type mismatch between facade {kind.name} ({one.kind}) and provider ({parameter.type})"
            )
    for name, parameter in template.parameters.items():
        if parameter.default is MISSING and name not in kind.properties and not kind.any_properties:
            yield f"Provider requires property {name} unknown in facade {kind.name}"
    for name in kind.attributes:
        if name not in template.outputs:
            yield f"Attribute {name} for facade {kind.name} missing in provider"


def has_output(child: Child, name: str) -> bool:
    """Whether `get_attr` of the resource may name it."""
    template = child.template
    if name.startswith("resource.") and child.whole:
        inner = name.split(".")[1]
        return inner in template.resources or inner in template.groups
    return name in (*_OWN_ATTRIBUTES, *template.outputs) or name.startswith(("Outputs.", "resource."))


def deployment_of(child: Child, template: Template, outer: Deployment) -> Deployment | None:
    """The child as far as it is known: `template`, which holds no type that there is not. None where it needs what
    only the outside knows. Raises Invalid."""
    if not child.whole or imports_of(template):
        return None
    defaults = child.source.environment.get("parameter_defaults") or {}
    facade = dict.fromkeys(("metadata", "deletion_policy", "update_policy"), UNKNOWN)
    facts = replace(NOTHING_ASKED, region=outer.facts.region)
    return decided(template, placeholders(template, child.given, defaults), outer.identity, facts, facade)


def _finding(resource: Resource, code: str, summary: str, detail: str, *, key: str = "") -> Diagnostic:
    span = _given(resource).key_span(key) or resource.place("properties")
    return Diagnostic(code, f"{resource.address}: {summary}", detail, f"resources.{resource.address}", span)
