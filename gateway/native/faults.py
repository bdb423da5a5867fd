"""Faults: every refusal as the body and status that Heat's clients expect (heat.md §1.5). The one place of this."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus

import orjson
from aiohttp import web

from engine.cloud.errors import CloudError, Conflict, NotFound, Permanent
from engine.model.diagnostic import Diagnostic, Invalid, Severity
from engine.model.errors import (
    Busy,
    ChangeSetNotFound,
    Forbidden,
    InvalidHook,
    InvalidState,
    LimitExceeded,
    NoChange,
    NotSupported,
    Refused,
    ResourceNotFound,
    SnapshotNotFound,
    StackExists,
    StackNotFound,
)
from engine.state.database import TRY_AGAIN


@dataclass(frozen=True, slots=True)
class Fault(Exception):
    """`kind` is Heat's exception class name."""

    status: int
    kind: str
    message: str

    def __str__(self) -> str:
        return self.message


def bad_request(message: str, kind: str = "HTTPBadRequest") -> Fault:
    """A request that is wrong in itself (ERR-45)."""
    return Fault(400, kind, message)


def missing(message: str) -> Fault:
    """Something in the path that does not exist (ERR-45)."""
    return Fault(404, "HTTPNotFound", message)


def forbidden(action: str = "") -> Fault:
    """What policy does not allow (ERR-31)."""
    what = f"use {action}" if action else "complete this action"
    return Fault(403, "Forbidden", f"You are not authorized to {what}.")


# The diagnostic's code decides the exception's name; the rest of what a template got wrong is StackValidationFailed.
_KINDS: Mapping[str, str] = {
    "CircularDependency": "CircularDependencyException",
    "CloudUnavailable": "ServiceUnavailable",
    "ImmutableParameterModified": "ImmutableParameterModified",
    "InvalidTemplateReference": "InvalidTemplateReference",
    "InvalidTemplateSection": "InvalidTemplateSection",
    "InvalidTemplateVersion": "InvalidTemplateVersion",
    "NoTemplateVersion": "InvalidTemplateVersion",
    "ParameterMissing": "UserParameterMissing",
    "ServiceUnavailable": "ResourceTypeUnavailable",
    "TemplateTooLarge": "RequestLimitExceeded",
    "UnknownParameter": "UnknownUserParameter",
    "UnknownTemplateVersion": "InvalidTemplateVersion",
}
_OTHER = "StackValidationFailed"
_STATUSES: Mapping[str, int] = {"ServiceUnavailable": 503}  # all else that findings say is the user's (400)
_TEMPLATE = "template"  # what findings call the text that came in a request


def fault_of(error: Exception, *, lines: bool = True) -> Fault | None:
    """The fault for what was raised, None when it is a defect of ours.

    `lines` False: the template came as a map (python-heatclient parses the file itself), so that lines and columns
    would be those of a text the user has never seen; the path in the template is told in their place.
    """
    match error:
        case Fault():
            return error
        case Invalid(diagnostics=found):
            return _of_findings(found, lines)
        case Refused():
            return _of_refusal(error)
        case CloudError():
            return _of_cloud(error)
        case _ if isinstance(error, TRY_AGAIN):
            return unavailable("The database does not answer at the moment; try again.")
        case _:
            return None


def _of_findings(found: tuple[Diagnostic, ...], lines: bool) -> Fault:
    """The name that all errors share; findings of several names are one failed validation."""
    kinds = {_KINDS.get(one.code, _OTHER) for one in found if one.severity is Severity.ERROR}
    kind = kinds.pop() if len(kinds) == 1 else _OTHER
    return Fault(_STATUSES.get(kind, 400), kind, "\n".join(_told(one, lines) for one in found))


def _told(one: Diagnostic, lines: bool) -> str:
    if one.span is not None and (lines or one.span.file != _TEMPLATE):
        return str(one)
    unplaced = str(replace(one, span=None))
    return f"{unplaced} ({one.address})" if one.address and one.address not in unplaced else unplaced


def _of_refusal(error: Refused) -> Fault:
    match error:
        case StackNotFound(reference=reference):
            return Fault(404, "EntityNotFound", f"The Stack ({reference}) could not be found.")
        case ResourceNotFound(address=address, stack=stack):
            return Fault(404, "ResourceNotFound", f"The Resource ({address}) could not be found in Stack {stack}.")
        case ChangeSetNotFound():
            return Fault(404, "EntityNotFound", str(error))
        case SnapshotNotFound():
            return Fault(404, "EntityNotFound", str(error))
        case StackExists(name=name):
            return Fault(409, "StackExists", f"The Stack ({name}) already exists.")
        case LimitExceeded():
            return Fault(400, "RequestLimitExceeded", str(error))
        case Forbidden():
            return Fault(403, "Forbidden", str(error))
        case Busy():
            return Fault(409, "ActionInProgress", str(error))
        case InvalidHook():
            return Fault(400, "InvalidBreakPointHook", str(error))
        case InvalidState() | NotSupported() | NoChange():
            return Fault(400, "NotSupported", str(error))
        case _:
            return Fault(400, "Invalid", str(error))


def _of_cloud(error: CloudError) -> Fault:
    """What the cloud would not do for the caller; trouble that passes is the service's, not the user's (503)."""
    match error:
        case Permanent(status=401 | 403):
            return Fault(403, "Forbidden", error.message)
        case Permanent() | NotFound():
            return Fault(400, "Invalid", error.message)
        case Conflict():
            return Fault(409, "Conflict", error.message)
        case _:
            return unavailable(error.message)


def unavailable(message: str) -> Fault:
    """Worth asking again later."""
    return Fault(503, "ServiceUnavailable", message)


def response(fault: Fault) -> web.Response:
    """The fault as Heat writes it."""
    title = HTTPStatus(fault.status).phrase
    body = {
        "code": fault.status,
        "title": title,
        "explanation": _EXPLANATIONS.get(fault.status, title),
        "error": {"type": fault.kind, "message": fault.message, "traceback": None},
    }
    return web.Response(status=fault.status, body=orjson.dumps(body), content_type="application/json")


_EXPLANATIONS = {
    400: "The server could not comply with the request since it is either malformed or otherwise incorrect.",
    403: "Access was denied to this resource.",
    404: "The resource could not be found.",
    405: "The method specified is not allowed for this resource.",
    409: "There was a conflict when trying to complete your request.",
    413: "The request is larger than the server accepts.",
    500: "The server has either erred or is incapable of performing the requested operation.",
    503: "The service is unavailable at this time.",
}
