"""Lowering a whole template: drafts of groups first, then every reference replaced by what its group shows."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import replace

from engine.model.diagnostic import Diagnostic
from engine.model.expression import MapOf, NoValue
from engine.model.template import Dialect, Group, Resource, Template
from mappings import Mappings, Row
from translators.cfn import serverless
from translators.findings import Findings, nearest
from translators.lowering import language, logic
from translators.lowering.draft import Draft, MemberDraft
from translators.lowering.properties import check_properties
from translators.lowering.references import References
from translators.lowering.world import World

_FOREIGN = ("AWS::", "Custom::", "Alexa::")


def lower(template: Template, *, rows: Mappings) -> Template:
    """Return `template` with a `Group` and its members in place of every `AWS::` resource, in either dialect.

    Raises Invalid with all findings; warnings are added to the template's.
    """
    foreign = [one for one in template.resources.values() if one.type.startswith(_FOREIGN)]
    if not foreign:
        return template
    findings = Findings()
    world = World(template, rows)
    drafts: dict[str, Draft] = {}
    for resource in foreign:
        row = rows.row(resource.type)
        if row is None:
            _unmapped(resource, template, rows, findings)
            continue
        drafts[resource.address] = _draft(resource, row, world, findings)
    references = References(template, drafts, {one.address for one in foreign}, findings)
    references.check()
    findings.check()
    resources: dict[str, Resource] = {}
    groups: dict[str, Group] = {}
    for address, resource in template.resources.items():
        draft = drafts.get(address)
        if draft is None:
            resources[address] = references.in_resource(resource)
            continue
        group, members = _group(draft, references)
        groups[address] = group
        resources.update((member.address, member) for member in members)
    findings.check()
    return replace(
        template,
        resources=resources,
        groups={**template.groups, **groups},
        outputs={name: references.in_output(output) for name, output in template.outputs.items()},
        warnings=(*template.warnings, *findings.warnings),
    )


def unmapped(template: Template, rows: Mappings) -> tuple[Diagnostic, ...]:
    """An error for each resource of a type without a row; for templates that are refused before they are lowered."""
    findings = Findings()
    for resource in template.resources.values():
        if resource.type.startswith(_FOREIGN) and rows.row(resource.type) is None:
            _unmapped(resource, template, rows, findings)
    return findings.errors


def _unmapped(resource: Resource, template: Template, rows: Mappings, findings: Findings) -> None:
    section = "Resources" if template.dialect is Dialect.CFN else "resources"
    near = _misspelt(resource.type, rows)
    if not near:
        near = "Nobody has decided yet what it means on OpenStack; a row in an operator's folder of mappings can."
    findings.error(
        "UnmappedType", f"Template format error: Unrecognized resource types: [{resource.type}]", near,
        address=f"{section}.{resource.address}.Type", span=resource.span,
    )  # fmt: skip


def _misspelt(name: str, rows: Mappings) -> str:
    """`Did you mean …?` for a name that is nearly that of a type; another service is another type. Empty for others."""
    if name.startswith("AWS::Serverless::"):
        return f"It is a type of AWS SAM: write `Transform: {serverless.NAME}` at the top of the template."
    service = name.rpartition("::")[0].lower()
    near = nearest(name, [one for one in rows.types() if one.rpartition("::")[0].lower() == service], cutoff=0.8)
    return near if near.startswith("Did") else ""


def _draft(resource: Resource, row: Row, world: World, findings: Findings) -> Draft:
    draft = Draft(resource, row, world, findings)
    check_properties(draft)
    if resource.external_id is not None:
        findings.error("ExternalNotSupported", f"{resource.address}: external_id works with OS:: types only.",
                       "Name an OS:: type for the object that exists.", span=resource.span)  # fmt: skip
    for member in row.members:
        condition = logic.TRUE if member.condition is None else language.build(member.condition, draft)
        given = {name: language.build(tree, draft) for name, tree in member.properties.items()}
        draft.add(
            member.name, member.type, {name: value for name, value in given.items() if value != NoValue()},
            condition=condition, depends_on=tuple(draft.address(other) for other in member.depends_on),
        )  # fmt: skip
    if row.ref is not None:
        draft.reference = language.build(row.ref, draft)
    draft.attributes = {name: language.build(tree, draft) for name, tree in row.attributes.items()}
    if row.python is not None:
        _function(row.python)(draft)
    return draft


def _function(name: str) -> Callable[[Draft], None]:
    """The function `module:function` of this package that a row names."""
    module, _, function = name.partition(":")
    found: Callable[[Draft], None] = getattr(importlib.import_module(f"translators.lowering.{module}"), function)
    return found


def _group(draft: Draft, references: References) -> tuple[Group, list[Resource]]:
    source = draft.source
    needed = references.waits(source, draft)
    members = [_member(draft, member, needed, references) for member in draft.members.values()]
    group = Group(
        address=source.address,
        type=source.type,
        members=tuple(member.address for member in members),
        reference=references.shown(source.address),
        attributes=references.attributes_of(source.address),
        properties=references.in_map(source.properties),
        depends_on=tuple(source.depends_on),
        condition=source.condition,
        metadata=None if source.metadata is None else references.within(source.metadata),
        creation_policy=None if source.creation_policy is None else references.within(source.creation_policy),
        deletion_policy=source.deletion_policy,
        update_replace_policy=source.update_replace_policy,
        computed_policy=source.computed_policy,
        replace_on=draft.row.replace_on,
        description=source.description,
        span=source.span,
    )
    return group, members


def _member(draft: Draft, member: MemberDraft, needed: tuple[str, ...], references: References) -> Resource:
    source = draft.source
    condition = logic.both(source.condition, member.condition)
    policy = member.deletion_policy or source.deletion_policy
    own = draft.address(member.name)
    properties = MapOf(tuple(member.properties.items()), span=source.properties.span or source.span)
    return Resource(
        address=own,
        type=member.type,
        properties=references.in_map(properties),
        depends_on=tuple(dict.fromkeys((*needed, *member.depends_on))),
        soft_depends_on=tuple(dict.fromkeys(member.soft)),
        condition=None if condition == logic.TRUE else references.within(condition),
        deletion_policy=policy,
        update_replace_policy=member.deletion_policy or source.update_replace_policy,
        computed_policy=None if member.deletion_policy else source.computed_policy,
        group=source.address,
        span=source.span,
    )
