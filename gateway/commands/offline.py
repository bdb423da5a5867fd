"""What templates ask of the outside, answered as far as that is known without a cloud and without a server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final, TypeAlias

from engine.model.diagnostic import Invalid
from engine.model.source import Question, Source, Unanswered

#: What answers a question, by its kind.
Answers: TypeAlias = Mapping[str, Callable[[Question], str]]

_MOST_ROUNDS: Final = 20
# Some region and account: what a template is does not depend on which, unless it says so.
_PSEUDO: Final[Mapping[str, str]] = {"AWS::Region": "RegionOne", "AWS::AccountId": "123456789012"}


def answered(translate: Callable[[Source], object], source: Source, answers: Answers | None = None) -> Source:
    """`source` with those answers, or those that `answers` gives to questions of these kinds; what is fetched or called
    elsewhere is left open."""
    answers = _ANSWERS if answers is None else answers
    for _ in range(_MOST_ROUNDS):
        try:
            translate(source)
        except Unanswered as asked:
            known = {one.key: answers[one.kind](one) for one in asked.questions if one.kind in answers}
            if not known:
                return source
            source = replace(source, answers={**source.answers, **known})
        except Invalid:
            return source
        else:
            return source
    return source


def _serverless(question: Question) -> str:
    from gateway.serverless import Serverless

    return asyncio.run(Serverless().translate(question.content))


_ANSWERS: Final[Answers] = {
    "pseudo": lambda question: _PSEUDO[question.subject],
    "parameter": lambda question: "",  # it may be there, with any value
    "serverless": _serverless,
}
