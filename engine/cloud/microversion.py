"""Which microversion to ask for: the one we were written against, or the server's highest when that is lower."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from engine.cloud.cache import TtlCache
from engine.cloud.catalog import version_root
from engine.cloud.errors import CloudError
from engine.model.clock import Clock

#: What a service calls itself in the header, where that is not its catalogue type.
_HEADER_NAME = {"block-storage": "volume", "container-infrastructure-management": "container-infra"}

_KEPT_SECONDS = 3600.0


def header(service: str, version: str) -> dict[str, str]:
    """Return the header that asks `service` (official type) for `version`."""
    if service == "shared-file-system":
        return {"X-OpenStack-Manila-API-Version": version}
    return {"OpenStack-API-Version": f"{_HEADER_NAME.get(service, service)} {version}"}


class Microversions:
    """`ask` gets the JSON of an address below the cloud. Answers are kept per address for an hour."""

    def __init__(self, wanted: Mapping[str, str], clock: Clock) -> None:
        self._wanted = wanted
        self._highest: TtlCache[str, tuple[int, ...]] = TtlCache(200, clock)

    async def choose(self, service: str, root: str, ask: Callable[[str], Awaitable[Any]]) -> str | None:
        """Return the version to send, or None for a service without microversions."""
        wanted = self._wanted.get(service)
        if wanted is None:
            return None
        address = version_root(root) + "/"
        highest = self._highest.get(address)
        if highest is None:
            highest = await self._highest.get_or_ask(address, lambda: _discover(ask, address), _KEPT_SECONDS)
        if not highest:
            return None
        chosen = min(_parse(wanted), highest)
        return ".".join(map(str, chosen))


async def _discover(ask: Callable[[str], Awaitable[Any]], address: str) -> tuple[int, ...]:
    """The highest microversion told at `address`; () when none is told, as by a service that has none."""
    try:
        body = await ask(address)
    except CloudError as error:
        if error.status in (300, 401, 403, 404):
            return ()
        raise
    if not isinstance(body, Mapping):
        return ()
    found: list[tuple[int, ...]] = [()]
    for version in [body.get("version"), *(body.get("versions") or ())]:
        if isinstance(version, Mapping):
            text = version.get("max_version") or version.get("version") or ""
            if re.fullmatch(r"\d+\.\d+", str(text)):
                found.append(_parse(str(text)))
    return max(found)


def _parse(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
