"""Sections of a template and attributes of resources (cloudformation.md L01 to L13, L77 to L84)."""

from __future__ import annotations

import pytest

from engine.model.expression import (
    And,
    ConditionRef,
    Contains,
    EachMemberEquals,
    EachMemberIn,
    Equals,
    ListConcat,
    ListOf,
    Literal,
    MapOf,
    Not,
    ObjectAttribute,
    Or,
    ParameterRef,
)
from engine.model.template import DeletionPolicy, Dialect, Rule

R = "Resources: {R: {Type: AWS::SQS::Queue}}"


@pytest.mark.parametrize(
    ("head", "version"),
    [
        ("", "2010-09-09"),
        ("AWSTemplateFormatVersion: '2010-09-09'", "2010-09-09"),
        ("AWSTemplateFormatVersion: 2010-09-09", "2010-09-09"),
        ("HeatTemplateFormatVersion: '2012-12-12'", "2012-12-12"),
        ("HeatTemplateFormatVersion: 2016-10-14", "2016-10-14"),
    ],
    ids=["L01 left out", "L01", "TV-15 unquoted", "L02 TV-12", "L02 2016"],
)
def test_version(template, head: str, version: str) -> None:
    parsed = template(f"{head}\n{R}\n")
    assert (parsed.dialect, parsed.version) == (Dialect.CFN, version)


def test_l03_l04_description_and_metadata(template) -> None:
    parsed = template(f"Description: What it is\nMetadata: {{a: [1]}}\n{R}\n")
    assert (parsed.description, parsed.metadata) == ("What it is", {"a": [1]})


def test_tv_16_json_is_read_as_yaml_is(template) -> None:
    parsed = template('{"Resources": {"R": {"Type": "AWS::SQS::Queue", "Properties": {"A": {"Ref": "AWS::Region"}}}}}')
    assert parsed.resources["R"].type == "AWS::SQS::Queue"


def test_tr_12_empty_sections_are_empty_maps(template) -> None:
    parsed = template(f"Parameters:\nMappings:\nConditions:\nOutputs:\nRules:\n{R}\n")
    assert (parsed.parameters, parsed.mappings, parsed.conditions, parsed.outputs) == ({}, {}, {}, {})


def test_l07_mappings_hold_texts_and_lists(template) -> None:
    parsed = template(f"Mappings: {{M: {{eu-west-1: {{Ami: ami-1, Zones: [a, b]}}}}}}\n{R}\n")
    assert parsed.mappings == {"M": {"eu-west-1": {"Ami": "ami-1", "Zones": ["a", "b"]}}}


def test_l08_conditions_are_functions_of_parameters(template) -> None:
    parsed = template(
        f"""
        Parameters: {{P: {{Type: String}}}}
        Conditions:
          A: !Equals [!Ref P, prod]
          B: {{'Fn::Not': [{{Condition: A}}]}}
          C: !And [!Condition A, !Condition B]
          D: !Or [!Condition A, !Not [!Condition B]]
          E: !Condition A
        {R}
        """
    )
    a, b = ConditionRef("A"), ConditionRef("B")
    assert parsed.conditions == {
        "A": Equals(ParameterRef("P"), Literal("prod"), as_text=True),
        "B": Not(a),
        "C": And((a, b)),
        "D": Or((a, Not(b))),
        "E": a,
    }


def test_l35_to_l38_rules(template) -> None:
    parsed = template(
        f"""
        Parameters:
          Env: {{Type: String}}
          Size: {{Type: String}}
          Vpc: {{Type: AWS::EC2::VPC::Id}}
          Vpcs: {{Type: List<AWS::EC2::VPC::Id>}}
        Rules:
          Prod:
            RuleCondition: !Equals [!Ref Env, prod]
            Assertions:
              - Assert: !Contains [[big], !Ref Size]
                AssertDescription: production is big
              - Assert: {{'Fn::EachMemberIn': [{{'Fn::RefAll': 'AWS::EC2::VPC::Id'}}, [a, b]]}}
              - Assert: !EachMemberEquals [[a], a]
        {R}
        """
    )
    vpcs = ListConcat(ListOf((ListOf((ParameterRef("Vpc"),)), ParameterRef("Vpcs"))))
    big = ListOf((Literal("big"),))
    assert parsed.rules == (
        Rule(
            "Prod",
            Equals(ParameterRef("Env"), Literal("prod"), as_text=True),
            (
                (Contains(ParameterRef("Size"), big, as_text=True), "production is big"),
                (EachMemberIn(vpcs, ListOf((Literal("a"), Literal("b")))), ""),
                (EachMemberEquals(ListOf((Literal("a"),)), Literal("a")), ""),
            ),
        ),
    )


