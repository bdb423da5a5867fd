"""A whole template, section by section, with comments that tell where each part comes from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import TypeVar

from engine.model import expression as x
from engine.model.diagnostic import Diagnostic, Span
from engine.model.expression import Expression, Literal, MapOf
from engine.model.template import DeletionPolicy, Dialect, Group, Output, Parameter, ParameterGroup, Resource, Template
from translators.findings import Findings
from translators.hot.printer import Comments
from translators.hot.versions import NEWEST
from translators.hot.words import Unsayable
from translators.registry import TEMPLATE_RESOURCE
from translators.to_hot.folding import Folder
from translators.to_hot.kinds import Kinds
from translators.to_hot.names import main_member, mapping_names, resource_names
from translators.to_hot.parameters import hot_parameter, mapping_parameter
from translators.to_hot.saying import OWN, Names, Sayer
from translators.to_hot.waiting import waits

_Part = TypeVar("_Part")
_OWN_PSEUDO = (x.Pseudo.ACCOUNT_ID, x.Pseudo.NOTIFICATION_ARNS)
_WAYS_OUT: Mapping[str, str] = {
    "a dynamic reference": "HOT takes the text as it stands: make it a parameter, hidden where it is a secret.",
}
# What stands where an error has been told.
_NOTHING: Expression = Literal(None)
_NEVER: Expression = Literal(False)
_INTERFACE = "AWS::CloudFormation::Interface"


@dataclass(frozen=True, slots=True)
class Translated:
    """`findings` has an error for each part that HOT has no words for, a warning for each that is lost."""

    template: Template
    comments: Comments
    findings: tuple[Diagnostic, ...]


def to_hot(template: Template, name: str) -> Translated:
    """The lowered `template` of the file `name`, read from CloudFormation, in the newest version of HOT."""
    return _Translating(template, name).whole()


@dataclass(slots=True)
class _Translating:
    source: Template
    name: str
    findings: Findings = field(default_factory=Findings)
    above: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    _folder: Folder = field(init=False)
    _sayer: Sayer = field(init=False)
    _names: Names = field(init=False)

    def __post_init__(self) -> None:
        source = self.source
        kinds = Kinds(source.parameters, source.mappings)
        resources = resource_names(source)
        mappings = mapping_names(source, [*resources.values(), *source.groups])
        self._names = Names(resources, mappings, frozenset([*source.parameters, *mappings.values()]))
        self._folder, self._sayer = Folder(kinds, source.mappings), Sayer(kinds, self._names)

    def whole(self) -> Translated:
        source = self.source
        conditions = {name: self._condition(name, one) for name, one in source.conditions.items()}
        resources = self._resources()
        outputs = {name: self._output(one) for name, one in source.outputs.items()}
        for rule in source.rules:
            self._lost(f"The rule {rule.name} is left out: HOT limits single parameters only.", "Rules", None)
        for name in sorted(source.settled):
            self._lost(
                f"Parameter {name}: what a transform has made of its value, the default, stays as it is.",
                f"Parameters.{name}", source.parameters[name].span if name in source.parameters else None,
            )  # fmt: skip
        made = Template(
            dialect=Dialect.HOT,
            version=NEWEST,
            description=source.description,
            parameters=self._parameters(),
            parameter_groups=tuple(_groups(source)),
            conditions=conditions,
            resources=resources,
            outputs=outputs,
        )
        return Translated(made, Comments(tuple(self._head()), self.above), self._told())

    def _head(self) -> Iterator[str]:
        yield f"Translated from the CloudFormation template {PurePath(self.name).name} by Isotherm."
        if any("needs Isotherm" in line for lines in self.above.values() for line in lines):
            yield "What needs Isotherm has a type or a function that Heat does not know."
        for rule in self.source.rules:
            yield f"Left out: the rule {rule.name}."
        for name in sorted(self.source.settled):
            yield f"A transform has used the default of the parameter {name}: what it has made of it stays."
        metadata = self.source.metadata if isinstance(self.source.metadata, Mapping) else {}
        for key in metadata:
            if key != _INTERFACE:
                yield f"Left out: the metadata {key}."
        for group in self.source.groups.values():
            if not group.members:
                yield f"Nothing comes of {group.address} ({group.type})."

    def _told(self) -> tuple[Diagnostic, ...]:
        return (*self.findings.warnings, *self.findings.errors)

    # --- sections -------------------------------------------------------------------------------------------------
    def _parameters(self) -> dict[str, Parameter]:
        """The template's own, then the mappings that anything looks into."""
        found: dict[str, Parameter] = {}
        for name, one in self.source.parameters.items():
            lost: list[str] = []
            found[name] = hot_parameter(one, lost.append)
            for what in lost:
                self._lost(f"Parameter {name}: {what}.", f"Parameters.{name}", one.span)
            self._comment("parameters", name, one.source_type, one.span, (), lost)
        for mapping, name in self._names.mappings.items():
            if mapping in self._names.used:
                found[name] = mapping_parameter(name, mapping, self.source)
                self.above["parameters", name] = (f"{mapping} (a mapping), {PurePath(self.name).name}",)
        return found

    def _condition(self, name: str, written: Expression) -> Expression:
        folded = self._folder.fold(written)
        said = self._try(lambda: self._sayer.condition(folded), f"Conditions.{name}", written.span, _NEVER)
        self._comment("conditions", name, "", written.span, (said,), ())
        return said

    def _output(self, output: Output) -> Output:
        place, lost = f"Outputs.{output.name}", []
        value = self._try(lambda: self._sayer.value(self._folder.fold(output.value)), place, output.span, _NOTHING)
        condition = self._condition_of(output.condition, place, output.span)
        if output.export is not None:
            lost.append("its export: HOT has none, so other stacks cannot import it")
            self._lost(f"Output {output.name}: the export is lost, HOT has none.", place, output.span)
        parts = (value, *(() if condition is None else (condition,)))
        self._comment("outputs", output.name, "", output.span, parts, lost)
        return replace(output, value=value, export=None, condition=condition)

    def _condition_of(self, condition: Expression | None, place: str, span: Span | None) -> Expression | None:
        if condition is None:
            return None
        folded = self._folder.fold(condition)
        said = self._try(lambda: self._sayer.condition(folded), f"{place}.Condition", span, _NEVER)
        return None if said == Literal(True) else said

    # --- resources ------------------------------------------------------------------------------------------------
    def _resources(self) -> dict[str, Resource]:
        plain = {address: _as_written(self._folded(one)) for address, one in self.source.resources.items()}
        needed = waits(replace(self.source, resources=plain))
        found: dict[str, Resource] = {}
        for address, one in plain.items():
            group = None if one.group is None else self.source.groups[one.group]
            names = tuple(self._names.resources[other] for other in needed[address])
            made = self._resource(one, group, names)
            found[made.address] = made
        return found

    def _folded(self, resource: Resource) -> Resource:
        """With what the template alone decides decided; its metadata are those of the group that it stands for."""
        group = None if resource.group is None else self.source.groups[resource.group]
        metadata, description = resource.metadata, resource.description
        if group is not None and main_member(group, self.source) == resource.address:
            metadata, description = group.metadata, group.description
        properties = self._folder.fold(resource.properties)
        return replace(
            resource,
            properties=properties if isinstance(properties, MapOf) else resource.properties,
            metadata=self._folder.maybe(metadata),
            update_policy=self._folder.maybe(resource.update_policy),
            computed_policy=self._folder.maybe(resource.computed_policy),
            condition=self._folder.maybe(resource.condition),
            description=description,
        )

    def _resource(self, resource: Resource, group: Group | None, depends_on: tuple[str, ...]) -> Resource:
        address = resource.address if group is None else group.address
        place, name = f"Resources.{address}", self._names.resources[resource.address]
        lost = list(_lost_policies(resource))
        for what in lost:
            self._lost(f"Resource {address}: {what}.", place, resource.span)
        say = self._sayer

        def maybe(e: Expression | None) -> Expression | None:
            return self._try(lambda: say.maybe(e), place, resource.span, None)

        policy = resource.deletion_policy
        made = Resource(
            address=name,
            type=resource.type,
            properties=self._try(lambda: say.properties(resource.properties), place, resource.span, MapOf(())),
            depends_on=depends_on,
            condition=self._condition_of(resource.condition, place, resource.span),
            metadata=maybe(resource.metadata),
            deletion_policy=DeletionPolicy.RETAIN if policy is DeletionPolicy.RETAIN_EXCEPT_ON_CREATE else policy,
            computed_policy=maybe(resource.computed_policy),
            update_policy=maybe(resource.update_policy),
            description=resource.description,
        )
        parts = (made.properties, made.metadata, made.condition, made.update_policy, made.computed_policy)
        kept = tuple(part for part in parts if part is not None)
        self._comment("resources", name, resource.type if group is None else group.type, resource.span, kept, lost,
                      address=address, own_type=resource.type.startswith("Isotherm::"))  # fmt: skip
        return made

    # --- telling --------------------------------------------------------------------------------------------------
    def _try(self, say: Callable[[], _Part], place: str, span: Span | None, instead: _Part) -> _Part:
        try:
            return say()
        except Unsayable as error:
            self.findings.error("NotInHot", f"HOT has no words for {error.what}.", _WAYS_OUT.get(error.what, ""),
                                address=place, span=error.span or span)  # fmt: skip
            return instead

    def _lost(self, summary: str, place: str, span: Span | None) -> None:
        self.findings.warning("LostInHot", summary, address=place, span=span)

    def _comment(
        self, section: str, name: str, kind: str, span: Span | None, parts: tuple[Expression, ...],
        lost: list[str] | tuple[()], *, address: str = "", own_type: bool = False,
    ) -> None:  # fmt: skip
        """`# WebServer (AWS::EC2::Instance), web.yaml:12; needs Isotherm`"""
        told = f"{address or name} ({kind})" if kind else address or name
        if span is not None:
            told += f", {PurePath(span.file).name}:{span.line}"
        if own_type or any(_needs_isotherm(inner) for part in parts for inner in x.walk(part)):
            told += "; needs Isotherm"
        self.above[section, name] = (told, *(f"Lost: {what}." for what in lost))


