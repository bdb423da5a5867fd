"""What becomes of each part of a CloudFormation template in HOT."""

from __future__ import annotations

import pytest

from engine.model.template import MISSING, Parameter, ParameterType
from translators.to_hot.parameters import hot_parameter

AROUND = """\
Parameters:
  Text: {{Type: String, Default: a}}
  Number: {{Type: Number, Default: 7}}
  List: {{Type: CommaDelimitedList, Default: 'a,b'}}
  Word: {{Type: String, AllowedValues: [a, b]}}
Mappings:
  Map: {{a: {{Name: small, Count: 1}}, b: {{Name: large, Count: 2}}}}
Conditions:
  C: !Equals [!Ref Text, a]
Resources:
  R: {{Type: OS::Heat::RandomString}}
  T: {{Type: OS::Heat::TestResource, Properties: {{value: {value}}}}}
"""
TEXT, NUMBER, LIST, WORD = ({"get_param": name} for name in ("Text", "Number", "List", "Word"))


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("!Ref Text", TEXT),
        ("!Ref R", {"get_resource": "R"}),
        ("!GetAtt R.value", {"get_attr": ["R", "value"]}),
        ("!Ref AWS::StackName", {"get_param": "OS::stack_name"}),
        ("!Ref AWS::Region", {"get_param": "OS::region"}),
        ("!Ref AWS::AccountId", {"Isotherm::Pseudo": "account_id"}),
        ("!Ref AWS::Partition", "aws"),
        ("!Sub '${Text}-${R.value}'", {"list_join": ["", [TEXT, "-", {"get_attr": ["R", "value"]}]]}),
        ("!Sub '${Text}'", TEXT),
        ("!Sub 'a${AWS::Partition}'", "aaws"),
        (
            '!Sub "a\\n${Text} ${R} ${Text}"',
            {"str_replace": {"template": "a\n${Text} ${R} ${Text}",
                             "params": {"${Text}": TEXT, "${R}": {"get_resource": "R"}}}},
        ),
        ('!Sub "a\\n${Text} ${!Text}"', {"list_join": ["", ["a\n", TEXT, " ${Text}"]]}),
        (
            '!Sub "a\\n${R.value}"',  # which may be a boolean: Heat's replacing writes True, and AWS true
            {"str_replace": {"template": "a\n${R.value}",
                             "params": {"${R.value}": {"list_join": ["", [{"get_attr": ["R", "value"]}]]}}}},
        ),
        ("!Join ['-', [a, !Ref Text]]", {"list_join": ["-", ["a", TEXT]]}),
        ("!Join ['-', [a, b]]", "a-b"),
        ("!Split [',', !Ref Text]", {"str_split": [",", TEXT]}),
        ("!Split [',', !Ref Number]", {"str_split": [",", {"list_join": ["", [NUMBER]]}]}),
        ("!Select [1, !Split [',', !Ref Text]]", {"str_split": [",", TEXT, 1]}),
        ("!Select [1, !Ref List]", {"get_param": ["List", 1]}),
        ("!Select [1, [a, !Ref Text]]", TEXT),
        ("!Select [0, !GetAtt R.show]", {"get_attr": ["R", "show", 0]}),
        ("!Select [1, !GetAZs '']", {"Isotherm::Select": [1, {"Isotherm::AvailabilityZones": ""}]}),
        ("!Select [0, !Cidr [10.0.0.0/8, 1, 8]]", {"Isotherm::Select": [0, {"Isotherm::Cidr": ["10.0.0.0/8", 1, 8]}]}),
        (
            "!Select [0, [!If [C, a, !Ref AWS::NoValue], b]]",
            {"yaql": {"expression": "$.data.v1[0]", "data": {"v1": [{"if": ["C", "a"]}, "b"]}}},
        ),
        ("!FindInMap [Map, a, Name]", "small"),
        ("!FindInMap [Map, !Ref Word, Name]", {"get_param": ["Map", WORD, "Name"]}),
        ("!If [C, x, y]", {"if": ["C", "x", "y"]}),
        ("!If [C, x, !Ref AWS::NoValue]", {"if": ["C", "x"]}),
        ("!If [C, !Ref AWS::NoValue, y]", {"if": [{"not": "C"}, "y"]}),
        ("[a, !Ref AWS::NoValue]", ["a"]),
        ("{if: a}", {"map_replace": [{"_": "a"}, {"keys": {"_": "if"}}]}),
        ("!ImportValue other", {"Isotherm::ImportValue": "other"}),
    ],
)  # fmt: skip
def test_a_value(written: str, expected: object, printed) -> None:
    assert printed(AROUND.format(value=written))["resources"]["T"]["properties"]["value"] == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("!Equals [!Ref Text, a]", {"equals": [TEXT, "a"]}),
        ("!Equals [7, !Ref Number]", {"equals": [NUMBER, 7]}),
        ("!Equals [!FindInMap [Map, !Ref Word, Name], b]", {"equals": [{"get_param": ["Map", WORD, "Name"]}, "b"]}),
        ("!Equals [!FindInMap [Map, !Ref Word, Count], '2']", {"equals": [{"get_param": ["Map", WORD, "Count"]}, 2]}),
        ("!Not [!Condition C]", {"not": "C"}),
        ("!And [!Condition C, !Equals [!Ref Text, b]]", {"and": ["C", {"equals": [TEXT, "b"]}]}),
        ("!Or [!Condition C, !Not [!Condition C]]", {"or": ["C", {"not": "C"}]}),
        ("!Equals [a, b]", False),
        (
            "!Equals [!Ref Number, !Ref Text]",
            {"yaql": {"expression": "str($.data.v1) = str($.data.v2)", "data": {"v1": NUMBER, "v2": TEXT}}},
        ),
        (
            "!Equals [!Join ['', !Ref List], '']",
            {"equals": [{"yaql": {"expression": "$.data.v1.select(str($)).join($.data.v2)",
                                  "data": {"v1": LIST, "v2": ""}}}, ""]},
        ),
        (
            "!Equals [!Select [0, !Ref List], a]",
            {"equals": [{"yaql": {"expression": "$.data.v1[0]", "data": {"v1": LIST}}}, "a"]},
        ),
        ("!Equals [!Ref AWS::AccountId, '1']", {"equals": [{"Isotherm::Pseudo": "account_id"}, "1"]}),
    ],
)  # fmt: skip
def test_a_condition(written: str, expected: object, printed) -> None:
    text = AROUND.format(value="a").replace("Resources:", f"  D: {written}\nResources:")
    assert printed(text)["conditions"]["D"] == expected


