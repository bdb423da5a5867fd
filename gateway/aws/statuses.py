"""The engine's states as CloudFormation's statuses (cloudformation.md S01 to S23, C06, B21)."""

from __future__ import annotations

from typing import Final

from engine.model.status import Action, Status

# What only the native API can ask for changes a stack that goes on existing: an update, as far as AWS clients go (B21).
_STEM: Final[dict[Action, str]] = {
    Action.CREATE: "CREATE",
    Action.ADOPT: "CREATE",
    Action.DELETE: "DELETE",
    Action.UPDATE: "UPDATE",
    Action.SUSPEND: "UPDATE",
    Action.RESUME: "UPDATE",
    Action.CHECK: "UPDATE",
    Action.SNAPSHOT: "UPDATE",
    Action.RESTORE: "UPDATE",
    Action.IMPORT: "IMPORT",
    Action.SIGNAL: "UPDATE",
    Action.ROLLBACK: "ROLLBACK",
    Action.INIT: "CREATE",
}
NATIVE_ONLY: Final = frozenset(
    {Action.SUSPEND, Action.RESUME, Action.CHECK, Action.SNAPSHOT, Action.RESTORE, Action.ADOPT}
)  # fmt: skip
REVIEW: Final = "REVIEW_IN_PROGRESS"

# Statuses from which UpdateStack and change sets of type UPDATE may start (S03, S05, S12, S13, S16, S20, S22).
UPDATABLE: Final = frozenset(
    {
        "CREATE_COMPLETE", "CREATE_FAILED", "UPDATE_COMPLETE", "UPDATE_FAILED", "UPDATE_ROLLBACK_COMPLETE",
        "IMPORT_COMPLETE", "IMPORT_ROLLBACK_COMPLETE",
    }
)  # fmt: skip

# Statuses in which a stack can be compared with the cloud.
COMPARABLE: Final = frozenset(
    {
        "CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_FAILED", "IMPORT_COMPLETE",
        "IMPORT_ROLLBACK_COMPLETE",
    }
)  # fmt: skip


def stack_status(action: Action, status: Status, reverting: Action | None = None, cleaning: bool = False) -> str:
    """One of the 23 statuses of a stack."""
    if action is Action.INIT:
        return REVIEW
    stem = _STEM[action]
    if action is Action.ROLLBACK:
        stem = _rollback_stem(reverting)
    if action is Action.IMPORT and status is Status.FAILED:
        return "IMPORT_ROLLBACK_FAILED"
    if cleaning and status is Status.IN_PROGRESS and stem in ("UPDATE", "UPDATE_ROLLBACK"):
        return f"{stem}_COMPLETE_CLEANUP_IN_PROGRESS"
    return f"{stem}_{status}"


def _rollback_stem(reverting: Action | None) -> str:
    if reverting is None or _STEM[reverting] == "CREATE":
        return "ROLLBACK"
    return "IMPORT_ROLLBACK" if reverting is Action.IMPORT else "UPDATE_ROLLBACK"


def resource_status(action: Action, status: Status, skipped: bool = False) -> str:
    """One of the 28 statuses of a resource."""
    return "DELETE_SKIPPED" if skipped else f"{_STEM[action]}_{status}"


def states_of(statuses: frozenset[str]) -> list[tuple[str, str]]:
    """(action, status) pairs that can be shown as one of `statuses`; some of them also as others."""
    return [
        (action.value, status.value)
        for action in Action
        for status in Status
        if any(
            stack_status(action, status, reverting, cleaning) in statuses
            for reverting in (None, Action.UPDATE, Action.IMPORT)
            for cleaning in (False, True)
        )
    ]


# The kind of operation that a stack's action is (the model's OperationType).
OPERATION: Final[dict[Action, str]] = {
    Action.CREATE: "CREATE_STACK",
    Action.ADOPT: "CREATE_STACK",
    Action.DELETE: "DELETE_STACK",
    Action.ROLLBACK: "ROLLBACK",
    Action.INIT: "CREATE_CHANGESET",
}


def operation_type(action: Action) -> str:
    return OPERATION.get(action, "UPDATE_STACK")
