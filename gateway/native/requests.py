"""Bodies of requests as the engine's `Source` and `Options` (heat.md API-10, 22, 23, TE-03 to TE-05)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import orjson

from engine.cloud.containers import TooMuch
from engine.cloud.errors import NotFound, Permanent
from engine.model.aside import LONG, aside
from engine.model.source import Source
from engine.model.stack import Options, Stack
from engine.model.status import OnFailure
from gateway.native.call import Call
from gateway.native.faults import Fault, bad_request
from translators.hot.environment import SECTIONS, combine, merge_environments
from translators.parsing import declared_anywhere, declared_parameters

_LONGEST_TAG = 80
_MOST_MINUTES = 10**6
_SUBSTANCE = set(SECTIONS) - {"parameters", "encrypted_param_names"}


async def source_of(call: Call, body: Mapping[str, Any], previous: Source | None = None) -> Source:
    """The definition a body brings; with `previous`, what it leaves out stays (PATCH). Raises Fault, Invalid."""
    text, name = await _template(call, body, previous)
    files = await _with_container(call, body.get("files_container"), _files(body.get("files")))
    if previous is not None:
        files = {**previous.files, **files}
    given = dict(_map(body.get("parameters"), "parameters"))
    source = Source(text, files, name=name)
    declared = await aside(lambda: declared_parameters(source), when=len(text) > LONG)
    listed = _names(body.get("environment_files"), "environment_files")
    known = declared
    if listed:
        long = len(text) + sum(map(len, files.values())) > LONG
        known = await aside(lambda: declared_anywhere(source), when=long)
    said = combine(_environment(body.get("environment")), listed, files, given, known)
    environment = {section: value for section, value in said.environment.items() if section in _SUBSTANCE and value}
    parameters = dict(said.parameters)
    if previous is not None:
        cleared = set(_names(body.get("clear_parameters"), "clear_parameters"))
        # A new template may not know parameters that are only remembered (API-23 drops them silently).
        kept = {n: v for n, v in previous.parameters.items() if n not in cleared and n in declared}
        parameters = {**kept, **parameters}
        environment = merge_environments([previous.environment, environment])
    return Source(text, files, environment, parameters, name)


async def _template(call: Call, body: Mapping[str, Any], previous: Source | None) -> tuple[str, str]:
    template, url = body.get("template"), body.get("template_url")
    if isinstance(template, Mapping):
        text, name = _as_text(template, "template"), "template"
    elif isinstance(template, str) and template:
        text, name = template, "template"
    elif template:
        raise bad_request(f"The template must be a map or a text, not {type(template).__name__}.")
    elif isinstance(url, str) and url:
        text, name = await call.fetch(url), url.rsplit("/", 1)[-1]
    elif previous is not None:
        return previous.text, previous.name
    else:
        raise bad_request("No template specified")
    size = len(text.encode())
    if size > call.settings.max_template_size:
        raise Fault(
            400, "RequestLimitExceeded",
            f"Request limit exceeded: Template size ({size} bytes) exceeds maximum allowed size "
            f"({call.settings.max_template_size} bytes).",
        )  # fmt: skip
    return text, name


def _as_text(given: Any, what: str) -> str:
    try:
        return orjson.dumps(given).decode()
    except orjson.JSONEncodeError:  # whole numbers beyond 64 bits, or nested too deeply
        try:
            return json.dumps(given)
        except RecursionError as error:
            raise bad_request(f"The {what} is nested too deeply.") from error


def _environment(given: Any) -> str | Mapping[str, Any] | None:
    if given is None or isinstance(given, str | Mapping):
        return given
    raise bad_request(f"The environment must be a map or a text, not {type(given).__name__}.")


async def _with_container(call: Call, container: Any, files: dict[str, str]) -> dict[str, str]:
    """TE-22: the files of the body before those of the container."""
    if not container:
        return files
    if not isinstance(container, str):
        raise bad_request(f"files_container must be a container's name, not {type(container).__name__}.")
    limit = call.settings.max_json_body_size
    try:
        found = await call.engine.container_files(call.caller, container, skip=files, most_bytes=limit)
    except TooMuch as error:
        raise bad_request(error.message, "DownloadLimitExceeded") from error
    except (NotFound, Permanent) as error:
        status = 404 if isinstance(error, NotFound) else 400
        said = f"Could not fetch files from container {container}, reason: {error.message}"
        raise Fault(status, "NotFound", said) from error
    return {**found, **files}


def _files(given: Any) -> dict[str, str]:
    files = _map(given, "files")
    return {name: text if isinstance(text, str) else _as_text(text, f"file {name}") for name, text in files.items()}


def _map(given: Any, what: str) -> Mapping[str, Any]:
    if given is None:
        return {}
    if isinstance(given, Mapping):
        return given
    raise bad_request(f"{what} must be a map, not {type(given).__name__}.")


def _names(given: Any, what: str) -> list[str]:
    if given is None:
        return []
    if isinstance(given, list) and all(isinstance(one, str) for one in given):
        return given
    raise bad_request(f"{what} must be a list of names.")


def changes_definition(body: Mapping[str, Any]) -> bool:
    """Whether a PATCH brings anything that could make another stack of it (policy stacks:update_no_change)."""
    return any(
        body.get(key)
        for key in (
            "template", "template_url", "files", "files_container", "environment", "environment_files", "parameters",
            "clear_parameters",
        )
    )  # fmt: skip


# --- options ----------------------------------------------------------------------------------------------------------
def options_of(body: Mapping[str, Any], stack: Stack | None = None, *, patch: bool = False) -> Options:
    """The stack's options; those of `stack` stay where the body says nothing. Only a PATCH keeps tags that the body
    does not name, as in Heat."""
    before = Options(on_failure=OnFailure.DO_NOTHING) if stack is None else stack.options
    on_failure = before.on_failure
    if body.get("disable_rollback") is not None:
        on_failure = OnFailure.DO_NOTHING if _truth(body, "disable_rollback") else OnFailure.ROLLBACK
    kept = before.tags if patch else {}
    tags = kept if body.get("tags") is None else _tags(body["tags"])
    minutes = before.timeout_mins if body.get("timeout_mins") is None else _minutes(body["timeout_mins"])
    return Options(
        on_failure=on_failure, timeout_mins=minutes, tags=tags, notification_arns=before.notification_arns,
        capabilities=before.capabilities, role_arn=before.role_arn,
        termination_protection=before.termination_protection, stack_policy=before.stack_policy,
        retain_except_on_create=before.retain_except_on_create, rollback_configuration=before.rollback_configuration,
    )  # fmt: skip


def converge_of(body: Mapping[str, Any]) -> bool:
    """Whether the live objects are to be looked at first (API-22)."""
    return body.get("converge") is not None and _truth(body, "converge")


def _truth(body: Mapping[str, Any], name: str) -> bool:
    given = body[name]
    if isinstance(given, bool):
        return given
    if isinstance(given, str) and given.lower() in ("true", "false"):
        return given.lower() == "true"
    raise bad_request(f'Unrecognized value "{given}" for "{name}", acceptable values are: true, false')


def _minutes(given: Any) -> int | None:
    if isinstance(given, str) and given.isascii() and given.isdigit() and len(given) < 16:
        given = int(given)
    if not isinstance(given, int) or isinstance(given, bool):
        raise bad_request(f"Only integer is allowed by 'timeout_mins': {given!r}")
    if not 0 <= given <= _MOST_MINUTES:
        raise bad_request(f"Invalid stack timeout {given}: between 0 (none) and {_MOST_MINUTES} minutes.")
    return given or None


def _tags(given: Any) -> dict[str, str]:
    """APIX-13. `name=value` is a tag as CloudFormation has them."""
    if not isinstance(given, str):
        raise bad_request("Invalid tags, not a comma-delimited string.")
    names = [name.strip() for name in given.split(",") if name.strip()]
    for name in names:
        if len(name) > _LONGEST_TAG:
            raise bad_request(f'Invalid tag, "{name}" is longer than {_LONGEST_TAG} characters')
    return {name.partition("=")[0]: name.partition("=")[2] for name in names}
