"""Whatever a tree holds, it is parsed or refused with findings: a user's mistake is never a failure of ours."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.model.diagnostic import Invalid, Span
from engine.model.source import Source
from translators.cfn import parse
from translators.cfn.functions import FUNCTIONS
from translators.source import SourceNode
from translators.summary import template_summary, validation_result

_SPAN = Span("t", 1, 1)
_SECTIONS = ("Conditions", "Mappings", "Metadata", "Outputs", "Parameters", "Resources", "Rules")
_WORDS = ("A", "B", "Type", "Properties", "Default", "String", "Condition", "Assertions", "Assert", "Value", "Export")
_TEXTS = (*_WORDS, "AWS::Region", "AWS::NoValue", "AWS::SQS::Queue", "OS::Nova::Server", "${A}", "${!A}", "${", "A.B")
_TAGS = ("!Ref", "!Condition", "!Transform", "!Foo", *("!" + name[4:] for name in FUNCTIONS if name.startswith("Fn::")))

_tags = st.none() | st.sampled_from(_TAGS)
_keys = st.builds(
    lambda name: SourceNode("scalar", _SPAN, value=name),
    st.sampled_from((*_WORDS, *FUNCTIONS, "Fn::Transform", "Fn::ForEach::L", "Fn::Nothing", True, 5, None)),
)
_scalars = st.builds(
    lambda value, tag: SourceNode("scalar", _SPAN, value=value, tag=tag),
    st.sampled_from(_TEXTS) | st.none() | st.booleans() | st.integers() | st.floats(),
    _tags,
)


def _collections(inner: st.SearchStrategy[SourceNode]) -> st.SearchStrategy[SourceNode]:
    lists = st.builds(
        lambda items, tag: SourceNode("list", _SPAN, items=tuple(items), tag=tag), st.lists(inner, max_size=3), _tags
    )
    maps = st.builds(
        lambda entries, tag: SourceNode("map", _SPAN, entries=tuple(entries), tag=tag),
        st.lists(st.tuples(_keys, inner), max_size=3),
        _tags,
    )
    return lists | maps


_nodes = st.recursive(_scalars, _collections, max_leaves=12)


@settings(max_examples=300, deadline=None)
@given(section=st.sampled_from(_SECTIONS), member=_nodes, extended=st.booleans())
def test_any_section_is_parsed_or_refused(section: str, member: SourceNode, extended: bool) -> None:
    def scalar(value: object) -> SourceNode:
        return SourceNode("scalar", _SPAN, value=value)

    entries = [(scalar(section), SourceNode("map", _SPAN, entries=((scalar("A"), member),)))]
    if section != "Resources":
        resource = SourceNode("map", _SPAN, entries=((scalar("Type"), scalar("AWS::SQS::Queue")),))
        entries.append((scalar("Resources"), SourceNode("map", _SPAN, entries=((scalar("R"), resource),))))
    if extended:
        entries.append((scalar("Transform"), scalar("AWS::LanguageExtensions")))
    try:
        template = parse(SourceNode("map", _SPAN, entries=tuple(entries)), Source("Transform"))
    except Invalid:
        return
    assert template_summary(template)
    assert validation_result(template)