def _needs_isotherm(e: Expression) -> bool:
    match e:
        case x.PseudoRef(name):
            return name in _OWN_PSEUDO
        case x.Select():
            return not e.lenient
        case _:
            return isinstance(e, OWN)


def _lost_policies(resource: Resource) -> Iterator[str]:
    if resource.update_replace_policy is not DeletionPolicy.DELETE:
        yield f"UpdateReplacePolicy {resource.update_replace_policy}, which HOT does not have"
    if resource.deletion_policy is DeletionPolicy.RETAIN_EXCEPT_ON_CREATE:
        yield "DeletionPolicy RetainExceptOnCreate; HOT's is retain"
    if resource.creation_policy is not None:
        yield "CreationPolicy, which HOT does not have"


def _as_written(resource: Resource) -> Resource:
    """A template as a type is written by its name again: where it stands, it is resolved again."""
    if resource.type != TEMPLATE_RESOURCE:
        return replace(resource, properties=_definitions(resource.properties))
    kind, given = resource.properties.get("type"), resource.properties.get("parameters")
    assert isinstance(kind, Literal)
    properties = given if isinstance(given, MapOf) else MapOf((), rest=given)
    return replace(resource, type=str(kind.value), properties=properties)


def _definitions(properties: MapOf) -> MapOf:
    """The members of OS::Heat::ResourceGroup and AutoScalingGroup, likewise."""
    made = tuple((key, _definition(held)) for key, held in properties.entries)
    return replace(properties, entries=made)


def _definition(held: Expression) -> Expression:
    if not isinstance(held, MapOf) or held.get("type") != Literal(TEMPLATE_RESOURCE):
        return held
    inner = held.get("properties")
    kind, given = (inner.get("type"), inner.get("parameters")) if isinstance(inner, MapOf) else (None, None)
    if kind is None:
        return held
    changed = {"type": kind, "properties": given or MapOf(())}
    return replace(held, entries=tuple((key, changed.get(key, part)) for key, part in held.entries))


def _groups(template: Template) -> Iterator[ParameterGroup]:
    """Each parameter in one group, and only those that there are."""
    seen: set[str] = set()
    for group in template.parameter_groups:
        names = [one for one in dict.fromkeys(group.parameters) if one in template.parameters and one not in seen]
        seen.update(names)
        if names:
            yield replace(group, parameters=tuple(names))
