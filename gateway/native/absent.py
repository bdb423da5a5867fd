"""Handlers of what is not served yet: a clear refusal that names it, so that nothing pretends to be there."""

from __future__ import annotations

from aiohttp import web

from gateway.native.call import Call
from gateway.native.faults import Fault


async def software_configs(call: Call) -> web.Response:
    """API-47 to API-50."""
    raise _refusal("Software configurations are")


async def software_deployments(call: Call) -> web.Response:
    """API-51 to API-56."""
    raise _refusal("Software deployments are")


def _refusal(what: str) -> Fault:
    return Fault(400, "NotSupported", f"{what} not supported by Isotherm yet.")
