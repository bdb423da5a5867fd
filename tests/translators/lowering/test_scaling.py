"""Groups of instances, what they are made of, and their policies (cloudformation.md M039, M048 to M050, L80, L83)."""

from __future__ import annotations

import textwrap

import pytest

from engine.model.expression import AttributeRef, Base64, Literal, ResourceRef

CONFIG = """
Config:
  Type: AWS::AutoScaling::LaunchConfiguration
  Properties: {ImageId: cirros, InstanceType: m1.small, SecurityGroups: [g1], UserData: {'Fn::Base64': hello}}
"""
GROUP = """
Group:
  Type: AWS::AutoScaling::AutoScalingGroup
  Properties:
    MinSize: '1'
    MaxSize: '3'
    VPCZoneIdentifier: [s1, s2]
    LaunchConfigurationName: !Ref Config
"""


def template(data: str) -> str:
    return f"Template: {{Type: AWS::EC2::LaunchTemplate, Properties: {{LaunchTemplateData: {{ImageId: i{data}}}}}}}\n"


def group(way: str, more: str = "") -> str:
    return (
        f"Group: {{Type: AWS::AutoScaling::AutoScalingGroup, Properties: {{MinSize: 1, MaxSize: 3, "
        f"AvailabilityZones: [nova], {way}}}{more}}}\n"
    )


def made(lowered, text):
    return lowered(text).resources["Group/group"].properties


def instance(lowered, text):
    return lowered(text).resources["Template/template"].properties.get("data")


# --- what instances are -----------------------------------------------------------------------------------------------
def test_m048_a_configuration_keeps_what_an_instance_is(lowered):
    lowering = lowered(CONFIG + GROUP)
    kept = lowering.resources["Config/configuration"].properties
    found = kept.get("values").get("instance")
    assert kept.get("fixed").get("instance") == found, "another instance is another configuration"
    assert found.get("ImageId") == Literal("cirros")
    assert found.get("UserData") == Base64(Literal("hello"))
    assert found.get("SecurityGroupIds").items == (Literal("g1"),)
    wanted = AttributeRef("Config/configuration", Literal("values"), (Literal("instance"),))
    assert lowering.resources["Group/group"].properties.get("instance") == wanted
    assert "Config" in lowering.resources["Group/group"].depends_on


def test_m048_a_public_address_is_the_interface_s(lowered):
    text = CONFIG.replace("SecurityGroups", "AssociatePublicIpAddress: true, SecurityGroups")
    found = lowered(text).resources["Config/configuration"].properties.get("values").get("instance")
    (interface,) = found.get("NetworkInterfaces").items
    assert interface.get("AssociatePublicIpAddress") == Literal(True)
    assert interface.get("GroupSet").items == (Literal("g1"),)
    assert found.get("SecurityGroupIds") is None


def test_m039_a_template_says_it_in_words_of_its_own(lowered):
    text = (
        ", NetworkInterfaces: [{DeviceIndex: 0, Groups: [g]}], Placement: {AvailabilityZone: az}, "
        "TagSpecifications: [{ResourceType: instance, Tags: [{Key: a, Value: b}]}, {ResourceType: volume, Tags: []}]"
    )
    found = instance(lowered, template(text))
    (interface,) = found.get("NetworkInterfaces").items
    assert interface.get("GroupSet").items == (Literal("g"),)
    assert found.get("AvailabilityZone") == Literal("az")
    (tags,) = found.get("Tags").lists.items
    assert tags.items[0].get("Key") == Literal("a")


@pytest.mark.parametrize(
    ("version", "wanted"),
    [
        ("", Literal("$Default")),
        (", Version: '2'", Literal("2")),
        (", Version: !GetAtt Template.LatestVersionNumber", AttributeRef("Template/template", Literal("latest"))),
    ],
)
def test_m039_the_version_that_is_asked_for(lowered, version, wanted):
    found = made(lowered, template("") + group(f"LaunchTemplate: {{LaunchTemplateId: !Ref Template{version}}}"))
    assert found.get("instance") == AttributeRef("Template/template", Literal("versions"), (wanted,))


def test_m039_a_template_by_its_name(lowered):
    named = template("").replace("Properties: {", "Properties: {LaunchTemplateName: web, ", 1)
    found = made(lowered, named + group("LaunchTemplate: {LaunchTemplateName: web, Version: '1'}"))
    assert found.get("instance").address == "Template/template"


