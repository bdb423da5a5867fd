"""A `Template` → the text of a HOT template: the reverse of parser.py.

Reading the text gives an equal template, for every template that was read from HOT and for those that
`translators.to_hot` makes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from engine.model.expression import Expression, MapOf
from engine.model.template import (
    MISSING,
    Constraint,
    DeletionPolicy,
    Output,
    Parameter,
    ParameterGroup,
    Resource,
    Template,
)
from engine.model.value import Value
from translators.hot.versions import VERSIONS, Version
from translators.hot.words import Words
from translators.hot.yaml_text import Block, Entry, write

_LOWER_CASE_SINCE: Final = 5  # the level of 2016-10-14: deletion policies (TR-05)


@dataclass(frozen=True, slots=True)
class Comments:
    """Lines above what they speak of: `head` at the top, the others by the section and the name in it."""

    head: tuple[str, ...] = ()
    above: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)

    def of(self, section: str, name: str) -> tuple[str, ...]:
        return self.above.get((section, name), ())


def print_template(template: Template, comments: Comments = Comments()) -> str:
    """The text of `template`. Raises Unsayable, and KeyError for a version that is none of HOT's."""
    version = VERSIONS[template.version]
    words = Words(version, expressions(template))
    sections = [
        ("parameters", [(one.name, _parameter(one)) for one in template.parameters.values()]),
        ("conditions", [(name, words.condition(one)) for name, one in template.conditions.items()]),
        ("resources", [(one.address, _resource(one, words)) for one in template.resources.values()]),
        ("outputs", [(one.name, _output(one, words)) for one in template.outputs.values()]),
    ]
    entries = [Entry("heat_template_version", template.version)]
    if template.description:
        entries.append(Entry("description", template.description))
    if template.parameter_groups:
        groups = [_group(one) for one in template.parameter_groups]
        entries.append(Entry("parameter_groups", groups, blank=True))
    for name, members in sections:
        if members:
            entries.append(Entry(name, _section(name, members, comments), blank=True))
    return write(entries, comments.head)


def expressions(template: Template) -> Iterator[Expression]:
    """Every outermost expression of the template."""
    yield from template.conditions.values()
    for resource in template.resources.values():
        parts = (
            resource.properties, resource.condition, resource.metadata, resource.computed_policy,
            resource.update_policy, resource.external_id,
        )  # fmt: skip
        yield from (one for one in parts if one is not None)
    for output in template.outputs.values():
        yield output.value
        if output.condition is not None:
            yield output.condition


def _section(name: str, members: list[tuple[str, Value]], comments: Comments) -> Block:
    """Members that take several lines each stand apart from each other."""
    apart = any(isinstance(value, Block) or comments.of(name, key) for key, value in members)
    return Block(tuple(
        Entry(key, value, comments.of(name, key), blank=apart and position > 0 and name != "conditions")
        for position, (key, value) in enumerate(members)
    ))  # fmt: skip


def _block(parts: Mapping[str, Value]) -> Block:
    return Block(tuple(Entry(key, value) for key, value in parts.items()))


# --- parameters -------------------------------------------------------------------------------------------------------
def _parameter(parameter: Parameter) -> Block:
    said: dict[str, Value] = {"type": parameter.type.value}
    if parameter.label:
        said["label"] = parameter.label
    if parameter.description:
        said["description"] = parameter.description
    if parameter.default is not MISSING:
        said["default"] = parameter.default
    if parameter.hidden:
        said["hidden"] = True
    if parameter.immutable:
        said["immutable"] = True
    if parameter.constraints:
        said["constraints"] = [_constraint(one) for one in parameter.constraints]
    if parameter.tags:
        said["tags"] = list(parameter.tags)
    return _block(said)


def _constraint(limit: Constraint) -> dict[str, Value]:
    said: dict[str, Value] = {}
    if limit.allowed_values is not None:
        said["allowed_values"] = list(limit.allowed_values)
    if limit.pattern is not None:
        said["allowed_pattern"] = limit.pattern
    if limit.length is not None:
        said["length"] = _bounds("min", "max", limit.length)
    if limit.range is not None:
        said["range"] = _bounds("min", "max", limit.range)
    if limit.modulo is not None:
        said["modulo"] = _bounds("step", "offset", limit.modulo)
    if limit.custom is not None:
        said["custom_constraint"] = limit.custom
    return {**said, "description": limit.description} if limit.description else said


def _bounds(first: str, second: str, bounds: tuple[float | None, float | None]) -> dict[str, float]:
    return {name: bound for name, bound in zip((first, second), bounds, strict=True) if bound is not None}


def _group(group: ParameterGroup) -> dict[str, Value]:
    said: dict[str, Value] = {"label": group.label} if group.label else {}
    if group.description:
        said["description"] = group.description
    return {**said, "parameters": list(group.parameters)}


# --- resources and outputs --------------------------------------------------------------------------------------------
def _resource(resource: Resource, words: Words) -> Block:
    said: dict[str, Value] = {"type": resource.type}
    if resource.description:
        said["description"] = resource.description
    if resource.condition is not None:
        said["condition"] = words.condition(resource.condition)
    if resource.depends_on:
        said["depends_on"] = list(resource.depends_on)
    if resource.external_id is not None:
        said["external_id"] = words.value(resource.external_id)
    if resource.computed_policy is not None:
        said["deletion_policy"] = words.value(resource.computed_policy)
    elif resource.deletion_policy is not DeletionPolicy.DELETE:
        said["deletion_policy"] = _policy(resource.deletion_policy, words.version)
    if resource.update_policy is not None:
        said["update_policy"] = words.value(resource.update_policy)
    if resource.metadata is not None:
        said["metadata"] = words.value(resource.metadata)
    properties = _properties(resource.properties, words)
    if properties is not None:
        said["properties"] = properties
    return _block(said)


def _properties(properties: MapOf, words: Words) -> Value | None:
    """Each by its name in a line of its own; None where there are none."""
    if properties.rest is None and not properties.entries:
        return None
    said = words.value(properties)
    return _block(said) if properties.rest is None else said


def _policy(policy: DeletionPolicy, version: Version) -> str:
    return policy.value.lower() if version.level >= _LOWER_CASE_SINCE else policy.value


def _output(output: Output, words: Words) -> Block:
    said: dict[str, Value] = {"description": output.description} if output.description else {}
    if output.condition is not None:
        said["condition"] = words.condition(output.condition)
    return _block({**said, "value": words.value(output.value)})
