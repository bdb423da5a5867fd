"""A story for each test: virtual time, a fake world, a database of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import structlog

from tests.engine.runs.story import Story, blank, copy


@pytest.fixture(scope="session")
def blank_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return asyncio.run(blank(tmp_path_factory.mktemp("blank") / "blank.db"))


@pytest.fixture
async def story(tmp_path: Path, blank_database: Path) -> AsyncIterator[Story]:
    copy(blank_database, tmp_path)
    told = Story(tmp_path)
    await told.open()
    yield told
    if not told.dead:
        await told.close()


@pytest.fixture(autouse=True)
def _plain_log() -> Iterator[None]:
    """One line an event: a fault's story is in the assertions, not in pages of local variables."""
    structlog.configure(processors=[structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)])
    yield
    structlog.reset_defaults()
