"""What an engine beside others refuses to start with."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from engine.cloud.settings import CloudSettings
from engine.runs.context import EngineSettings
from gateway.apart import start_engine
from gateway.config import Settings
from gateway.listening import StartError
from gateway.serve import start

SHORT = Settings(
    cloud="cloud", database="postgresql+asyncpg://127.0.0.1:1/none", transport_url="rabbit://127.0.0.1:1/",
    encryption_keys=["key"], heat_waitcondition_server_url="http://127.0.0.1/",
    engine=EngineSettings(grace=10), clouds=CloudSettings(request_timeout=30),
)  # fmt: skip
SAID = r"\[engine\] grace is 10 s and \[cloud\] request_timeout 30 s.*Set grace to 30 or more"


async def test_an_engine_that_would_take_over_too_early() -> None:
    async with AsyncExitStack() as stack:
        with pytest.raises(StartError, match=SAID):
            await start_engine(SHORT, stack)


async def test_a_serve_beside_others_too(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        with pytest.raises(StartError, match=SAID):
            await start(replace(SHORT, state_dir=tmp_path), stack)
