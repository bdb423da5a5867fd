"""References to lowered resources, and the waiting they mean.

`Ref` and `GetAtt` of an AWS resource become what its group shows: members' references and attributes. Whoever refers
to a group also waits for the whole of it, as AWS does, unless its row says `narrow`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import cast

from engine.model.expression import (
    AttributeRef,
    Equals,
    Expression,
    If,
    Literal,
    MapOf,
    Mistake,
    NoValue,
    PropertyPath,
    ResourceRef,
    find,
)
from engine.model.template import Dialect, Output, Resource, Template
from translators.findings import Findings, nearest
from translators.lowering import logic
from translators.lowering.draft import Draft
from translators.lowering.rewrite import Rewriter, rewrite


class References(Rewriter):
    """`drafts` are those of the lowered resources; those without one have been reported already."""

    def __init__(self, template: Template, drafts: Mapping[str, Draft], findings: Findings) -> None:
        super().__init__(ResourceRef, AttributeRef)
        self._template, self._drafts, self._findings = template, drafts, findings
        self._shown: dict[str, Expression] = {}
        self._attributes: dict[str, Mapping[str, Expression]] = {}

    # --- replacing --------------------------------------------------------------------------------------------------
    def within(self, expression: Expression) -> Expression:
        """`expression` without references to lowered resources."""
        return self.rewrite(expression)

    def in_map(self, properties: MapOf) -> MapOf:
        return cast(MapOf, self.within(properties))

    def _maybe(self, expression: Expression | None) -> Expression | None:
        return None if expression is None else self.within(expression)

    def change(self, part: Expression) -> Expression | None:
        match part:
            case ResourceRef(address) if address in self._drafts:
                return self.shown(address)
            case AttributeRef(address, name, path) if address in self._drafts:
                found = self._attribute(address, name)
                return _into(found, tuple(self.within(step) for step in path))
            case _:
                return None

    def shown(self, address: str) -> Expression:
        """What a reference to the group is."""
        if address not in self._shown:
            reference = self._drafts[address].reference
            self._shown[address] = Literal(address) if reference is None else self.within(reference)
        return self._shown[address]

    def attributes_of(self, address: str) -> Mapping[str, Expression]:
        if address not in self._attributes:
            written = self._drafts[address].attributes
            self._attributes[address] = {name: self.within(e) for name, e in written.items() if "*" not in name}
        return self._attributes[address]

    def _attribute(self, address: str, name: Expression | None) -> Expression:
        attributes = self.attributes_of(address)
        if name is None:
            return MapOf(tuple(attributes.items()))
        written = logic.text(name)
        if written is not None:
            return self._by_name(address, written)
        chosen: Expression = NoValue()
        for known, expression in attributes.items():
            chosen = If(Equals(self.within(name), Literal(known)), expression, chosen)
        return chosen

    def _by_name(self, address: str, name: str) -> Expression:
        found = self.attributes_of(address).get(name)
        if found is not None:
            return found
        for pattern, expression in self._drafts[address].attributes.items():
            if pattern.endswith("*") and name.startswith(pattern[:-1]):
                return _named(self.within(expression), pattern, name)
        return Mistake()  # reported by `check`

    # --- waiting ----------------------------------------------------------------------------------------------------
    def waits(self, source: Resource, draft: Draft | None) -> tuple[str, ...]:
        """Addresses that every part of `source` waits for."""
        found = [self._towards(address, source.address) for address in source.depends_on]
        if draft is None or not draft.row.narrow:
            parts = (source.properties, source.metadata, source.creation_policy, source.update_policy)
            referred = dict.fromkeys(address for part in parts if part is not None for address in _addresses(part))
            found += [self._towards(one, source.address) for one in referred if one in self._drafts]
        return tuple(one for one in dict.fromkeys(found) if one != source.address)

    def _towards(self, address: str, waiting: str) -> str:
        """The address to wait for: the whole group, or the part of it that does not itself wait for the waiting."""
        draft = self._drafts.get(address)
        if draft is not None and draft.early is not None and waiting in draft.early_for:
            return draft.address(draft.early)
        return address

    # --- other parts of the template ------------------------------------------------------------------------------
    def in_resource(self, resource: Resource) -> Resource:
        needed = self.waits(resource, None)
        return replace(
            resource,
            properties=self.in_map(resource.properties),
            depends_on=needed,
            metadata=self._maybe(resource.metadata),
            update_policy=self._maybe(resource.update_policy),
            creation_policy=self._maybe(resource.creation_policy),
            external_id=self._maybe(resource.external_id),
        )

    def in_output(self, output: Output) -> Output:
        return replace(output, value=self.within(output.value), export=self._maybe(output.export))

    # --- what is wrong ------------------------------------------------------------------------------------------------
    def check(self) -> None:
        """Report every attribute that its resource does not have."""
        for place, expression in self._everything():
            for inner in find(expression, AttributeRef):
                if inner.address not in self._drafts or inner.attribute is None:
                    continue
                name = logic.text(inner.attribute)
                known = self._drafts[inner.address].attributes
                if name is None or name in known or any(_covers(pattern, name) for pattern in known):
                    continue
                self._findings.error(
                    "UnknownAttribute",
                    f"Template error: resource {inner.address} does not support attribute type {name} in Fn::GetAtt",
                    nearest(name, known) or f"{self._drafts[inner.address].source.type} has no attributes.",
                    address=place,
                    span=inner.span or inner.attribute.span,
                )

    def _everything(self) -> Iterator[tuple[str, Expression]]:
        cfn = self._template.dialect is Dialect.CFN
        section, outputs = ("Resources", "Outputs") if cfn else ("resources", "outputs")
        for resource in self._template.resources.values():
            for part in (resource.properties, resource.metadata, resource.update_policy, resource.creation_policy):
                if part is not None:
                    yield f"{section}.{resource.address}", part
        for output in self._template.outputs.values():
            yield f"{outputs}.{output.name}", output.value


def _named(expression: Expression, pattern: str, name: str) -> Expression:
    """An attribute `Outputs.*` asked for as `Outputs.Url`."""
    return rewrite(expression, lambda inner: Literal(name) if inner.value == pattern else None, Literal)


def _covers(pattern: str, name: str) -> bool:
    return pattern.endswith("*") and name.startswith(pattern[:-1])


def _addresses(expression: Expression) -> Iterator[str]:
    return (inner.address for inner in find(expression, ResourceRef, AttributeRef))


def _into(expression: Expression, path: tuple[Expression, ...]) -> Expression:
    if not path:
        return expression
    steps = tuple(logic.text(step) or "" for step in path)
    if isinstance(expression, AttributeRef):
        return replace(expression, path=(*expression.path, *path))
    return PropertyPath(expression, steps)
