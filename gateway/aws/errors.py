"""What the engine refuses, as AWS's codes and messages: the one place where they meet (cloudformation.md W28–W47)."""

from __future__ import annotations

from typing import Final

from engine.cloud.errors import CloudError, NotFound, Permanent
from engine.model.diagnostic import Diagnostic, Invalid
from engine.model.errors import (
    ChangeSetNotFound,
    LimitExceeded,
    Refused,
    ResourceNotFound,
    StackExists,
    StackNotFound,
)
from engine.state.database import TRY_AGAIN
from gateway.aws.faults import AwsError, validation

_WITH_ID: Final = "Stack with id {} does not exist"
_BRACKETS: Final = "Stack [{}] does not exist"
_QUOTES: Final = "Stack '{}' does not exist"
_MISSING_STACK: Final[dict[str, str]] = {  # W28, W29, W31; W30 is what every other action says
    "DescribeStacks": _WITH_ID,
    "GetTemplate": _WITH_ID,
    "GetTemplateSummary": _WITH_ID,
    "DescribeStackResources": _WITH_ID,
    "ListStackResources": _WITH_ID,
    "DescribeStackResource": _QUOTES,
}
_MOST_FINDINGS: Final = 100  # shown; a message of megabytes helps nobody

# Findings that have a place in AWS's own vocabulary of codes; all others are ValidationError.
_PREFIXES: Final[dict[str, str]] = {
    "UnsupportedUrl": "TemplateURL must be a supported URL.",
    "FetchFailed": "S3 error:",
}


def aws_error(error: Exception, action: str) -> AwsError | None:
    """The answer to `action` for what was raised, None when it is no refusal but a defect."""
    match error:
        case AwsError():
            return error
        case Invalid(diagnostics=diagnostics):
            return validation(told(diagnostics))
        case StackNotFound(reference=reference):
            return missing_stack(action, reference)
        case ResourceNotFound(address=address, stack=stack):
            return validation(f"Resource {address} does not exist for stack {stack}")
        case ChangeSetNotFound(name=name):
            return missing_change_set(name)
        case StackExists(name=name):
            return AwsError("AlreadyExistsException", f"Stack [{name}] already exists")
        case LimitExceeded():
            return AwsError("LimitExceededException", str(error))
        case Refused():  # NoChange, InvalidState, NotSupported, Forbidden and their kin say it themselves
            return validation(str(error))
        case CloudError():
            return _cloud(error)
        case _ if isinstance(error, TRY_AGAIN):
            return AwsError("ServiceUnavailable", "The database does not answer at the moment; try again.", 503)
        case _:
            return None


def missing_stack(action: str, reference: str) -> AwsError:
    return validation(_MISSING_STACK.get(action, _BRACKETS).format(reference))


def missing_change_set(name: str) -> AwsError:
    return AwsError("ChangeSetNotFound", f"ChangeSet [{name}] does not exist", 404)


def wrong_state(arn: str, status: str, participle: str) -> AwsError:
    """W43: what was asked cannot be done in the stack's status."""
    return validation(f"Stack:{arn} is in {status} state and can not be {participle}.")


def insufficient_capabilities(missing: tuple[str, ...]) -> AwsError:
    return AwsError("InsufficientCapabilitiesException", f"Requires capabilities : [{', '.join(missing)}]")


def token_taken(token: str) -> AwsError:
    return AwsError(
        "TokenAlreadyExistsException",
        f"The client request token {token} has already been used for another operation of this stack",
    )


def told(diagnostics: tuple[Diagnostic, ...]) -> str:
    """All findings, AWS's sentence first; each with its way out and its place."""
    shown = [_one(diagnostic) for diagnostic in diagnostics[:_MOST_FINDINGS]]
    if len(diagnostics) > _MOST_FINDINGS:
        shown.append(f"And {len(diagnostics) - _MOST_FINDINGS} more.")
    return "\n".join(shown)


def _one(diagnostic: Diagnostic) -> str:
    """`<AWS's sentence> <the way out> (line 3, column 5)`, the place as AWS writes it."""
    told = " ".join(filter(None, (_PREFIXES.get(diagnostic.code), diagnostic.summary, diagnostic.detail)))
    span = diagnostic.span
    if span is None:
        return told
    place = f"line {span.line}, column {span.column}"
    if place in told:
        return told
    return f"{told} ({place})" if span.file == "template" else f"{told} ({span.file}, {place})"


def _cloud(error: CloudError) -> AwsError:
    match error:
        case Permanent(status=401 | 403):
            return AwsError("AccessDenied", f"OpenStack does not allow it: {error.message}", 403)
        case Permanent() | NotFound():
            return validation(error.message)
        case _:
            return AwsError("ServiceUnavailable", f"OpenStack cannot be asked now: {error.message}", 503)
