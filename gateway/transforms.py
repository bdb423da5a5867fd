"""What carries out the transforms of templates. Implements `engine.runs.context.Transforms`."""

from __future__ import annotations

from collections.abc import Mapping

from engine.model.value import Value
from gateway.macros import Macros
from gateway.serverless import Serverless


class TransformRunners:
    """`macros`: name → URL."""

    def __init__(self, macros: Mapping[str, str]) -> None:
        self._macros, self._serverless = Macros(macros), Serverless()

    async def macro(self, name: str, event: Mapping[str, Value]) -> Value:
        return await self._macros.call(name, event)

    async def serverless(self, document: str) -> str:
        return await self._serverless.translate(document)
