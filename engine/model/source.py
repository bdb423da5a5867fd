"""What a user sent, kept so that it can be translated again, and who translates it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from engine.model.diagnostic import Diagnostic, Invalid, Span
from engine.model.template import Template
from engine.model.value import Value


@dataclass(frozen=True, slots=True)
class Source:
    """Everything that decides what a template means.

    `text` is the template as sent; `files` the contents it refers to by name; `environment` the merged environment
    document (resource_registry, parameter_defaults …) without its `parameters`; `parameters` the values given by the
    user, environment's included, not yet typed. `presumed` is the dialect of a template that does not say its own,
    "" where that is a mistake. `answers` are what the outside said to the template's questions, by their keys: the
    same source means the same for ever, whatever becomes of what it includes.
    """

    text: str
    files: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, Value] = field(default_factory=dict)
    parameters: Mapping[str, Value] = field(default_factory=dict)
    name: str = "template"  # shown in diagnostics
    presumed: str = ""
    answers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Question:
    """Something that a template needs and only the outside knows.

    | kind | subject | content | the answer |
    | --- | --- | --- | --- |
    | `include` | a location | | the text that is there |
    | `template` | the URL that a type is | | the text that is there |
    | `macro` | a macro's name | JSON: its fragment, parameters, the template's parameters | what it said, JSON |
    | `serverless` | | JSON: a template, the template's parameters | what AWS SAM makes of it, JSON |
    | `parameter` | a name in the parameter store | | its value |
    | `pseudo` | a pseudo parameter | | its value |
    """

    kind: str
    subject: str
    content: str = ""
    span: Span | None = field(default=None, compare=False)

    @property
    def key(self) -> str:
        """What its answer is kept under."""
        digest = f":{hashlib.sha256(self.content.encode()).hexdigest()[:24]}" if self.content else ""
        return f"{self.kind}:{self.subject}{digest}"


class Unanswered(Invalid):
    """Raised by a translation that cannot go on: ask `questions`, put the answers into the source, translate again."""

    def __init__(self, questions: Iterable[Question]) -> None:
        self.questions = tuple(dict.fromkeys(questions))
        super().__init__(
            Diagnostic(
                "OutsideNeeded",
                f"The template cannot be understood without asking for: {one.kind} {one.subject}".rstrip() + ".",
                "That is asked where a stack is made; here nothing is asked.",
                span=one.span,
            )
            for one in self.questions
        )


@dataclass(frozen=True, slots=True)
class Examined:
    """What was understood of a template, without the resources of which too little was, and everything that is wrong
    with it."""

    template: Template
    errors: tuple[Diagnostic, ...] = ()


class Translator(Protocol):
    """Implemented by `translators`, passed in by the composition root: the engine parses nothing itself."""

    def translate(self, source: Source) -> Template:
        """Return the template of `source`; raise `Invalid` with all findings, `Unanswered` while answers are missing.
        Pure, and cached by content."""
        ...

    def examine(self, source: Source) -> Examined:
        """Return what can be read of `source`, so that more may be found than `translate` does. Raises `Invalid` where
        nothing can be, `Unanswered`."""
        ...

    def written_as(self, kind: str, member: str, name: str) -> tuple[str, ...] | None:
        """Return the path of the property of a resource of type `kind` that the property `name` of its group's `member`
        is; None where no single one is that."""
        ...

    def outline(self, source: Source) -> Template:
        """Return what the template says of itself before transforms are carried out and `AWS::` resources lowered:
        parameters, description, the types of resources, the transforms' names. Raises `Invalid`."""
        ...