@pytest.mark.parametrize(
    ("written", "expected", "lost"),
    [
        ("{Type: String, Default: '12', NoEcho: true}", {"type": "string", "default": "12", "hidden": True}, ""),
        (
            "{Type: Number, Default: 3, MinValue: 1, MaxValue: 2.5, AllowedValues: [1, 2.5]}",
            {"type": "number", "default": 3,
             "constraints": [{"allowed_values": [1, 2.5]}, {"range": {"min": 1, "max": 2.5}}]},
            "",
        ),
        (
            "{Type: 'AWS::EC2::KeyPair::KeyName', ConstraintDescription: a key}",
            {"type": "string", "constraints": [{"custom_constraint": "nova.keypair", "description": "a key"}]},
            "",
        ),
        (
            "{Type: 'List<AWS::EC2::Subnet::Id>', Default: 'a,b'}",
            {"type": "comma_delimited_list", "default": "a,b",
             "constraints": [{"custom_constraint": "neutron.subnet"}]},
            "",
        ),
        (
            "{Type: CommaDelimitedList, AllowedPattern: '[a-z]+'}", {"type": "comma_delimited_list"},
            "Parameter P: HOT has no allowed_pattern for a comma_delimited_list.",
        ),
        (
            "{Type: 'List<Number>', MinValue: 1}", {"type": "comma_delimited_list"},
            "Parameter P: HOT has no range for a comma_delimited_list.",
        ),
        (
            "{Type: 'AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>', Default: /aws/service/debian/release/12/a}",
            {"type": "string", "default": "/aws/service/debian/release/12/a"},
            "Parameter P: glance.image would refuse the names that the tables of the mappings know.",
        ),
    ],
)  # fmt: skip
def test_a_parameter(written: str, expected: object, lost: str, printed, made) -> None:
    text = f"Parameters: {{P: {written}}}\nResources: {{R: {{Type: OS::Heat::None}}}}\n"
    assert printed(text)["parameters"]["P"] == expected
    assert [one.summary for one in made(text).findings] == ([lost] if lost else [])


@pytest.mark.parametrize(
    ("kind", "default", "lost"),
    [
        ("AWS::SSM::Parameter::Value<String>", MISSING, True),
        ("AWS::SSM::Parameter::Name", "/name", False),
        ("String", "/name", False),
    ],
)
def test_values_of_the_parameter_store_must_be_given(kind: str, default: object, lost: bool) -> None:
    told: list[str] = []
    made = hot_parameter(Parameter("P", ParameterType.STRING, "/name", source_type=kind), told.append)
    assert (made.default, made.source_type, bool(told)) == (default, "", lost)


