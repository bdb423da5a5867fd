"""4: templates as people write them: examples, nested stacks, each language holding types of the other."""

from __future__ import annotations

import functools
import http.server
import threading
from pathlib import Path

import pytest
from botocore.exceptions import WaiterError

EXAMPLES = Path(__file__).parents[2] / "examples"
ALL = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]


@pytest.fixture(scope="module")
def aws(server):
    return server.boto3()


@pytest.fixture(scope="module")
def heat(server):
    return server.sdk().orchestration


def outputs(aws, name):
    stack = aws.describe_stacks(StackName=name)["Stacks"][0]
    return {row["OutputKey"]: row["OutputValue"] for row in stack.get("Outputs", ())}


def reasons(aws, name):
    events = aws.describe_stack_events(StackName=name)["StackEvents"]
    return [(e["LogicalResourceId"], e.get("ResourceStatusReason")) for e in events if "FAILED" in e["ResourceStatus"]]


def examples(folder):
    """Files meant to be deployed; `mistakes` are meant to be refused, nested ones are reached through their parents."""
    return [file for file in sorted((EXAMPLES / folder).glob("*.yaml")) if not file.stem.startswith(("mistakes", "_"))]


@pytest.fixture
def deployed(server, aws, wait):
    """`deployed(name, file)` creates a stack of an example; all of them go in reverse order and leave nothing."""
    before, made = everything(server), []

    def deploy(name, file, **parameters):
        given = [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()]
        aws.create_stack(StackName=name, TemplateBody=file.read_text(), Parameters=given, Capabilities=ALL)
        made.append(name)
        try:
            wait(aws, "stack_create_complete", name)
        except WaiterError:
            pytest.fail(f"{name}: {reasons(aws, name)}")
        return outputs(aws, name)

    yield deploy
    for name in reversed(made):
        aws.delete_stack(StackName=name)
        wait(aws, "stack_delete_complete", name)
    assert everything(server) == before


@pytest.mark.parametrize("file", examples("cfn"), ids=lambda file: file.stem)
def test_4_every_cloudformation_example_deploys(deployed, name, file):
    deployed(name, file)


def test_4_the_example_of_two_stacks(deployed, aws, name, refused):
    folder = EXAMPLES / "cfn" / "two-stacks"
    deployed(f"{name}-net", folder / "network.yaml")
    said = deployed(f"{name}-servers", folder / "servers.yaml", Network=f"{name}-net")
    assert said["PublicIp"]
    assert "in use by" in refused(aws.delete_stack, StackName=f"{name}-net")


@pytest.mark.parametrize("file", examples("hot"), ids=lambda file: file.stem)
def test_4_every_hot_example_deploys_with_openstackclient(server, heat, name, until, file):
    before = everything(server)
    environment = file.with_suffix(".env")
    more = ("-e", str(environment)) if environment.exists() else ()
    server.openstack("stack", "create", "-t", str(file), *more, "--wait", "--poll", "1", name).ok()
    heat.delete_stack(heat.get_stack(name))
    until(lambda: heat.find_stack(name) is None)
    assert everything(server) == before


def everything(server):
    """The ids of the project's servers, volumes and networks in the simulated cloud."""
    sdk = server.sdk()
    mine = {"project_id": sdk.current_project_id}
    rows = [*sdk.compute.servers(), *sdk.block_storage.volumes(), *sdk.network.networks(**mine),
            *sdk.network.routers(**mine), *sdk.network.ips(**mine), *sdk.network.security_groups(**mine)]  # fmt: skip
    return {row.id for row in rows}


def test_4_the_mistakes_are_told_all_at_once(server, name):
    file = EXAMPLES / "cfn" / "mistakes.yaml"
    said = server.aws("validate-template", "--template-body", f"file://{file}").refused()
    assert said.count("line ") > 1


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *words):
        """Nothing on the terminal."""


