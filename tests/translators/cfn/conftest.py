"""Parsing of template texts for the tests of the CloudFormation language."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from engine.model.diagnostic import Diagnostic, Invalid
from engine.model.expression import Expression
from engine.model.source import Source
from engine.model.template import Template
from translators.cfn import parse
from translators.source import read

Parse = Callable[..., Template]


@pytest.fixture(name="template")
def _template() -> Parse:
    """Parse an indented template text; raises Invalid."""

    def parsed(text: str, parameters: Mapping[str, Any] | None = None) -> Template:
        dedented = textwrap.dedent(text)
        return parse(read(dedented, name="t"), Source(dedented, parameters=parameters or {}))

    return parsed


@pytest.fixture(name="findings")
def _findings(template: Parse) -> Callable[..., tuple[Diagnostic, ...]]:
    """All findings of a template text; () when it is valid."""

    def found(text: str, parameters: Mapping[str, Any] | None = None) -> tuple[Diagnostic, ...]:
        try:
            template(text, parameters)
        except Invalid as refused:
            return refused.diagnostics
        return ()

    return found


@pytest.fixture(name="expression")
def _expression(template: Parse) -> Callable[..., Expression]:
    """The expression of a property value written in one line, in a template that declares a little of everything."""

    def built(value: str, *, head: str = "", kind: str = "AWS::SQS::Queue") -> Expression:
        text = _AROUND.format(head=head, kind=kind, value=value)
        found = template(text).resources["R"].properties.get("P")
        assert found is not None
        return found

    return built


_AROUND = """\
{head}
Parameters:
  Name: {{Type: String, Default: x}}
  Names: {{Type: CommaDelimitedList, Default: 'a,b'}}
  Secret: {{Type: String, NoEcho: true, Default: s}}
Mappings:
  Sizes: {{eu: {{Small: '1'}}, us-east.1: {{Small: '2', Several: [a, b]}}}}
Conditions:
  Always: !Equals [a, a]
  Never: !Not [!Condition Always]
Resources:
  Other: {{Type: AWS::S3::Bucket}}
  R:
    Type: {kind}
    Properties:
      P: {value}
"""
