"""Resources a second, end to end over HTTP, durable state: independent ones and a chain."""

from __future__ import annotations

import http.client
import json
import threading
import time
from typing import Any
from urllib.parse import urlsplit

from bench.clients import token
from bench.server import Installation
from bench.table import Figure


def measure(server: Installation, count: int) -> list[Figure]:
    """From the POST to CREATE_COMPLETE as a poller sees it, and the deletion."""
    wide = create_and_wait(server, "wide", independent(count))
    gone = delete_and_wait(server, "wide")
    chain = create_and_wait(server, "chain", chained(count))
    cpu = server.cpu_seconds()
    create_and_wait(server, "again", independent(count))
    cpu = server.cpu_seconds() - cpu
    compared = "Heat 1/s, 9-14/s without its pause"
    return [
        Figure(f"create {count} independent", count / wide, "res/s", 1500, at_least=True, compared=compared),
        Figure(f"delete {count} independent", count / gone, "res/s", compared="Heat 1/s"),
        Figure(f"create a chain of {count}", count / chain, "res/s", compared="Heat 11-16/s"),
        Figure("server CPU a resource", cpu / count * 1000, "ms", compared="Heat 49-97"),
    ]


def independent(count: int, kind: str = "OS::Heat::None") -> dict[str, Any]:
    resources = {f"r{n}": {"type": kind} for n in range(count)}
    return {"heat_template_version": "2018-08-31", "resources": resources}


def chained(count: int) -> dict[str, Any]:
    resources: dict[str, Any] = {"r0": {"type": "OS::Heat::None"}}
    for n in range(1, count):
        resources[f"r{n}"] = {"type": "OS::Heat::None", "depends_on": f"r{n - 1}"}
    return {"heat_template_version": "2018-08-31", "resources": resources}


def create_and_wait(server: Installation, name: str, template: dict[str, Any], every: float = 0.01) -> float:
    """Seconds from sending the request to CREATE_COMPLETE, as one sees it who looks `every` so many seconds."""
    began = time.perf_counter()
    call(server, "POST", "/stacks", {"stack_name": name, "template": template, "timeout_mins": 10})
    wait(server, name, "CREATE_COMPLETE", every)
    return time.perf_counter() - began


def delete_and_wait(server: Installation, name: str) -> float:
    stack = call(server, "GET", f"/stacks?name={name}")["stacks"][0]
    began = time.perf_counter()
    call(server, "DELETE", f"/stacks/{name}/{stack['id']}")
    while call(server, "GET", f"/stacks?name={name}")["stacks"]:
        time.sleep(0.01)
    return time.perf_counter() - began


def wait(server: Installation, name: str, wanted: str, every: float = 0.01) -> None:
    while True:
        stack = call(server, "GET", f"/stacks?name={name}")["stacks"][0]
        if stack["stack_status"] == wanted:
            return
        if not stack["stack_status"].endswith("IN_PROGRESS"):
            raise RuntimeError(f"{name} is {stack['stack_status']}: {stack['stack_status_reason']}")
        time.sleep(every)


_TOKENS: dict[str, tuple[str, str]] = {}
_KEPT = threading.local()  # connections stay open, as those of any client library do


def call(server: Installation, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    if server.url not in _TOKENS:
        _TOKENS[server.url] = token(server.cloud())
    secret, project = _TOKENS[server.url]
    headers = {"X-Auth-Token": secret, "Content-Type": "application/json"}
    connection = _connection(server.url)
    connection.request(method, f"/v1/{project}{path}", None if body is None else json.dumps(body), headers)
    reply = connection.getresponse()
    text = reply.read()
    if reply.status >= 400:
        raise RuntimeError(f"{method} {path}: {reply.status} {text.decode()[:2000]}")
    return json.loads(text) if text.startswith((b"{", b"[")) else None


def _connection(url: str) -> http.client.HTTPConnection:
    held: dict[str, http.client.HTTPConnection] = _KEPT.__dict__
    if url not in held:
        held[url] = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    return held[url]
