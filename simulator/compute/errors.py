"""Nova's refusals."""

from __future__ import annotations

from typing import Any

from simulator.http import Refusal


def bad(message: str) -> Refusal:
    return Refusal(400, message)


def invalid(field: str, value: Any, why: str) -> Refusal:
    return Refusal(400, f"Invalid input for field/attribute {field}. Value: {value}. {why}")


def forbidden(rule: str) -> Refusal:
    return Refusal(403, f"Policy doesn't allow os_compute_api:{rule} to be performed.")


def not_found(message: str) -> Refusal:
    return Refusal(404, message)


def conflict(message: str) -> Refusal:
    return Refusal(409, message)
