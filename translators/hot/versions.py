"""Which function each HOT version has (heat.md TV rows), as a table of what each one added and removed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

CONDITION_FUNCTIONS = frozenset({"get_param", "equals", "not", "and", "or"})

_FIRST = frozenset(
    {
        "get_param", "get_resource", "get_attr", "get_file", "list_join", "str_replace", "resource_facade", "Ref",
        "Fn::GetAZs", "Fn::Select", "Fn::Join", "Fn::Split", "Fn::Replace", "Fn::Base64", "Fn::MemberListToMap",
        "Fn::ResourceFacade",
    }
)  # fmt: skip
_OLD = _FIRST - {"Fn::Select"} - {name for name in _FIRST if "::" not in name and name != "Ref"}


#: Functions of Isotherm alone, known to the newest version (own_functions.py says what each is).
OWN_FUNCTIONS = frozenset(
    {
        "Isotherm::AvailabilityZones", "Isotherm::Base64", "Isotherm::Cidr", "Isotherm::ForEach",
        "Isotherm::ImportValue", "Isotherm::Item", "Isotherm::Lookup", "Isotherm::MemberListToMap", "Isotherm::Path",
        "Isotherm::Pseudo", "Isotherm::Select", "Isotherm::StackOutput", "Isotherm::StackTags",
        "Isotherm::ToJson",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Version:
    """`functions` for values, `condition_functions` inside conditions, both Heat's; `understood` and
    `understood_in_conditions` are these with our own. `level` orders versions."""

    name: str
    level: int
    functions: frozenset[str]
    condition_functions: frozenset[str]
    alias: str | None = None
    understood: frozenset[str] = frozenset()
    understood_in_conditions: frozenset[str] = frozenset()

    @property
    def has_conditions(self) -> bool:
        return bool(self.condition_functions)


# version, alias, added, removed, condition functions added
_STEPS: tuple[tuple[str, str | None, set[str], frozenset[str], set[str]], ...] = (
    ("2013-05-23", None, set(_FIRST), frozenset(), set()),
    ("2014-10-16", None, set(), _OLD, set()),
    ("2015-04-30", None, {"repeat", "digest"}, frozenset(), set()),
    ("2015-10-15", None, {"str_split"}, frozenset({"Fn::Select"}), set()),
    ("2016-04-08", None, {"map_merge"}, frozenset(), set()),
    ("2016-10-14", "newton", {"yaql", "map_replace", "if"}, frozenset(), set(CONDITION_FUNCTIONS)),
    ("2017-02-24", "ocata", {"filter", "str_replace_strict"}, frozenset(), set()),
    ("2017-09-01", "pike", {"make_url", "list_concat", "list_concat_unique", "str_replace_vstrict", "contains"},
     frozenset(), {"yaql", "contains"}),
    ("2018-03-02", "queens", set(), frozenset(), set()),
    ("2018-08-31", "rocky", set(), frozenset(), set()),
    ("2021-04-16", "wallaby", set(), frozenset(), set()),
)  # fmt: skip


NEWEST = _STEPS[-1][0]


def _versions() -> dict[str, Version]:
    found: dict[str, Version] = {}
    functions: frozenset[str] = frozenset()
    conditions: frozenset[str] = frozenset()
    for level, (name, alias, added, removed, in_conditions) in enumerate(_STEPS):
        functions = (functions | added) - removed
        conditions = conditions | in_conditions
        own = OWN_FUNCTIONS if name == NEWEST else frozenset()
        found[name] = Version(name, level, functions, conditions, alias, functions | own, conditions | own)
        if alias is not None:
            found[alias] = found[name]
    return found


VERSIONS: Mapping[str, Version] = _versions()


def instead_of(name: str, version: Version, *, in_condition: bool = False) -> str:
    """What to write where `version` has no function `name`; "" when nothing is known."""
    having = [
        one for one in VERSIONS.values() if name in (one.understood_in_conditions if in_condition else one.understood)
    ]
    if having and having[0].level > version.level:
        return f"It came with heat_template_version {having[0].name}."
    written = _INSTEAD.get(name, "")
    return f"HOT writes {written}." if written else ""


# What CloudFormation's functions are in HOT.
_INSTEAD: Mapping[str, str] = {
    "Ref": "get_resource for a resource, get_param for a parameter",
    "Fn::GetAtt": "get_attr",
    "Fn::Select": "the index as the last item of get_attr or get_param, or str_split with an index",
    "Fn::Join": "list_join",
    "Fn::Split": "str_split",
    "Fn::Replace": "str_replace",
    "Fn::Sub": "str_replace",
    "Fn::Base64": "the text itself: user data is encoded when it is sent",
    "Fn::MemberListToMap": "a map",
    "Fn::ResourceFacade": "resource_facade",
    "Fn::FindInMap": "get_param with a path into a parameter of type json",
    "Fn::GetAZs": "a parameter that names the zone",
    "Fn::If": "if",
    "Fn::Equals": "equals",
    "Fn::Not": "not",
    "Fn::And": "and",
    "Fn::Or": "or",
    "Fn::ToJsonString": "str_replace, which makes JSON of maps and lists",
    "Fn::Length": "yaql with $.data.len()",
    "Condition": "the condition's name alone",
}

DESCRIPTIONS: Mapping[str, str] = {
    "get_param": "The value of a parameter, or of a part of it by a path of keys and indexes.",
    "get_resource": "The reference id of another resource of the template.",
    "get_attr": "An attribute of a resource, or of a part of it by a path of keys and indexes.",
    "get_file": "The content of a file that was sent with the template.",
    "list_join": "The items of one or several lists joined by a delimiter.",
    "list_concat": "Several lists as one.",
    "list_concat_unique": "Several lists as one, each item once.",
    "str_replace": "A text with the given keys replaced by their values.",
    "str_replace_strict": "As str_replace; a key that does not occur is an error.",
    "str_replace_vstrict": "As str_replace_strict; an empty value is an error too.",
    "str_split": "A text split at a delimiter, or one of the parts.",
    "repeat": "A template repeated for the items of one or several lists.",
    "digest": "A hash of a text.",
    "resource_facade": "Metadata or policies of the resource that holds this template.",
    "map_merge": "Several maps as one; later keys win.",
    "map_replace": "A map with keys or values replaced.",
    "yaql": "The result of a YAQL expression over the given data.",
    "if": "One of two values, as a condition decides.",
    "filter": "A list without the given values.",
    "make_url": "A URL put together from its parts.",
    "contains": "Whether a value is in a sequence.",
    "equals": "Whether two values are equal.",
    "not": "The opposite of a condition.",
    "and": "Whether all conditions hold.",
    "or": "Whether one of the conditions holds.",
    "Ref": "The value of a parameter or the reference id of a resource.",
    "Fn::GetAtt": "An attribute of a resource.",
    "Fn::GetAZs": "The availability zones of the cloud.",
    "Fn::Select": "An item of a list or a map.",
    "Fn::Join": "The items of a list joined by a delimiter.",
    "Fn::Split": "A text split at a delimiter.",
    "Fn::Replace": "A text with the given keys replaced by their values.",
    "Fn::Base64": "A text in Base64.",
    "Fn::MemberListToMap": "A list of AWS member parameters as a map.",
    "Fn::ResourceFacade": "Metadata or policies of the resource that holds this template.",
    "Fn::FindInMap": "A value of a two-level map of the template.",
    "Fn::If": "One of two values, as a condition decides.",
    "Fn::Equals": "Whether two values are equal.",
    "Fn::Not": "The opposite of a condition.",
    "Fn::And": "Whether all conditions hold.",
    "Fn::Or": "Whether one of the conditions holds.",
    "Fn::Sub": "A text with ${Name} replaced.",
    "Fn::Cidr": "A list of address blocks out of one.",
    "Fn::ImportValue": "An output that another stack exports.",
    "Fn::Length": "The number of items of a list.",
    "Fn::ToJsonString": "A value as JSON text.",
}
