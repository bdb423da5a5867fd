"""4: transforms, the parameter store and dynamic references with AWS's own types, against the served cloud."""

from __future__ import annotations

import base64
import json

import pytest
import yaml

EXPAND = ["CAPABILITY_AUTO_EXPAND", "CAPABILITY_IAM"]
PASSWORD = "hush-5ecret-hush"


@pytest.fixture(scope="module")
def aws(server):
    return server.boto3()


@pytest.fixture(scope="module")
def cloud(server):
    return server.sdk()


@pytest.fixture
def deployed(aws, wait):
    """`deployed(name, template, …)` → the stack, once it is made; all of them go in the end."""
    made = []

    def deploy(name, template, parameters=(), **more):
        aws.create_stack(StackName=name, TemplateBody=template, Parameters=list(parameters), **more)
        made.append(name)
        try:
            wait(aws, "stack_create_complete", name)
        except Exception:
            events = aws.describe_stack_events(StackName=name)["StackEvents"]
            pytest.fail(str([one.get("ResourceStatusReason") for one in events if "FAILED" in one["ResourceStatus"]]))
        return aws.describe_stacks(StackName=name)["Stacks"][0]

    yield deploy
    for name in reversed(made):
        aws.delete_stack(StackName=name)
        wait(aws, "stack_delete_complete", name)


@pytest.fixture
def secret(cloud):
    """A secret in Barbican; its name."""
    made = cloud.key_manager.create_secret(
        name="db", payload=json.dumps({"password": PASSWORD}), payload_content_type="text/plain"
    )
    yield "db"
    cloud.key_manager.delete_secret(made.secret_id)


STORE = """
Resources:
  Size: {Type: AWS::SSM::Parameter, Properties: {Name: /config/size, Type: String, Value: m1.tiny}}
  Names:
    Type: AWS::SSM::Parameter
    Properties: {Name: /config/names, Type: StringList, Value: 'one,two', AllowedPattern: '[a-z,]+'}
Outputs:
  Name: {Value: !Ref Size}
  Value: {Value: !GetAtt Size.Value}
"""

SERVER = """
Parameters:
  Image: {Type: String, Default: '22.04'}
  Names: {Type: 'AWS::SSM::Parameter::Value<List<String>>', Default: /config/names}
Resources:
  Host:
    Type: AWS::EC2::Instance
    Properties:
      ImageId: !Sub "{{resolve:ssm:/aws/service/canonical/ubuntu/server/${Image}/stable/current/amd64/ami-id}}"
      InstanceType: '{{resolve:ssm:/config/size}}'
      UserData: !Base64
        Fn::Sub: 'password={{resolve:secretsmanager:db:SecretString:password}} ${AWS::Region}'
      Tags: [{Key: Name, Value: !Select [1, !Ref Names]}]
Outputs:
  Id: {Value: !Ref Host}
  Size: {Value: '{{resolve:ssm:/config/size}}'}
"""


def test_d06_l91_l93_a_server_of_stored_and_secret_values(server, cloud, aws, name, deployed, secret):
    """L66, L67, L68 and L91, L93 together."""
    store = deployed(f"{name}-store", STORE)
    assert {one["OutputKey"]: one["OutputValue"] for one in store["Outputs"]} == {
        "Name": "/config/size", "Value": "m1.tiny"
    }  # fmt: skip
    stack = deployed(name, SERVER)
    assert stack["Parameters"] == [
        {"ParameterKey": "Image", "ParameterValue": "22.04"},
        {"ParameterKey": "Names", "ParameterValue": "/config/names", "ResolvedValue": "one,two"},
    ]  # fmt: skip
    told = {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}
    assert told["Size"] == "m1.tiny"
    (host,) = [one for one in cloud.compute.servers() if one.name == "two"]
    assert host.flavor["original_name"] == "m1.tiny"
    auth = yaml.safe_load(server.clouds_yaml.read_text())["clouds"]["isotherm-admin"]["auth"]
    shown = server.sdk(**auth).compute.get(f"/servers/{host.id}", microversion="2.3").json()["server"]
    data = shown["OS-EXT-SRV-ATTR:user_data"]
    assert f"password={PASSWORD} " in base64.b64decode(data).decode()
    everything = [
        aws.describe_stack_events(StackName=name),
        aws.describe_stacks(StackName=name),
        aws.get_template(StackName=name),
        aws.describe_stack_resource(StackName=name, LogicalResourceId="Host"),
    ]  # fmt: skip
    assert PASSWORD not in str(everything)


