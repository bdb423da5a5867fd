"""Listing stacks: conditions as a value, and the query they become (heat.md §1.3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Select, and_, false, or_, select

from engine.model.stack import Stack
from engine.state.tables import stacks

_COLUMNS = {
    "id": stacks.c.id,
    "name": stacks.c.name,
    "stack_name": stacks.c.name,
    "status": stacks.c.status,
    "stack_status": stacks.c.status,
    "action": stacks.c.action,
    "stack_action": stacks.c.action,
    "stack_status_reason": stacks.c.reason,
    "tenant": stacks.c.project_id,
    "username": stacks.c.user_name,
    "user_name": stacks.c.user_name,
    "stack_owner": stacks.c.user_name,
    "owner_id": stacks.c.parent_id,
    "parent": stacks.c.parent_id,
    "parent_id": stacks.c.parent_id,
}
_SORT = {
    "name": stacks.c.name,
    "stack_name": stacks.c.name,
    "status": stacks.c.status,
    "stack_status": stacks.c.status,
    "created": stacks.c.created,
    "creation_time": stacks.c.created,
    "updated": stacks.c.updated,
    "updated_time": stacks.c.updated,
}


@dataclass(frozen=True, slots=True)
class StackFilter:
    """What `list_stacks` returns; every given condition must hold, values of one condition are alternatives."""

    where: Mapping[str, Sequence[str]] = field(default_factory=dict)  # id, name, status, action, user_name, parent_id …
    states: Sequence[tuple[str, str]] = ()  # (action, status) pairs, alternatives
    tags: Sequence[str] = ()
    tags_any: Sequence[str] = ()
    not_tags: Sequence[str] = ()
    not_tags_any: Sequence[str] = ()
    show_deleted: bool = False
    show_nested: bool = False
    show_hidden: bool = False
    all_projects: bool = False
    limit: int | None = None
    marker: str | None = None  # stack id
    sort_keys: Sequence[str] = ()  # name, status, created, updated
    ascending: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether it asks the database for a project's live root stacks, newest first, and nothing else."""
        asked = self.where or self.states or self.sort_keys
        wider = self.show_deleted or self.show_nested or self.all_projects
        return not (asked or wider or self.ascending)


def query_of(wanted: StackFilter, project_id: str) -> Select[Any]:
    """Everything but tags, marker and limit, which need the records."""
    s = stacks.c
    query = select(stacks)
    if not wanted.all_projects:
        query = query.where(s.project_id == project_id)
    if not wanted.show_deleted:
        query = query.where(s.deleted.is_(None))
    if not wanted.show_nested and not {"owner_id", "parent", "parent_id", "id"} & set(wanted.where):
        query = query.where(s.parent_id.is_(None))
    for name, values in wanted.where.items():
        column = _COLUMNS.get(name)
        query = query.where(false() if column is None else column.in_(list(values)))
    if wanted.states:
        query = query.where(or_(*(and_(s.action == action, s.status == status) for action, status in wanted.states)))
    keys = [_SORT[key] for key in wanted.sort_keys if key in _SORT] or [s.created]
    order = [key.asc() if wanted.ascending else key.desc() for key in (*keys, s.id)]
    return query.order_by(*order)


def pick(found: Sequence[Stack], wanted: StackFilter, hidden: Sequence[str]) -> list[Stack]:
    """Apply tags, then marker and limit."""
    chosen = [stack for stack in found if _tagged(stack, wanted, hidden)]
    if wanted.marker is not None:
        places = [at for at, stack in enumerate(chosen) if stack.id == wanted.marker]
        chosen = chosen[places[0] + 1 :] if places else chosen
    return chosen if wanted.limit is None else chosen[: wanted.limit]


def _tagged(stack: Stack, wanted: StackFilter, hidden: Sequence[str]) -> bool:
    tags = stack.options.tags
    has = {*tags, *(f"{name}={value}" for name, value in tags.items() if value)}
    if not wanted.show_hidden and has & set(hidden):
        return False
    if not set(wanted.tags) <= has:
        return False
    if wanted.tags_any and not has & set(wanted.tags_any):
        return False
    if wanted.not_tags and set(wanted.not_tags) <= has:
        return False
    return not has & set(wanted.not_tags_any)
