"""Pseudo parameters (cloudformation.md L42 to L49) as expressions."""

from __future__ import annotations

from engine.model.diagnostic import Span
from engine.model.expression import Concat, Expression, Literal, NoValue, Pseudo, PseudoRef

PARTITION = "aws"
URL_SUFFIX = "amazonaws.com"

NAMES: frozenset[str] = frozenset(
    {
        "AWS::AccountId",
        "AWS::NoValue",
        "AWS::NotificationARNs",
        "AWS::Partition",
        "AWS::Region",
        "AWS::StackId",
        "AWS::StackName",
        "AWS::URLSuffix",
    }
)

_PLAIN: dict[str, Pseudo] = {
    "AWS::AccountId": Pseudo.ACCOUNT_ID,
    "AWS::NotificationARNs": Pseudo.NOTIFICATION_ARNS,
    "AWS::Region": Pseudo.REGION,
    "AWS::StackName": Pseudo.STACK_NAME,
}
_CONSTANT: dict[str, str] = {"AWS::Partition": PARTITION, "AWS::URLSuffix": URL_SUFFIX}


def expression(name: str, span: Span | None) -> Expression | None:
    """The value of pseudo parameter `name`; None when there is no such one."""
    if name in _PLAIN:
        return PseudoRef(_PLAIN[name], span=span)
    if name in _CONSTANT:
        return Literal(_CONSTANT[name], span=span)
    if name == "AWS::NoValue":
        return NoValue(span=span)
    if name == "AWS::StackId":
        return _stack_arn(span)
    return None


def _stack_arn(span: Span | None) -> Expression:
    """`arn:aws:cloudformation:<region>:<account>:stack/<name>/<uuid>`"""
    return Concat(
        (
            Literal(f"arn:{PARTITION}:cloudformation:"),
            PseudoRef(Pseudo.REGION),
            Literal(":"),
            PseudoRef(Pseudo.ACCOUNT_ID),
            Literal(":stack/"),
            PseudoRef(Pseudo.STACK_NAME),
            Literal("/"),
            PseudoRef(Pseudo.STACK_ID),
        ),
        span=span,
    )