@pytest.fixture
def snippets(cloud):
    """A container of the project's; `put(name, text)`."""
    cloud.object_store.create_container("snippets")
    names = []

    def put(name, text):
        cloud.object_store.upload_object(container="snippets", name=name, data=text.encode())
        names.append(name)

    yield put
    for name in names:
        cloud.object_store.delete_object(name, container="snippets")
    cloud.object_store.delete_container("snippets")


def test_l85_a_text_in_the_object_store_is_included(cloud, name, deployed, snippets):
    snippets("deep/rules.yaml", "GroupDescription: !Ref Said\n")
    template = """
Parameters: {Said: {Type: String, Default: included}}
Resources:
  Group:
    Type: AWS::EC2::SecurityGroup
    Properties: {Fn::Transform: {Name: AWS::Include, Parameters: {Location: s3://snippets/deep/rules.yaml}}}
"""
    deployed(name, template, Capabilities=EXPAND)
    assert "included" in [one.description for one in cloud.network.security_groups()]


INNER = """
AWSTemplateFormatVersion: '2010-09-09'
Resources: {Fn::Transform: {Name: AWS::Include, Parameters: {Location: s3://snippets/inner.yaml}}}
Outputs: {Said: {Value: !GetAtt Thing.output}}
"""


def test_l95_nested_templates_have_transforms_too(aws, name, make, deployed, snippets, wait):
    snippets("inner.yaml", "Thing: {Type: OS::Heat::TestResource, Properties: {value: inside}}\n")
    child = {"Type": "OS::Heat::Stack", "Properties": {"template": INNER}}
    parent = make.cfn({"Child": child}, Outputs={"Said": {"Value": {"Fn::GetAtt": ["Child", "outputs"]}}})
    stack = deployed(name, parent)
    assert json.loads(stack["Outputs"][0]["OutputValue"]) == {"Said": "inside"}
    macro = make.cfn(
        {"Child": {"Type": "OS::Heat::Stack", "Properties": {"template": INNER.replace("AWS::Include", "M")}}}
    )
    aws.create_stack(StackName=f"{name}-m", TemplateBody=macro, OnFailure="DO_NOTHING")
    with pytest.raises(Exception, match="CREATE_FAILED"):
        wait(aws, "stack_create_complete", f"{name}-m")
    (failed,) = aws.describe_stack_resources(StackName=f"{name}-m")["StackResources"]
    assert "::M found." in failed["ResourceStatusReason"]
    aws.delete_stack(StackName=f"{name}-m")


def test_l85_a_bucket_that_there_is_not(aws, name, refused):
    template = """
Transform: {Name: AWS::Include, Parameters: {Location: s3://none-such/k}}
Resources: {Group: {Type: AWS::EC2::SecurityGroup, Properties: {GroupDescription: g}}}
"""
    said = refused(aws.create_stack, StackName=name, TemplateBody=template, Capabilities=EXPAND)
    assert said.startswith("Transform AWS::Include failed with: S3 bucket [none-such] does not exist.")


def test_l86_what_serverless_makes_and_what_of_it_is_not_mapped(aws, name, refused):
    template = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Hello:
    Type: AWS::Serverless::Function
    Properties: {Runtime: python3.12, Handler: a.b, InlineCode: 'pass'}
  Table: {Type: AWS::Serverless::SimpleTable}
"""
    said = refused(aws.create_stack, StackName=name, TemplateBody=template, Capabilities=EXPAND)
    lines = said.splitlines()
    assert len(lines) == 2
    assert "AWS::Lambda::Function" in lines[0]
    assert "(line 5, column 11)" in lines[0]
    assert "AWS::DynamoDB::Table" in lines[1]
    assert "(line 7, column 17)" in lines[1]
