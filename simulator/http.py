"""A request as the services see it, and what they answer. Nothing here knows aiohttp."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import orjson

if TYPE_CHECKING:
    from simulator.settings import Fault
    from simulator.world import World


class Refusal(Exception):
    """What a service does not do. `kind` is the service's own error type (`NetworkNotFound`), where it has them."""

    def __init__(self, status: int, message: str, kind: str = "") -> None:
        super().__init__(message)
        self.status, self.message, self.kind = status, message, kind


@dataclass(slots=True)
class Reply:
    """`body` None is empty, bytes are sent as they are, everything else as JSON."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: what a valid token says."""

    token: Mapping[str, Any]
    user_id: str
    project_id: str
    roles: frozenset[str]

    @property
    def is_admin(self) -> bool:
        return "admin" in self.roles


ANYBODY = Caller({}, "", "", frozenset())


@dataclass(slots=True)
class Call:
    """One request. `path` is below the service's prefix; `params` are the variable parts of the matched route."""

    world: World
    service: str
    method: str
    path: str
    query: list[tuple[str, str]]
    headers: Mapping[str, str]  # names in lower case
    raw: bytes
    host: str = ""
    caller: Caller = ANYBODY
    params: dict[str, str] = field(default_factory=dict)
    fault: Fault | None = None
    microversion: tuple[int, int] = (0, 0)
    _json: Any = None

    def json(self) -> Any:
        """The body. Raises Refusal 400 when it is not JSON; an empty body is None."""
        if self._json is None and self.raw.strip():
            try:
                self._json = orjson.loads(self.raw)
            except orjson.JSONDecodeError as error:
                raise Refusal(400, "Malformed request body", "HTTPBadRequest") from error
        return self._json

    def forget_body(self) -> None:
        """Parse `raw` anew."""
        self._json = None

    def inside(self, key: str) -> dict[str, Any]:
        """The map under `key` of the body. Raises Refusal 400 when there is none."""
        body = self.json()
        value = body.get(key) if isinstance(body, dict) else None
        if not isinstance(value, dict):
            raise Refusal(400, f"Unable to find '{key}' in request body", "HTTPBadRequest")
        return value

    def first(self, name: str) -> str | None:
        return next((value for key, value in self.query if key == name), None)

    @property
    def project_id(self) -> str:
        return self.caller.project_id

    @property
    def user_id(self) -> str:
        return self.caller.user_id

    @property
    def is_admin(self) -> bool:
        return self.caller.is_admin

    def mine(self, obj: Mapping[str, Any]) -> bool:
        """Whether the caller may see and change it as its own."""
        return self.is_admin or obj.get("project_id") == self.project_id


Handler = Callable[[Call], Reply]


class Routes(Protocol):
    """Where handlers are registered."""

    def add(self, method: str, path: str, handler: Handler) -> None: ...


@dataclass(frozen=True, slots=True)
class Below:
    """Adds routes below a fixed part of the path."""

    router: Routes
    prefix: str

    def add(self, method: str, path: str, handler: Handler) -> None:
        self.router.add(method, self.prefix + path, handler)


class Router:
    """Paths with `{name}` parts to handlers. Fixed parts win over variable ones."""

    def __init__(self) -> None:
        self._root: _Node = _Node()

    def add(self, method: str, path: str, handler: Handler) -> None:
        node = self._root
        for part in _parts(path):
            name = part[1:-1] if part.startswith("{") else None
            if name is None:
                node = node.fixed.setdefault(part, _Node())
            else:
                if node.variable is None:
                    node.variable = _Node()
                node = node.variable
                if name not in node.names:
                    node.names.append(name)
        node.handlers[method] = handler

    def find(self, method: str, path: str) -> tuple[Handler | None, dict[str, str], bool]:
        """The handler, the variable parts, and whether the path exists at all (with another method)."""
        found = self._walk(self._root, _parts(path), 0, {})
        if found is None:
            return None, {}, False
        node, params = found
        return node.handlers.get(method), params, True

    def _walk(
        self, node: _Node, parts: list[str], at: int, params: dict[str, str]
    ) -> tuple[_Node, dict[str, str]] | None:
        if at == len(parts):
            return (node, params) if node.handlers else None
        fixed = node.fixed.get(parts[at])
        if fixed is not None:
            found = self._walk(fixed, parts, at + 1, params)
            if found is not None:
                return found
        if node.variable is not None:
            values = dict.fromkeys(node.variable.names, parts[at])
            return self._walk(node.variable, parts, at + 1, params | values)
        return None


class _Node:
    __slots__ = ("fixed", "handlers", "names", "variable")

    def __init__(self) -> None:
        self.fixed: dict[str, _Node] = {}
        self.variable: _Node | None = None
        self.names: list[str] = []
        self.handlers: dict[str, Handler] = {}


def _parts(path: str) -> list[str]:
    return [part for part in path.split("/") if part]
