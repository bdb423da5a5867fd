"""The Conditions section (cloudformation.md L08)."""

from __future__ import annotations

from engine.model.expression import Expression
from translators.cfn import nodes
from translators.cfn.builder import Builder, Scope
from translators.cfn.choices import BOOLEAN_FUNCTIONS, function_of
from translators.cfn.findings import Path
from translators.source import SourceNode

_NOT_BOOLEAN = "Template format error: Conditions can only be boolean operations on parameters and other conditions"


def read_conditions(builder: Builder, node: SourceNode | None) -> dict[str, Expression]:
    if node is None:
        return {}
    at: Path = (None, "Conditions")
    found: dict[str, Expression] = {}
    with builder.within(Scope.CONDITIONS):
        for name, key, item in nodes.members(node, at, "Conditions", builder.findings):
            here: Path = (at, name)
            nodes.check_name("Condition", name, key, here, builder.findings, builder.strict)
            found[name] = _condition(builder, item, here)
    return found


def _condition(builder: Builder, node: SourceNode, at: Path) -> Expression:
    function = function_of(node)
    if builder.heat and (isinstance(node.value, bool) or function == "Ref"):
        return builder.build(node, at)  # Heat: truth values and parameters too (heat.md TR-11)
    if function is None or (function not in BOOLEAN_FUNCTIONS and not function.startswith("Fn::")) or function == "Ref":
        hint = "Write a condition function, such as `!Equals [!Ref Name, value]`."
        return builder.fail("InvalidCondition", _NOT_BOOLEAN, hint, at, node.span)
    made = builder.build(node, at)
    known = builder.functions.get(function)
    if known is not None and function not in BOOLEAN_FUNCTIONS and Scope.CONDITIONS in known.scopes:
        hint = f"{function} gives text; compare it with Fn::Equals."
        return builder.fail("InvalidCondition", _NOT_BOOLEAN, hint, at, node.span)
    return made
