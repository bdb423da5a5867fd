"""What a translation still needs from outside: collected, so that everything is asked in one round."""

from __future__ import annotations

import json
from typing import Final

from engine.model.source import Question, Source, Unanswered
from engine.model.value import Value
from translators.source import SourceNode, read

#: Pseudo parameters that are the same for every stack of a project, so that a transform may decide by them.
PSEUDO: Final = frozenset({"AWS::AccountId", "AWS::Region"})


class Asking:
    """The answers that the source has, and the questions that have none yet."""

    def __init__(self, source: Source) -> None:
        self._answers = source.answers
        self._open: list[Question] = []
        self.settled: set[str] = set()  # parameters whose values have been used

    def answer(self, question: Question) -> str | None:
        """The answer; None when it has to be asked first."""
        found = self._answers.get(question.key)
        if found is None:
            self._open.append(question)
        return found

    def check(self) -> None:
        """Raise Unanswered when anything has to be asked before it can go on."""
        if self._open:
            raise Unanswered(self._open)


def question(kind: str, subject: str, node: SourceNode, content: Value = None) -> Question:
    """A question of `node`; `content` goes along as JSON."""
    text = "" if content is None else json.dumps(content, separators=(",", ":"))
    return Question(kind, subject, text, node.span)


def document(answer: str, name: str) -> Value:
    """An answer in JSON. Raises Invalid when it is none, too deep or too large."""
    return read(answer, name=name).to_python()
