"""What a user sent, kept so that it can be translated again, and who translates it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from engine.model.template import Template
from engine.model.value import Value


@dataclass(frozen=True, slots=True)
class Source:
    """Everything that decides what a template means.

    `text` is the template as sent; `files` the contents it refers to by name; `environment` the merged environment
    document (resource_registry, parameter_defaults …) without its `parameters`; `parameters` the values given by the
    user, environment's included, not yet typed.
    """

    text: str
    files: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, Value] = field(default_factory=dict)
    parameters: Mapping[str, Value] = field(default_factory=dict)
    name: str = "template"  # shown in diagnostics


class Translator(Protocol):
    """Implemented by `translators`, passed in by the composition root: the engine parses nothing itself."""

    def translate(self, source: Source) -> Template:
        """Return the template of `source`; raise `Invalid` with all findings. Pure, and cached by content."""
        ...
