"""Faults: every refusal as the body and status that Heat's clients expect (heat.md §1.5). The one place of this."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

import orjson
from aiohttp import web

from engine.cloud.errors import CloudError, Permanent, Temporary
from engine.model.diagnostic import Diagnostic, Invalid
from engine.model.errors import (
    ChangeSetNotFound,
    Forbidden,
    InvalidState,
    LimitExceeded,
    NoChange,
    NotSupported,
    Refused,
    ResourceNotFound,
    StackExists,
    StackNotFound,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fault(Exception):
    """`kind` is Heat's exception class name."""

    status: int
    kind: str
    message: str

    def __str__(self) -> str:
        return self.message


def bad_request(message: str, kind: str = "HTTPBadRequest") -> Fault:
    return Fault(400, kind, message)


# The diagnostic's code decides the exception's name; the rest of what a template got wrong is StackValidationFailed.
_KINDS = {
    "ParameterMissing": "UserParameterMissing",
    "UnknownParameter": "UnknownUserParameter",
    "InvalidTemplateReference": "InvalidTemplateReference",
    "InvalidTemplateVersion": "InvalidTemplateVersion",
    "InvalidTemplateSection": "InvalidTemplateSection",
    "CircularDependency": "CircularDependencyException",
    "ServiceUnavailable": "ResourceTypeUnavailable",
    "TemplateTooLarge": "RequestLimitExceeded",
}


def fault_of(error: Exception) -> Fault | None:
    """The fault for what was raised, None when it is a defect of ours."""
    match error:
        case Fault():
            return error
        case Invalid(diagnostics=found):
            kinds = {_KINDS.get(one.code, "StackValidationFailed") for one in found}
            kind = kinds.pop() if len(kinds) == 1 else "StackValidationFailed"
            return Fault(400, kind, told(found))
        case StackNotFound(reference=reference):
            return Fault(404, "EntityNotFound", f"The Stack ({reference}) could not be found.")
        case ResourceNotFound(address=address, stack=stack):
            return Fault(404, "ResourceNotFound", f"The Resource ({address}) could not be found in Stack {stack}.")
        case ChangeSetNotFound():
            return Fault(404, "EntityNotFound", str(error))
        case StackExists(name=name):
            return Fault(409, "StackExists", f"The Stack ({name}) already exists.")
        case LimitExceeded():
            return Fault(400, "RequestLimitExceeded", str(error))
        case Forbidden():
            return Fault(403, "Forbidden", str(error))
        case InvalidState() if "in progress" in str(error):
            return Fault(409, "ActionInProgress", str(error))
        case InvalidState() | NotSupported() | NoChange():
            return Fault(400, "NotSupported", str(error))
        case Refused():
            return Fault(400, "Invalid", str(error))
        case Permanent():
            status = error.status if error.status in (401, 403) else 400
            return Fault(403 if status == 401 else status, "Forbidden" if status != 400 else "Invalid", error.message)
        case Temporary() | CloudError():
            return Fault(503, "ServiceUnavailable", str(error))
        case _:
            return None


def told(found: tuple[Diagnostic, ...]) -> str:
    """Every finding, one a line when there are several."""
    return "\n".join(str(one) for one in found)


def response(fault: Fault, request_id: str) -> web.Response:
    """The fault as Heat writes it."""
    title = HTTPStatus(fault.status).phrase
    body = {
        "code": fault.status,
        "title": title,
        "explanation": _EXPLANATIONS.get(fault.status, title),
        "error": {"type": fault.kind, "message": fault.message, "traceback": None},
    }
    return web.Response(
        status=fault.status,
        body=orjson.dumps(body),
        content_type="application/json",
        headers={"X-Openstack-Request-Id": f"req-{request_id}"},
    )


_EXPLANATIONS = {
    400: "The server could not comply with the request since it is either malformed or otherwise incorrect.",
    403: "Access was denied to this resource.",
    404: "The resource could not be found.",
    405: "The method specified is not allowed for this resource.",
    409: "There was a conflict when trying to complete your request.",
    500: "The server has either erred or is incapable of performing the requested operation.",
    503: "The service is unavailable at this time.",
}
