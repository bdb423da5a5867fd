"""Cases of the language's rows: a template with what comes along with it, and what it must give or be told.

A case is a map in `rows/<group>.yaml`, below its row's id:

    TF-01:
      - {case: a path, expression: {get_param: [data, k]}, gives: [1]}
      - case: …
        template: |            # a whole template instead of an expression
        version: 2016-10-14    # of the template around an expression
        cfn: {Ref: Name}       # the same in a CloudFormation template; `written` as text, `head` its first lines
        aws: {Ref: Name}       # the same in one that has nothing of Heat's, in JSON; `short` as text, in YAML
        sections: {…}          # more sections of that one
        many: {LINES: [201, "  P#: …"]}    # what stands for LINES in a template: lines with their numbers
        parameters: {a: b}     # those of the request; likewise environment, environment_files, files, answers
        objects: {vpc-1: {…}}  # attributes of what rules ask about
        live: {other: {reference: id, attributes: {show: {}}}}     # resources that are made already
        gives: {outputs.o: x}  # of a template: by path, see `look`
        findings: [CODE line:column summary way out]
      - elsewhere: tests/…/test_x.py::test_y     # what no template alone can show
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from engine.door import TemplateCheck
from engine.door.template_check import check_rules
from engine.expr.evaluate import evaluate
from engine.model.diagnostic import Diagnostic, Invalid, invalid
from engine.model.expression import Expression
from engine.model.source import Source
from engine.model.value import NO_VALUE, UNKNOWN, Value
from engine.plan.deployment import Deployment, bind_source, deploy
from engine.plan.scope import Facts, View
from engine.resources.base import StackIdentity
from engine.resources.registry import Registry
from mappings import Mappings
from translators.hot.environment import combine
from translators.parsing import declared_parameters
from translators.summary import template_summary, validation_result
from translators.translator import Translator

ROWS = Path(__file__).with_name("rows")
ROOT = Path(__file__).parents[3]

_IDENTITY = StackIdentity(
    "11111111-2222-3333-4444-555555555555", "web", "aaaabbbbccccddddeeeeffff00001111", "", "North"
)
_FACTS = Facts(region="North", zones=("az1", "az2"), exports={"vpc": "vpc-1"}, notification_arns=("arn:one",))
_FACADE = {"metadata": {"m": 1}, "deletion_policy": "Retain", "update_policy": {}}
_LIVE: Mapping[str, Any] = {
    "other": {"reference": "id-of-other", "attributes": {"output": {"k": [1, {"x": "deep"}]}}},
    "Other/parameter": {"reference": "name-of-other", "attributes": {"value": "v", "path": "/name-of-other"}},
}
_TRANSLATOR, _REGISTRY = Translator(Mappings()), Registry()
_CHECK = TemplateCheck(_TRANSLATOR, _REGISTRY)

_HOT = """\
heat_template_version: {version}
parameters:
  name: {{type: string, default: x}}
  names: {{type: comma_delimited_list, default: 'a,b'}}
  number: {{type: number, default: 5}}
  flag: {{type: boolean, default: false}}
  data: {{type: json, default: {{k: [{{x: 1}}], '7': seven, none: null, empty: ''}}}}
{conditions}
resources:
  other: {{type: OS::Heat::TestResource}}
  r:
    type: OS::Heat::None
    properties:
      p: {written}
"""


_CFN = """\
{head}
Parameters:
  Name: {{Type: String, Default: x}}
  Names: {{Type: CommaDelimitedList, Default: 'a,b'}}
  Number: {{Type: Number, Default: 5}}
Mappings:
  Sizes: {{eu: {{Small: '1'}}, North: {{Small: '2', Several: [a, b]}}}}
{conditions}
Resources:
  other: {{Type: OS::Heat::TestResource}}
  r:
    Type: OS::Heat::None
    Properties:
      p: {written}
