"""Many rows of one table in one statement.

PostgreSQL is given a column of values at a time (`unnest`), which costs both sides a fraction of a row at a time.
SQLite is given tuples as they are: the columns hold text, integers and truth values, which need no conversion.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import ARRAY, Table, bindparam, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection


class Bulk:
    """Inserts rows of `table`; where one with the same `keys` exists, it is changed but for the columns `kept`.

    `but`: columns that the database fills in.
    """

    def __init__(
        self, table: Table, *, is_sqlite: bool, but: Collection[str] = (), keys: Sequence[str] = (),
        kept: Collection[str] = (),
    ) -> None:  # fmt: skip
        self._columns = [column for column in table.columns if column.name not in but]
        self._columnwise = not is_sqlite
        inserted = sqlite.insert(table) if is_sqlite else self._columns_of(table)
        changed = {c.name: inserted.excluded[c.name] for c in self._columns if c.name not in (*keys, *kept)}
        self._statement = inserted.on_conflict_do_update(index_elements=keys, set_=changed) if keys else inserted
        if is_sqlite:
            names = [column.name for column in self._columns]
            compiled = self._statement.compile(dialect=sqlite.dialect(paramstyle="qmark"), column_keys=names)
            self._text, self._values = str(compiled), itemgetter(*(compiled.positiontup or ()))

    async def put(self, connection: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
        """`rows` hold every column. PostgreSQL refuses two rows of the same keys."""
        if self._columnwise:
            values = {column.name: [row[column.name] for row in rows] for column in self._columns}
            await connection.execute(self._statement, values)
        else:
            await connection.exec_driver_sql(self._text, [self._values(row) for row in rows])

    def _columns_of(self, table: Table) -> postgresql.Insert:
        names = [column.name for column in self._columns]
        given = func.unnest(*(bindparam(column.name, type_=ARRAY(column.type)) for column in self._columns))
        rows = given.table_valued(*names).render_derived()
        return postgresql.insert(table).from_select(names, select(*(rows.c[name] for name in names)))
