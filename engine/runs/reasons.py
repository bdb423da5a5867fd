"""The sentences of stack status reasons: they name the resource and what the cloud said, in the dialect's own form."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from engine.model.status import Action

_VERBS = {Action.CREATE: "create", Action.UPDATE: "update", Action.DELETE: "delete", Action.ROLLBACK: "roll back"}


_MOST = 65_535  # bytes of a reason (heat.md ENGU-20)
_CUT = "…"


def bounded(reason: str) -> str:
    """`reason`, its end cut off where it is too long to be kept and shown."""
    encoded = reason.encode()
    if len(encoded) <= _MOST:
        return reason
    return encoded[: _MOST - len(_CUT.encode())].decode(errors="ignore") + _CUT


def started(action: Action) -> str:
    return f"Stack {action.value} started"


def completed(action: Action) -> str:
    return f"Stack {action.value} completed successfully"


def failed(
    dialect: str, action: Action, failures: Mapping[str, str], actions: Mapping[str, Action] = MappingProxyType({})
) -> str:
    """`failures`: address → reason, root causes only. `actions`: what was being done to them where it is not `action`:
    an update makes resources too, and AWS says which failed at what."""
    named: dict[str, str] = {}
    verbs: dict[str, set[str]] = {}
    for address, reason in failures.items():
        name, done = address.split("/")[0], actions.get(address, action)
        named.setdefault(name, reason)
        verbs.setdefault(_VERBS.get(done, done.value.lower()), set()).add(name)
    if dialect == "cfn":
        lists = [f"The following resource(s) failed to {verb}: [{', '.join(sorted(n))}]." for verb, n in verbs.items()]
        return " ".join([*lists, *(f"{name}: {reason}" for name, reason in named.items())])
    return "; ".join(f"Resource {action.value} failed: resources.{name}: {reason}" for name, reason in named.items())


def timed_out(dialect: str, action: Action) -> str:
    """cloudformation.md B06, heat.md ENGC-12."""
    if dialect == "cfn" and action is Action.CREATE:
        return "Stack creation time exceeded the specified timeout. Rollback requested by user."
    return f"{action.value.capitalize()} timed out"
