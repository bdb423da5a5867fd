"""What outputs and metadata ask for that nothing can give, whatever resources turn out to be."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from engine.expr.evaluate import evaluate, holds
from engine.model.diagnostic import Diagnostic, Invalid
from engine.model.expression import (
    Expression,
    ListOf,
    Literal,
    MakeUrl,
    MapOf,
    Mistake,
    Repeat,
    Replace,
    Yaql,
    find,
    walk,
)
from engine.model.template import Dialect, Group, Resource
from engine.model.value import UNKNOWN
from engine.plan.deployment import Deployment
from engine.plan.scope import View

_CHECKED: Final = (Yaql, MakeUrl, Replace, Repeat)  # functions of HOT that tell by themselves whether they can work
_EXPORT_NAME: Final = re.compile(r"[A-Za-z0-9:-]{1,255}")


def output_findings(deployment: Deployment) -> Iterator[Diagnostic]:
    """As far as the template's own language refuses it before anything is made."""
    return _hopeless(deployment) if deployment.template.dialect is Dialect.CFN else _unfit(deployment)


def _unfit(deployment: Deployment) -> Iterator[Diagnostic]:
    """What is written into functions of HOT's outputs that they never take. Heat refuses that too; what only the values
    of a running stack show becomes the error of its output."""
    scope = deployment.scope(View())
    for output in deployment.template.outputs.values():
        if output.condition is not None and not holds(output.condition, scope):
            continue
        for inner in find(output.value, *_CHECKED):
            written = _as_written(inner)
            try:
                if written is not None:
                    evaluate(written, scope)
            except Invalid as error:
                yield from (replace(one, address=one.address or f"outputs.{output.name}") for one in error.diagnostics)


def _as_written(function: Yaql | MakeUrl | Replace | Repeat) -> Expression | None:
    """The function with what it is given literally and nothing else; None where that tells nothing."""
    match function:
        case Yaql(expression) if _is_literal(expression):
            return replace(function, data=Mistake())
        case MakeUrl(parts) if _is_literal(parts):
            return function
        case Replace(_, params) if _is_literal(params) and not isinstance(params, MapOf):
            return replace(function, template=Literal(""))
        case Repeat(permutations=together) if together is not None and _is_literal(together):
            return replace(function, template=Literal(""), loops=MapOf(()))
        case _:
            return None


def _is_literal(expression: Expression) -> bool:
    return all(isinstance(inner, Literal | ListOf | MapOf) for inner in walk(expression))


def _hopeless(deployment: Deployment) -> Iterator[Diagnostic]:
    scope = deployment.scope(View())
    held: list[Resource | Group] = [*deployment.resources.values(), *deployment.groups.values()]
    places = [(f"Resources.{one.address}.Metadata", one.metadata) for one in held]
    places += [
        (f"Outputs.{one.name}", part)
        for one in deployment.template.outputs.values()
        if one.condition is None or holds(one.condition, scope)
        for part in (one.value, one.export)
    ]
    yield from _exports(deployment)
    for address, part in places:
        if part is not None:
            try:
                evaluate(part, scope)
            except Invalid as error:
                yield from (replace(one, address=one.address or address) for one in error.diagnostics)


def _exports(deployment: Deployment) -> Iterator[Diagnostic]:
    """Q22: names of exports that are put together are known as soon as parameters are."""
    scope = deployment.scope(View())
    taken: dict[str, str] = {}  # by outputs that are there for certain
    for output in deployment.template.outputs.values():
        there = output.condition is None or holds(output.condition, scope)
        if output.export is None or not there:
            continue
        try:
            name = evaluate(output.export, scope)
        except Invalid:
            continue  # told with what is wrong with outputs
        if name is not UNKNOWN and not (isinstance(name, str) and _EXPORT_NAME.fullmatch(name)):
            yield Diagnostic(
                "InvalidExport",
                f"Template format error: Output {output.name} is malformed. The Name field of every Export member must "
                "be specified and consist only of alphanumeric characters, colons, or hyphens.",
                f"It is {str(name)[:60]!r}; names have at most 255 characters.",
                address=f"Outputs.{output.name}", span=output.export.span or output.span,
            )  # fmt: skip
        elif isinstance(name, str) and there is True and taken.setdefault(name, output.name) != output.name:
            yield Diagnostic(
                "InvalidExport",
                f"Template format error: Output {output.name} is malformed. The output {taken[name]} is exported as "
                f"{name} already.",
                "Give each export a name of its own.",
                address=f"Outputs.{output.name}", span=output.export.span or output.span,
            )  # fmt: skip
