"""Answering what templates ask of the outside, before they are translated for good.

The answers go into the source and are kept with the stack: a rollback, or an engine that takes a run up again, has the
very template that was accepted.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Final
from urllib.parse import quote, urlsplit

from engine.cloud.contract import Cloud
from engine.cloud.errors import CloudError, NotFound
from engine.model.account import account_id
from engine.model.aside import LONG, aside
from engine.model.diagnostic import Diagnostic, Invalid, invalid
from engine.model.ids import new_id
from engine.model.source import Question, Source, Unanswered
from engine.model.value import Value
from engine.resources.base import OperationFailed
from engine.runs.context import RunContext
from engine.runs.stored import stored_value

_MOST_ROUNDS: Final = 50  # of questions that earlier answers gave rise to
_INCLUDE: Final = "Transform AWS::Include failed with:"
_LARGEST: Final = 1024 * 1024  # bytes of an included object


async def answered(
    context: RunContext, project_id: str, source: Source, cloud: Callable[[], Awaitable[Cloud]], *,
    looking: bool = False,
) -> Source:  # fmt: skip
    """`source` with an answer to everything its template asks. `looking`: nothing is made of it, so that its parameters
    may name what is not stored yet. Raises Invalid with all findings."""
    outside = _Outside(context, project_id, cloud, looking)
    for _ in range(_MOST_ROUNDS):
        try:
            await aside(partial(context.translator.translate, source), when=len(source.text) > LONG)
        except Unanswered as asked:
            source = replace(source, answers={**source.answers, **await outside.answers(asked.questions)})
        else:
            return source
    raise invalid(
        "TransformFailed", f"The template asks for more after {_MOST_ROUNDS} rounds of answers.",
        "Do the texts that it includes include each other for ever?",
    )  # fmt: skip


class _Outside:
    def __init__(
        self, context: RunContext, project_id: str, cloud: Callable[[], Awaitable[Cloud]], looking: bool
    ) -> None:
        self._context, self._project_id, self._cloud, self._looking = context, project_id, cloud, looking
        self._account = account_id(project_id)

    async def answers(self, questions: Iterable[Question]) -> dict[str, str]:
        """By key. Raises Invalid with everything that could not be answered, each where it was asked."""
        asked = list(questions)
        told = await asyncio.gather(*(self._answer(one) for one in asked), return_exceptions=True)
        findings: list[Diagnostic] = []
        found: dict[str, str] = {}
        for question, answer in zip(asked, told, strict=True):
            if isinstance(answer, Invalid):
                findings += [replace(one, span=one.span or question.span) for one in answer.diagnostics]
            elif isinstance(answer, BaseException):
                raise answer
            else:
                found[question.key] = answer
        if findings:
            raise Invalid(findings)
        return found

    async def _answer(self, question: Question) -> str:
        match question.kind:
            case "include":
                return await self._text(question.subject)
            case "template":
                return await self._context.fetch(question.subject)
            case "macro":
                return await self._macro(question)
            case "parameter":
                return await self._parameter(question.subject)
            case "serverless":
                return await self._context.transforms.serverless(question.content)
            case "pseudo":
                return {"AWS::Region": self._context.settings.region, "AWS::AccountId": self._account}[question.subject]
            case kind:
                raise AssertionError(f"a template asks for {kind}")

    async def _parameter(self, name: str) -> str:
        found = await stored_value(self._context.store, self._project_id, name)
        if found is None and self._looking:
            return ""
        if found is None:
            raise invalid(
                "UnknownStoredParameter",
                f"Unable to fetch parameters [{name}] from parameter store for this account.",
                "An AWS::SSM::Parameter in a stack of this project makes one.",
            )  # fmt: skip
        return found

    # --- AWS::Include -------------------------------------------------------------------------------------------------
    async def _text(self, location: str) -> str:
        if urlsplit(location).scheme.lower() == "s3":
            return await self._stored(location)
        try:
            return await self._context.fetch(location)
        except Invalid as error:
            raise Invalid(replace(one, code="TransformFailed", summary=f"{_INCLUDE} {one.summary}")
                          for one in error.diagnostics) from error  # fmt: skip

    async def _stored(self, location: str) -> str:
        """`s3://bucket/key` is an object in a container of the project's."""
        _, _, where = location.partition("://")
        bucket, _, key = where.partition("/")
        if not bucket or not key:
            raise _include_failed(f"{location} is no location of an object.", "Write `s3://bucket/key`.")
        path = f"/{quote(bucket, safe='')}"
        try:
            cloud = await self._cloud()
            await cloud.request("object-store", "HEAD", path)
        except NotFound as error:
            hint = "It is a container of the object store, in the project of the stack."
            raise _include_failed(f"S3 bucket [{bucket}] does not exist.", hint) from error
        except CloudError as error:
            raise _include_failed(error.message) from error
        try:
            reply = await cloud.request("object-store", "GET", f"{path}/{quote(key)}")
        except NotFound as error:
            raise _include_failed(f"The specified key does not exist: {location}.") from error
        except CloudError as error:
            raise _include_failed(error.message) from error
        if len(reply.raw) > _LARGEST:
            raise _include_failed(f"{location} is larger than {_LARGEST} bytes.")
        try:
            return reply.raw.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise _include_failed(f"{location} is not UTF-8 (byte {error.start}).") from error

    # --- macros -------------------------------------------------------------------------------------------------------
    async def _macro(self, question: Question) -> str:
        """cloudformation.md L89: the event is AWS's, but for what the outside knows told by the template."""
        name = question.subject.removeprefix(f"{self._account}::")
        full, request_id = f"{self._account}::{name}", new_id()
        event = {
            **json.loads(question.content), "region": self._context.settings.region, "accountId": self._account,
            "transformId": full, "requestId": request_id,
        }  # fmt: skip
        response = await self._context.transforms.macro(name, event)
        return json.dumps({"id": full, "requestId": request_id, "response": response})


def _include_failed(why: str, hint: str = "") -> Invalid:
    return invalid("TransformFailed", f"{_INCLUDE} {why}", hint)


class NoTransforms:
    """For an engine that nothing was lent to: every macro is unknown. Implements `engine.runs.context.Transforms`."""

    async def macro(self, name: str, event: Mapping[str, Value]) -> Value:
        raise no_macro(str(event["transformId"]))

    async def serverless(self, document: str) -> str:
        raise invalid("TransformFailed", "Transform AWS::Serverless-2016-10-31 failed with: It is not set up here.")


class NoHandlers:
    """For an engine that nothing was lent to. Implements `engine.runs.context.Handlers`."""

    async def ask(self, service_token: str, request: Mapping[str, Value]) -> None:
        raise no_handler(service_token)


def no_handler(service_token: str) -> OperationFailed:
    name = service_token.rpartition(":")[2] or service_token
    return OperationFailed(
        f"Invalid service token: {service_token} is nobody's. Whoever runs isotherm names handlers of custom resources "
        f"in its configuration: `[custom_resources]`, `{name} = URL`."
    )


def no_macro(full_name: str) -> Invalid:
    """What AWS says of a macro that is not registered."""
    name = full_name.rpartition("::")[2]
    return invalid(
        "UnknownTransform", f"No transform named {full_name} found.",
        f"Whoever runs isotherm names macros in its configuration: `[macros]`, `{name} = URL`.",
    )  # fmt: skip