def test_l39_l40_rules_ask_about_objects(template) -> None:
    parsed = template(
        f"""
        Parameters: {{Vpc: {{Type: AWS::EC2::VPC::Id}}}}
        Rules:
          Owner:
            RuleCondition: !Equals [!ValueOf [Vpc, Tags.Owner], me]
            Assertions: [Assert: !EachMemberEquals [!ValueOfAll ['AWS::EC2::VPC::Id', DefaultSecurityGroup], sg]]
        {R}
        """
    )
    (rule,) = parsed.rules
    assert rule.condition == Equals(ObjectAttribute(ParameterRef("Vpc"), "Tags.Owner"), Literal("me"), as_text=True)
    every = ObjectAttribute(ListOf((ParameterRef("Vpc"),)), "DefaultSecurityGroup")
    assert rule.assertions == ((EachMemberEquals(every, Literal("sg")), ""),)


def test_l13_output_with_export_and_condition(template) -> None:
    parsed = template(
        f"""
        Conditions: {{Always: !Equals [a, a]}}
        {R}
        Outputs:
          O: {{Value: !Ref R, Description: the queue, Condition: Always, Export: {{Name: net-Queue}}}}
        """
    )
    output = parsed.outputs["O"]
    assert (output.description, output.condition) == ("the queue", ConditionRef("Always"))
    assert output.export == Literal("net-Queue")


def test_l77_to_l79_attributes_of_a_resource(template) -> None:
    parsed = template(
        """
        Conditions: {Always: !Equals [a, a]}
        Resources:
          A: {Type: AWS::SQS::Queue}
          B: {Type: AWS::SQS::Queue, DependsOn: A}
          C: {Type: AWS::SQS::Queue, DependsOn: [A, B, A], Condition: Always, Metadata: {k: !Ref A}, Description: third}
        """
    )
    c = parsed.resources["C"]
    assert parsed.resources["B"].depends_on == ("A",)
    assert c.depends_on == ("A", "B")
    assert c.condition == ConditionRef("Always")
    assert isinstance(c.metadata, MapOf)
    assert c.description == "third"


@pytest.mark.parametrize(
    ("kind", "keys", "expected"),
    [
        ("AWS::SQS::Queue", "", DeletionPolicy.DELETE),
        ("AWS::SQS::Queue", "DeletionPolicy: Retain", DeletionPolicy.RETAIN),
        ("AWS::SQS::Queue", "DeletionPolicy: RetainExceptOnCreate", DeletionPolicy.RETAIN_EXCEPT_ON_CREATE),
        ("AWS::EC2::Volume", "DeletionPolicy: Snapshot", DeletionPolicy.SNAPSHOT),
        ("AWS::DocDB::DBCluster", "DeletionPolicy: Snapshot", DeletionPolicy.SNAPSHOT),
        ("AWS::ElastiCache::CacheCluster", "DeletionPolicy: Snapshot", DeletionPolicy.SNAPSHOT),
        ("AWS::ElastiCache::ReplicationGroup", "DeletionPolicy: Snapshot", DeletionPolicy.SNAPSHOT),
        ("AWS::Neptune::DBCluster", "DeletionPolicy: Snapshot", DeletionPolicy.SNAPSHOT),
        ("AWS::RDS::DBCluster", "DeletionPolicy: Snapshot", DeletionPolicy.SNAPSHOT),
        ("AWS::RDS::DBInstance", "DeletionPolicy: Snapshot", DeletionPolicy.SNAPSHOT),
        ("AWS::Redshift::Cluster", "DeletionPolicy: Snapshot", DeletionPolicy.SNAPSHOT),
        ("OS::Cinder::Volume", "DeletionPolicy: Snapshot", DeletionPolicy.SNAPSHOT),
        ("AWS::RDS::DBCluster", "", DeletionPolicy.SNAPSHOT),
        ("AWS::RDS::DBInstance", "", DeletionPolicy.SNAPSHOT),
        ("AWS::RDS::DBInstance", "Properties: {DBClusterIdentifier: c}", DeletionPolicy.DELETE),
    ],
)
def test_l81_deletion_policy(template, kind: str, keys: str, expected: DeletionPolicy) -> None:
    parsed = template(f"Resources:\n  R:\n    Type: {kind}\n    {keys}\n")
    assert parsed.resources["R"].deletion_policy is expected


def test_l80_l82_l83_other_policies(template) -> None:
    parsed = template(
        """
        Resources:
          R:
            Type: AWS::AutoScaling::AutoScalingGroup
            CreationPolicy: {ResourceSignal: {Count: 2, Timeout: PT15M}}
            UpdatePolicy: {AutoScalingRollingUpdate: {MinInstancesInService: 1, PauseTime: PT1M30S}}
            UpdateReplacePolicy: Retain
        """
    )
    resource = parsed.resources["R"]
    assert isinstance(resource.creation_policy, MapOf)
    assert isinstance(resource.update_policy, MapOf)
    assert resource.update_replace_policy is DeletionPolicy.RETAIN


_ROLLING = (
    "AutoScalingRollingUpdate: {MaxBatchSize: 2, MinActiveInstancesPercent: 50, MinInstancesInService: 1, "
    "MinSuccessfulInstancesPercent: 90, PauseTime: PT1M, SuspendProcesses: [AlarmNotification], "
    "WaitOnResourceSignals: true}"
)