def test_groups_of_parameters_and_their_labels(printed) -> None:
    found = printed("""\
        Metadata:
          AWS::CloudFormation::Interface:
            ParameterGroups:
              - {Label: {default: First}, Parameters: [A, Absent]}
              - {Label: {default: Second}, Parameters: [A, B]}
            ParameterLabels: {A: {default: The A}}
          Other: {a: b}
        Parameters: {A: {Type: String}, B: {Type: String}}
        Resources: {R: {Type: OS::Heat::None}}
        """)
    groups = [{"label": "First", "parameters": ["A"]}, {"label": "Second", "parameters": ["B"]}]
    assert found["parameter_groups"] == groups
    assert found["parameters"]["A"]["label"] == "The A"


def test_only_mappings_that_are_looked_into_become_parameters(printed) -> None:
    text = AROUND.format(value="!FindInMap [Map, !Ref Word, Name]").replace(
        "Mappings:", "Mappings:\n  Other: {a: {b: c}}"
    )
    found = printed(text)["parameters"]
    assert "Other" not in found
    cells = {"a": {"Name": "small", "Count": 1}, "b": {"Name": "large", "Count": 2}}
    assert (found["Map"]["type"], found["Map"]["default"]) == ("json", cells)


def test_a_mapping_that_is_named_as_a_resource_is(printed) -> None:
    text = AROUND.format(value="!FindInMap [R, !Ref Word, Name]").replace("  Map:", "  R:")
    found = printed(text)
    assert found["resources"]["T"]["properties"]["value"] == {"get_param": ["R_2", WORD, "Name"]}
    assert "R_2" in found["parameters"]


COMPUTED = """\
Parameters: {Which: {Type: String, AllowedValues: [First, Second]}}
Mappings: {First: {a: {b: x}}, Second: {a: {b: y}}}
Resources: {R: {Type: OS::Heat::TestResource, Properties: {value: !FindInMap [!Ref Which, a, b]}}}
"""


def test_a_mapping_whose_name_is_computed(printed) -> None:
    found = printed(COMPUTED)
    assert found["resources"]["R"]["properties"]["value"] == {"get_param": [{"get_param": "Which"}, "a", "b"]}
    assert list(found["parameters"]) == ["Which", "First", "Second"]


def test_a_computed_mapping_that_cannot_keep_its_name_cannot_be_said(made) -> None:
    (finding,) = made(COMPUTED.replace("R: {Type", "First: {Type")).findings
    assert (finding.code, finding.severity) == ("NotInHot", "error")
    assert finding.span is not None
    assert finding.span.line == 3


def test_a_condition_that_never_holds_stays_with_what_refers_to_it(printed) -> None:
    text = AROUND.format(value="!If [D, !Ref R, a]").replace("Resources:", "  D: !Equals [a, b]\nResources:")
    found = printed(text.replace("{Type: OS::Heat::RandomString}", "{Type: OS::Heat::RandomString, Condition: D}"))
    assert found["resources"]["R"] == {"type": "OS::Heat::RandomString", "condition": "D"}
    assert found["conditions"]["D"] is False


# --- resources of AWS -------------------------------------------------------------------------------------------------
INSTANCE = """\
Parameters: {{Type: {{Type: String, AllowedValues: [t3.micro, m1.small, unknown]}}, Any: {{Type: String}}}}
Conditions: {{C: !Equals [!Ref Any, a]}}
Resources:
  Web_port: {{Type: OS::Heat::None}}
  Web:
    Type: AWS::EC2::Instance
    {more}
    Properties: {{ImageId: cirros, InstanceType: !Ref Type, Tags: [{{Key: Name, Value: !Ref Any}}]}}
  After: {{Type: OS::Heat::None, DependsOn: Web}}
  Named: {{Type: OS::Heat::TestResource, Properties: {{value: !GetAtt Web.PrivateIp}}}}
"""


def test_members_have_names_of_their_own_and_others_wait_for_all_of_them(printed) -> None:
    found = printed(INSTANCE.format(more=""))["resources"]
    types = {name: one["type"] for name, one in found.items()}
    assert types["Web"] == "Isotherm::Nova::Server"
    assert types["Web_port"] == "OS::Heat::None"  # it was there before
    assert types["Web_port_2"] == "Isotherm::Neutron::Interface"
    waited = set(found["After"]["depends_on"])
    assert "Web" in waited
    reached, todo = set(), list(waited)
    while todo:
        name = todo.pop()
        reached.add(name)
        todo += [*found[name].get("depends_on", ()), *_referred(found[name].get("properties", {}))]
    assert reached >= {name for name in types if name.startswith("Web") and name != "Web_port"}
    assert found["Named"]["properties"]["value"] == {"get_attr": ["Web_port_2", "address"]}


