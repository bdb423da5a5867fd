"""Where a deployment's expressions find their values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from engine.model.account import account_id
from engine.model.diagnostic import invalid
from engine.model.expression import FacadePart, Pseudo
from engine.model.value import UNKNOWN, Value

if TYPE_CHECKING:
    from engine.plan.deployment import Deployment


_LEAST_ZONES = 3


@dataclass(frozen=True, slots=True)
class Facts:
    """What a template may ask of its surroundings, fetched before anything is evaluated."""

    region: str = "RegionOne"
    zones: tuple[str, ...] = ("nova",)
    exports: Mapping[str, str] = field(default_factory=dict)
    notification_arns: tuple[str, ...] = ()


class View:
    """Answers for resources; this one knows nothing, as before anything exists."""

    def reference(self, address: str) -> Value:
        return UNKNOWN

    def attribute(self, address: str, name: str | None) -> Value:
        return UNKNOWN

    def attribute_at(self, address: str, name: str, path: Sequence[Value]) -> tuple[Value, int]:
        """The value and how many steps of `path` led to it."""
        return self.attribute(address, name), 0


class DeploymentScope:
    """Implements `engine.expr.scope.Scope`."""

    def __init__(self, deployment: Deployment, view: View, *, masked: bool = False) -> None:
        self._deployment, self._view, self._masked = deployment, view, masked
        bindings = deployment.bindings
        self._parameters = bindings.masked if masked else bindings.values

    def parameter(self, name: str) -> Value:
        return self._parameters[name]

    def pseudo(self, name: Pseudo) -> Value:
        identity, facts = self._deployment.identity, self._deployment.facts
        match name:
            case Pseudo.STACK_ID:
                return identity.id
            case Pseudo.STACK_NAME:
                return identity.name
            case Pseudo.PROJECT_ID:
                return identity.project_id
            case Pseudo.ACCOUNT_ID:
                return account_id(identity.project_id)
            case Pseudo.REGION:
                return facts.region
            case Pseudo.NOTIFICATION_ARNS:
                return list(facts.notification_arns)

    def reference(self, address: str) -> Value:
        return self._view.reference(address)

    def attribute(self, address: str, name: str | None) -> Value:
        return self._view.attribute(address, name)

    def attribute_at(self, address: str, name: str, path: Sequence[Value]) -> tuple[Value, int]:
        return self._view.attribute_at(address, name, path)

    def condition(self, name: str) -> Value:
        return self._deployment.conditions[name]

    def mapping(self, name: str) -> Mapping[str, Mapping[str, Value]] | None:
        return self._deployment.template.mappings.get(name)

    def zones(self, region: str) -> list[str]:
        """At least three, repeated where the cloud has fewer: templates choose a second one blindly (D08)."""
        zones = list(self._deployment.facts.zones)
        return [zones[place % len(zones)] for place in range(max(len(zones), _LEAST_ZONES))] if zones else []

    def import_value(self, name: str) -> Value:
        found = self._deployment.facts.exports.get(name)
        if found is None:
            raise invalid("UnknownExport", f"No export named {name} found.", "`list-exports` names the exports.")
        self._deployment.imported.add(name)
        return found

    def facade(self, part: FacadePart) -> Value:
        return self._deployment.facade.get(part.value)
