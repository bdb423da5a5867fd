"""Handles of wait conditions: an address that takes signals."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from engine.model.value import Value
from engine.resources.base import Operation
from engine.resources.declare import attribute, one_of, string
from engine.resources.heat.local import LocalType

_CURL = (
    "curl -i -X POST -H 'X-Auth-Token: {token}' -H 'Content-Type: application/json' "
    "-H 'Accept: application/json' '{url}'"
)

NO_SIGNAL = "NO_SIGNAL"


class WaitConditionHandle(LocalType):
    """Every transport that posts a signal gets the same address: its signature is the credential, so the token that
    some templates put into a header need not be one (ENGA-02, ENGA-03, ENGA-05)."""

    name = "OS::Heat::WaitConditionHandle"
    signalable = True
    secret_attributes = True
    properties = {
        "signal_transport": string(
            one_of("CFN_SIGNAL", "TEMP_URL_SIGNAL", "HEAT_SIGNAL", NO_SIGNAL, "ZAQAR_SIGNAL", "TOKEN_SIGNAL"),
            default="TOKEN_SIGNAL",
        ),
    }
    attributes = {
        "token": attribute(live=True),
        "endpoint": attribute(live=True),
        "curl_cli": attribute(live=True),
        "signal": attribute(live=True),
    }

    def validate(self, properties: Mapping[str, Value]) -> list[str]:
        transport = properties.get("signal_transport")
        if transport in ("TEMP_URL_SIGNAL", "ZAQAR_SIGNAL"):
            return [
                f"signal_transport {transport} is not offered: signals come over HTTP to a signed address; "
                "use TOKEN_SIGNAL, CFN_SIGNAL or HEAT_SIGNAL"
            ]
        return []

    async def create(self, op: Operation) -> str | None:
        await op.services.clear_signals(op)
        return op.physical_name()

    def values(self, op: Operation) -> Mapping[str, Value]:
        url = op.services.signal_url(op, kind="waitcondition")
        found: dict[str, Any] = {"token": op.token, "endpoint": url, "curl_cli": _CURL.format(token=op.token, url=url)}
        signal: dict[str, Any] = {"alarm_url": url}
        if op.properties.get("signal_transport") == "HEAT_SIGNAL":
            signal |= {"project_id": op.stack.project_id, "region_name": op.stack.region}
        return {**found, "signal": json.dumps(signal, sort_keys=True)}


class UpdateWaitConditionHandle(WaitConditionHandle):
    """A handle that is new at every update, so that its signals must come again (ENGA-10). Known as its address."""

    name = "OS::Heat::UpdateWaitConditionHandle"
    always_replace = True
    properties = {}
    attributes = {}

    def has_attribute(self, name: str) -> bool:
        return name == "show"

    def reference(self, physical_id: str | None, attributes: Mapping[str, Value], address: str) -> Value:
        return attributes.get("endpoint")
