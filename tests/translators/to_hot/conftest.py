"""CloudFormation templates in YAML, translated, printed and read again."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from engine.model.source import Source
from mappings import Mappings
from tests.translators.hot.strategies import exact
from translators import hot
from translators.hot.printer import print_template
from translators.source import read
from translators.to_hot import Translated, to_hot
from translators.translator import Translator

_TRANSLATOR = Translator(Mappings())


@pytest.fixture(name="made")
def _made() -> Callable[[str], Translated]:
    def made(text: str) -> Translated:
        return to_hot(_TRANSLATOR.translate(Source(textwrap.dedent(text), name="t.yaml")), "t.yaml")

    return made


@pytest.fixture(name="printed")
def _printed(made: Callable[[str], Translated]) -> Callable[[str], Any]:
    """The HOT template as plain data; it is read back as what was made."""

    def printed(text: str) -> Any:
        found = made(text)
        assert [one for one in found.findings if one.code == "NotInHot"] == []
        text = print_template(found.template, found.comments)
        assert exact(hot.parse(read(text), Source(text))) == exact(found.template)
        return yaml.safe_load(text)

    return printed