"""
_CFN_CONDITIONS = """\
Conditions:
  Wanted: {'Fn::Equals': [a, a]}
  Unwanted: {'Fn::Not': [{Condition: Wanted}]}
"""


# Only types of AWS's, so that AWS's rules hold. The value stands in metadata, which may be anything.
_AWS = """\
{{
"AWSTemplateFormatVersion": "2010-09-09",{sections}
"Parameters": {{
 "Name": {{"Type": "String", "Default": "x"}},
 "Names": {{"Type": "CommaDelimitedList", "Default": "a,b"}},
 "Number": {{"Type": "Number", "Default": 5}}
}},
"Mappings": {{"Sizes": {{"eu": {{"Small": "1"}}, "North": {{"Small": "2", "Several": ["a", "b"]}}}}}},
"Conditions": {conditions},
"Resources": {{
 "Other": {{"Type": "AWS::SSM::Parameter", "Properties": {{"Type": "String", "Value": "v"}}}},
 "r": {{"Type": "AWS::CloudFormation::WaitConditionHandle", "Metadata": {{"p":
{written}
 }}}}
}}
}}
"""


@dataclass(frozen=True, slots=True)
class Case:
    row: str
    name: str
    said: Mapping[str, Any]

    @property
    def id(self) -> str:
        return f"{self.row}: {self.name}" if self.name else self.row


def cases(*groups: str) -> list[Case]:
    """Every case of the groups' files, pointers to other tests included."""
    return list(_cases(groups))


