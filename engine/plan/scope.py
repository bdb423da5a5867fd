"""Where a deployment's expressions find their values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from engine.expr.parameters import HIDDEN
from engine.model.account import account_id
from engine.model.diagnostic import invalid
from engine.model.dynamic import filled, references_in
from engine.model.expression import FacadePart, Pseudo
from engine.model.value import UNKNOWN, Value

if TYPE_CHECKING:
    from engine.plan.deployment import Deployment


_LEAST_ZONES = 3
_MOST_MADE: Final = 64 * 1024 * 1024  # bytes that the functions of one template may make


@dataclass(frozen=True, slots=True)
class Facts:
    """What a template may ask of its surroundings, fetched before anything is evaluated; None: it was not fetched, so
    that nothing is known of it. So it is with the parts of a stack's identity that are empty."""

    region: str | None = "RegionOne"
    zones: tuple[str, ...] = ("nova",)
    exports: Mapping[str, str] | None = field(default_factory=dict)
    notification_arns: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)  # of the stack
    stack_outputs: Mapping[str, Mapping[str, str]] | None = field(default_factory=dict)  # by the stack's name
    secrets: frozenset[str] = frozenset()  # names of exports, and of stacks with outputs, that are secret
    objects: Mapping[str, Mapping[str, Value]] = field(default_factory=dict)  # attributes by physical id, for rules


NOTHING_ASKED: Final = Facts(region=None, exports=None, stack_outputs=None)


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

    def __init__(
        self, deployment: Deployment, view: View, *, masked: bool = False, known: Mapping[str, str] | None = None
    ) -> None:
        """`known`: what dynamic references stand for; without it they stay, and those that were met are in `met`."""
        self._deployment, self._view, self._masked, self._known = deployment, view, masked, known
        self.met: set[str] = set()
        self._left = _MOST_MADE
        bindings = deployment.bindings
        self._parameters = bindings.masked if masked else bindings.values

    def parameter(self, name: str) -> Value:
        return self._parameters[name]

    def pseudo(self, name: Pseudo) -> Value:
        identity, facts = self._deployment.identity, self._deployment.facts
        match name:
            case Pseudo.STACK_ID:
                return identity.id or UNKNOWN
            case Pseudo.STACK_NAME:
                return identity.name or UNKNOWN
            case Pseudo.PROJECT_ID:
                return identity.project_id or UNKNOWN
            case Pseudo.ACCOUNT_ID:
                return account_id(identity.project_id) if identity.project_id else UNKNOWN
            case Pseudo.REGION:
                return UNKNOWN if facts.region is None else facts.region
            case Pseudo.NOTIFICATION_ARNS:
                return list(facts.notification_arns)
            case Pseudo.TAGS:
                return [{"Key": key, "Value": value} for key, value in facts.tags.items()]

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
        exports = self._deployment.facts.exports
        if exports is None:
            return UNKNOWN
        found = exports.get(name)
        if found is None:
            raise invalid("UnknownExport", f"No export named {name} found.", "`list-exports` names the exports.")
        self._deployment.imported.add(name)
        return HIDDEN if self._masked and name in self._deployment.facts.secrets else found

    def stack_output(self, stack: str, output: str) -> Value:
        others = self._deployment.facts.stack_outputs
        if others is None:
            return UNKNOWN
        found = others.get(stack)
        if found is None:
            raise invalid("UnknownStackOutput", f"Stack with id {stack} does not exist", "`list-stacks` names them.")
        if output not in found:
            hint = f"It has: {', '.join(sorted(found)) or 'none'}."
            raise invalid("UnknownStackOutput", f"Stack {stack} has no output named {output}.", hint)
        return HIDDEN if self._masked and stack in self._deployment.facts.secrets else found[output]

    def object_attribute(self, physical_id: str, name: str) -> Value:
        """What an object of ours has not is the empty text; of others nothing is known."""
        found = self._deployment.facts.objects.get(physical_id)
        return UNKNOWN if found is None else found.get(name, "")

    def fill(self, text: str) -> str:
        if self._known is not None:
            return str(filled(text, self._known))
        self.met.update(references_in(text))
        return text

    def refill(self) -> None:
        """What is made from now on is another resource's: a run has one scope for all of them."""
        self._left = _MOST_MADE

    def spend(self, size: int) -> bool:
        self._left -= size
        return self._left >= 0

    def facade(self, part: FacadePart) -> Value:
        return self._deployment.facade.get(part.value)
