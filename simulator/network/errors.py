"""Neutron's refusals by name. The kinds are what clients match on (`NeutronError.type`)."""

from __future__ import annotations

from simulator.http import Refusal


def bad(message: str, kind: str = "HTTPBadRequest") -> Refusal:
    return Refusal(400, message, kind)


def invalid(message: str) -> Refusal:
    return Refusal(400, f"Invalid input for operation: {message}.", "InvalidInput")


def bad_request(resource: str, message: str) -> Refusal:
    return Refusal(400, f"Bad {resource} request: {message}", "BadRequest")


def not_found(kind: str, noun: str, object_id: str) -> Refusal:
    return Refusal(404, f"{noun} {object_id} could not be found.", kind)


def conflict(kind: str, message: str) -> Refusal:
    return Refusal(409, message, kind)


def not_authorized(rule: str) -> Refusal:
    return Refusal(403, f"{rule} is disallowed by policy", "PolicyNotAuthorized")


def server_error() -> Refusal:
    return Refusal(
        500,
        "Request Failed: internal server error while processing your request.",
        "HTTPInternalServerError",
    )
