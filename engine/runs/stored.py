"""The parameter store: the parameters that stacks of a project have made (`Isotherm::Parameter`), by their names."""

from __future__ import annotations

from collections.abc import Iterable

from engine.model.status import Action, Status
from engine.resources.isotherm.parameter import TYPE, value_of
from engine.state.rows import ResourceRow
from engine.state.store import Store


async def stored_value(
    store: Store, project_id: str, name: str, version: int | None = None, own: Iterable[ResourceRow] = ()
) -> str | None:
    """The value of the parameter, or the one that it had as `version`; None when there is no such one.

    One that is still being made is not there yet. `own`: the rows of the stack that runs, which knows them before the
    disk does.
    """
    for row in own:
        if row.physical_id == name and _is_there(row):
            return value_of(row.data, version)
    for row in await store.resources_with_physical_id(project_id, name):
        if _is_there(row):
            return value_of(row.data, version)
    return None


def _is_there(row: ResourceRow) -> bool:
    made = row.action is not Action.CREATE or row.status is Status.COMPLETE
    return row.type == TYPE and row.exists and not row.condemned and made