def test_mixed_instances_are_as_the_template_says(lowered):
    spec = "{LaunchTemplateSpecification: {LaunchTemplateId: !Ref Template}, Overrides: [{InstanceType: m1.big}]}"
    lowering = lowered(template("") + group(f"MixedInstancesPolicy: {{LaunchTemplate: {spec}}}"))
    assert lowering.resources["Group/group"].properties.get("instance").address == "Template/template"
    assert [one.code for one in lowering.warnings] == ["PropertyIgnored"]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (", InstanceRequirements: {}", "PropertyRejected"),
        (", Ipv6Addresses: [a]", "PropertyRejected"),
        (", Colour: red", "UnsupportedProperty"),
        (", EnclaveOptions: {Enabled: true}", "PropertyRejected"),
        (", NetworkInterfaces: [{DeviceIndex: 0, Colour: red}]", "UnsupportedProperty"),
        (", BlockDeviceMappings: [{DeviceName: /dev/sdb, Ebs: {VolumeSize: 1, Encrypted: true}}]", "PropertyRejected"),
        (", NetworkInterfaces: !Ref AWS::StackName", "NotWrittenOut"),
    ],
)
def test_m039_what_no_instance_can_have_is_told_before_any_is_made(refused, data, code):
    assert code in [found for found, _ in refused(template(data))]


@pytest.mark.parametrize("name", ["InstanceMarketOptions", "CapacityReservationSpecification", "KernelId"])
def test_m039_what_has_no_effect_is_told(lowered, name):
    lowering = lowered(template(f", {name}: x"))
    assert [one.code for one in lowering.warnings] == ["PropertyIgnored"]


# --- groups -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("way", "code", "words"),
    [
        ("Cooldown: 1", "PropertyMissing", "just one of"),
        ("LaunchConfigurationName: !Ref Config, LaunchTemplate: {}", "PropertyConflict", "just one of"),
        ("LaunchConfigurationName: elsewhere", "NotInTemplate", "launch configuration is not a resource"),
        ("LaunchTemplate: {LaunchTemplateId: lt-1}", "NotInTemplate", "launch template is not a resource"),
        (
            "LaunchConfigurationName: !Ref Config, TargetGroupARNs: [t]",
            "PropertyRejected",
            "There are no target groups",
        ),
        ("InstanceId: i-1", "PropertyRejected", "use a launch template"),
    ],
)
def test_m049_what_a_group_cannot_be_made_of(refused, way, code, words):
    found = refused(CONFIG + group(way))
    assert any(one == code and words in text for one, text in found), found


def test_m049_nothing_says_where(refused):
    text = GROUP.replace("    VPCZoneIdentifier: [s1, s2]\n", "")
    assert [code for code, _ in refused(CONFIG + text)] == ["PropertyMissing"]


def test_m049_instances_boot_when_their_way_out_is_there(lowered):
    network = """
    Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.0.0.0/16}}
    Igw: {Type: AWS::EC2::InternetGateway}
    Att: {Type: AWS::EC2::VPCGatewayAttachment, Properties: {VpcId: !Ref Vpc, InternetGatewayId: !Ref Igw}}
    Net: {Type: AWS::EC2::Subnet, Properties: {VpcId: !Ref Vpc, CidrBlock: 10.0.1.0/24}}
    Table: {Type: AWS::EC2::RouteTable, Properties: {VpcId: !Ref Vpc}}
    In: {Type: AWS::EC2::SubnetRouteTableAssociation, Properties: {SubnetId: !Ref Net, RouteTableId: !Ref Table}}
    Out:
      Type: AWS::EC2::Route
      Properties: {RouteTableId: !Ref Table, DestinationCidrBlock: 0.0.0.0/0, GatewayId: !Ref Igw}
    """
    text = (
        textwrap.dedent(network)
        + CONFIG.replace("SecurityGroups: [g1], ", "")
        + GROUP.replace("[s1, s2]", "[!Ref Net]")
    )
    lowering = lowered(text)
    assert "Out" in lowering.resources["Group/group"].soft_depends_on
    assert "Vpc/default_group" in lowering.resources, "its instances name no security groups"


# --- policies of groups -----------------------------------------------------------------------------------------------
def policies(lines: str) -> str:
    return CONFIG + GROUP.replace("  Properties:\n", f"{lines}  Properties:\n", 1)


