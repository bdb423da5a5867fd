"""Outputs of other stacks that a template reads by the stacks' names (cloudformation.md L34)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

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


async def stack_outputs(
    store: Store, identity: StackIdentity, template: Template, bindings: Bindings, facts: Facts,
    expressions: Iterable[Expression],
) -> Mapping[str, Mapping[str, str]]:  # fmt: skip
    """By stack: its outputs as text, of the stacks of the project that `expressions` name."""
    asked = [inner.stack for outer in expressions for inner in walk(outer) if isinstance(inner, StackOutput)]
    if not asked:
        return {}
    bare = Deployment(identity, template, bindings, facts, {}, {}, {}, {}, ())
    decided = replace(bare, conditions=decide_conditions(template, bare.scope(View())))
    scope = decided.scope(View())
    found: dict[str, Mapping[str, str]] = {}
    for name in {str(evaluate(one, scope)) for one in asked}:
        stack = await store.stack_by_name(identity.project_id, name)
        if stack is not None:
            found[name] = {output.name: as_text(output.value) for output in stack.outputs if output.error is None}
    return found
