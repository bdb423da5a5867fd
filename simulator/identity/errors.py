"""Keystone's refusals."""

from __future__ import annotations

from simulator.http import Refusal

_MALFORMED = (
    " The server could not comply with the request since it is either malformed or otherwise incorrect. The client is "
    "assumed to be in error."
)


def unauthorized() -> Refusal:
    return Refusal(401, "The request you have made requires authentication.")


def forbidden(rule: str) -> Refusal:
    return Refusal(403, f"You are not authorized to perform the requested action: {rule}.")


def not_found(noun: str, object_id: str) -> Refusal:
    return Refusal(404, f"Could not find {noun}: {object_id}.")


def conflict(noun: str, detail: str) -> Refusal:
    return Refusal(409, f"Conflict occurred attempting to store {noun} - {detail}.")


def malformed(message: str) -> Refusal:
    return Refusal(400, message + _MALFORMED)
