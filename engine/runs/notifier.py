"""What is told of stacks on the notification topics, as Heat words it (heat.md ENGE-04, ENGE-05, ENGE-06).

A run that is taken over tells its beginning again, under the same id. Notifications may be lost, and hold up nothing.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from typing import Final

from engine.bus.notification import Notification
from engine.bus.post import Post
from engine.model.clock import Clock, SystemClock, to_datetime
from engine.model.ids import new_id
from engine.model.stack import Stack
from engine.model.status import Status
from engine.model.value import Value

_SERVICE: Final = "orchestration"
_ERROR: Final = "ERROR"
_IDS: Final = uuid.UUID("6f1d9c3e-5a0b-4f57-9d0e-2b8f6f3f6a41")
_SUFFIX: Final = {Status.IN_PROGRESS: "start", Status.COMPLETE: "end", Status.FAILED: "error"}


class Notifier:
    """Without `posts` nothing is told. `level` is of everything but errors."""

    def __init__(
        self, posts: Sequence[Post] = (), *, publisher: str = _SERVICE, level: str = "INFO", clock: Clock | None = None
    ) -> None:
        self._posts, self._publisher, self._level = posts, publisher, level
        self._clock = clock or SystemClock()

    def start(self) -> None:
        for post in self._posts:
            post.start()

    async def stop(self) -> None:
        for post in self._posts:
            await post.stop()

    def stack(self, stack: Stack) -> None:
        """Tell that `stack` has come into its state."""
        if not self._posts:
            return
        suffix = _SUFFIX[stack.status]
        self._tell(stack, f"stack.{stack.action.value.lower()}.{suffix}", suffix, body(stack), stack.state)

    def autoscaling(
        self, stack: Stack, suffix: str, *, groupname: str, message: str, adjustment: Value = None,
        adjustment_type: str | None = None, capacity: Value = None,
    ) -> None:  # fmt: skip
        """Tell that a group of `stack` begins to be scaled (`start`), has been (`end`), or could not be (`error`)."""
        scaled = {
            "adjustment": adjustment,
            "adjustment_type": adjustment_type,
            "capacity": capacity,
            "groupname": groupname,
            "message": message,
        }
        self._tell(stack, f"autoscaling.{suffix}", suffix, {**body(stack), **scaled}, new_id())

    def _tell(self, stack: Stack, event: str, suffix: str, payload: Mapping[str, Value], which: str) -> None:
        notification = Notification(
            id=str(uuid.uuid5(_IDS, f"{stack.id}/{stack.operation_id}/{which}")),
            event_type=f"{_SERVICE}.{event}",
            level=_ERROR if suffix == "error" else self._level,
            publisher=self._publisher,
            payload=payload,
            time=to_datetime(self._clock.now()),
            context=_context(stack),
        )
        for post in self._posts:
            post.send(notification)


def body(stack: Stack) -> dict[str, Value]:
    """ENGE-05. `user_id` is a name for historical reasons."""
    return {
        "tenant_id": stack.project_id,
        "user_id": stack.user_name,
        "user_identity": stack.user_id,
        "username": stack.user_name,
        "stack_identity": stack.id,
        "stack_name": stack.name,
        "state": stack.state,
        "state_reason": stack.status_reason,
        "create_at": _time(stack.created),
        "updated_at": _time(stack.updated),
        "description": stack.description or "No description",
        "tags": list(stack.options.tag_names) or None,
    }


def _context(stack: Stack) -> dict[str, Value]:
    """What listeners look for in Heat's request context; no secrets are in it. Ceilometer takes the user from
    `trustor_user_id`."""
    return {
        "user_id": stack.user_id,
        "user": stack.user_name,
        "username": stack.user_name,
        "tenant_id": stack.project_id,
        "project_id": stack.project_id,
        "trustor_user_id": stack.user_id,
        "request_id": f"req-{stack.operation_id}",
    }


def _time(time: dt.datetime | None) -> str | None:
    return None if time is None else time.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
