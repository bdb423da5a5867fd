"""A store to test on: SQLite in a temporary folder, and PostgreSQL where the `services` mark selects it."""

from __future__ import annotations

import os
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from engine.model.clock import SystemClock
from engine.state.database import Database
from engine.state.store import Store
from engine.state.vault import Vault

POSTGRES = os.environ.get("ISOTHERM_TEST_POSTGRES", "postgresql+asyncpg://postgres@127.0.0.1:5432/postgres")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.services)])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    if request.param == "sqlite":
        made = Database(f"sqlite+aiosqlite:///{tmp_path}/state.db")
        yield made
        await made.close()
        return
    name = f"isotherm_test_{uuid.uuid4().hex[:12]}"
    admin = create_async_engine(POSTGRES, isolation_level="AUTOCOMMIT")
    async with admin.connect() as connection:
        await connection.execute(text(f"CREATE DATABASE {name}"))
    made = Database(POSTGRES.rsplit("/", 1)[0] + f"/{name}")
    try:
        yield made
    finally:
        await made.close()
        async with admin.connect() as connection:
            await connection.execute(text(f"DROP DATABASE {name}"))
        await admin.dispose()


@pytest.fixture
async def store(database: Database) -> Store:
    await database.prepare()
    return Store(database, Vault([Fernet.generate_key().decode()]), SystemClock())
