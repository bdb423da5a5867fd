"""One case on its whole way. Anything but findings is a crash."""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

import hypothesis.errors

from engine.model.diagnostic import Invalid
from engine.model.source import Source
from engine.model.template import Parameter
from engine.model.value import Value
from gateway.aws.protocol.model import load
from gateway.aws.protocol.query import read_input
from gateway.commands.offline import Answers, answered
from gateway.native.faults import Fault
from gateway.native.requests import converge_of, options_of
from tests.corpus.examine import Examiner, Outcome, Verdict, limit
from tests.corpus.plausible import plausible
from tests.corpus.stopwatch import Stopwatch, TooLong
from tests.fuzz.cases import Case
from translators.hot.environment import combine
from translators.parsing import declared_parameters
from translators.source import decode

_OPTIONS: Final = ("disable_rollback", "tags", "timeout_mins", "converge", "A", "p", "q")
_KNOWN: Final[Answers] = {"pseudo": lambda _: "RegionOne", "parameter": lambda _: "x"}


class Judge:
    def __init__(self) -> None:
        self._examiner = Examiner(_answered, _given)
        self._actions = list(load("cloudformation").operations.values())

    def judge(self, case: Case) -> Outcome:
        """What becomes of `case`, with the examiner's verdicts."""
        self._examiner.forget()
        allowed = limit(case.template.decode("latin-1") + "".join(case.environments))
        watch = Stopwatch(allowed)
        try:
            with watch:
                self._requests(case)
                source = _source(case)
        except (Invalid, Fault):
            return Outcome("", Verdict.REFUSED, seconds=watch.seconds)
        except TooLong:
            return Outcome("", Verdict.HUNG, trouble=traceback.format_exc(limit=-5))
        except Exception:
            return Outcome("", Verdict.CRASHED, trouble=traceback.format_exc())
        outcome = self._examiner.judge(source)
        late = outcome.seconds > allowed and outcome.verdict is not Verdict.CRASHED
        return replace(outcome, verdict=Verdict.HUNG) if late else outcome

    def _requests(self, case: Case) -> None:
        """Bodies and queries are decoded whatever the template is."""
        for action in self._actions[:: max(1, len(self._actions) // 8)]:
            read_input(case.query, action.input)
        body = dict(zip(_OPTIONS, case.parameters.values(), strict=False))
        for read in (options_of, converge_of):
            try:
                read(body)
            except Fault:  # what is wrong with the body says nothing about the rest
                continue


def _source(case: Case) -> Source:
    """As the native API puts a request together (gateway/native/requests.py)."""
    text = decode(case.template)
    files = case.files | {f"env{n}": environment for n, environment in enumerate(case.environments)}
    one = case.environments[0] if len(case.environments) == 1 else None
    names = [] if one is not None else [f"env{n}" for n in range(len(case.environments))]
    declared = declared_parameters(Source(text, files))
    try:
        said = combine(one, names, files, case.parameters, declared)
    except Invalid:  # a wrong environment is no reason to look at the template no further
        return Source(text, files, parameters=case.parameters)
    return Source(text, files, said.environment, said.parameters)


def _answered(translate: Callable[[Source], object], source: Source) -> Source:
    """What needs no other process."""
    return answered(translate, source, _KNOWN)


def _given(declared: Mapping[str, Parameter]) -> Mapping[str, Value]:
    """Plausible values as far as there are any; a pattern that Python cannot read has none."""
    found: dict[str, Any] = {}
    for name, parameter in declared.items():
        try:
            found |= plausible({name: parameter})
        except (LookupError, re.error, OverflowError, hypothesis.errors.HypothesisException):
            continue
    return found
