"""What has to happen to one resource: the same decision for plans and for runs."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from engine.model.status import Action, Status
from engine.model.value import Value
from engine.resources.base import ResourceType
from engine.resources.schema import difference
from engine.state.rows import ResourceRow


class Step(enum.Enum):
    CREATE = "create"  # no object yet, or one whose creation can be taken up again
    UPDATE = "update"
    REPLACE = "replace"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Decision:
    """`row` is the generation to go on with, None when a new one is to be made; `changed` names properties."""

    step: Step
    row: ResourceRow | None = None
    changed: frozenset[str] = frozenset()
    maybe_replace: bool = False  # only running can tell whether it must be replaced


def candidate(rows: Sequence[ResourceRow], revision: int | None) -> ResourceRow | None:
    """The generation to go on with (heat.md ENGC-09): the newest that is live.

    Revisions only grow, so a generation brought further than `revision` was made by what is being rolled back: going
    back prefers the object that its replacement had condemned.
    """
    standing = [row for row in rows if row.exists and not row.skipped]
    if not standing:
        return None
    return max(
        standing,
        key=lambda row: (
            revision is None or (row.revision or 0) <= revision,
            not row.condemned,
            row.generation,
        ),
    )


def decide(
    row: ResourceRow | None, kind: ResourceType, properties: Mapping[str, Value], *, revision: int | None
) -> Decision:
    """Compare the object behind `row` with `properties` (normalised; UNKNOWN inside while planning)."""
    if row is None:
        return Decision(Step.CREATE)
    if row.type != kind.name:
        return Decision(Step.REPLACE, row)
    if row.external:
        return Decision(Step.NONE, row)
    if _unfinished(row):
        return Decision(Step.CREATE, row)
    mendable = _mendable(row, kind)
    if _broken(row) and not mendable:
        return Decision(Step.REPLACE, row)
    if kind.always_replace and row.revision != revision:
        return Decision(Step.REPLACE, row)
    found = difference(kind, row.properties, properties)
    changed = found.changed
    if row.attempted is not None:
        # A change was begun and not finished: whatever it touched may stand either way.
        for begun in (row.attempted, *row.data.get(IN_DOUBT, ())):
            changed |= difference(kind, begun, properties).changed
    if found.replace:
        return Decision(Step.REPLACE, row, changed)
    if not changed and not mendable and not _half_changed(row, kind):
        return Decision(Step.NONE, row)
    if kind.replaces(row.properties, properties):
        return Decision(Step.REPLACE, row, changed)
    return Decision(Step.UPDATE, row, changed, maybe_replace=found.maybe_replace)


#: A note of the engine's: the properties of every change that was begun and not finished since the last that was.
IN_DOUBT = "in_doubt"

#: The same, of a resource whose template is fetched: to which revision its stack ran when it changed the stack inside →
#: the revision that one had before.
CHILD_BEFORE = "child_before"


def of_the_type(data: Mapping[str, Value]) -> dict[str, Value]:
    """The notes that go along with the object into another stack: what the engine knows of its own runs does not."""
    return {name: note for name, note in data.items() if name not in (IN_DOUBT, CHILD_BEFORE)}


def _half_changed(row: ResourceRow, kind: ResourceType) -> bool:
    """A nested stack that may be anything inside, whatever is said of it outside."""
    return kind.nested and row.attempted is not None and row.action is Action.UPDATE


#: A note of the engine's: the user wants another one, whatever a look at it shows.
UNHEALTHY = "marked_unhealthy"


def looked_into(row: ResourceRow) -> ResourceRow:
    """The row as one of which only a run of the nested stack can tell what has to be changed inside."""
    return replace(row, action=Action.CHECK, status=Status.FAILED)


def _mendable(row: ResourceRow, kind: ResourceType) -> bool:
    """A nested stack in which something was found broken replaces just that when it is updated."""
    failed_check = row.action is Action.CHECK and row.status is Status.FAILED
    return kind.nested and failed_check and not row.data.get(UNHEALTHY)


def _unfinished(row: ResourceRow) -> bool:
    """A creation somebody began and nobody ended."""
    return row.action is Action.CREATE and row.status is Status.IN_PROGRESS


def _broken(row: ResourceRow) -> bool:
    """heat.md ENGU-05: failed creations and failed checks are replaced, not mended."""
    if row.action is Action.DELETE:
        return True
    return row.status is Status.FAILED and row.action in (Action.CREATE, Action.CHECK, Action.ADOPT, Action.IMPORT)
