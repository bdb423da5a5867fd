"""Cinder's refusals."""

from __future__ import annotations

from simulator.http import Refusal


def bad(message: str) -> Refusal:
    return Refusal(400, message)


def forbidden(rule: str) -> Refusal:
    return Refusal(403, f"Policy doesn't allow {rule} to be performed.")


def not_found(noun: str, object_id: str) -> Refusal:
    return Refusal(404, f"{noun} {object_id} could not be found.")
