"""What Nova's types have in common."""

from __future__ import annotations

from typing import ClassVar

from engine.resources.openstack_type import OpenStackType


class NovaType(OpenStackType):
    service: ClassVar[str | None] = "compute"
