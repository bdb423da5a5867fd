"""Whatever a HOT template holds, it is parsed or refused with findings that have a place."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.model.diagnostic import Invalid
from engine.model.source import Source
from engine.model.template import Template
from translators.hot.functions import READERS
from translators.hot.versions import VERSIONS
from translators.parsing import parse

_WORDS = (
    "a", "type", "properties", "default", "string", "json", "constraints", "length", "min", "value", "condition",
    "depends_on", "template", "params", "for_each", "expression", "data", "keys", "values", "parameters", "label",
    "OS::Nova::Server", "OS::stack_id", "c.yaml",
)  # fmt: skip
_names = st.sampled_from((*_WORDS, *READERS))
_values: st.SearchStrategy[Any] = st.recursive(
    _names | st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_names, inner, max_size=3),
    max_leaves=15,
)
_sections = ("parameters", "parameter_groups", "resources", "outputs", "conditions", "description")
_registry = st.dictionaries(_names, _values, max_size=2)


def outcome(text: str, environment: dict[str, Any]) -> Template | tuple[Any, ...]:
    try:
        return parse(Source(text, files={"c.yaml": "x"}, environment=environment))
    except Invalid as refusal:
        return refusal.diagnostics


@settings(max_examples=300, deadline=3000)
@given(
    version=st.sampled_from(sorted(VERSIONS)),
    sections=st.dictionaries(st.sampled_from(_sections), st.dictionaries(_names, _values, max_size=3) | _values),
    registry=_registry,
)
def test_any_template_is_parsed_or_refused(version: str, sections: dict[str, Any], registry: dict[str, Any]) -> None:
    text = json.dumps({"heat_template_version": version, **sections})
    found = outcome(text, {"resource_registry": registry})
    assert isinstance(found, Template) or all(one.span is not None for one in found)
