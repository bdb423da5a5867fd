"""The whole template as the lowering of one resource sees it: who is who, who refers to whom."""

from __future__ import annotations

import functools
from collections.abc import Iterator

from engine.model.expression import AttributeRef, Expression, ResourceRef, find
from engine.model.template import Resource, Template
from mappings import Mappings
from translators.lowering import logic

#: Attributes that are the same as a plain reference, as far as finding the resource goes.
_IDENTITIES = frozenset(
    {
        "AllocationId",
        "GroupId",
        "Id",
        "InstanceId",
        "LaunchTemplateId",
        "NatGatewayId",
        "RouteTableId",
        "SubnetId",
        "VpcId",
    }
)


class World:
    def __init__(self, template: Template, rows: Mappings) -> None:
        self.template, self.rows = template, rows
        self._by_type: dict[str, list[Resource]] = {}
        for resource in template.resources.values():
            self._by_type.setdefault(resource.type, []).append(resource)
        self._needs: dict[str, frozenset[str]] = {}

    def of_type(self, *types: str) -> Iterator[Resource]:
        for one in types:
            yield from self._by_type.get(one, ())

    def named(self, expression: Expression | None, *types: str) -> Resource | None:
        """The resource of one of `types` that the expression is a reference to, and nothing else."""
        found = logic.target(expression)
        if found is None:
            return None
        address, attribute = found
        resource = self.template.resources.get(address)
        if resource is None or resource.type not in types:
            return None
        return resource if attribute is None or attribute in _IDENTITIES else None

    def mentioned(self, *expressions: Expression | None) -> frozenset[str]:
        """Addresses that the expressions refer to anywhere inside."""
        found: set[str] = set()
        for expression in expressions:
            if expression is None:
                continue
            found.update(inner.address for inner in find(expression, ResourceRef, AttributeRef))
        return frozenset(found)

    def needs(self, address: str) -> frozenset[str]:
        """Everything that the resource waits for by what the template says, directly or not."""
        if address not in self._needs:
            seen: set[str] = set()
            todo = [address]
            while todo:
                for one in self._direct(todo.pop()):
                    if one not in seen:
                        seen.add(one)
                        todo.append(one)
            self._needs[address] = frozenset(seen)
        return self._needs[address]

    def _direct(self, address: str) -> frozenset[str]:
        resource = self.template.resources.get(address)
        if resource is None:
            return frozenset()
        return frozenset(resource.depends_on) | self.mentioned(resource.properties, resource.metadata)

    @functools.cached_property
    def exported(self) -> frozenset[str]:
        """Addresses that outputs refer to: other stacks may act on them."""
        return self.mentioned(*(output.value for output in self.template.outputs.values()))

    def attributes_used(self, address: str) -> frozenset[str]:
        """Names of attributes of a resource that anything in the template asks for; "*" when the name is computed."""
        return self._attributes.get(address, frozenset())

    @functools.cached_property
    def _attributes(self) -> dict[str, frozenset[str]]:
        found: dict[str, set[str]] = {}
        expressions: list[Expression] = [output.value for output in self.template.outputs.values()]
        for resource in self.template.resources.values():
            expressions += [one for one in (resource.properties, resource.metadata) if one is not None]
        for expression in expressions:
            for inner in find(expression, AttributeRef):
                name = None if inner.attribute is None else logic.text(inner.attribute)
                found.setdefault(inner.address, set()).add(name or "*")
        return {address: frozenset(names) for address, names in found.items()}


def property_of(resource: Resource, name: str) -> Expression | None:
    return resource.properties.get(name)
