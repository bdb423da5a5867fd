"""What the API tells of the template languages: versions and functions (heat.md API-07, API-08)."""

from __future__ import annotations

from typing import NamedTuple

from engine.model.diagnostic import invalid
from translators.findings import nearest
from translators.hot.versions import DESCRIPTIONS, VERSIONS

_HOT_KEY = "heat_template_version"
_OF_HEAT = (
    "Ref", "Fn::GetAtt", "Fn::Select", "Fn::Join", "Fn::Split", "Fn::Replace", "Fn::Base64", "Fn::FindInMap",
    "Fn::GetAZs", "Fn::MemberListToMap", "Fn::ResourceFacade",
)  # fmt: skip
_CHOOSING = ("Fn::If",)
_OF_AWS = ("Fn::Sub", "Fn::Cidr", "Fn::ImportValue", "Fn::Length", "Fn::ToJsonString")
_CFN_CONDITIONS = ("Fn::Equals", "Fn::Not", "Fn::And", "Fn::Or")
# CloudFormation's languages: functions for values, functions of conditions (TV-12, TV-13).
_CFN: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "HeatTemplateFormatVersion.2012-12-12": (_OF_HEAT, ()),
    "HeatTemplateFormatVersion.2016-10-14": ((*_OF_HEAT, *_CHOOSING), _CFN_CONDITIONS),
    "AWSTemplateFormatVersion.2010-09-09": ((*_OF_HEAT, *_CHOOSING, *_OF_AWS), _CFN_CONDITIONS),
}


class TemplateVersion(NamedTuple):
    """`type` is hot or cfn; a name is `<version key>.<value>`."""

    version: str
    type: str
    aliases: tuple[str, ...]


class TemplateFunction(NamedTuple):
    name: str
    description: str


def versions() -> list[TemplateVersion]:
    """Every language, by name."""
    found = [TemplateVersion(name, "cfn", ()) for name in _CFN]
    for version in dict.fromkeys(VERSIONS.values()):
        aliases = (f"{_HOT_KEY}.{version.alias}",) if version.alias else ()
        found.append(TemplateVersion(f"{_HOT_KEY}.{version.name}", "hot", aliases))
    return sorted(found)


def functions(version: str, *, with_conditions: bool = False) -> list[TemplateFunction]:
    """The functions of a language, by name. Raises Invalid (`UnknownTemplateVersion`) for a name that is none."""
    key, _, value = version.partition(".")
    if version in _CFN:
        names, conditions = (set(part) for part in _CFN[version])
    elif key == _HOT_KEY and value in VERSIONS:
        names, conditions = set(VERSIONS[value].functions), set(VERSIONS[value].condition_functions)
    else:
        known = [one.version for one in versions()]
        raise invalid("UnknownTemplateVersion", f"The template version {version} could not be found.",
                      nearest(version, known))  # fmt: skip
    wanted = names | conditions if with_conditions else names
    return [TemplateFunction(name, DESCRIPTIONS[name]) for name in sorted(wanted)]
