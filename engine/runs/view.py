"""What the rows of a run answer for resources in expressions."""

from __future__ import annotations

from collections.abc import Sequence

from engine.expr.parameters import HIDDEN
from engine.model.diagnostic import invalid
from engine.model.value import Value
from engine.plan.scope import View
from engine.resources.registry import Registry
from engine.runs.ledger import Ledger


class RowsView(View):
    """Everything a running step needs is complete by then, so every answer is known."""

    def __init__(self, ledger: Ledger, registry: Registry, *, masked: bool = False) -> None:
        """`masked`: what its type says must not be seen is not."""
        self._ledger, self._registry, self._masked = ledger, registry, masked

    def reference(self, address: str) -> Value:
        row = self._ledger.live(address)
        if row is None:
            return None
        if row.is_group:
            return row.physical_id
        return self._registry.get(row.type).reference(row.physical_id, row.attributes, address)

    def attribute(self, address: str, name: str | None) -> Value:
        row = self._ledger.live(address)
        if row is None:
            return None
        if self._masked and not row.is_group and self._registry.get(row.type).hides(row.attributes):
            return HIDDEN
        if row.is_group:
            return dict(row.attributes) if name is None else row.attributes.get(name)
        kind = self._registry.get(row.type)
        if name is None:
            return kind.everything(row.attributes)
        if not kind.has_attribute(name):
            raise invalid(
                "UnknownAttribute",
                f"Resource {address} of type {row.type} has no attribute {name}.",
                f"It has: {', '.join(sorted(kind.attributes)) or 'none'}.",
            )
        return kind.attribute(row.attributes, name)

    def attribute_at(self, address: str, name: str, path: Sequence[Value]) -> tuple[Value, int]:
        row = self._ledger.live(address)
        value = self.attribute(address, name)  # raises for what it has not
        if row is None or row.is_group or value == HIDDEN:
            return value, 0
        return self._registry.get(row.type).attribute_at(row.attributes, name, path)
