"""Reaching the handlers of custom resources: URLs that the operator named, or that users write as service tokens where
the operator allows it (cloudformation.md L96).

`[custom_resources] Name = URL` in isotherm.conf. A service token is a name, or an ARN that ends in one. The request is
posted as JSON; what the handler answers to it beyond having taken it does not matter. Implements
`engine.runs.context.Handlers`.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Final

import aiohttp
import orjson
from yarl import URL

from engine.cloud.errors import OutcomeUnknown, Temporary
from engine.model.value import Value
from engine.resources.base import OperationFailed
from engine.runs.outside import no_handler
from gateway.fetch import Forbidden, Guard

_ARN: Final = re.compile(r"arn:[^:]*:lambda:[^:]*:[^:]*:function:([^:]+)(?::[^:]+)?|arn:[^:]*:sns:[^:]*:[^:]*:([^:]+)")
_URL: Final = re.compile(r"https?://", re.IGNORECASE)


class CustomResources:
    """`urls` by name: the operator says where these are, so they may be in the operator's own network. `guard` judges
    the URLs of users; None: they may write none."""

    def __init__(
        self, urls: Mapping[str, str], guard: Guard | None = None, *, connecting: float = 10, answering: float = 30,
        at_once: int = 16,
    ) -> None:  # fmt: skip
        self._urls, self._guard = dict(urls), guard
        self._timeout = aiohttp.ClientTimeout(total=None, sock_connect=connecting, sock_read=answering)
        self._slots = asyncio.Semaphore(at_once)

    async def ask(self, service_token: str, request: Mapping[str, Value]) -> None:
        url = self._urls.get(service_token) or self._urls.get(_name_in(service_token))
        if url is not None:
            await self._post(url, service_token, request, aiohttp.TCPConnector())
        elif self._guard is not None and _URL.match(service_token):
            target = URL(service_token)
            try:
                self._guard.judge(target)
            except Forbidden as error:
                raise OperationFailed(f"Invalid service token: {error}.") from error
            await self._post(service_token, service_token, request, self._guard.connector())
        elif _URL.match(service_token):
            raise OperationFailed(
                "Invalid service token: URLs as service tokens are not allowed here. Whoever runs isotherm may allow "
                "them (allow_custom_resource_urls), or name the handler under [custom_resources]."
            )
        else:
            raise no_handler(service_token)

    async def _post(
        self, url: str, shown: str, request: Mapping[str, Value], connector: aiohttp.BaseConnector
    ) -> None:  # fmt: skip
        headers = {"Content-Type": "application/json"}
        try:
            async with (
                self._slots,
                aiohttp.ClientSession(timeout=self._timeout, connector=connector) as session,
                session.post(url, data=orjson.dumps(request), headers=headers, allow_redirects=False) as answer,
            ):
                status = answer.status
        except aiohttp.SocketTimeoutError:
            return  # it has the request and takes its time
        except aiohttp.ClientConnectorError as error:
            if isinstance(error.os_error, Forbidden):
                raise OperationFailed(f"Invalid service token: {error.os_error}.") from error
            raise Temporary(f"The handler {shown} cannot be reached: {error.strerror or error}.") from error
        except (aiohttp.ClientError, OSError) as error:
            raise OutcomeUnknown(f"The handler {shown} cannot be reached: {type(error).__name__}: {error}.") from error
        except ValueError as error:
            raise OperationFailed(f"Invalid service token: {shown} is no address ({error}).") from error
        if status == 429 or status >= 500:
            raise OutcomeUnknown(f"The handler {shown} answered with the status {status}.", status=status)
        if status >= 300:
            raise OperationFailed(f"The handler {shown} refused the request with the status {status}.")


def _name_in(service_token: str) -> str:
    """The name of a function or topic in its ARN; "" for what is none."""
    found = _ARN.fullmatch(service_token)
    return "" if found is None else found.group(1) or found.group(2)
