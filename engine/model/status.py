"""The closed sets of the one state machine; both dialects' statuses are views of these (heat.md §5.1)."""

from __future__ import annotations

import enum


class Action(enum.StrEnum):
    INIT = "INIT"  # a resource not begun; a stack that only has a change set (REVIEW_IN_PROGRESS)
    CREATE = "CREATE"
    DELETE = "DELETE"
    UPDATE = "UPDATE"
    ROLLBACK = "ROLLBACK"
    SUSPEND = "SUSPEND"
    RESUME = "RESUME"
    ADOPT = "ADOPT"
    SNAPSHOT = "SNAPSHOT"
    CHECK = "CHECK"
    RESTORE = "RESTORE"
    IMPORT = "IMPORT"
    SIGNAL = "SIGNAL"  # of events only: a signal was obeyed


class Status(enum.StrEnum):
    IN_PROGRESS = "IN_PROGRESS"
    COMPLETE = "COMPLETE"
    FAILED = "FAILED"


class OnFailure(enum.StrEnum):
    """What a failed create does; a failed update rolls back unless it is DO_NOTHING."""

    ROLLBACK = "ROLLBACK"
    DELETE = "DELETE"
    DO_NOTHING = "DO_NOTHING"
