"""Lowering as such: groups, references, waiting, findings (design §2.4, §6; cloudformation.md D01, D04, D13, D14)."""

from __future__ import annotations

from engine.model.expression import AttributeRef, ConditionRef, Literal, ResourceRef
from engine.model.template import DeletionPolicy


def test_a_resource_becomes_a_group_of_members(lowered):
    template = lowered("Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.0.0.0/16}}")
    group = template.groups["Vpc"]
    assert group.type == "AWS::EC2::VPC"
    assert set(group.members) == set(template.resources) == {f"Vpc/{n}" for n in (
        "hub", "fabric", "fabric_subnet", "leg", "pool")}  # fmt: skip
    assert all(one.group == "Vpc" for one in template.resources.values())
    assert group.reference == ResourceRef("Vpc/hub")
    assert group.properties.get("CidrBlock") == Literal("10.0.0.0/16")


def test_references_become_what_the_group_shows(lowered):
    template = lowered(
        "Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.0.0.0/16}}\n"
        "Out: {Type: OS::Heat::Value, Properties: {value: !GetAtt Vpc.CidrBlock}}",
        outputs="Id: {Value: !Ref Vpc}",
    )
    assert template.resources["Out"].properties.get("value") == Literal("10.0.0.0/16")
    assert template.outputs["Id"].value == ResourceRef("Vpc/hub")


def test_who_refers_to_a_group_waits_for_the_whole_of_it(lowered):
    template = lowered(
        "Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.0.0.0/16}}\n"
        "Table: {Type: AWS::EC2::RouteTable, Properties: {VpcId: !Ref Vpc}}\n"
        "Out: {Type: OS::Heat::Value, Properties: {value: !Ref Table}}"
    )
    assert "Vpc" in template.resources["Table/router"].depends_on
    assert "Table" in template.resources["Out"].depends_on


def test_depends_on_a_group_stays_its_address(lowered):
    template = lowered(
        "A: {Type: AWS::Logs::LogGroup, DependsOn: B}\nB: {Type: AWS::Logs::LogGroup}\n"
        "C: {Type: OS::Heat::None, DependsOn: A}"
    )
    assert template.resources["A/group"].depends_on == ("B",)
    assert template.resources["C"].depends_on == ("A",)


def test_conditions_and_policies_are_those_of_every_member(lowered):
    template = lowered(
        "Vol: {Type: AWS::EC2::Volume, Condition: C, DeletionPolicy: Retain, UpdateReplacePolicy: Snapshot,\n"
        "      Properties: {Size: 1, AvailabilityZone: a}}",
        head="Conditions: {C: !Equals [a, a]}",
    )
    member = template.resources["Vol/volume"]
    assert member.condition == ConditionRef("C")
    assert member.deletion_policy is DeletionPolicy.RETAIN
    assert member.update_replace_policy is DeletionPolicy.SNAPSHOT


def test_d01_every_unmapped_type_is_told_with_the_nearest_name(refused):
    found = refused("A: {Type: AWS::EC2::Subnett}\nB: {Type: AWS::Kinesis::Stream}\nC: {Type: 'Alexa::ASK::Skill'}")
    assert [code for code, _ in found] == ["UnmappedType"] * 3
    assert "Unrecognized resource types: [AWS::EC2::Subnett]" in found[0][1]
    assert "Did you mean AWS::EC2::Subnet?" in found[0][1]
    assert "row" in found[1][1]


def test_d04_unknown_missing_and_rejected_properties_are_told_at_once(refused):
    found = refused(
        "S: {Type: AWS::EC2::Subnet, Properties: {CidrBlok: 10.0.0.0/24, OutpostArn: arn}}\n"
        "V: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.0.0.0/16, InstanceTenancy: default}}"
    )
    told = dict(found)
    assert "Encountered unsupported property CidrBlok" in told["UnsupportedProperty"]
    assert "Did you mean CidrBlock?" in told["UnsupportedProperty"]
    assert "#: required key [VpcId] not found" in told["PropertyMissing"]
    assert "There are no Outposts; leave it out." in told["PropertyRejected"]


def test_d04_ignored_properties_are_warnings_with_a_reason(lowered):
    template = lowered(
        "V: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.0.0.0/16, InstanceTenancy: dedicated}}\n"
        "W: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.1.0.0/16, InstanceTenancy: default}}"
    )
    (warning,) = template.warnings
    assert warning.address == "Resources.V.Properties.InstanceTenancy"
    assert "flavors" in warning.summary


def test_a_rejected_property_whose_value_is_open_is_a_warning(lowered):
    template = lowered(
        "V: {Type: AWS::EC2::Volume, Properties: {Size: 1, Encrypted: !Ref E}}", head="Parameters: {E: {Type: String}}"
    )
    assert [one.code for one in template.warnings] == ["PropertyUndecided"]


def test_an_unknown_attribute_is_told_with_the_nearest(refused):
    found = refused(
        "V: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.0.0.0/16}}\n"
        "O: {Type: OS::Heat::Value, Properties: {value: !GetAtt V.CidrBlok}}"
    )
    assert found == [("UnknownAttribute", found[0][1])]
    assert "resource V does not support attribute type CidrBlok in Fn::GetAtt" in found[0][1]
    assert "Did you mean CidrBlock?" in found[0][1]


def test_d13_tags_go_where_they_can(lowered):
    template = lowered(
        "V: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.0.0.0/16, Tags: [{Key: Name, Value: mine}]}}"
    )
    hub = template.resources["V/hub"]
    assert hub.properties.get("name") == Literal("mine")
    shown = str(hub.properties.get("tags"))
    assert "aws:cloudformation:logical-id" in shown
    assert "aws:cloudformation:stack-name" in shown


def test_d14_types_of_aws_in_hot(hot):
    template = hot("""
        heat_template_version: 2018-08-31
        resources:
          vpc: {type: AWS::EC2::VPC, properties: {CidrBlock: 10.0.0.0/16}}
          net: {type: OS::Neutron::Net}
        outputs:
          block: {value: {get_attr: [vpc, CidrBlock]}}
          hub: {value: {get_resource: vpc}}
    """)
    assert template.outputs["block"].value == Literal("10.0.0.0/16")
    assert template.outputs["hub"].value == ResourceRef("vpc/hub")
    assert template.resources["net"].type == "OS::Neutron::Net"


def test_outputs_of_nested_stacks_are_attributes(lowered):
    template = lowered(
        "C: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: 'http://x/y'}}",
        outputs="O: {Value: !GetAtt C.Outputs.Url}",
    )
    assert template.outputs["O"].value == AttributeRef("C/stack", Literal("Outputs.Url"))


def test_a_template_without_aws_types_is_left_as_it_is(hot):
    text = "heat_template_version: 2018-08-31\nresources: {a: {type: OS::Heat::None}}"
    assert hot(text).groups == {}


def test_a_handle_is_its_signed_address(lowered):
    template = lowered(
        "H: {Type: AWS::CloudFormation::WaitConditionHandle}\n"
        "W: {Type: AWS::CloudFormation::WaitCondition, Properties: {Handle: !Ref H, Timeout: 60, Count: 2}}"
    )
    condition = template.resources["W/condition"].properties
    assert condition.get("handle") == AttributeRef("H/handle", Literal("endpoint"))
    assert condition.get("count") == Literal(2)
