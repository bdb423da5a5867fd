"""The sentences of stack status reasons: they name the resource and what the cloud said, in the dialect's own form."""

from __future__ import annotations

from collections.abc import Mapping

from engine.model.status import Action

_VERBS = {Action.CREATE: "create", Action.UPDATE: "update", Action.DELETE: "delete", Action.ROLLBACK: "roll back"}


def started(action: Action) -> str:
    return f"Stack {action.value} started"


def completed(action: Action) -> str:
    return f"Stack {action.value} completed successfully"


def failed(dialect: str, action: Action, failures: Mapping[str, str], cancelled: int = 0) -> str:
    """`failures`: address → reason, root causes only."""
    named: dict[str, str] = {}
    for address, reason in failures.items():
        named.setdefault(address.split("/")[0], reason)
    if dialect == "cfn":
        names = ", ".join(sorted(named))
        said = " ".join(f"{name}: {reason}" for name, reason in named.items())
        return f"The following resource(s) failed to {_VERBS.get(action, action.value.lower())}: [{names}]. {said}"
    return "; ".join(f"Resource {action.value} failed: resources.{name}: {reason}" for name, reason in named.items())


def timed_out(dialect: str, action: Action) -> str:
    """cloudformation.md B06, heat.md ENGC-12."""
    if dialect == "cfn" and action is Action.CREATE:
        return "Stack creation time exceeded the specified timeout. Rollback requested by user."
    return f"{action.value.capitalize()} timed out"
