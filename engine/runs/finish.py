"""The end of a successful run: outputs, exports, imports, and the stack's last transition in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.expr.evaluate import evaluate, holds
from engine.model.diagnostic import Invalid
from engine.model.errors import Refused
from engine.model.stack import OutputValue
from engine.model.value import NO_VALUE, UNKNOWN
from engine.plan.deployment import Deployment
from engine.plan.scope import View
from engine.state import tables as t
from engine.state.vault import Vault, dump


class ExportClash(Refused):
    """An export name of the stack is taken, or one it takes away is in use."""


def evaluate_outputs(deployment: Deployment, view: View) -> tuple[OutputValue, ...]:
    """Every output whose condition holds; one that cannot be evaluated has its error instead of a value."""
    scope = deployment.scope(view)
    found = []
    for output in deployment.template.outputs.values():
        try:
            if output.condition is not None and not holds(output.condition, scope):
                continue
            value = evaluate(output.value, scope)
            export = None if output.export is None else evaluate(output.export, scope)
        except Invalid as error:
            found.append(OutputValue(output.name, None, output.description, None, deployment.veil(str(error))))
            continue
        known = None if value is UNKNOWN or value is NO_VALUE else value
        name = export if isinstance(export, str) else None
        found.append(OutputValue(output.name, known, output.description, name))
    return tuple(found)


async def write_exports(
    connection: AsyncConnection, project_id: str, stack_id: str, outputs: Sequence[OutputValue], vault: Vault, *,
    secret: bool,
) -> None:  # fmt: skip
    """Make the stack's exports those of `outputs`, their values sealed when the stack has secrets. Raises ExportClash;
    then nothing is written."""
    wanted = {o.export: as_text(o.value) for o in outputs if o.export is not None}
    e = t.exports.c
    rows = await connection.execute(select(e.name, e.value).where(e.stack_id == stack_id))
    kept = {row.name: vault.open_text(row.value) for row in rows}
    mine = {name: value for name, (value, _) in kept.items()}
    if mine == wanted and all(sealed or not secret for _, sealed in kept.values()):
        return
    await _refuse_used(connection, project_id, {n for n, v in mine.items() if wanted.get(n) != v}, deleting=False)
    await connection.execute(delete(t.exports).where(e.stack_id == stack_id))
    for name, value in wanted.items():
        taken = (
            await connection.execute(
                select(t.stacks.c.name)
                .join(t.exports, e.stack_id == t.stacks.c.id)
                .where(e.project_id == project_id, e.name == name)
            )
        ).scalar()
        if taken is not None:
            raise ExportClash(f"Export with name {name} is already exported by stack {taken}. Choose another name.")
        await connection.execute(
            insert(t.exports).values(
                project_id=project_id, name=name, value=vault.seal_text(value, secret=secret), stack_id=stack_id
            )
        )


async def _refuse_used(connection: AsyncConnection, project_id: str, names: set[str], *, deleting: bool) -> None:
    i, s = t.imports.c, t.stacks.c
    for name in sorted(names):
        query = (
            select(s.name)
            .join(t.imports, i.stack_id == s.id)
            .where(i.project_id == project_id, i.name == name, s.deleted.is_(None))
        )
        users = sorted((await connection.execute(query)).scalars())
        if users:
            verb = "deleted" if deleting else "updated"
            raise ExportClash(f"Export {name} cannot be {verb} as it is in use by {', '.join(users)}")


async def refuse_delete_of_used(connection: AsyncConnection, project_id: str, stack_id: str) -> None:
    """Raises ExportClash when another stack imports an export of this one (cloudformation.md W44)."""
    query = select(t.exports.c.name).where(t.exports.c.stack_id == stack_id)
    names = set((await connection.execute(query)).scalars())
    await _refuse_used(connection, project_id, names, deleting=True)


async def write_imports(connection: AsyncConnection, project_id: str, stack_id: str, names: Sequence[str]) -> None:
    """Lock the exports this stack reads."""
    await connection.execute(delete(t.imports).where(t.imports.c.stack_id == stack_id))
    rows = [{"project_id": project_id, "name": name, "stack_id": stack_id} for name in sorted(set(names))]
    if rows:
        await connection.execute(insert(t.imports), rows)


def unexported(outputs: Iterable[OutputValue]) -> tuple[OutputValue, ...]:
    """A nested stack's outputs have no names that others import."""
    return tuple(replace(output, export=None) for output in outputs)


def as_text(value: Any) -> str:
    """An output as CloudFormation shows it: text."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else dump(value) if isinstance(value, dict | list) else str(value)
