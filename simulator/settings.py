"""What can be set about a simulated cloud, and the faults it can be told to have."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Effect = Literal["status", "delay", "hang", "lost_answer", "half_done"]


@dataclass(frozen=True, slots=True)
class Fault:
    """Which requests go wrong, and how. Empty conditions match everything.

    `service` is a name of `simulator.world.SERVICES`; `path` is a regular expression searched in the path below the
    service. Of the requests that match, the first `skip` pass, then every one (with `probability`) is hit until
    `count` were. Effects:

    - `status`: answered `status` (with `retry_after` seconds, if given), nothing is done;
    - `delay`: carried out after `seconds`;
    - `hang`: nothing is done and nothing answered for `seconds`, then the connection is closed;
    - `lost_answer`: carried out, then the connection is closed without an answer;
    - `half_done`: a server or volume is made and then goes to ERROR with `message`.
    """

    effect: Effect = "status"
    service: str = ""
    method: str = ""
    path: str = ""
    status: int = 503
    retry_after: float | None = None
    seconds: float = 60.0
    message: str = "No valid host was found."
    skip: int = 0
    count: int | None = None
    probability: float = 1.0


@dataclass(frozen=True, slots=True)
class Settings:
    """Times are seconds. `clock` returns seconds since 1970; tests bring their own.

    `state_file` None keeps everything in memory. `ec2_access`, `ec2_secret` are the EC2 key that demo has from the
    beginning.
    """

    state_file: Path | None = None
    build_seconds: float = 0.3  # until a server is ACTIVE; volumes and snapshots take a third of it
    delete_seconds: float = 0.1  # between the DELETE of a server or volume and its end
    token_seconds: float = 86_400.0
    clock: Callable[[], float] = time.time
    region: str = "RegionOne"
    service_user: str = "isotherm"
    service_password: str = field(default="isotherm", repr=False)
    ec2_access: str = "5f1c8ad47bd9437cb15aa8ee3ae4e1d0"
    ec2_secret: str = field(default="9f2b6b0a7c0c4e02a8c37e5d2a0de3f1", repr=False)
    delay_ms: float = 0.0  # added to every request
    faults: tuple[Fault, ...] = ()
    max_logged_requests: int = 10_000
    max_body_bytes: int = 256 * 1024 * 1024
    random_seed: int = 1  # of faults with a probability
