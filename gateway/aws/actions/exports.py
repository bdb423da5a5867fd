"""Exports and who imports them (cloudformation.md A29, A30)."""

from __future__ import annotations

from typing import Any

from gateway.aws.call import Call
from gateway.aws.paging import page


async def list_exports(call: Call) -> dict[str, Any]:
    found = sorted(await call.engine.list_exports(call.caller), key=lambda one: one.name)
    shown, following = page(found, call.input.get("NextToken"), call.action, lambda one: one.name)
    exports = [
        {"ExportingStackId": call.arns.stack(one.stack_name, one.stack_id), "Name": one.name, "Value": one.value}
        for one in shown
    ]
    return {"Exports": exports, "NextToken": following}


async def list_imports(call: Call) -> dict[str, Any]:
    found = sorted(await call.engine.list_imports(call.caller, call.input["ExportName"]))
    shown, following = page(found, call.input.get("NextToken"), call.action, str)
    return {"Imports": shown, "NextToken": following}
