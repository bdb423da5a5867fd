"""Limits and times of the cloud room. Each field is an option of the same name in the section `[cloud]`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

#: The highest microversion that our resource types were written against; the server's own maximum bounds it.
MICROVERSIONS: Mapping[str, str] = {
    "compute": "2.90",
    "block-storage": "3.70",
    "shared-file-system": "2.75",
    "container-infrastructure-management": "1.10",
    "placement": "1.39",
    "baremetal": "1.72",
}


@dataclass(frozen=True, slots=True)
class CloudSettings:
    """Times are seconds."""

    connect_timeout: float = 5.0
    request_timeout: float = 60.0  # of one attempt, from asking for a connection to the last byte of the answer
    idle_connection_timeout: float = 2.0  # below the 5 s of Apache: a POST must not meet a closing connection
    max_connections: int = 128
    max_concurrent_requests: int = 32  # per service; goes down by itself when the service says 429 or 503
    max_response_bytes: int = 64 * 1024 * 1024
    retry_attempts: int = 4  # of an idempotent request, the first one included
    retry_base_delay: float = 0.25
    retry_max_delay: float = 8.0
    retry_after_limit: float = 60.0  # a longer Retry-After is cut to this
    token_renew_margin: float = 300.0  # a token is renewed when it has less than this to live
    poll_fast_interval: float = 0.2
    poll_slow_interval: float = 2.0
    poll_direct_limit: int = 3  # up to so many waiters of a collection are asked for one by one
    cache_seconds: float = 60.0  # names, facts, validated tokens, keys, role lists
    negative_cache_seconds: float = 5.0
    token_cache_size: int = 10_000
    name_cache_size: int = 10_000
    max_contexts: int = 1_000  # projects and trusts whose tokens are kept
    auth_threads: int = 8
    service_user_extra_roles: frozenset[str] = frozenset({"service"})  # that he may have and the caller not
    remote_clouds: bool = True  # whether users' credentials may lead to other clouds
    external_network: str | None = None  # name or id of the network that floating IPs come from
    microversions: Mapping[str, str] = field(default_factory=lambda: dict(MICROVERSIONS))
