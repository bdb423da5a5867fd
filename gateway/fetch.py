"""Fetching templates and files by URL, for users who must not reach the gateway's own network through it.

Every name is resolved here, its addresses are judged, and the connection goes to a judged address; each redirect is
judged anew (cloudformation.md W48).
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from engine.model.diagnostic import Invalid, invalid

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS: Final = 3
_CHUNK: Final = 65536


@dataclass(frozen=True, slots=True)
class FetchSettings:
    """`allowed_networks` (CIDR) may be reached although they are private, loopback or link-local."""

    allowed_networks: Sequence[str] = ()
    largest: int = 1024 * 1024  # bytes
    seconds: float = 60
    at_once: int = 16


class Forbidden(OSError):
    """The name has only addresses that must not be reached."""


class Guard:
    """Keeps what users have connected away from the operator's own network, but for `allowed` ones (CIDR)."""

    def __init__(self, allowed: Sequence[str] = ()) -> None:
        self._allowed = [ipaddress.ip_network(one, strict=False) for one in allowed]

    def connector(self) -> aiohttp.TCPConnector:
        """One that connects to addresses which may be reached. Raises Forbidden when a name has none."""
        return aiohttp.TCPConnector(resolver=_Judging(self._allowed), use_dns_cache=False, limit=1)

    def judge(self, target: URL) -> None:
        """Addresses written in the URL are not resolved, so they are judged here. Raises Forbidden."""
        try:
            address = ipaddress.ip_address((target.host or "").partition("%")[0])
        except ValueError:
            return
        if not reachable(address, self._allowed):
            raise Forbidden(_NOT_REACHED.format(target.host))


class Fetcher:
    """One per process. Raises Invalid (`UnsupportedUrl`, `FetchFailed`) for whatever goes wrong."""

    def __init__(self, settings: FetchSettings | None = None) -> None:
        self._settings = settings or FetchSettings()
        self._guard = Guard(self._settings.allowed_networks)
        self._slots = asyncio.Semaphore(self._settings.at_once)

    async def fetch(self, url: str) -> str:
        """The text behind an http or https URL."""
        target = _checked(url)
        try:
            async with asyncio.timeout(self._settings.seconds), self._slots:
                content = await self._follow(target)
        except TimeoutError as error:
            raise _failed(url, f"no answer within {self._settings.seconds:g} seconds") from error
        except Forbidden as error:
            raise _unsupported(url, str(error)) from error
        except aiohttp.ClientConnectorError as error:
            if isinstance(error.os_error, Forbidden):
                raise _unsupported(url, str(error.os_error)) from error
            raise _failed(url, f"it cannot be reached: {error.strerror or error}") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise _failed(url, f"{type(error).__name__}: {error}") from error
        try:
            return content.decode()
        except UnicodeDecodeError as error:
            raise _failed(url, f"it is not UTF-8 (byte {error.start})") from error

    async def _follow(self, target: URL) -> bytes:
        async with aiohttp.ClientSession(
            connector=self._guard.connector(), auto_decompress=False, headers={"Accept-Encoding": "identity"}
        ) as session:
            for _ in range(_MOST_REDIRECTS + 1):
                self._guard.judge(target)
                async with session.get(target, allow_redirects=False) as answer:
                    if answer.status in _REDIRECTS:
                        target = _checked(str(target.join(URL(answer.headers.get("Location", "")))))
                        continue
                    if answer.status != 200:
                        raise _failed(str(target), f"the server answered {answer.status} {answer.reason}")
                    return await self._read(answer, str(target))
        raise _failed(str(target), f"it is redirected more than {_MOST_REDIRECTS} times")

    async def _read(self, answer: aiohttp.ClientResponse, url: str) -> bytes:
        limit, found = self._settings.largest, bytearray()
        if answer.headers.get("Content-Encoding", "identity") != "identity":
            raise _failed(url, "the server sends it compressed although that was not asked for")
        async for chunk in answer.content.iter_chunked(_CHUNK):
            found += chunk
            if len(found) > limit:
                raise _failed(url, f"it is larger than {limit} bytes")
        return bytes(found)


_NOT_REACHED: Final = (
    "{} is an address inside the operator's own network (loopback, link-local or private), and it is not configured as "
    "allowed (allowed_template_networks)"
)


class _Judging(AbstractResolver):
    """Names to those of their addresses that may be reached."""

    def __init__(self, allowed: Sequence[Network]) -> None:
        self._allowed = allowed

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await asyncio.get_running_loop().getaddrinfo(
            host, port, type=socket.SOCK_STREAM, family=family, flags=socket.AI_ADDRCONFIG
        )
        results = [
            ResolveResult(
                hostname=host, host=str(where[0]), port=int(where[1]), family=kind, proto=proto,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for kind, _, proto, _, where in found
            if reachable(ipaddress.ip_address(str(where[0]).partition("%")[0]), self._allowed)
        ]  # fmt: skip
        if not results:
            raise Forbidden(_NOT_REACHED.format(host))
        return results

    async def close(self) -> None:
        """Nothing is held."""


def reachable(address: Address, allowed: Sequence[Network]) -> bool:
    """Whether users may be connected to `address`."""
    if any(address in network for network in allowed):
        return True
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if inner is not None:
            return reachable(inner, allowed)
        if address in _NAT64:
            return reachable(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF), allowed)
    return address.is_global and not address.is_multicast


_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def _checked(url: str) -> URL:
    try:
        target = URL(url)
    except ValueError as error:
        raise _unsupported(url, str(error)) from error
    if target.scheme not in ("http", "https") or not target.host:
        raise _unsupported(url, "only http and https URLs are fetched")
    return target


def _unsupported(url: str, why: str) -> Invalid:
    return invalid("UnsupportedUrl", f"{_shown(url)} is not fetched: {why}.")


def _failed(url: str, why: str) -> Invalid:
    return invalid("FetchFailed", f"{_shown(url)} could not be fetched: {why}.")


def _shown(url: str) -> str:
    """Without its query, which may hold a signature, and without a password."""
    head, _, _ = url.partition("?")
    before, at, after = head.rpartition("@")
    text = f"{before.partition('://')[0]}://{after}" if at else head
    return text if len(text) <= 200 else f"{text[:200]}..."
