"""Stack policies: who may change what in an update (cloudformation.md B13)."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Mapping, Sequence

import orjson

from engine.model.diagnostic import invalid
from engine.model.errors import Forbidden
from engine.model.stack import Change, ChangeAction, Replacement
from engine.model.value import Value

_ACTIONS = {"Update:*", "Update:Modify", "Update:Replace", "Update:Delete"}
_BAD = "Error validating stack policy: Invalid stack policy"


def read_policy(text: str) -> Sequence[Mapping[str, Value]]:
    """The statements of a policy. Raises Invalid."""
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise invalid("InvalidStackPolicy", _BAD, f"It is not JSON: {error}.") from error
    statements = document.get("Statement") if isinstance(document, dict) else None
    if not isinstance(statements, list) or not statements:
        raise invalid("InvalidStackPolicy", _BAD, "It needs a list `Statement` with at least one statement.")
    for statement in statements:
        _check(statement)
    return statements


def _check(statement: Value) -> None:
    if not isinstance(statement, dict) or statement.get("Effect") not in ("Allow", "Deny"):
        raise invalid("InvalidStackPolicy", _BAD, "Each statement has the Effect Allow or Deny.")
    if statement.get("Principal") != "*":
        raise invalid("InvalidStackPolicy", _BAD, 'The Principal of each statement is "*".')
    if not {"Action", "NotAction"} & statement.keys() or not {"Resource", "NotResource"} & statement.keys():
        raise invalid("InvalidStackPolicy", _BAD, "Each statement names an Action and a Resource.")
    unknown = set(_listed(statement.get("Action"))) | set(_listed(statement.get("NotAction")))
    if unknown - _ACTIONS:
        raise invalid("InvalidStackPolicy", _BAD, f"Actions are {', '.join(sorted(_ACTIONS))}.")


def denied(statements: Sequence[Mapping[str, Value]], changes: Iterable[Change]) -> None:
    """Raise Forbidden for the first change that the policy denies; what nothing allows is denied."""
    for change in changes:
        action = _action(change)
        if action is None or change.group is not None:
            continue
        matching = [s for s in statements if _applies(s, action, change)]
        denying = [s for s in matching if s["Effect"] == "Deny"]
        if denying or not matching:
            number = 1 + statements.index(denying[0]) if denying else 0
            raise Forbidden(
                f"Action denied by stack policy: Statement [#{number}] does not allow [{action}] for resource "
                f"[LogicalResourceId/{change.address}]"
            )


def _action(change: Change) -> str | None:
    match change.action:
        case ChangeAction.MODIFY:
            return "Update:Modify" if change.replacement is Replacement.NEVER else "Update:Replace"
        case ChangeAction.REMOVE:
            return "Update:Delete"
        case _:
            return None


def _applies(statement: Mapping[str, Value], action: str, change: Change) -> bool:
    names = _listed(statement.get("Action"))
    if names and not {action, "Update:*"} & set(names):
        return False
    if {action, "Update:*"} & set(_listed(statement.get("NotAction"))):
        return False
    place = f"LogicalResourceId/{change.address}"
    wanted, unwanted = _listed(statement.get("Resource")), _listed(statement.get("NotResource"))
    if wanted and not any(fnmatch.fnmatchcase(place, p) for p in wanted):
        return False
    if any(fnmatch.fnmatchcase(place, p) for p in unwanted):
        return False
    condition = statement.get("Condition") or {}
    for operator in ("StringEquals", "StringLike"):
        types = _listed((condition.get(operator) or {}).get("ResourceType"))
        if types and not any(fnmatch.fnmatchcase(change.type, p) for p in types):
            return False
    return True


def _listed(value: Value) -> list[str]:
    if value is None:
        return []
    return [value] if isinstance(value, str) else list(value)
