"""Outputs of other stacks that a template reads by the stacks' names (cloudformation.md L34)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from engine.expr.conditions import decide_conditions
from engine.expr.evaluate import evaluate
from engine.expr.parameters import Bindings
from engine.model.expression import Expression, StackOutput, walk
from engine.model.template import Template
from engine.plan.deployment import Deployment
from engine.plan.scope import Facts, View
from engine.resources.base import StackIdentity
from engine.runs.finish import as_text
from engine.state.store import Store


@dataclass(frozen=True, slots=True)
class OtherOutputs:
    """By stack, its outputs as text; and the stacks whose outputs are secret."""

    outputs: Mapping[str, Mapping[str, str]]
    secrets: frozenset[str]


async def stack_outputs(
    store: Store, identity: StackIdentity, template: Template, bindings: Bindings, facts: Facts,
    expressions: Iterable[Expression],
) -> OtherOutputs:  # fmt: skip
    """Of the stacks of the project that `expressions` name."""
    asked = [inner.stack for outer in expressions for inner in walk(outer) if isinstance(inner, StackOutput)]
    if not asked:
        return OtherOutputs({}, frozenset())
    bare = Deployment(identity, template, bindings, facts, {}, {}, {}, {}, ())
    decided = replace(bare, conditions=decide_conditions(template, bare.scope(View())))
    scope = decided.scope(View())
    found: dict[str, Mapping[str, str]] = {}
    secret: set[str] = set()
    for name in {str(evaluate(one, scope)) for one in asked}:
        stack = await store.stack_by_name(identity.project_id, name)
        if stack is not None:
            found[name] = {output.name: as_text(output.value) for output in stack.outputs if output.error is None}
            if await store.has_secret_outputs(stack.id):
                secret.add(name)
    return OtherOutputs(found, frozenset(secret))