def test_engu_11_a_rolling_update(lowered):
    rolling = "{MaxBatchSize: '2', MinInstancesInService: '1', PauseTime: PT1M, WaitOnResourceSignals: true}"
    lowering = lowered(policies(f"  UpdatePolicy: {{AutoScalingRollingUpdate: {rolling}}}\n"))
    found = lowering.resources["Group/group"].properties
    assert found.get("rolling").get("max_batch_size") == Literal("2")
    assert found.get("signals_of") == Literal("Group")
    assert "Group/signal_box" in lowering.resources
    assert "Group/signals" not in lowering.resources


def test_engu_11_without_one_instances_stay(lowered):
    assert made(lowered, CONFIG + GROUP).get("rolling") is None


def test_l83_replacing_and_scheduled(lowered):
    lines = (
        "  UpdatePolicy: {AutoScalingReplacingUpdate: {WillReplace: true}, "
        "AutoScalingScheduledAction: {IgnoreUnmodifiedGroupSizeProperties: true}}\n"
    )
    found = made(lowered, policies(lines))
    assert (found.get("replace"), found.get("keep_size")) == (Literal(True), Literal(True))


def test_l83_a_misspelt_key(refused):
    found = refused(policies("  UpdatePolicy: {AutoScalingRollingUpdate: {MaxBatch: 1}}\n"))
    assert [code for code, _ in found] == ["InvalidPolicy"]


def test_l80_a_group_waits_for_signals(lowered):
    lines = (
        "  CreationPolicy: {ResourceSignal: {Count: 2, Timeout: PT5M}, "
        "AutoScalingCreationPolicy: {MinSuccessfulInstancesPercent: 50}}\n"
    )
    lowering = lowered(policies(lines))
    signals = lowering.resources["Group/signals"].properties
    assert [signals.get(name) for name in ("of", "count", "percent")] == [Literal("Group"), Literal(2), Literal(50)]
    assert "Group/signal_box" in lowering.resources["Group/group"].depends_on


# --- scaling policies -------------------------------------------------------------------------------------------------
def policy(more: str) -> str:
    return (
        CONFIG + GROUP + "Up: {Type: AWS::AutoScaling::ScalingPolicy, Properties: {AutoScalingGroupName: !Ref Group, "
        f"{more}}}}}\n"
    )


def test_m050_a_policy_s_reference_is_its_address(lowered):
    lowering = lowered(policy("AdjustmentType: ChangeInCapacity, ScalingAdjustment: -1, Cooldown: '60'"))
    found = lowering.resources["Up/policy"]
    assert found.type == "OS::Heat::ScalingPolicy"
    assert found.properties.get("auto_scaling_group_id") == ResourceRef("Group/group")
    assert found.properties.get("scaling_adjustment") == Literal(-1)
    assert lowering.groups["Up"].reference == AttributeRef("Up/policy", Literal("alarm_url"))


@pytest.mark.parametrize(
    ("more", "code", "words"),
    [
        ("ScalingAdjustment: 1", "PropertyMissing", "needs AdjustmentType"),
        ("AdjustmentType: ChangeInCapacity", "PropertyMissing", "needs ScalingAdjustment"),
        ("AdjustmentType: Up, ScalingAdjustment: 1", "PropertyConstraint", "is none of"),
        (
            "PolicyType: StepScaling, AdjustmentType: ChangeInCapacity, ScalingAdjustment: 1",
            "PropertyRejected",
            "Simple",
        ),
        ("TargetTrackingConfiguration: {}", "PropertyRejected", "Nothing here measures"),
    ],
)
def test_m050_what_no_policy_can_be(refused, more, code, words):
    found = refused(policy(more))
    assert any(one == code and words in text for one, text in found), found


def test_heat_templates_may_use_these_names_too(hot):
    lowering = hot("""
    heat_template_version: 2016-10-14
    resources:
      config:
        type: AWS::AutoScaling::LaunchConfiguration
        properties: {ImageId: cirros, InstanceType: m1.small, UserData: hello}
      group:
        type: AWS::AutoScaling::AutoScalingGroup
        properties: {AvailabilityZones: [], LaunchConfigurationName: {get_resource: config}, MinSize: 1, MaxSize: 2}
      plain:
        type: OS::Heat::InstanceGroup
        properties: {AvailabilityZones: [], LaunchConfigurationName: {get_resource: config}, Size: 2}
    """)
    found = lowering.resources["group/group"].properties
    assert (found.get("heat_format"), found.get("zones")) == (Literal(True), None)
    assert lowering.resources["plain"].properties.get("LaunchConfigurationName") == ResourceRef("config/configuration")
