"""The endpoint itself: what happens to a request from its first byte to its answer, as one list of stages."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl

from aiohttp import web

from engine.door import Engine
from engine.model.stack import Caller
from gateway.aws import sts
from gateway.aws.actions import ACTIONS
from gateway.aws.arns import Arns
from gateway.aws.authentication import Authenticator, KeySource
from gateway.aws.call import Call, is_waiter
from gateway.aws.errors import aws_error
from gateway.aws.faults import AwsError, validation
from gateway.aws.protocol import constraints, json, query, xml
from gateway.aws.protocol.model import Operation, Service, load
from gateway.aws.signature import Claim, SignedRequest
from gateway.context import RequestContext, new_request_id

_LOG = logging.getLogger(__name__)
_FORM: Final = "application/x-www-form-urlencoded"
_MOST_PARAMETERS: Final = 20_000
SERVED: Final = frozenset({"cloudformation", "sts"})

# What agents of servers ask for beside the public actions (cloudformation.md L101, L102).
_QUEUED: Final = frozenset({"ElectCommandLeader", "GetListenerCredentials", "RegisterListener"})
_NO_QUEUES: Final = (
    "commands to servers go through queues of SQS, which there are none of. Let cfn-hup watch metadata instead "
    "(triggers=post.update)."
)


@dataclass(frozen=True, slots=True)
class AwsSettings:
    """`largest_request` in bytes: a template of 51,200 bytes is at most 153,600 when encoded (W49)."""

    region: str = "RegionOne"
    largest_request: int = 1024 * 1024
    seconds: float = 55  # of one request; clients give up after 60


@dataclass(slots=True)
class Exchange:
    """What the stages have found out about one request so far."""

    request: web.Request
    id: str
    deadline: float
    signed: SignedRequest | None = None
    pairs: list[tuple[str, str]] = field(default_factory=list)
    caller: Caller | None = None
    claim: Claim | None = None
    service: Service | None = None
    operation: Operation | None = None
    input: dict[str, Any] = field(default_factory=dict)
    result: dict[str, Any] = field(default_factory=dict)

    @property
    def action(self) -> str:
        return self.operation.name if self.operation else ""

    def first(self, name: str) -> str:
        return next((text for key, text in self.pairs if key == name), "")


Stage = Callable[[Exchange], Awaitable[None]]


class AwsEndpoint:
    """Serves CloudFormation's query API, and of STS who the caller is (W20, W21)."""

    def __init__(
        self, engine: Engine, keys: KeySource, settings: AwsSettings, fetch: Callable[[str], Awaitable[str]]
    ) -> None:
        self._engine, self._settings, self._fetch = engine, settings, fetch
        self._authenticator = Authenticator(keys)
        self._stages: tuple[Stage, ...] = (
            self._read,
            self._authenticate,
            self._find_operation,
            self._read_input,
            self._act,
        )

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/", self.handle), web.get("/", self.handle, allow_head=False)]

    async def handle(self, request: web.Request) -> web.Response:
        """Always answers, in the protocol's form."""
        now = asyncio.get_running_loop().time()
        exchange = Exchange(request, new_request_id(), now + self._settings.seconds)
        try:
            async with asyncio.timeout_at(exchange.deadline):
                for stage in self._stages:
                    await stage(exchange)
        except Exception as error:  # the border: whatever it is, the client gets an answer that its SDK understands
            return self._refuse(exchange, error)
        return self._answer(exchange)

    # --- the stages -------------------------------------------------------------------------------------------------
    async def _read(self, exchange: Exchange) -> None:
        request, limit = exchange.request, self._settings.largest_request
        body = b""
        if request.can_read_body:
            chunks = bytearray()
            async for chunk in request.content.iter_any():
                chunks += chunk
                if len(chunks) > limit:
                    raise validation(
                        f"Request body must be no larger than {limit} bytes. A template of more than 51200 bytes is "
                        "given by TemplateURL."
                    )
            body = bytes(chunks)
        path, _, raw_query = request.raw_path.partition("?")
        pairs = _pairs(raw_query)
        if request.method == "POST" and request.content_type in (_FORM, "application/octet-stream"):
            pairs += _pairs(body.decode("utf-8", "replace"))
        exchange.pairs = pairs
        headers: dict[str, str] = {}
        for name, text in request.headers.items():
            name = name.lower()
            headers[name] = f"{headers[name]},{text}" if name in headers else text
        exchange.signed = SignedRequest(request.method, path, raw_query, headers, body, pairs)

    async def _authenticate(self, exchange: Exchange) -> None:
        assert exchange.signed is not None
        exchange.caller, exchange.claim = await self._authenticator.authenticate(exchange.signed, exchange.id)

    async def _find_operation(self, exchange: Exchange) -> None:
        """By the service that the signature is for, then by name (W13, W21)."""
        assert exchange.claim is not None
        action, service = exchange.first("Action"), exchange.claim.service
        if service not in SERVED:
            raise AwsError("InvalidAction", f"The service {service[:60]} is not served here, only cloudformation.")
        if not action:
            raise AwsError("MissingAction", "The request is missing an action or a required parameter.")
        exchange.service = load(service)
        version = exchange.first("Version") or exchange.service.version
        operation = exchange.service.operations.get(action)
        if action in _QUEUED:
            raise AwsError("InvalidAction", f"The action {action} is not served by Isotherm: {_NO_QUEUES}")
        if operation is None or version != exchange.service.version:
            text = f"Could not find operation {action[:100]} for version {version[:20]}"
            raise AwsError("InvalidAction", text)
        exchange.operation = operation
        if action not in (ACTIONS if service == "cloudformation" else sts.ACTIONS):
            raise AwsError("InvalidAction", f"The action {action} is not served by Isotherm.")

    async def _read_input(self, exchange: Exchange) -> None:
        assert exchange.operation is not None
        exchange.input, problems = query.read_input(exchange.pairs, exchange.operation.input)
        problems += constraints.violations(exchange.input, exchange.operation.input)
        if problems:
            raise validation(constraints.message(problems))

    async def _act(self, exchange: Exchange) -> None:
        assert exchange.caller is not None
        assert exchange.service is not None
        arns = Arns(self._settings.region, exchange.caller.project_id)
        if exchange.service.name == "sts":
            exchange.result = sts.ACTIONS[exchange.action](exchange.caller, arns)
            return
        context = RequestContext(exchange.id, exchange.caller, exchange.caller.project_id, exchange.deadline)
        patient = is_waiter(exchange.request.headers.get("User-Agent", ""))
        call = Call(exchange.action, exchange.input, context, self._engine, arns, self._fetch, patient)
        exchange.result = await ACTIONS[exchange.action](call) or {}

    # --- answers ----------------------------------------------------------------------------------------------------
    def _answer(self, exchange: Exchange) -> web.Response:
        assert exchange.service is not None
        assert exchange.operation is not None
        if json.wanted(exchange.pairs, exchange.request.headers.get("Accept", "")):
            content = json.response(exchange.operation, exchange.result, exchange.id)
            return _response(200, content, json.CONTENT_TYPE, exchange.id)
        text = xml.response(exchange.service, exchange.operation, exchange.result, exchange.id)
        return _response(200, text.encode(), xml.CONTENT_TYPE, exchange.id)

    def _refuse(self, exchange: Exchange, error: Exception) -> web.Response:
        found = AwsError("ServiceUnavailable", "The request took too long; try again.", 503)
        if not isinstance(error, TimeoutError):
            mapped = aws_error(error, exchange.action)
            if mapped is None:
                _LOG.error("request %s (%s) failed", exchange.id, exchange.action or "no action", exc_info=error)
                mapped = AwsError(
                    "InternalFailure", "The request processing has failed because of an unknown error.", 500
                )
            found = mapped
        if json.wanted(exchange.pairs, exchange.request.headers.get("Accept", "")):
            content = json.error(found.kind, found.code, found.message, exchange.id)
            return _response(found.status, content, json.CONTENT_TYPE, exchange.id)
        namespace = (exchange.service or load("cloudformation")).namespace
        text = xml.error(namespace, found.kind, found.code, found.message, exchange.id)
        return _response(found.status, text.encode(), xml.CONTENT_TYPE, exchange.id)


def _pairs(text: str) -> list[tuple[str, str]]:
    if not text:
        return []
    try:
        return parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_PARAMETERS, errors="replace")
    except ValueError as error:
        raise AwsError("MalformedQueryString", f"The query string cannot be read: {error}.") from error


def _response(status: int, content: bytes, content_type: str, request_id: str) -> web.Response:
    headers = {"Content-Type": content_type, "x-amzn-RequestId": request_id}
    return web.Response(status=status, body=content, headers=headers)
