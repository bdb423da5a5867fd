"""What the native API can be told."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NativeSettings:
    """Sizes in bytes, names as in heat.conf. `www_authenticate_uri`: where clients without a token may get one."""

    policy_file: str | None = None
    max_json_body_size: int = 1024 * 1024
    max_template_size: int = 512 * 1024
    max_nested_stack_depth: int = 5
    revision: str = "isotherm"
    seconds: float = 120  # of one request
    www_authenticate_uri: str = ""
