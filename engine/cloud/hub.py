"""The poll hub: however many wait for objects of a collection, the cloud is asked once per interval.

Few waiters are served by one GET each, many by one list call. The interval grows with how long the youngest has
waited and never lets asking take more than a quarter of the time, but around the moment at which objects of the
collection usually get there (see `engine.cloud.habits`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import quote

from engine.cloud.border import SERVICE_NAMES
from engine.cloud.catalog import official_type
from engine.cloud.context import Context
from engine.cloud.contract import Ready, Reply
from engine.cloud.errors import CloudError, NotFound, Permanent, Temporary, WentToError
from engine.cloud.habits import Habits
from engine.cloud.settings import CloudSettings
from engine.model.clock import Clock

#: Collections whose plain list tells names only.
_DETAIL = frozenset({
    ("compute", "/servers"), ("compute", "/flavors"), ("compute", "/os-hypervisors"),
    ("block-storage", "/volumes"), ("block-storage", "/snapshots"), ("block-storage", "/backups"),
    ("shared-file-system", "/shares"), ("shared-file-system", "/snapshots"),
    ("shared-file-system", "/share-networks"), ("shared-file-system", "/security-services"),
})  # fmt: skip

#: Collections whose lists begin with the newest objects, which are those that are mostly waited for (API references of
#: Compute and Block Storage: created_at, descending).
_NEWEST_FIRST = frozenset({("compute", "/servers"), ("block-storage", "/volumes")})
_PAGE = 50  # rows of a list that begins with the newest

#: A list is worth it when it has no more rows per waiter than this.
_ROWS_PER_WAITER = 25
_LONGEST_INTERVAL = 10.0


class Asking(Protocol):
    """What the hub needs of a client."""

    @property
    def context(self) -> Context: ...
    async def request(self, service: str, method: str, path: str, *, microversion: str | None = None) -> Reply: ...
    async def list(
        self, service: str, path: str, key: str, *, microversion: str | None = None, newest: int | None = None
    ) -> Sequence[dict[str, Any]]: ...


@dataclass(frozen=True, slots=True)
class _Pending:
    """Not yet: `state` is what the object showed."""

    state: str


_Verdict = _Pending | dict[str, Any] | CloudError
_Judge = Callable[[dict[str, Any] | None], _Verdict]


@dataclass(slots=True, eq=False)
class _Waiter:
    object_id: str
    judge: _Judge
    future: asyncio.Future[dict[str, Any]]
    joined: float
    due: float
    habits: Habits
    state: str = ""
    trouble: CloudError | None = None


class Hub:
    """One per process; collections come and go with their waiters."""

    def __init__(self, settings: CloudSettings, clock: Clock) -> None:
        self._settings, self._clock = settings, clock
        self._collections: dict[tuple[str | None, ...], _Collection] = {}
        self._habits: dict[tuple[str, str, str], Habits] = {}

    async def wait_ready(
        self, client: Asking, service: str, path: str, key: str, object_id: str, ready: Ready, *,
        deadline: float, microversion: str | None,
    ) -> dict[str, Any]:  # fmt: skip
        what = _Object(official_type(service), key, object_id)
        return await self._wait(
            client, what, path, "ready", lambda row: _judge_ready(what, row, ready), deadline, microversion
        )

    async def wait_gone(
        self, client: Asking, service: str, path: str, key: str, object_id: str, *,
        deadline: float, microversion: str | None,
    ) -> None:  # fmt: skip
        what = _Object(official_type(service), key, object_id)
        await self._wait(client, what, path, "gone", lambda row: _judge_gone(what, row), deadline, microversion)

    async def _wait(
        self, client: Asking, what: _Object, path: str, aim: str, judge: _Judge, deadline: float,
        microversion: str | None,
    ) -> dict[str, Any]:  # fmt: skip
        path = path.removesuffix("/detail")
        place = (client.context.key, what.service, path, what.key, microversion)
        collection = self._collections.get(place)
        if collection is None:
            collection = self._collections[place] = _Collection(
                self._settings, self._clock, client, what.service, path, what.key, microversion,
                lambda: self._collections.pop(place, None),
            )  # fmt: skip
        future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        habits = self._habits.setdefault((what.service, path, aim), Habits())
        waiter = collection.join(what.object_id, judge, future, habits)
        expiry = asyncio.ensure_future(self._clock.sleep(max(0.0, deadline - self._clock.monotonic())))
        either: set[asyncio.Future[Any]] = {future, expiry}
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if future.done():
                result = future.result()
                habits.learn(self._clock.monotonic() - waiter.joined)
                return result
            state = f" It was last seen {waiter.state}." if waiter.state else ""
            trouble = f" {waiter.trouble}" if waiter.trouble else ""
            raise Temporary(f"{what} did not get there in time.{state}{trouble}") from waiter.trouble
        finally:
            expiry.cancel()
            collection.leave(waiter)


@dataclass(frozen=True, slots=True)
class _Object:
    service: str
    key: str
    object_id: str

    def __str__(self) -> str:
        name = self.key.replace("_", " ")
        name = name[:-3] + "y" if name.endswith("ies") else name.removesuffix("s")
        return f"{SERVICE_NAMES.get(self.service, self.service)} {name} {self.object_id}"


def look_up(row: Mapping[str, Any], path: str) -> Any:
    """Return the value at a dotted path, None where it ends early."""
    value: Any = row
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _judge_ready(what: _Object, row: dict[str, Any] | None, ready: Ready) -> _Verdict:
    if row is None:
        return NotFound(f"{what} is not there any more.", status=404)
    state = str(look_up(row, ready.path))
    if state.lower() in ready.ok:
        return row
    if state.lower() in ready.failed:
        reason = look_up(row, ready.reason) if ready.reason else None
        return WentToError(f"{what} went to {state}" + (f": {reason}" if reason else "."), kind=state.upper())
    return _Pending(state)


def _judge_gone(what: _Object, row: dict[str, Any] | None) -> _Verdict:
    if row is None:
        return {}
    state = str(row.get("status", ""))
    if state.lower() in {"deleted", "soft_deleted"}:
        return row
    if state.lower() == "error_deleting":
        return Permanent(f"{what} could not be deleted: it went to {state}.", kind=state.upper())
    return _Pending(state)


@dataclass(slots=True, eq=False)
class _Collection:
    """One collection and those who wait in it. Its task lives while somebody waits."""

    settings: CloudSettings
    clock: Clock
    client: Asking
    service: str
    path: str
    key: str
    microversion: str | None
    ended: Callable[[], object]
    waiters: list[_Waiter] = field(default_factory=list)
    rows: int = 0  # in the last list
    listable: bool = True
    newest: bool = True  # whether those waited for have been among the newest
    took: float = 0.0  # seconds of the last round
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None

    def join(self, object_id: str, judge: _Judge, future: asyncio.Future[dict[str, Any]], habits: Habits) -> _Waiter:
        now = self.clock.monotonic()
        soon = 0.0 if len(self.waiters) < self.settings.poll_direct_limit else self.settings.poll_fast_interval
        soon = habits.pause(0.0, soon, self.took)
        waiter = _Waiter(object_id, judge, future, now, now + soon, habits)
        self.waiters.append(waiter)
        self.wake.set()
        if self.task is None:
            self.task = asyncio.ensure_future(self._run())
        return waiter

    def leave(self, waiter: _Waiter) -> None:
        """The waiter was served or has gone away; the last one stops the asking."""
        if waiter in self.waiters:
            self.waiters.remove(waiter)
        if not self.waiters and self.task is not None:
            self.task.cancel()
            self.task = None
            self.ended()

    async def _run(self) -> None:
        try:
            while True:
                pause = min((waiter.due for waiter in self._open()), default=_LONGEST_INTERVAL + self.clock.monotonic())
                pause -= self.clock.monotonic()
                if pause > 0:
                    await self._pause(pause)
                    continue
                await self._round()
        except Exception as error:  # a bug of ours must not leave anybody waiting for ever
            for waiter in self._open():
                waiter.future.set_exception(error)

    def _open(self) -> list[_Waiter]:
        return [waiter for waiter in self.waiters if not waiter.future.done()]

    async def _pause(self, seconds: float) -> None:
        self.wake.clear()
        sleeping = asyncio.ensure_future(self.clock.sleep(seconds))
        woken = asyncio.ensure_future(self.wake.wait())
        try:
            await asyncio.wait({sleeping, woken}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeping.cancel()
            woken.cancel()

    async def _round(self) -> None:
        started = self.clock.monotonic()
        waiters = self._open()
        if self._list_is_worth_it(len(waiters)):
            looked_at = waiters
            await self._by_list(waiters)
        else:
            looked_at = [waiter for waiter in waiters if waiter.due <= started]
            await asyncio.gather(*(self._directly(waiter) for waiter in looked_at))
        now = self.clock.monotonic()
        self.took = now - started
        for waiter in looked_at:
            age = now - waiter.joined
            waiter.due = now + waiter.habits.pause(age, self._interval(age), self.took)

    def _list_is_worth_it(self, waiting: int) -> bool:
        return self.listable and waiting > self.settings.poll_direct_limit and self.rows <= waiting * _ROWS_PER_WAITER

    def _interval(self, age: float) -> float:
        interval = min(self.settings.poll_slow_interval, max(self.settings.poll_fast_interval, age / 4))
        return min(_LONGEST_INTERVAL, max(interval, 3 * self.took))

    async def _by_list(self, waiters: Sequence[_Waiter]) -> None:
        try:
            by_id = await self._listed({waiter.object_id for waiter in waiters})
        except Temporary as error:
            for waiter in waiters:
                waiter.trouble = error
            return
        except CloudError:
            self.listable = False  # one may read an object and yet not list them
            return
        self.rows = len(by_id)
        unsure = []
        for waiter in waiters:
            row = by_id.get(waiter.object_id)
            verdict = None if row is None else waiter.judge(row)
            if row is None or isinstance(verdict, CloudError):
                unsure.append(waiter)  # not listed, or failed: the object itself has the last word, and the reason
            else:
                _tell(waiter, verdict)
        await asyncio.gather(*(self._directly(waiter) for waiter in unsure))

    async def _listed(self, wanted: Set[str]) -> Mapping[str, dict[str, Any]]:
        """The collection's objects by id, at least those of `wanted` but for a few. Raises what listing raises."""
        path = self.path + "/detail" if (self.service, self.path) in _DETAIL else self.path
        if self.newest and (self.service, self.path) in _NEWEST_FIRST:
            most = max(_PAGE, 2 * len(wanted))
            found = _by_id(
                await self.client.list(self.service, path, self.key, microversion=self.microversion, newest=most)
            )
            if len(found) < most or len(wanted - found.keys()) <= self.settings.poll_direct_limit:
                return found
            self.newest = False
        return _by_id(await self.client.list(self.service, path, self.key, microversion=self.microversion))

    async def _directly(self, waiter: _Waiter) -> None:
        try:
            path = f"{self.path}/{quote(waiter.object_id, safe='')}"
            reply = await self.client.request(self.service, "GET", path, microversion=self.microversion)
            row = unwrap(reply.body)
        except NotFound:
            row = None
        except Temporary as error:
            waiter.trouble = error
            return
        except CloudError as error:
            _tell(waiter, error)
            return
        _tell(waiter, waiter.judge(row))


def _by_id(rows: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {str(row.get("id") or row.get("uuid") or row.get("name")): row for row in rows}


def unwrap(body: Any) -> dict[str, Any]:
    """Return the object of an answer: what is under its only key, or the answer itself where there is no such key."""
    if isinstance(body, Mapping):
        values = list(body.values())
        if len(values) == 1 and isinstance(values[0], Mapping):
            return dict(values[0])
        return dict(body)
    return {}


def _tell(waiter: _Waiter, verdict: _Verdict | None) -> None:
    if waiter.future.done() or verdict is None:
        return
    if isinstance(verdict, _Pending):
        waiter.state, waiter.trouble = verdict.state, None
    elif isinstance(verdict, CloudError):
        waiter.future.set_exception(verdict)
    else:
        waiter.future.set_result(verdict)
