"""Functions that decide: If, Equals, Not, And, Or, Condition (cloudformation.md L18 to L22)."""

from __future__ import annotations

from engine.model.diagnostic import Span
from engine.model.expression import And, ConditionRef, Equals, Expression, If, ListOf, MapOf, Mistake, Not, Or
from translators.cfn import nodes
from translators.cfn.builder import Builder, Scope
from translators.cfn.findings import Path, did_you_mean
from translators.source import SourceNode

_IF_CONDITION = "Template error: Fn::If requires a list argument with the first element being a condition"
_IF = "Template error: Fn::If requires a list argument with three elements"
_EQUALS = "Template error: every Fn::Equals object requires a list of 2 string parameters."
_NOT = "Template error: every Fn::Not object requires one boolean parameter."
_MANY = "Template error: every {} object requires a list of at least 2 and at most 10 boolean parameters."
_MOST_OPERANDS = 10

BOOLEAN_FUNCTIONS: frozenset[str] = frozenset(
    {
        "Condition",
        "Fn::And",
        "Fn::Contains",
        "Fn::EachMemberEquals",
        "Fn::EachMemberIn",
        "Fn::Equals",
        "Fn::If",
        "Fn::Not",
        "Fn::Or",
    }
)


def if_(builder: Builder, argument: SourceNode, at: Path, span: Span | None) -> Expression:
    items = argument.items if argument.kind == "list" else ()
    if not items or not _may_choose(builder, items[0]):
        hint = "Write `!If [ConditionName, value when true, value when false]`."
        if items and _is_condition(items[0]):
            hint += f" Put the {function_of(items[0])} into the Conditions section, under that name."
        return builder.fail("InvalidFunctionArgument", _IF_CONDITION, hint, at, argument.span)
    if len(items) != 3:
        hint = "Give both values; `!Ref AWS::NoValue` leaves the property out."
        return builder.fail("InvalidFunctionArgument", _IF, hint, at, argument.span)
    decided = _decided_by(builder, items[0], (at, "0"))
    then, otherwise = builder.build(items[1], (at, "1")), builder.build(items[2], (at, "2"))
    return If(decided, then, otherwise, span=span)


def _may_choose(builder: Builder, node: SourceNode) -> bool:
    """Heat takes conditions as they are, CloudFormation names only."""
    if nodes.as_string(node) is not None:
        return True
    return _is_condition(node) and (not builder.strict or function_of(node) == "Condition")


def _decided_by(builder: Builder, node: SourceNode, at: Path) -> Expression:
    name = nodes.as_string(node)
    if name is not None:
        return named(builder, name, "Fn::If", at, node.span)
    with builder.within(Scope.CONDITIONS if builder.scope is Scope.VALUES else builder.scope):
        return builder.build(node, at)


def equals(builder: Builder, argument: SourceNode, at: Path, span: Span | None) -> Expression:
    items = argument.items if argument.kind == "list" else ()
    if len(items) != 2 or any(nodes.is_null(item) for item in items):
        return builder.fail("InvalidFunctionArgument", _EQUALS, "Write `!Equals [left, right]`.", at, argument.span)
    left, right = builder.items(items, at)
    for side, node in zip((left, right), items, strict=True):
        if isinstance(side, MapOf | ListOf) and not builder.heat:
            return builder.fail("InvalidFunctionArgument", _EQUALS, "Compare two texts.", at, node.span)
        if builder.strict and builder.gives_list(side):
            hint = "This is a list: compare `!Join ['', list]`, which is '' when the list is empty."
            return builder.fail("InvalidFunctionArgument", _EQUALS, hint, at, node.span)
    return Equals(left, right, as_text=not builder.heat, span=span)


def not_(builder: Builder, argument: SourceNode, at: Path, span: Span | None) -> Expression:
    operands = argument.items if argument.kind == "list" and argument.tag is None else ()
    if len(operands) != 1 or not _may_decide(builder, operands[0]):
        hint = "Write `!Not [condition]`, the condition in a list."
        return builder.fail("InvalidFunctionArgument", _NOT, hint, at, argument.span)
    return Not(builder.build(operands[0], (at, "0")), span=span)


def and_(builder: Builder, argument: SourceNode, at: Path, span: Span | None) -> Expression:
    operands = _operands(builder, "Fn::And", argument, at)
    return Mistake(span=span) if operands is None else And(operands, span=span)


def or_(builder: Builder, argument: SourceNode, at: Path, span: Span | None) -> Expression:
    operands = _operands(builder, "Fn::Or", argument, at)
    return Mistake(span=span) if operands is None else Or(operands, span=span)


def _operands(builder: Builder, name: str, argument: SourceNode, at: Path) -> tuple[Expression, ...] | None:
    """Two to ten conditions; Heat knows no most (TC-12)."""
    items = argument.items if argument.kind == "list" and argument.tag is None else ()
    if len(items) < 2 or (len(items) > _MOST_OPERANDS and not builder.heat):
        hint = "Nest another one for more." if len(items) > _MOST_OPERANDS else "Write `[condition, condition]`."
        builder.fail("InvalidFunctionArgument", _MANY.format(name), hint, at, argument.span)
        return None
    wrong = [item for item in items if not _may_decide(builder, item)]
    for item in wrong:
        hint = "Each operand is a condition function, or `!Condition Name`."
        builder.fail("InvalidFunctionArgument", _MANY.format(name), hint, at, item.span)
    return None if wrong else builder.items(items, at)


def condition(builder: Builder, argument: SourceNode, at: Path, span: Span | None) -> Expression:
    name = nodes.as_string(argument)
    if not name:
        summary = "Template error: every Condition object must have a single String value."
        return builder.fail("InvalidFunctionArgument", summary, "Write the name of a condition.", at, argument.span)
    return named(builder, name, "Condition", at, argument.span)


def named(builder: Builder, name: str, where: str, at: Path, span: Span | None) -> Expression:
    """A reference to a declared condition."""
    if name not in builder.names.conditions:
        return builder.fail(
            "UnknownCondition",
            f"Template error: unresolved condition dependency {name} in {where}",
            did_you_mean(name, builder.names.conditions) or "Declare it in Conditions.",
            at,
            span,
        )
    return ConditionRef(name, span=span)


def _is_condition(node: SourceNode) -> bool:
    return function_of(node) in BOOLEAN_FUNCTIONS


def _may_decide(builder: Builder, node: SourceNode) -> bool:
    """Heat also takes truth values and parameters for operands (heat.md TF-16)."""
    function = function_of(node)
    if function is None:
        return builder.heat and isinstance(node.value, bool)
    # An unknown or misplaced function gets a message of its own when it is built.
    return function in BOOLEAN_FUNCTIONS or builder.heat or function not in _TEXT_FUNCTIONS


def function_of(node: SourceNode) -> str | None:
    """The long name of the function that `node` calls, else None (or the only key of a plain map)."""
    if node.tag is not None:
        name = node.tag.lstrip("!")
        return name if name in ("Ref", "Condition") else "Fn::" + name
    if node.kind == "map" and len(node.entries) == 1:
        return nodes.text(node.entries[0][0].value)
    return None


_TEXT_FUNCTIONS = frozenset({"Ref", "Fn::Sub", "Fn::Join", "Fn::Select", "Fn::Split", "Fn::Length", "Fn::ToJsonString"})