def _cases(groups: Sequence[str]) -> Iterator[Case]:
    for group in groups:
        for row, listed in yaml.safe_load((ROWS / f"{group}.yaml").read_text(encoding="utf-8")).items():
            for said in listed:
                yield Case(row, said.get("case", ""), said)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Either something that can be looked at, or findings."""

    deployment: Deployment | None = None
    view: View = field(default_factory=View)
    findings: tuple[Diagnostic, ...] = ()

    @property
    def told(self) -> list[str]:
        return [tell(one) for one in self.findings]


def tell(one: Diagnostic) -> str:
    place = f"{one.span.line}:{one.span.column}" if one.span else "-"
    return f"{one.code} {place} {one.summary} {one.detail}".strip()


def outcome(case: Case) -> Outcome:
    """Carry the case out as a request would be, up to the first call of the cloud."""
    view = _Live({**_LIVE, **case.said.get("live", {})})
    try:
        source = _source(case.said)
        template = _TRANSLATOR.translate(source)
        facts = replace(_FACTS, objects=case.said.get("objects", {}))
        deployment = deploy(template, bind_source(template, source), _IDENTITY, facts, _REGISTRY, _FACADE)
        check_rules(deployment)
        _CHECK.check(deployment)
        return Outcome(deployment, view)
    except Invalid as refused:
        return Outcome(view=view, findings=refused.diagnostics)


def _source(said: Mapping[str, Any]) -> Source:
    text, files = said.get("template") or _around(said), said.get("files", {})
    for mark, (count, line) in said.get("many", {}).items():
        text = text.replace(mark, "".join(line.replace("#", str(number)) for number in range(count)))
    given, presumed = said.get("parameters", {}), said.get("presumed", "")
    declared = declared_parameters(Source(text, files, name="t", presumed=presumed))
    found = combine(said.get("environment"), said.get("environment_files", ()), files, given, declared)
    return Source(text, files, found.environment, found.parameters, "t", presumed, said.get("answers", {}))


def _around(said: Mapping[str, Any]) -> str:
    if "aws" in said or "short" in said:
        more = dict(said.get("sections", {}))
        conditions = json.dumps(yaml.safe_load(_CFN_CONDITIONS)["Conditions"] | more.pop("Conditions", {}))
        sections = "".join(f"\n{json.dumps(name)}: {json.dumps(part)}," for name, part in more.items())
        written = said["short"] if "short" in said else json.dumps(said["aws"])
        return _AWS.format(sections=sections, conditions=conditions, written=written)
    if "cfn" in said or "head" in said:
        head = said.get("head", "AWSTemplateFormatVersion: '2010-09-09'")
        conditions = "" if "2012-12-12" in head else _CFN_CONDITIONS
        written = said["written"] if "written" in said else json.dumps(said["cfn"])
        return _CFN.format(head=head, conditions=conditions, written=written)
    version = str(said.get("version", "2021-04-16"))
    conditions = "conditions: {wanted: true, unwanted: false}" if version >= "2016-10-14" else ""
    return _HOT.format(version=version, conditions=conditions, written=json.dumps(said["expression"]))


class _Live(View):
    def __init__(self, made: Mapping[str, Any]) -> None:
        self._made = made

    def reference(self, address: str) -> Value:
        return self._made.get(address, {}).get("reference", UNKNOWN)

    def attribute(self, address: str, name: str | None) -> Value:
        if address not in self._made:
            return UNKNOWN
        attributes = self._made[address].get("attributes", {})
        found = dict(attributes) if name is None else attributes.get(name)
        return UNKNOWN if found == "UNKNOWN" else found


# --- looking at what came out -----------------------------------------------------------------------------------------
def given(found: Outcome, expected: Any, *, whole: bool) -> Any:
    """What to compare with `expected`: values by path for a whole template, else the value of the one expression."""
    if not whole:
        shown = "r" in (found.deployment.groups if found.deployment else ())
        return plain(look(found, "groups.r.metadata.p" if shown else "resources.r.properties.p"))
    return {path: plain(look(found, path)) for path in expected}


def plain(value: Value) -> Value:
    """Words in place of what YAML cannot say."""
    if value is UNKNOWN or value is NO_VALUE:
        return "UNKNOWN" if value is UNKNOWN else "ABSENT"
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list | tuple | set | frozenset) else value


def look(found: Outcome, path: str) -> Value:
    """`resources`, `resources.R.PART`, `resources.R.properties.P`, `groups` likewise, `outputs`, `outputs.O`,
    `parameters.P`, `shown.P`, `conditions.C`, `order`, `custom`, `summary.KEY` and `validation.KEY` as AWS shows them,
    or anything that the template itself holds."""
    deployment = found.deployment
    if deployment is None:
        raise AssertionError(f"refused: {found.told}")
    scope = deployment.scope(found.view)
    match path.split("."):
        case ["resources" | "groups" as kind]:
            return sorted(getattr(deployment, kind))
        case ["resources", name, "requires"]:
            return sorted(deployment.requires[name])
        case ["resources" | "groups" as kind, name, part, *rest]:
            held = getattr(getattr(deployment, kind)[name], part)
            value = evaluate(held, scope) if isinstance(held, Expression.__args__) else held  # type: ignore[attr-defined]
            for step in rest:
                value = value.get(step, NO_VALUE)
            return value
        case ["summary" | "validation" as kind, *rest]:
            value = (
                template_summary(deployment.template) if kind == "summary" else validation_result(deployment.template)
            )
            return value.get(rest[0], NO_VALUE) if rest else value
        case ["outputs"]:
            outputs = deployment.template.outputs.values()
            return [one.name for one in outputs if one.condition is None or evaluate(one.condition, scope)]
        case ["outputs", name]:
            return evaluate(deployment.template.outputs[name].value, scope)
        case ["parameters", name]:
            return deployment.bindings.values[name]
        case ["shown", name]:
            return deployment.bindings.shown[name]
        case ["conditions", name]:
            return deployment.conditions[name]
        case ["custom"]:
            return deployment.bindings.custom
        case ["order"]:
            return deployment.order
        case ["warnings"]:
            return [tell(one) for one in deployment.template.warnings]
        case [part, *rest]:
            value = getattr(deployment.template, part)
            for step in rest:
                value = value[step] if isinstance(value, Mapping) else getattr(value, step)
            return value
    raise invalid("NoSuchPath", path)
