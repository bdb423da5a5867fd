"""What can go wrong at the cloud's border, in five words. The cause is always kept (`raise … from`)."""

from __future__ import annotations


class CloudError(Exception):
    """Base. `status` is the HTTP status or None; `kind` the service's own error type (`IpAddressInUse`), if told.

    `str()` is one sentence for users: what was asked of which service, and what it said.
    """

    def __init__(self, message: str, *, status: int | None = None, kind: str | None = None) -> None:
        super().__init__(message)
        self.message, self.status, self.kind = message, status, kind


class NotFound(CloudError):
    """404: the object, or something the request named."""


class Conflict(CloudError):
    """409, and the 400s that mean "already there" or "in use"."""


class Permanent(CloudError):
    """The same request will be refused again: 400, 401 after a new token, 403, quota, no such service."""


class WentToError(Permanent):
    """The object was made and broke while it was built: another one may do better."""


class Temporary(CloudError):
    """Worth another try later: 429, 503, connection refused. `retry_after` in seconds, if told."""

    def __init__(
        self, message: str, *, status: int | None = None, kind: str | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(message, status=status, kind=kind)
        self.retry_after = retry_after


class OutcomeUnknown(Temporary):
    """The request may or may not have been carried out (timeout, reset, 5xx): look up before repeating."""