@pytest.mark.parametrize(
    ("kind", "policy"),
    [
        ("AWS::AutoScaling::AutoScalingGroup", "CreationPolicy: {ResourceSignal: {Count: 3, Timeout: PT12H}}"),
        (
            "AWS::AutoScaling::AutoScalingGroup",
            "CreationPolicy: {AutoScalingCreationPolicy: {MinSuccessfulInstancesPercent: 80}}",
        ),
        ("AWS::EC2::Instance", "CreationPolicy: {ResourceSignal: {Timeout: PT15M}}"),
        ("AWS::CloudFormation::WaitCondition", "CreationPolicy: {ResourceSignal: {Count: '1'}}"),
        ("AWS::AppStream::Fleet", "CreationPolicy: {StartFleet: true}"),
        ("AWS::AutoScaling::AutoScalingGroup", f"UpdatePolicy: {{{_ROLLING}}}"),
        ("AWS::AutoScaling::AutoScalingGroup", "UpdatePolicy: {AutoScalingReplacingUpdate: {WillReplace: true}}"),
        (
            "AWS::AutoScaling::AutoScalingGroup",
            "UpdatePolicy: {AutoScalingScheduledAction: {IgnoreUnmodifiedGroupSizeProperties: true}}",
        ),
        (
            "AWS::Lambda::Alias",
            "UpdatePolicy: {CodeDeployLambdaAliasUpdate: {ApplicationName: a, DeploymentGroupName: b}}",
        ),
        ("AWS::OpenSearchService::Domain", "UpdatePolicy: {EnableVersionUpgrade: true}"),
        ("AWS::Elasticsearch::Domain", "UpdatePolicy: {EnableVersionUpgrade: true}"),
        ("AWS::ElastiCache::ReplicationGroup", "UpdatePolicy: {UseOnlineResharding: true}"),
        ("AWS::AppStream::Fleet", "UpdatePolicy: {StopBeforeUpdate: true, StartAfterUpdate: true}"),
    ],
)
def test_l80_l83_policies_and_the_types_that_have_them(template, kind: str, policy: str) -> None:
    parsed = template(f"Resources:\n  R:\n    Type: {kind}\n    {policy}\n")
    resource = parsed.resources["R"]
    assert isinstance(resource.creation_policy or resource.update_policy, MapOf)
    assert parsed.warnings == ()
    (other,) = template(f"Resources:\n  R:\n    Type: AWS::EC2::VPC\n    {policy}\n").warnings[:1]
    assert kind in other.detail


def test_l84_version_belongs_to_custom_resources(template, findings) -> None:
    assert template("Resources: {R: {Type: Custom::Thing, Version: '1.0'}}").resources["R"].type == "Custom::Thing"
    assert [one.summary for one in findings("Resources: {R: {Type: AWS::SQS::Queue, Version: '1.0'}}")] == [
        "Invalid template resource property 'Version'"
    ]


def test_d14_types_of_heat_take_null_properties(template) -> None:
    parsed = template("Resources: {R: {Type: 'OS::Neutron::Net', Properties: {name: }}}")
    assert parsed.resources["R"].properties.get("name") == Literal(None)


@pytest.mark.parametrize(
    ("resources", "wanted", "reasons"),
    [
        ("A: {Type: AWS::SQS::Queue}", set(), ()),
        ("A: {Type: AWS::IAM::Role}", {"CAPABILITY_IAM"}, ("AWS::IAM::Role",)),
        ("A: {Type: AWS::IAM::Role, Properties: {RoleName: x}}", {"CAPABILITY_NAMED_IAM"}, ("AWS::IAM::Role",)),
        ("A: {Type: AWS::IAM::Policy, Properties: {PolicyName: x}}", {"CAPABILITY_IAM"}, ("AWS::IAM::Policy",)),
    ],
    ids=["W41 none", "W41 IAM", "W41 named IAM", "W41 a policy's name is not custom"],
)
def test_capabilities(template, resources: str, wanted: set[str], reasons: tuple[str, ...]) -> None:
    parsed = template(f"Resources:\n  {resources}\n")
    assert (parsed.capabilities, parsed.capability_reasons) == (wanted, reasons)


def test_w41_transforms_ask_for_auto_expand(template) -> None:
    parsed = template(f"Transform: AWS::LanguageExtensions\n{R}\n")
    assert parsed.capabilities == {"CAPABILITY_AUTO_EXPAND"}
    assert parsed.transforms == ("AWS::LanguageExtensions",)


@pytest.mark.parametrize(
    ("head", "kind"),
    [("", "OS::Neutron::Net"), ("HeatTemplateFormatVersion: 2012-12-12", "AWS::EC2::VPC")],
    ids=["types of Heat", "formats of Heat"],
)
def test_tv_13_aws_names_are_not_asked_of_templates_for_heat(template, head: str, kind: str) -> None:
    parsed = template(
        f"""
        {head}
        Parameters: {{my_name: {{Type: String}}}}
        Resources: {{my_net: {{Type: '{kind}'}}}}
        Outputs: {{my_out: {{Value: [a, b]}}}}
        """
    )
    assert (list(parsed.parameters), list(parsed.resources)) == (["my_name"], ["my_net"])
