"""What every request carries from the door of the gateway to the engine, whatever its protocol."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from engine.model.stack import Caller


@dataclass(frozen=True, slots=True)
class RequestContext:
    """`project` is the id of the project that the request is about; `deadline` is monotonic seconds of the event
    loop's clock, when the answer must have been given."""

    request_id: str
    principal: Caller
    project: str
    deadline: float


def new_request_id() -> str:
    """A UUID, as both AWS and OpenStack show request ids (the latter with `req-` before it)."""
    return str(uuid.uuid4())
