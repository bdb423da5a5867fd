"""Parsing of HOT texts for the tests of the language."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from engine.model.diagnostic import Diagnostic, Invalid
from engine.model.source import Source
from engine.model.template import Template
from translators.parsing import parse

Parse = Callable[..., Template]


@pytest.fixture(name="template")
def _template() -> Parse:
    """Parse an indented text, with files and an environment where given; raises Invalid."""

    def parsed(text: str, files: Mapping[str, str] | None = None, **environment: Any) -> Template:
        return parse(Source(textwrap.dedent(text), files=files or {}, environment=environment, name="t"))

    return parsed


@pytest.fixture(name="findings")
def _findings(template: Parse) -> Callable[..., tuple[Diagnostic, ...]]:
    """All findings of a text; () when it is valid."""

    def found(text: str, files: Mapping[str, str] | None = None, **environment: Any) -> tuple[Diagnostic, ...]:
        try:
            template(text, files, **environment)
        except Invalid as refused:
            return refused.diagnostics
        return ()

    return found


@pytest.fixture(name="built")
def _built(template: Parse) -> Callable[..., Any]:
    """The expression of a property value written in one line, in a template that declares a little of everything."""

    def built(value: str, version: str = "2021-04-16", files: Mapping[str, str] | None = None) -> Any:
        conditions = "conditions: {wanted: true}" if version >= "2016-10-14" else ""
        text = _AROUND.format(version=version, value=value, conditions=conditions)
        return template(text, files).resources["r"].properties.get("p")

    return built


_AROUND = """\
heat_template_version: {version}
parameters:
  name: {{type: string, default: x}}
  names: {{type: comma_delimited_list, default: 'a,b'}}
  data: {{type: json, default: {{}}}}
{conditions}
resources:
  other: {{type: OS::Heat::None}}
  r:
    type: OS::Heat::Value
    properties:
      p: {value}
"""
