"""What resource types may ask of a cloud. `engine.cloud.client` implements it; tests may bring their own."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from engine.cloud.errors import CloudError
from engine.model.value import Value


@dataclass(frozen=True, slots=True)
class Reply:
    """`body` is the parsed JSON (or None), `headers` lower-cased names, `raw` the body as it came."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Ready:
    """Waiting as data: the object is ready when `path` has one of `ok`; it failed when it has one of `failed`.

    `reason` is the path of the sentence that explains a failure (`fault.message`). Upper/lower case is ignored.
    """

    path: str = "status"
    ok: frozenset[str] = frozenset({"active", "available"})
    failed: frozenset[str] = frozenset({"error"})
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Another region, or another cloud: with `credential`, which is a keystoneauth plugin's `auth_type` and its options
    `auth`. `ca_cert` is the text of certificates. Without a region, the first one that the cloud's catalogue names."""

    region: str | None = None
    credential: Mapping[str, Any] | None = field(default=None, repr=False)
    ca_cert: str | None = None
    insecure: bool = False


class Cloud(Protocol):
    """One project of one cloud, as the engine may act there."""

    @property
    def project_id(self) -> str: ...
    @property
    def user_id(self) -> str: ...
    @property
    def region(self) -> str: ...

    async def request(
        self, service: str, method: str, path: str, *, json: Any = None, params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None, microversion: str | None = None, body: bytes | None = None,
    ) -> Reply:  # fmt: skip
        """One call. `service` is the catalogue type (`network`, `compute`, `block-storage`, `image`, `identity`,
        `object-store`); `path` starts with `/` below the service's versioned root (`/networks`, `/servers`,
        `/v2.0` is never written). GET, HEAD, PUT without effects twice and DELETE are retried on Temporary a bounded
        number of times; POST never. Raises engine.cloud.errors.*; 404 → NotFound."""
        ...

    async def list(
        self,
        service: str,
        path: str,
        key: str,
        *,
        params: Mapping[str, str] | None = None,
        microversion: str | None = None,
    ) -> Sequence[dict[str, Any]]:
        """All pages of a collection; `key` is the list's name in the body."""
        ...

    async def wait_ready(
        self,
        service: str,
        path: str,
        key: str,
        object_id: str,
        ready: Ready,
        *,
        deadline: float,
        microversion: str | None = None,
    ) -> dict[str, Any]:
        """The object once `ready` says so. Polled through the hub: one list call per collection and interval serves
        every waiter. Raises NotFound when it vanished, Permanent with the reason when it failed, Temporary at
        `deadline` (monotonic seconds)."""
        ...

    async def wait_gone(
        self, service: str, path: str, key: str, object_id: str, *, deadline: float, microversion: str | None = None
    ) -> None:
        """Return when the object is no longer there (or DELETED)."""
        ...

    async def resolve(self, kind: str, name_or_id: str) -> str:
        """The id of the `network`, `subnet`, `port`, `router`, `security_group`, `flavor`, `image`, `keypair`,
        `volume`, `volume_type`, `snapshot`, `server`, `server_group`, `project`, `user`, `role`, `domain` … with that
        id or name; cached for a minute. Raises NotFound, or Permanent when the name is ambiguous."""
        ...

    async def resolve_all(self, kind: str, names: Collection[str]) -> Mapping[str, str | CloudError]:
        """The id of each of several names, or the NotFound or Permanent that tells why there is none. One listing of
        the kind, kept for a minute, answers for all of them. Raises Temporary and the like."""
        ...

    async def facts(self) -> Mapping[str, Value]:
        """`zones`: names of the compute availability zones; `external_network`: id of the configured or only external
        network, or None; `region`. Cached for a minute."""
        ...

    async def services(self) -> frozenset[str]:
        """Catalogue types that have an endpoint here."""
        ...

    async def elsewhere(self, place: Place) -> Cloud:
        """The same for another region, as the same user, or for the project of a credential. Raises Permanent when the
        credential cannot be used."""
        ...