def _referred(value):
    if isinstance(value, dict):
        for key, held in value.items():
            yield from [held] if key == "get_resource" else [held[0]] if key == "get_attr" else _referred(held)
    elif isinstance(value, list):
        for held in value:
            yield from _referred(held)


def test_tables_have_the_rows_that_can_be_reached(printed) -> None:
    flavor = printed(INSTANCE.format(more=""))["resources"]["Web_flavor"]["properties"]
    rows = {"t3.micro": {"vcpus": 2, "ram_mb": 1024}, "m1.small": {"vcpus": 1, "ram_mb": 1740}}
    lookup = {"Isotherm::Lookup": {"rows": rows, "key": {"get_param": "Type"}}}
    assert flavor == {
        "name": {"get_param": "Type"},
        "vcpus": {"Isotherm::Path": [lookup, "vcpus"]}, "ram_mb": {"Isotherm::Path": [lookup, "ram_mb"]},
    }  # fmt: skip


def test_conditions_policies_and_metadata_of_an_aws_resource(printed, made) -> None:
    text = """\
        Parameters: {Any: {Type: String}}
        Conditions: {C: !Equals [!Ref Any, a]}
        Resources:
          Web:
            Type: AWS::EC2::Instance
            Condition: C
            DeletionPolicy: RetainExceptOnCreate
            UpdateReplacePolicy: Retain
            Metadata: {a: !Ref Any}
            Properties: {ImageId: cirros}
        """
    found = printed(text)["resources"]
    assert {one["condition"] for one in found.values()} == {"C"}
    assert {one["deletion_policy"] for one in found.values()} == {"retain"}
    assert [name for name, one in found.items() if "metadata" in one] == ["Web"]
    assert found["Web"]["metadata"] == {"a": {"get_param": "Any"}}
    lost = {one.summary for one in made(text).findings}
    assert lost == {
        "Resource Web: UpdateReplacePolicy Retain, which HOT does not have.",
        "Resource Web: DeletionPolicy RetainExceptOnCreate; HOT's is retain.",
    }


def test_what_takes_signals_keeps_the_name_they_are_sent_to(printed) -> None:
    found = printed("""\
        Resources:
          Ready:
            Type: AWS::CloudFormation::WaitCondition
            CreationPolicy: {ResourceSignal: {Count: 2, Timeout: PT5M}}
        """)["resources"]
    assert {name: one["type"] for name, one in found.items()} == {
        "Ready": "Isotherm::SignalBox", "Ready_signals": "Isotherm::Signals",
    }  # fmt: skip
    assert found["Ready"]["properties"]["of"] == "Ready"


def test_rules_and_creation_policies_of_openstack_are_told_as_lost(made) -> None:
    found = made("""\
        Parameters: {A: {Type: String}}
        Rules: {Some: {Assertions: [{Assert: !Equals [!Ref A, a]}]}}
        Resources:
          R: {Type: OS::Heat::None, CreationPolicy: {ResourceSignal: {Count: 1}}}
        """)
    assert sorted((one.code, one.severity, one.summary) for one in found.findings) == [
        ("LostInHot", "warning", "Resource R: CreationPolicy, which HOT does not have."),
        ("LostInHot", "warning", "The rule Some is left out: HOT limits single parameters only."),
    ]
    assert "Left out: the rule Some." in found.comments.head


def test_parameters_that_a_transform_has_used_are_told(made) -> None:
    found = made("""\
        Transform: AWS::LanguageExtensions
        Parameters:
          Names: {Type: CommaDelimitedList, Default: 'a,b'}
          Stage: {Type: String, Default: test}
          Size: {Type: Number, Default: 1}
        Conditions: {Lasting: !Equals [!Ref Stage, production]}
        Resources:
          Fn::ForEach::Each: [Name, !Ref Names, {'R${Name}': {Type: OS::Heat::Value, Properties: {value: !Ref Size}}}]
          Kept: {Type: OS::Heat::None, DeletionPolicy: !If [Lasting, Retain, Delete]}
        """)
    told = "A transform has used the default of the parameter {}: what it has made of it stays."
    assert [one for one in found.comments.head if "transform" in one] == [told.format("Names"), told.format("Stage")]
    assert [one.address for one in found.findings if one.code == "LostInHot"] == [
        "Parameters.Names", "Parameters.Stage",
    ]  # fmt: skip
    assert {"Ra", "Rb"} <= set(found.template.resources)
