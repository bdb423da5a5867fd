"""Standing delegations: one per user and project, sealed. Implements `engine.cloud.delegation.DelegationStore`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, insert, select

from engine.state.database import Database
from engine.state.tables import delegations
from engine.state.vault import Vault


class StandingDelegations:
    def __init__(self, database: Database, vault: Vault) -> None:
        self._database, self._vault = database, vault

    async def get_delegation(self, user_id: str, project_id: str) -> Mapping[str, Any] | None:
        """The record as it was put, None when there is none."""
        c = delegations.c
        query = select(c.delegation_json).where(c.user_id == user_id, c.project_id == project_id)
        async with self._database.reader.connect() as connection:
            text = (await connection.execute(query)).scalar()
        return None if text is None else dict(self._vault.open(text))

    async def put_delegation(self, user_id: str, project_id: str, record: Mapping[str, Any]) -> None:
        """Keep `record` in place of any earlier one."""
        c = delegations.c
        await self._database.write(
            delete(delegations).where(c.user_id == user_id, c.project_id == project_id),
            insert(delegations).values(
                user_id=user_id, project_id=project_id, delegation_json=self._vault.seal(dict(record))
            ),
        )
