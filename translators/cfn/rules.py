"""The Rules section (cloudformation.md L06)."""

from __future__ import annotations

from engine.model.expression import Expression
from engine.model.template import Rule
from translators.cfn import nodes
from translators.cfn.builder import Builder, Scope
from translators.cfn.choices import BOOLEAN_FUNCTIONS
from translators.cfn.findings import Path, did_you_mean
from translators.source import SourceNode

_KEYS = frozenset({"Assertions", "RuleCondition"})
_ASSERTION_KEYS = frozenset({"Assert", "AssertDescription"})


def read_rules(builder: Builder, node: SourceNode | None) -> tuple[Rule, ...]:
    if node is None:
        return ()
    at: Path = (None, "Rules")
    found: list[Rule] = []
    with builder.within(Scope.RULES):
        for name, key, item in nodes.members(node, at, "Rules", builder.findings):
            here: Path = (at, name)
            nodes.check_name("Rule", name, key, here, builder.findings, builder.strict)
            rule = _rule(builder, name, key, item, here)
            if rule is not None:
                found.append(rule)
    return tuple(found)


def _rule(builder: Builder, name: str, key: SourceNode, node: SourceNode, at: Path) -> Rule | None:
    assertions_node = node.get("Assertions") if node.kind == "map" else None
    if assertions_node is None or assertions_node.kind != "list" or not assertions_node.items:
        builder.fail(
            "InvalidRule",
            f"Template format error: Rule {name} must contain a list of Assertions.",
            "Write `Assertions: [{Assert: …, AssertDescription: …}]`.",
            at,
            key.span,
        )
        return None
    nodes.check_keys(node, _KEYS, "Invalid template rule property '{}'", "InvalidRule", at, builder.findings)
    condition_node = node.get("RuleCondition")
    condition: Expression | None = None
    if condition_node is not None:
        condition = _decision(builder, condition_node, (at, "RuleCondition"))
    assertions: list[tuple[Expression, str]] = []
    for index, item in enumerate(assertions_node.items):
        here: Path = ((at, "Assertions"), str(index))
        assertion = item.get("Assert") if item.kind == "map" else None
        if assertion is None:
            summary = f"Template format error: Every Assertions member of rule {name} must contain an Assert."
            builder.fail("InvalidRule", summary, "Add `Assert:` with a rule function.", here, item.span)
            continue
        _ignored_keys(builder, item, here)
        said = item.get("AssertDescription")
        made = _decision(builder, assertion, (here, "Assert"))
        assertions.append((made, nodes.as_string(said) or "" if said is not None else ""))
    return Rule(name, condition, tuple(assertions)) if assertions else None


def _ignored_keys(builder: Builder, assertion: SourceNode, at: Path) -> None:
    """A misspelt description changes nothing: published templates have it."""
    for key, _ in assertion.entries:
        name = nodes.text(key.value)
        if name not in _ASSERTION_KEYS:
            summary = f"{name} of a rule's assertion is ignored."
            hint = did_you_mean(name, _ASSERTION_KEYS)
            builder.findings.warning("UnknownKeyIgnored", summary, hint, at=(at, name), span=key.span)


def _decision(builder: Builder, node: SourceNode, at: Path) -> Expression:
    """A rule function; a bare value decides nothing."""
    single = node.kind == "map" and len(node.entries) == 1
    name = nodes.text(node.entries[0][0].value) if single else "Fn::" + (node.tag or "").lstrip("!")
    if name not in BOOLEAN_FUNCTIONS and not name.startswith("Fn::") and node.tag is None:
        summary = "Template format error: Rules can only be boolean operations on parameters."
        return builder.fail("InvalidRule", summary, "Use a rule function, such as Fn::Contains.", at, node.span)
    return builder.build(node, at)
