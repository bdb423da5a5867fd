"""The right to change something in a cloud, asked for at the last moment before a request is written.

Between the decision to send a request and its first byte lie limits, back-offs and waits for a connection. Who has lost
the right meanwhile (an engine whose lease is spent) must not send it.
"""

from __future__ import annotations

import contextvars
from collections.abc import Callable

#: Raises when nothing may be changed any more; None asks nobody. Tasks inherit it from who starts them.
permit: contextvars.ContextVar[Callable[[], None] | None] = contextvars.ContextVar("permit", default=None)
