"""Bodies of requests as the engine's `Source` and `Options` (heat.md API-10, 22, 23, TE-03 to TE-05)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from engine.model.errors import Forbidden
from engine.model.source import Source
from engine.model.stack import Options, Stack
from engine.model.status import OnFailure
from gateway.native.call import Call
from gateway.native.faults import Fault, bad_request
from translators.hot.environment import SECTIONS, combine, merge_environments
from translators.parsing import declared_parameters

_LONGEST_TAG = 80
_SUBSTANCE = set(SECTIONS) - {"parameters", "encrypted_param_names"}


async def source_of(call: Call, body: Mapping[str, Any], previous: Source | None = None) -> Source:
    """The definition a body brings; with `previous`, what it leaves out stays (PATCH)."""
    text, name = await _template(call, body, previous)
    files = _files(body.get("files"))
    if previous is not None:
        files = {**previous.files, **files}
    given = dict(_map(body.get("parameters"), "parameters"))
    declared = declared_parameters(Source(text, files, name=name))
    said = combine(body.get("environment"), _names(body.get("environment_files")), files, given, declared)
    environment = {section: value for section, value in said.environment.items() if section in _SUBSTANCE and value}
    parameters = dict(said.parameters)
    if previous is not None:
        cleared = set(_names(body.get("clear_parameters")))
        # A new template may not know parameters that are only remembered (API-23 drops them silently).
        kept = {n: v for n, v in previous.parameters.items() if n not in cleared and n in declared}
        parameters = {**kept, **parameters}
        environment = merge_environments([previous.environment, environment])
    return Source(text, files, environment, parameters, name)


async def _template(call: Call, body: Mapping[str, Any], previous: Source | None) -> tuple[str, str]:
    template, url = body.get("template"), body.get("template_url")
    if isinstance(template, Mapping):
        text, name = json.dumps(template), "template"
    elif isinstance(template, str) and template:
        text, name = template, "template"
    elif isinstance(url, str) and url:
        text, name = await call.fetch(url), url.rsplit("/", 1)[-1]
    elif previous is not None:
        return previous.text, previous.name
    else:
        raise bad_request("No template specified")
    if len(text.encode("utf-8", "surrogatepass")) > call.settings.max_template_size:
        raise Fault(
            400, "RequestLimitExceeded",
            f"Request limit exceeded: Template size ({len(text)} bytes) exceeds maximum allowed size "
            f"({call.settings.max_template_size} bytes).",
        )  # fmt: skip
    return text, name


def _files(given: Any) -> dict[str, str]:
    files = _map(given, "files")
    return {str(name): text if isinstance(text, str) else json.dumps(text) for name, text in files.items()}


def _map(given: Any, what: str) -> Mapping[str, Any]:
    if given is None:
        return {}
    if isinstance(given, Mapping):
        return given
    raise bad_request(f"{what} must be a map, not {type(given).__name__}.")


def _names(given: Any) -> list[str]:
    if given is None:
        return []
    if isinstance(given, list) and all(isinstance(one, str) for one in given):
        return given
    raise bad_request("A list of names was expected.")


def options_of(body: Mapping[str, Any], stack: Stack | None = None) -> Options:
    """The stack's options; those of `stack` stay where the body says nothing."""
    if body.get("converge"):
        raise bad_request("`converge` is not supported yet: check the stack first, and what is gone is replaced.")
    before = Options(on_failure=OnFailure.DO_NOTHING) if stack is None else stack.options
    on_failure = before.on_failure
    if body.get("disable_rollback") is not None:
        on_failure = OnFailure.DO_NOTHING if _truth(body["disable_rollback"]) else OnFailure.ROLLBACK
    tags = before.tags if body.get("tags") is None else _tags(body["tags"])
    minutes = before.timeout_mins if body.get("timeout_mins") is None else _minutes(body["timeout_mins"])
    return Options(
        on_failure=on_failure, timeout_mins=minutes, tags=tags, notification_arns=before.notification_arns,
        capabilities=before.capabilities, role_arn=before.role_arn,
        termination_protection=before.termination_protection, stack_policy=before.stack_policy,
        retain_except_on_create=before.retain_except_on_create, rollback_configuration=before.rollback_configuration,
    )  # fmt: skip


def _truth(given: Any) -> bool:
    if isinstance(given, bool):
        return given
    if isinstance(given, str) and given.lower() in ("true", "false"):
        return given.lower() == "true"
    raise bad_request(f'Unrecognized value "{given}" for "disable_rollback", acceptable values are: true, false')


def _minutes(given: Any) -> int | None:
    try:
        minutes = int(given)
    except (TypeError, ValueError) as error:
        raise bad_request(f"Only integer is allowed by 'timeout_mins': {given!r}") from error
    if minutes < 0:
        raise bad_request(f"Invalid stack timeout {minutes}: it must not be negative.")
    return minutes or None


def _tags(given: Any) -> dict[str, str]:
    """APIX-13."""
    if not isinstance(given, str):
        raise bad_request("Invalid tags, not a comma-delimited string.")
    names = [name.strip() for name in given.split(",") if name.strip()]
    for name in names:
        if len(name) > _LONGEST_TAG:
            raise bad_request(f'Invalid tag, "{name}" is longer than {_LONGEST_TAG} characters')
    return {name.partition("=")[0]: name.partition("=")[2] for name in names}


def check_project(allowed: bool, rule: str) -> None:
    """Raise Forbidden as policy says."""
    if not allowed:
        raise Forbidden(f"You are not authorized to use {rule}.")
