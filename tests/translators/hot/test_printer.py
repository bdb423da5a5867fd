"""What is printed is read back as what it was."""

from __future__ import annotations

import textwrap

import pytest
from hypothesis import HealthCheck, given, settings

from engine.model import expression as x
from engine.model.expression import Expression, ListOf, Literal, MapOf
from engine.model.source import Source
from engine.model.template import EMPTY, Output, Resource, Template
from tests.translators.hot.strategies import FILES, exact, templates
from translators import hot
from translators.hot.printer import Comments, print_template
from translators.hot.versions import NEWEST, VERSIONS
from translators.hot.words import _WORDS, Unsayable, Words
from translators.source import read

_ALL = sorted({one.name for one in VERSIONS.values()})
A, B = Literal("a"), Literal("b")


def parsed(text: str) -> Template:
    return hot.parse(read(text), Source(text, files=FILES))


@pytest.mark.parametrize("version", _ALL)
def test_parsing_what_is_printed_gives_the_same_template(version: str) -> None:
    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(template=templates(VERSIONS[version]))
    def same(template: Template) -> None:
        text = print_template(template)
        assert exact(parsed(text)) == exact(template)
        assert print_template(parsed(text)) == text

    same()


def test_every_kind_of_expression_has_words_or_is_refused() -> None:
    assert set(_WORDS) == set(Expression.__args__)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "expression",
    [
        x.NoValue(), x.Mistake(), x.EachMemberIn(A, B), x.EachMemberEquals(A, B), x.Concat((A,)), x.FindInMap(A, A, A),
        x.Length(A), x.ObjectAttribute(A, "b"), x.Equals(A, B, as_text=True), x.Select(A, B, lenient=True),
    ],
    ids=lambda one: type(one).__name__,
)  # fmt: skip
def test_what_the_newest_version_has_no_words_for_is_refused(expression: Expression) -> None:
    with pytest.raises(Unsayable):
        Words(VERSIONS[NEWEST]).value(expression)


@pytest.mark.parametrize(
    "key", ["get_param", "Fn::Sub", "Ref", "if", "str_replce", "Isotherm::Cidr"], ids=lambda key: key
)
@pytest.mark.parametrize("held", [Literal("a"), ListOf((A,)), MapOf((("template", A),))], ids=["text", "list", "map"])
def test_a_map_that_would_be_read_as_a_call_is_made_by_one(key: str, held: Expression) -> None:
    said = Words(VERSIONS[NEWEST]).value(MapOf(((key, held),)))
    near = key == "str_replce" and not isinstance(held, MapOf)
    assert (list(said) == [key]) is near
    template = Template(EMPTY.dialect, NEWEST, {}, outputs={"o": Output("o", MapOf(((key, held),)))})
    value = parsed(print_template(template)).outputs["o"].value
    made = x.MapReplace(MapOf((("_", held),)), MapOf((("keys", MapOf((("_", Literal(key)),))),)))
    assert value == (MapOf(((key, held),)) if near else made)


def test_entries_beside_a_computed_map_count_before_it() -> None:
    said = Words(VERSIONS[NEWEST]).value(MapOf((("a", B),), rest=x.PseudoRef(x.Pseudo.STACK_NAME)))
    assert said == {"map_merge": [{"get_param": "OS::stack_name"}, {"a": "b"}]}


def test_how_it_looks() -> None:
    rows = tuple((f"t{size}.*", {"vcpus": size}) for size in range(9))
    lookup = x.TableLookup(rows, x.ParameterRef("size"))
    properties = MapOf((
        ("user_data", Literal("#!/bin/sh\necho a\n")),
        ("key", Literal("yes")),
        ("list", ListOf(tuple(MapOf((("name", Literal("n" * 60)), ("value", Literal(n)))) for n in range(2)))),
        ("vcpus", x.PropertyPath(lookup, ("vcpus",))),
        ("again", lookup),
    ))  # fmt: skip
    resources = {name: Resource(name, "OS::Heat::Value", properties if name == "a" else MapOf(())) for name in "ab"}
    template = parsed(f"heat_template_version: {NEWEST}\nparameters: {{size: {{type: string}}}}\n")
    whole = Template(**{**{f: getattr(template, f) for f in Template.__slots__}, "resources": resources})
    comments = Comments(("At the top",), {("resources", "a"): ("Above a",)})
    text = print_template(whole, comments)
    assert exact(parsed(text)) == exact(whole)
    assert text == textwrap.dedent(
        f"""\
        # At the top
        heat_template_version: '{NEWEST}'

        parameters:
          size:
            type: string

        resources:
          # Above a
          a:
            type: OS::Heat::Value
            properties:
              user_data: |
                #!/bin/sh
                echo a
              key: 'yes'
              list:
                - {{name: {"n" * 60}, value: 0}}
                - {{name: {"n" * 60}, value: 1}}
              vcpus:
                Isotherm::Path:
                  - Isotherm::Lookup:
                      rows: &table_1
                        't0.*': {{vcpus: 0}}
                        't1.*': {{vcpus: 1}}
                        't2.*': {{vcpus: 2}}
                        't3.*': {{vcpus: 3}}
                        't4.*': {{vcpus: 4}}
                        't5.*': {{vcpus: 5}}
                        't6.*': {{vcpus: 6}}
                        't7.*': {{vcpus: 7}}
                        't8.*': {{vcpus: 8}}
                      key: {{get_param: size}}
                  - vcpus
              again:
                Isotherm::Lookup:
                  rows: *table_1
                  key: {{get_param: size}}

          b:
            type: OS::Heat::Value
        """
    )


# --- functions of Isotherm alone --------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("{'Isotherm::Cidr': [a]}", "[BLOCK, COUNT, BITS]"),
        ("{'Isotherm::Select': a}", "[INDEX, LIST]"),
        ("{'Isotherm::MemberListToMap': []}", "[KEY NAME, VALUE NAME, LIST]"),
        ("{'Isotherm::Pseudo': region}", "account_id or notification_arns"),
        ("{'Isotherm::StackOutput': {stack: a}}", "{stack: NAME"),
        ("{'Isotherm::StackOutput': [a]}", "{stack: NAME"),
        ("{'Isotherm::Lookup': {rows: [a], key: b}}", "{rows: {GLOB: VALUE}"),
        ("{'Isotherm::Lookup': {rows: {}, key: b, other: c}}", "{rows: {GLOB: VALUE}"),
        ("{'Isotherm::ForEach': {list: [a], as: [b], make: c}}", "{list: …"),
        ("{'Isotherm::Item': a}", "[NAME, STEP, …]"),
        ("{'Isotherm::Item': [[a]]}", "[NAME, STEP, …]"),
        ("{'Isotherm::Path': [a]}", "[VALUE, STEP, …]"),
    ],
)
def test_arguments_of_our_own_functions_that_do_not_fit(written, hint, findings) -> None:
    (found,) = findings(f"heat_template_version: {NEWEST}\noutputs: {{o: {{value: {written}}}}}\n")
    assert (found.code, hint in found.detail) == ("InvalidFunctionArgument", True)
    assert found.span is not None


def test_our_own_functions_are_of_the_newest_version(findings) -> None:
    text = "heat_template_version: {}\noutputs: {{o: {{value: {{'Isotherm::ImportValue': a}}}}}}\n"
    assert findings(text.format(NEWEST)) == ()
    (found,) = findings(text.format("2018-08-31"))
    assert (found.code, found.detail) == ("UnknownFunction", f"It came with heat_template_version {NEWEST}.")
