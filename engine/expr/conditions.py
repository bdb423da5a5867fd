"""Deciding a template's conditions: from parameters only, each once, cycles refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine.expr.evaluate import holds
from engine.expr.scope import Scope
from engine.model.diagnostic import Diagnostic, Invalid
from engine.model.expression import ConditionRef, FacadePart, Pseudo, walk
from engine.model.template import Template
from engine.model.value import UNKNOWN, Value


class _ConditionScope:
    """The given scope, with conditions answered as they are decided."""

    def __init__(self, outer: Scope, template: Template) -> None:
        self._outer, self._template = outer, template
        self.decided: dict[str, Value] = {}
        self._deciding: list[str] = []

    def condition(self, name: str) -> Value:
        if name not in self.decided:
            self.decided[name] = self._decide(name)
        return self.decided[name]

    def _decide(self, name: str) -> Value:
        expression = self._template.conditions.get(name)
        if expression is None:
            raise Invalid(Diagnostic("UnknownCondition", f"Unresolved condition dependency {name}.",
                                     "Define it under conditions.", address=f"conditions.{name}"))  # fmt: skip
        if name in self._deciding:
            path = " -> ".join([*self._deciding[self._deciding.index(name) :], name])
            raise Invalid(Diagnostic("CircularCondition", f"Circular definition of conditions: {path}.",
                                     "A condition cannot need itself.", address=f"conditions.{name}",
                                     span=expression.span))  # fmt: skip
        self._deciding.append(name)
        try:
            return holds(expression, self)
        finally:
            self._deciding.pop()

    def parameter(self, name: str) -> Value:
        return self._outer.parameter(name)

    def pseudo(self, name: Pseudo) -> Value:
        return self._outer.pseudo(name)

    def reference(self, address: str) -> Value:
        return UNKNOWN

    def attribute(self, address: str, name: str | None) -> Value:
        return UNKNOWN

    def attribute_at(self, address: str, name: str, path: Sequence[Value]) -> tuple[Value, int]:
        return UNKNOWN, 0

    def stack_output(self, stack: str, output: str) -> Value:
        return UNKNOWN

    def object_attribute(self, physical_id: str, name: str) -> Value:
        return UNKNOWN

    def fill(self, text: str) -> str:
        return text  # conditions are decided before anything outside is asked

    def mapping(self, name: str) -> Mapping[str, Mapping[str, Value]] | None:
        return self._outer.mapping(name)

    def zones(self, region: str) -> list[str]:
        return self._outer.zones(region)

    def import_value(self, name: str) -> Value:
        return self._outer.import_value(name)

    def spend(self, size: int) -> bool:
        return self._outer.spend(size)

    def facade(self, part: FacadePart) -> Value:
        return self._outer.facade(part)


def decide_conditions(template: Template, scope: Scope) -> dict[str, Value]:
    """Name → True, False, or UNKNOWN. Raises Invalid with all findings."""
    deciding = _ConditionScope(scope, template)
    findings: dict[Diagnostic, None] = {}
    for name in template.conditions:
        try:
            deciding.condition(name)
        except Invalid as error:
            findings.update(dict.fromkeys(error.diagnostics))
    if findings:
        raise Invalid(findings)
    return deciding.decided


def conditions_used(template: Template) -> set[str]:
    """Names of the conditions that anything refers to."""
    expressions = [e for r in template.resources.values() for e in (r.condition, r.properties) if e is not None]
    expressions += [o.condition for o in template.outputs.values() if o.condition is not None]
    return {inner.name for outer in expressions for inner in walk(outer) if isinstance(inner, ConditionRef)}
