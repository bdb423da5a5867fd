"""What all simulated services share: the objects, the clock, the addresses, and each other."""

from __future__ import annotations

import datetime as dt
import functools
import heapq
import random
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from simulator.http import Call, Refusal, Reply, Router
from simulator.settings import Settings
from simulator.store import Store, Table

if TYPE_CHECKING:
    from simulator.seed import Seed

#: First part of the path → name of the service (DevStack's paths; `network` is our own short form).
SERVICES = {
    "identity": "identity",
    "compute": "compute",
    "networking": "network",
    "network": "network",
    "image": "image",
    "volume": "volume",
    "object-store": "object-store",
    "placement": "placement",
    "key-manager": "key-manager",
}


class Agenda:
    """What becomes of objects by itself: servers get ACTIVE, deleted volumes go.

    Nothing waits for the time to come: each request first does what has fallen due. An object's plan is part of it
    (`_due`, `_then`), so it survives a restart.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._heap: list[tuple[float, str, str]] = []
        self._finishers: dict[str, Callable[[dict[str, Any]], None]] = {}

    def on_due(self, table: str, finish: Callable[[dict[str, Any]], None]) -> None:
        """Who carries out the plans of the objects of a table."""
        self._finishers[table] = finish

    def plan(self, table: str, obj: dict[str, Any], at: float, then: dict[str, Any]) -> None:
        """From `at` on `then` holds; an earlier plan of the object is forgotten. Puts the object."""
        obj["_due"], obj["_then"] = at, then
        self._store.table(table).put(obj)
        heapq.heappush(self._heap, (at, table, obj["id"]))

    def run(self, now: float) -> None:
        """Do what is due."""
        while self._heap and self._heap[0][0] <= now:
            at, table, object_id = heapq.heappop(self._heap)
            obj = self._store.table(table).get(object_id)
            if obj is not None and obj.get("_due") == at:
                self._finishers[table](obj)

    def reload(self) -> None:
        """Take up the plans of stored objects."""
        for table in self._finishers:
            for obj in self._store.table(table):
                if obj.get("_due") is not None:
                    heapq.heappush(self._heap, (obj["_due"], table, obj["id"]))


def fall_due(obj: dict[str, Any]) -> dict[str, Any]:
    """Take the plan off the object and return what shall hold now."""
    then: dict[str, Any] = obj.pop("_then")
    obj["_due"] = None
    return then


class World:
    """One simulated cloud."""

    def __init__(self, settings: Settings, store: Store, seed: Seed) -> None:
        self.settings, self.store, self.seed = settings, store, seed
        self.url = ""
        self.random = random.Random(settings.random_seed)  # noqa: S311 (addresses and MACs are no secrets)

        self.agenda = Agenda(store)

    def now(self) -> float:
        return self.settings.clock()

    def table(self, name: str) -> Table:
        return self.store.table(name)

    def new_id(self) -> str:
        return str(uuid.uuid4())


class Service:
    """One OpenStack service: its routes, and how it words its refusals."""

    name = ""

    def __init__(self, world: World) -> None:
        self.world = world
        self.router = Router()

    def table(self, name: str) -> Table:
        return self.world.table(name)

    def is_public(self, call: Call) -> bool:
        """Whether the request needs no token."""
        return call.path.strip("/") == ""

    def prepare(self, call: Call) -> None:
        """Look at the request's headers. Raises Refusal."""

    def refused(self, call: Call, refusal: Refusal) -> Reply:
        raise NotImplementedError

    def finish(self, call: Call, reply: Reply) -> None:
        """Put the service's own headers on the answer."""

    def unknown_path(self, call: Call) -> Reply:
        return self.refused(call, Refusal(404, "The resource could not be found.", "HTTPNotFound"))

    def wrong_method(self, call: Call) -> Reply:
        return self.refused(call, Refusal(405, f"Method {call.method} is not allowed for this resource."))


@functools.lru_cache(maxsize=512)
def _second(seconds: int) -> str:
    return dt.datetime.fromtimestamp(seconds, dt.UTC).strftime("%Y-%m-%dT%H:%M:%S")


def stamp(seconds: float) -> str:
    """`2026-01-31T12:00:00Z`."""
    return _second(int(seconds)) + "Z"


def stamp_micro(seconds: float, suffix: str = "") -> str:
    """`2026-01-31T12:00:00.000000` and `suffix`."""
    return f"{_second(int(seconds))}.{int(seconds % 1 * 1e6):06d}{suffix}"


def html_page(status: int, title: str, message: str) -> bytes:
    """The page webob makes of an error."""
    return (
        f"<html>\n <head>\n  <title>{status} {title}</title>\n </head>\n <body>\n"
        f"  <h1>{status} {title}</h1>\n  {message}<br /><br />\n\n\n\n </body>\n</html>"
    ).encode()


def hidden(obj: dict[str, Any]) -> dict[str, Any]:
    """A copy without what is only the simulator's business (names that begin with `_`)."""
    return {name: value for name, value in obj.items() if name[0] != "_"}


Maker = Callable[[World], Service]
