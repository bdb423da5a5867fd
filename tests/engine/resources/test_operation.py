"""What an operation knows of itself."""

from __future__ import annotations

from typing import Any

import pytest

from engine.resources.base import Operation, StackIdentity


def operation(stack: str, address: str) -> Operation:
    nothing: Any = None
    return Operation(
        StackIdentity("id", stack, "project", "id"), address, "OS::Heat::None", "0123456789abcdef",
        {}, {}, None, {}, {}, nothing, nothing, nothing, 0.0,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("stack", "address", "limit", "expected"),
    [
        ("web", "server", 255, "web-server-456789abcdef"),
        ("web", "group/member", 255, "web-group-member-456789abcdef"),
        ("web", "a" * 60, 53, f"web-{'a' * 36}-456789abcdef"),
    ],
)
def test_tr_14_a_physical_name_is_stack_resource_and_token(stack: str, address: str, limit: int, expected: str) -> None:
    name = operation(stack, address).physical_name(limit)
    assert name == expected
    assert len(name) <= limit