@pytest.fixture
def served():
    """`served(folder)` → the URL of a folder behind http, as an object store would serve templates."""
    running = []

    def serve(folder):
        handler = functools.partial(Quiet, directory=str(folder))
        running.append(http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler))
        threading.Thread(target=running[-1].serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{running[-1].server_port}"

    yield serve
    for web in running:
        web.shutdown()
        web.server_close()


def test_4_a_nested_stack_in_cloudformation(fresh_server, name, wait, make, served, tmp_path):
    server = fresh_server(networks="127.0.0.0/8")
    aws = server.boto3()
    url = served(tmp_path)
    child = make.cfn(
        {"Inner": make.thing(value={"Ref": "Word"})},
        Parameters={"Word": {"Type": "String"}},
        Outputs={"Said": {"Value": {"Fn::GetAtt": ["Inner", "output"]}}},
    )
    (tmp_path / "child.json").write_text(child)
    properties = {"TemplateURL": f"{url}/child.json", "Parameters": {"Word": "deep"}}
    parent = make.cfn(
        {"Child": {"Type": "AWS::CloudFormation::Stack", "Properties": properties}},
        Outputs={"Said": {"Value": {"Fn::GetAtt": ["Child", "Outputs.Said"]}}},
    )
    aws.create_stack(StackName=name, TemplateBody=parent)
    wait(aws, "stack_create_complete", name)
    assert outputs(aws, name) == {"Said": "deep"}
    (row,) = aws.describe_stack_resources(StackName=name)["StackResources"]
    nested = aws.describe_stacks(StackName=row["PhysicalResourceId"])["Stacks"][0]
    assert nested["ParentId"].endswith(nested["RootId"].rsplit("/", 1)[1])
    # Another text at the same address is a change, as AWS's change sets tell it.
    (tmp_path / "child.json").write_text(child.replace('{"Ref": "Word"}', '"deeper"'))
    aws.create_change_set(StackName=name, ChangeSetName="look", TemplateBody=parent)
    (change,) = aws.describe_change_set(StackName=name, ChangeSetName="look")["Changes"]
    shown = change["ResourceChange"]
    assert (shown["Action"], shown["Scope"]) == ("Modify", ["Properties"])
    assert [(one["Evaluation"], one["ChangeSource"]) for one in shown["Details"]] == [("Dynamic", "Automatic")]
    aws.execute_change_set(StackName=name, ChangeSetName="look")
    wait(aws, "stack_update_complete", name)
    aws.delete_stack(StackName=name)
    wait(aws, "stack_delete_complete", name)
    gone = aws.describe_stacks(StackName=row["PhysicalResourceId"])["Stacks"][0]
    assert gone["StackStatus"] == "DELETE_COMPLETE"
    example = EXAMPLES / "cfn" / "nested"
    base = [{"ParameterKey": "TemplateBase", "ParameterValue": served(example)}]
    aws.create_stack(StackName="example", TemplateBody=(example / "parent.yaml").read_text(), Parameters=base)
    wait(aws, "stack_create_complete", "example")
    assert set(outputs(aws, "example")) == {"FirstVpc", "SecondCount"}


VALUES = """\
Conditions: {Never: !Equals [a, b]}
Mappings: {Flags: {a: {On: true}}}
Resources:
  Plain: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: yes}}
  Chosen: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: !If [Never, true, false]}}
  Listed: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: !FindInMap [Flags, a, On]}}
  Zone: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: !Select [0, !GetAZs '']}}
Outputs:
  Truth: {Value: !Join [' ', [!GetAtt Plain.Value, !GetAtt Chosen.Value, !GetAtt Listed.Value]]}
  Zone: {Value: !GetAtt Zone.Value}
"""


def test_4_l27_l66_a_stack_of_values_alone_knows_the_zones_and_truth_is_text(deployed, name, tmp_path):
    file = tmp_path / "values.yaml"
    file.write_text(VALUES)
    shown = deployed(name, file)
    assert (shown["Truth"], bool(shown["Zone"])) == ("true false true", True)


def test_4_q15_tags_reach_a_nested_stack_and_what_is_in_it(fresh_server, name, wait, make, served, tmp_path):
    server = fresh_server(networks="127.0.0.0/8")
    aws, zone = server.boto3(), {"Fn::Select": [0, {"Fn::GetAZs": ""}]}
    disk = {"Type": "AWS::EC2::Volume", "Properties": {"Size": 1, "AvailabilityZone": zone}}
    (tmp_path / "child.json").write_text(make.cfn({"Disk": disk}))
    properties = {"TemplateURL": f"{served(tmp_path)}/child.json", "Tags": [{"Key": "tier", "Value": "data"}]}
    body = make.cfn({"Child": {"Type": "AWS::CloudFormation::Stack", "Properties": properties}})

    def shown():
        (row,) = aws.describe_stack_resources(StackName=name)["StackResources"]
        (child,) = aws.describe_stacks(StackName=row["PhysicalResourceId"])["Stacks"]
        (disk,) = aws.describe_stack_resources(StackName=row["PhysicalResourceId"])["StackResources"]
        marks = server.sdk().block_storage.get_volume(disk["PhysicalResourceId"]).metadata
        return {one["Key"]: one["Value"] for one in child["Tags"]}, {k: marks.get(k) for k in ("tier", "team")}

    aws.create_stack(StackName=name, TemplateBody=body, Tags=[{"Key": "team", "Value": "red"}])
    wait(aws, "stack_create_complete", name)
    assert shown() == ({"team": "red", "tier": "data"}, {"team": "red", "tier": "data"})
    aws.update_stack(StackName=name, TemplateBody=body, Tags=[{"Key": "team", "Value": "blue"}])
    wait(aws, "stack_update_complete", name)
    assert shown() == ({"team": "blue", "tier": "data"}, {"team": "blue", "tier": "data"})


HOT_CHILD = """\
heat_template_version: 2018-08-31
parameters: {word: {type: string}}
resources:
  inner: {type: OS::Heat::TestResource, properties: {value: {get_param: word}}}
outputs:
  said: {value: {get_attr: [inner, output]}}
"""


def test_4_nested_stacks_and_template_resources_in_hot(server, heat, name, until, tmp_path):
    (tmp_path / "child.yaml").write_text(HOT_CHILD)
    parent = tmp_path / "parent.yaml"
    parent.write_text(
        """\
heat_template_version: 2018-08-31
resources:
  stack:
    type: OS::Heat::Stack
    properties: {template: {get_file: child.yaml}, parameters: {word: one}}
  file:
    type: child.yaml
    properties: {word: two}
  group:
    type: OS::Heat::ResourceGroup
    properties: {count: 2, resource_def: {type: child.yaml, properties: {word: "at %index%"}}}
outputs:
  stack: {value: {get_attr: [stack, outputs, said]}}
  file: {value: {get_attr: [file, said]}}
  group: {value: {get_attr: [group, said]}}
"""
    )
    server.openstack("stack", "create", "-t", str(parent), name).ok()
    until(lambda: heat.get_stack(name).status.startswith("CREATE_") and "PROGRESS" not in heat.get_stack(name).status)
    stack = heat.get_stack(name)
    assert stack.status == "CREATE_COMPLETE", stack.status_reason
    said = {row["output_key"]: row["output_value"] for row in stack.outputs}
    assert said == {"stack": "one", "file": "two", "group": ["at 0", "at 1"]}
    listed = server.openstack("stack", "resource", "list", "--nested-depth", "3", name, "-f", "json").ok().json
    assert sum(row["resource_name"] == "inner" for row in listed) == 4
    heat.delete_stack(stack)
    until(lambda: heat.find_stack(name) is None)


def test_4_a_cloudformation_template_that_holds_openstack_types(aws, name, wait, make):
    body = make.cfn(
        {
            "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.9.0.0/16"}},
            "Group": {"Type": "AWS::EC2::SecurityGroup",
                      "Properties": {"GroupDescription": "web", "VpcId": {"Ref": "Vpc"}}},
            "Net": {"Type": "OS::Neutron::Net"},
            "Sub": {"Type": "OS::Neutron::Subnet",
                    "Properties": {"network": {"Ref": "Net"}, "cidr": "10.8.0.0/24"}},
            "Port": {"Type": "OS::Neutron::Port", "DependsOn": "Sub",
                     "Properties": {"network": {"Ref": "Net"}, "security_groups": [{"Ref": "Group"}]}},
        }
    )  # fmt: skip
    aws.create_stack(StackName=name, TemplateBody=body)
    wait(aws, "stack_create_complete", name)
    aws.delete_stack(StackName=name)
    wait(aws, "stack_delete_complete", name)


def test_4_a_hot_template_that_holds_aws_types(heat, name, until):
    template = """\
heat_template_version: 2018-08-31
resources:
  vpc: {type: AWS::EC2::VPC, properties: {CidrBlock: 10.6.0.0/16}}
  subnet:
    type: AWS::EC2::Subnet
    properties: {VpcId: {get_resource: vpc}, CidrBlock: 10.6.1.0/24}
  note: {type: OS::Heat::Value, properties: {value: {get_attr: [vpc, CidrBlock]}}}
outputs:
  cidr: {value: {get_attr: [note, value]}}
"""
    heat.create_stack(name=name, template=template)
    until(lambda: "IN_PROGRESS" not in heat.get_stack(name).status)
    stack = heat.get_stack(name)
    assert stack.status == "CREATE_COMPLETE", stack.status_reason
    assert stack.outputs[0]["output_value"] == "10.6.0.0/16"
    heat.delete_stack(stack)
    until(lambda: heat.find_stack(name) is None)
