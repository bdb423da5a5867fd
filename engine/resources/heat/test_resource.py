"""OS::Heat::TestResource: waits, fails and is replaced as told, for tests of the engine and of templates."""

from __future__ import annotations

from collections.abc import Mapping

from engine.model.value import Value
from engine.resources.base import Kind, MustReplace, Operation, OperationFailed
from engine.resources.declare import attribute, boolean, custom, mapping, number, string
from engine.resources.heat.local import LocalType


class TestResource(LocalType):
    """RTX-06. `action_wait_secs` goes before `wait_secs`; a failure comes after the wait, never in a delete."""

    __test__ = False  # not a test case, whatever pytest thinks of its name

    name = "OS::Heat::TestResource"
    properties = {
        "value": string(default="test_string", mutable=True),
        "fail": boolean(default=False, mutable=True),
        "update_replace": boolean(default=False, mutable=True),
        "update_replace_value": string(),
        "wait_secs": number(default=0, mutable=True),
        "action_wait_secs": mapping(
            {"create": number(mutable=True), "update": number(mutable=True), "delete": number(mutable=True)},
            mutable=True,
        ),
        "client_name": string(default="", mutable=True),
        "entity_name": string(default="", mutable=True),
        "constraint_prop_secs": number(custom("test_constr"), default=0, mutable=True),
        "attr_wait_secs": number(default=0, mutable=True),
    }
    attributes = {"output": attribute(Kind.ANY, live=True)}

    def values(self, op: Operation) -> Mapping[str, Value]:
        return {"output": op.properties.get("value")}

    def replaces(self, before: Mapping[str, Value], after: Mapping[str, Value]) -> bool:
        return bool(after.get("update_replace"))

    async def create(self, op: Operation) -> str | None:
        await self._wait(op, "create")
        return op.physical_name()

    async def update(self, op: Operation, changed: frozenset[str]) -> None:
        if op.properties.get("update_replace"):
            raise MustReplace
        await self._wait(op, "update")

    async def delete(self, op: Operation) -> None:
        await self._wait(op, "delete")

    async def _wait(self, op: Operation, action: str) -> None:
        chosen = (op.properties.get("action_wait_secs") or {}).get(action)
        seconds = op.properties["wait_secs"] if chosen is None else chosen
        if seconds > 0:
            await op.services.sleep(min(float(seconds), max(0.0, op.deadline - op.services.monotonic())))
        if op.properties["fail"] and action != "delete":
            raise OperationFailed(f"Test Resource failed {op.address}")
