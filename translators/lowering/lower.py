"""Lowering a whole template: drafts of groups first, then every reference replaced by what its group shows."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from dataclasses import replace

from engine.model.diagnostic import Diagnostic
from engine.model.expression import MapOf, NoValue
from engine.model.nearest import closest
from engine.model.template import Dialect, Group, Resource, Template
from mappings import Mappings, Row
from translators.cfn import serverless
from translators.findings import Findings
from translators.lowering import language, logic
from translators.lowering.draft import Draft, MemberDraft
from translators.lowering.properties import check_properties
from translators.lowering.references import References
from translators.lowering.world import World

_FOREIGN = ("AWS::", "Custom::", "Alexa::")


def lower_leniently(
    template: Template, *, rows: Mappings, doubtful: frozenset[str] = frozenset()
) -> tuple[Template, tuple[Diagnostic, ...]]:
    """`template` with a `Group` and its members in place of every `AWS::` resource, in either dialect, as far as that
    can be, and every error found on the way; warnings are added to the template's.

    `doubtful` are resources of which too little could be read. They are left out, and so is what is found wrong here.
    """
    foreign = {one.address: one for one in template.resources.values() if _is_foreign(one.type)}
    if not foreign:
        return _without(template, doubtful), ()
    findings = Findings()
    drafts = _drafts([one for one in foreign.values() if one.address not in doubtful], template, rows, findings)
    wrong = doubtful | (foreign.keys() - {address for address, (_, found) in drafts.items() if not found.errors})
    for _, found in drafts.values():
        findings.add(found.all)
    references = References(template, {address: draft for address, (draft, _) in drafts.items()}, findings)
    references.check()
    resources: dict[str, Resource] = {}
    groups: dict[str, Group] = {}
    for address, resource in template.resources.items():
        if address in wrong:
            continue
        if address not in foreign:
            resources[address] = references.in_resource(resource)
            continue
        group, members = _group(drafts[address][0], references)
        groups[address] = group
        resources.update((member.address, member) for member in members)
    lowered = replace(
        template,
        resources=resources,
        groups={**template.groups, **groups},
        outputs={name: references.in_output(output) for name, output in template.outputs.items()},
        warnings=(*template.warnings, *findings.warnings),
    )
    return lowered, findings.errors


def _is_foreign(kind: str) -> bool:
    return kind.startswith(_FOREIGN) or kind[:5].upper() == "AWS::"


def _without(template: Template, doubtful: frozenset[str]) -> Template:
    if not doubtful:
        return template
    return replace(template, resources={a: one for a, one in template.resources.items() if a not in doubtful})


def _drafts(
    foreign: Iterable[Resource], template: Template, rows: Mappings, findings: Findings
) -> dict[str, tuple[Draft, Findings]]:
    """A draft of each resource whose type has a row, and what is wrong with it."""
    world = World(template, rows)
    drafts = {}
    for resource in foreign:
        row = rows.row(resource.type)
        if row is None:
            _unmapped(resource, template, rows, findings)
            continue
        found = Findings()
        drafts[resource.address] = (_draft(resource, row, world, found), found)
    return drafts


def _unmapped(resource: Resource, template: Template, rows: Mappings, findings: Findings) -> None:
    section = "Resources" if template.dialect is Dialect.CFN else "resources"
    near = _misspelt(resource.type, rows)
    if not near:
        near = "Nobody has decided yet what it means on OpenStack; a row in an operator's folder of mappings can."
    findings.error(
        "UnmappedType", f"Template format error: Unrecognized resource types: [{resource.type}]", near,
        address=f"{section}.{resource.address}.Type", span=resource.place("type"),
    )  # fmt: skip


def _misspelt(name: str, rows: Mappings) -> str:
    """`Did you mean …?` for a name that is nearly that of a type; another service is another type. Empty for others."""
    if name.startswith("AWS::Serverless::"):
        return f"It is a type of AWS SAM: write `Transform: {serverless.NAME}` at the top of the template."
    service = name.rpartition("::")[0].lower()
    meant = closest(name, [one for one in rows.types() if one.rpartition("::")[0].lower() == service], cutoff=0.8)
    return "" if meant is None else f"Did you mean {meant}?"


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
        places=source.places,
    )
