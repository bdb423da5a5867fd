"""What runs are lent by the composition root: the store, the clouds, the parser, time, and settings."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from engine.cloud.contract import Cloud
from engine.model.clock import Clock
from engine.model.source import Translator
from engine.model.stack import Caller
from engine.model.value import Value
from engine.resources.registry import Registry
from engine.runs.notifier import Notifier
from engine.state.commit import Committer
from engine.state.store import Store


class Clouds(Protocol):
    """How the engine reaches clouds: now as the caller, later as the stack's delegation says."""

    async def for_caller(self, caller: Caller) -> Cloud: ...

    async def establish(self, caller: Caller) -> Mapping[str, Value]:
        """A record that `for_delegation` turns into a cloud long after the caller's token is gone (holds secrets)."""
        ...

    async def for_delegation(self, delegation: Mapping[str, Value]) -> Cloud: ...

    async def revoke(self, delegation: Mapping[str, Value]) -> None:
        """Give back what `establish` took; never raises."""
        ...


class Transforms(Protocol):
    """What carries out transforms; implemented by the gateway."""

    async def macro(self, name: str, event: Mapping[str, Value]) -> Value:
        """What the macro answered to `event`, None when it was no JSON. Raises Invalid when there is no such macro, or
        it could not be called."""
        ...

    async def serverless(self, document: str) -> str:
        """What AWS SAM makes of `document`, both JSON (see `engine.model.source.Question`). Raises Invalid."""
        ...


class Handlers(Protocol):
    """What reaches the handlers of custom resources; implemented by the gateway."""

    async def ask(self, service_token: str, request: Mapping[str, Value]) -> None:
        """Send the request. Raises OperationFailed when there is no such handler or it refuses, Temporary when it
        cannot be reached, OutcomeUnknown when it may have the request."""
        ...


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """Seconds unless said. Names as in heat.conf where the meaning is the same (docs/operations.md)."""

    region: str = "RegionOne"
    stack_action_timeout: float = 3600
    lease: float = 15
    settle: float = 120  # how long a look-up may stay empty before a create is repeated (tokens.md rule 1)
    sweep_interval: float = 5
    create_retries: int = 5
    action_retry_limit: int = 5  # how often an object that went to ERROR while it was built is made again
    delete_in_use_timeout: float = 300
    max_nested_stack_depth: int = 5
    max_resources_per_stack: int = 1000
    max_stacks_per_tenant: int = 512
    max_snapshots_per_stack: int = 32
    max_events_per_stack: int = 10_000
    max_concurrent_runs: int = 500  # of an engine; nested stacks do not count, their parents wait for them
    grace: float = 60  # what an engine waits before it goes on with a dead one's run: at least [cloud] request_timeout
    enable_stack_adopt: bool = True
    enable_stack_abandon: bool = True
    observe_on_update: bool = False
    hidden_stack_tags: Sequence[str] = ("data-processing-cluster",)
    retry_base: float = 0.5
    retry_limit: float = 30
    report_interval: int = 60
    stop_grace: float = 3  # how long a stopping engine waits for calls under way


class Watch:
    """Wakes those who wait for a stack to change. Hints only: waiters look again after a while by themselves."""

    def __init__(self) -> None:
        self._waiting: dict[str, list[asyncio.Future[None]]] = {}
        self.closed = False

    def close(self) -> None:
        """The process stops: nobody is to wait any longer."""
        self.closed = True
        self.changed(list(self._waiting))

    def changed(self, stack_ids: Sequence[str]) -> None:
        for stack_id in stack_ids:
            for waiter in self._waiting.pop(stack_id, ()):
                if not waiter.done():
                    waiter.set_result(None)

    async def wait(self, stack_id: str, clock: Clock, seconds: float) -> None:
        """Return when the stack has changed or `seconds` have passed."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(stack_id, []).append(waiter)
        timer = asyncio.ensure_future(clock.sleep(seconds))
        try:
            await asyncio.wait({waiter, timer}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            timer.cancel()
            held = self._waiting.get(stack_id)
            if held is not None and waiter in held:
                held.remove(waiter)
                if not held:
                    del self._waiting[stack_id]


@dataclass(frozen=True, slots=True)
class RunContext:
    """One per process. `ring` says that a stack has work, `tell` that stacks (`stack/address`: signals) changed, both
    to whom it concerns, in whatever process."""

    store: Store
    committer: Committer
    registry: Registry
    translator: Translator
    clouds: Clouds
    clock: Clock
    settings: EngineSettings
    watch: Watch
    ring: Callable[[str], None]
    tell: Callable[[Sequence[str]], None]
    fetch: Callable[[str], Awaitable[str]]
    transforms: Transforms
    handlers: Handlers
    signal_url: Callable[[str, str, str, str], str]  # stack id, address, kind, project → URL
    notifier: Notifier
