"""What templates ask of the outside, answered as far as that is known without a cloud and without a server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from engine.model.diagnostic import Invalid
from engine.model.source import Question, Source, Unanswered

_MOST_ROUNDS: Final = 20
# Some region and account: what a template is does not depend on which, unless it says so.
_PSEUDO: Final[Mapping[str, str]] = {"AWS::Region": "RegionOne", "AWS::AccountId": "123456789012"}


def answered(translate: Callable[[Source], object], source: Source) -> Source:
    """`source` with those answers; what is fetched or called elsewhere is left open. Raises Invalid."""
    for _ in range(_MOST_ROUNDS):
        try:
            translate(source)
        except Unanswered as asked:
            known = {one.key: _answer(one) for one in asked.questions if one.kind in _ANSWERS}
            if not known:
                return source
            source = replace(source, answers={**source.answers, **known})
        except Invalid:
            return source
        else:
            return source
    return source


def _answer(question: Question) -> str:
    return _ANSWERS[question.kind](question)


def _serverless(question: Question) -> str:
    from gateway.serverless import Serverless

    return asyncio.run(Serverless().translate(question.content))


_ANSWERS: Final[Mapping[str, Callable[[Question], str]]] = {
    "pseudo": lambda question: _PSEUDO[question.subject],
    "parameter": lambda question: "",  # it may be there, with any value
    "serverless": _serverless,
}
