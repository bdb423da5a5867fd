"""The simulated cloud as an HTTP server, to be started inside another process or as one of its own."""

from __future__ import annotations

import asyncio
import time
import uuid
from typing import Any
from urllib.parse import parse_qsl, unquote

import orjson
from aiohttp import web

from simulator.control import Control
from simulator.faults import Faults, RequestLog
from simulator.http import Call, Refusal, Reply
from simulator.seed import Seed, make_seed, plant
from simulator.services import Services
from simulator.settings import Fault, Settings
from simulator.store import Store
from simulator.world import SERVICES, Service, World

_JSON = "application/json"
_NO_BODY = frozenset({204, 304})
_LOST = 0  # the status in the log of a request that was not answered


class Simulator:
    """One simulated OpenStack. `seed` may be read before `start`."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()
        self.seed: Seed = make_seed(self.settings)
        self.faults = Faults(self.settings.faults, self.settings.random_seed)
        self.requests = RequestLog(self.settings.max_logged_requests)
        self.url = ""
        self._extra: dict[str, str] = {}
        self._services: Services | None = None
        self._store: Store | None = None
        self._runner: web.ServerRunner | None = None

    @property
    def auth_url(self) -> str:
        return f"{self.url}/identity/v3"

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Read the state and listen; `port` 0 takes a free one. Raises OSError, ValueError for an unusable file."""
        self._store = Store(self.settings.state_file)
        world = World(self.settings, self._store, self.seed)
        services = Services(world)
        self._store.open()
        plant(services, self.seed)
        world.agenda.reload()
        self._services = services
        self._control = Control(services, self.faults, self.requests)
        server = web.Server(self._handle, request_factory=self._request, access_log=None)
        self._runner = web.ServerRunner(server, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port)
        await site.start()
        bound = self._runner.addresses[0][1]
        shown = "127.0.0.1" if host in ("", "0.0.0.0", "::") else f"[{host}]" if ":" in host else host  # noqa: S104
        self.url = world.url = f"http://{shown}:{bound}"
        for kind, template in self._extra.items():
            services.identity.put_service(kind, kind, template)
        self._store.flush()

    async def stop(self) -> None:
        """Stop listening; the state is on disk."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
        if self._store is not None:
            self._store.close()
            self._store = None

    def add_service_catalog(self, kind: str, url_template: str) -> None:
        """Have an entry of this type in the catalogue; `%(project_id)s` in the address is replaced. Any time."""
        self._extra[kind] = url_template
        if self._services is not None and self._store is not None:
            self._services.identity.put_service(kind, kind, url_template)
            self._store.flush()

    def _request(self, message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> web.BaseRequest:
        """aiohttp's own, but for the size of bodies."""
        loop = asyncio.get_running_loop()
        size = self.settings.max_body_bytes
        return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=size)

    # --- requests ------------------------------------------------------------------------------------------------
    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        services, store = self._services, self._store
        assert services is not None
        assert store is not None
        started = time.perf_counter()
        raw_path, _, raw_query = request.raw_path.partition("?")
        raw = await request.read()
        first, _, rest = raw_path.lstrip("/").partition("/")
        query = parse_qsl(raw_query, keep_blank_values=True)
        if first == "simulator":
            return _response(self._control.answer(request.method, raw_path, query, raw), request.method)
        service = services.service_of(first)
        if service is None:
            return _response(self._front(), request.method)
        path = "/" + rest if service.name == "object-store" else "/" + unquote(rest)
        fault = self.faults.of(service.name, request.method, path)
        call = self._call(services, service, request, path, query, raw)
        call.fault = fault
        reply = await self._delayed(services, fault)
        if reply is None:
            reply = self._broken(service, call) or services.answer(service, call)
            store.flush()
        answered = fault is None or fault.effect not in ("hang", "lost_answer")
        status = reply.status if answered else _LOST
        self.requests.add(service.name, request.method, path, raw_query, status, time.perf_counter() - started)
        if not answered and request.transport is not None:
            request.transport.abort()
        reply.headers["X-Openstack-Request-Id"] = call.headers["_request_id"]
        return _response(reply, request.method)

    async def _delayed(self, services: Services, fault: Fault | None) -> Reply | None:
        """Wait as told. A hanging request is not carried out: its answer is nobody's."""
        seconds = services.world.settings.delay_ms / 1000
        if fault is not None and fault.effect in ("delay", "hang"):
            seconds += fault.seconds
        if seconds > 0:
            await asyncio.sleep(seconds)
        return Reply(503) if fault is not None and fault.effect == "hang" else None

    def _broken(self, service: Service, call: Call) -> Reply | None:
        """The answer of a fault that keeps the request from being carried out."""
        fault = call.fault
        if fault is None or fault.effect != "status":
            return None
        reply = service.refused(call, Refusal(fault.status, fault.message))
        if fault.retry_after is not None:
            reply.headers["Retry-After"] = f"{fault.retry_after:g}"
        return reply

    def _front(self) -> Reply:
        """What is at the root: a list of what is where."""
        return Reply(404, {"error": {"code": 404, "title": "Not Found", "message": "Services: " + ", ".join(SERVICES)}})

    def _call(
        self, services: Services, service: Service, request: web.BaseRequest, path: str,
        query: list[tuple[str, str]], raw: bytes,
    ) -> Call:  # fmt: skip
        headers = {name.lower(): value for name, value in request.headers.items()}
        headers["_request_id"] = f"req-{uuid.uuid4()}"
        return Call(services.world, service.name, request.method, path, query, headers, raw, request.host)


def _response(reply: Reply, method: str) -> web.Response:
    headers = reply.headers
    body = reply.body
    if body is None:
        data = b""
    elif isinstance(body, bytes):
        data = body
    else:
        data = orjson.dumps(body)
        headers.setdefault("Content-Type", _JSON)
    if method == "HEAD" or reply.status in _NO_BODY:
        data = b""
    return web.Response(body=data, status=reply.status, headers=headers)
