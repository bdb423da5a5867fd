"""`isotherm validate` of templates that ask something: what is known offline is answered there."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from gateway.cli import app


@pytest.fixture
def validated(tmp_path: Path):
    def of(text: str, *options: str, **files: str) -> Result:
        for name, content in files.items():
            (tmp_path / f"{name}.yaml").write_text(content, encoding="utf-8")
        path = tmp_path / "t.yaml"
        path.write_text(text, encoding="utf-8")
        return CliRunner().invoke(app, ["validate", str(path), *options], env={"COLUMNS": "500"})

    return of


def test_serverless_is_translated(validated):
    done = validated(
        "Transform: AWS::Serverless-2016-10-31\nResources:\n"
        "  Hello: {Type: AWS::Serverless::Function, Properties: {Handler: a.b}}\n"
    )
    assert done.exit_code == 1
    assert (
        "t.yaml:3:3: error: Transform AWS::Serverless-2016-10-31 failed with: Resource with id [Hello]" in done.output
    )


def test_stored_parameters_and_the_region_may_be_anything(validated):
    done = validated(
        "Transform: AWS::LanguageExtensions\n"
        "Parameters: {P: {Type: AWS::SSM::Parameter::Value<String>, Default: /x}}\n"
        "Resources:\n"
        "  Fn::ForEach::All: [N, [!Ref AWS::Region], {'Q${N}': {Type: AWS::S3::Bucket}}]\n"
    )
    assert (done.exit_code, "nothing to complain about" in done.output) == (0, True), done.output


def test_local_files_are_included_and_others_are_said_to_be_needed(validated):
    text = "Resources: {Fn::Transform: {Name: AWS::Include, Parameters: {Location: LOCATION}}}\n"
    done = validated(text.replace("LOCATION", "part.yaml"), part="B: {Type: AWS::S3::Bukket}\n")
    assert "part.yaml:1:11: error: Template format error: Unrecognized resource types" in done.output
    done = validated(text.replace("LOCATION", "s3://b/k"))
    assert "The template cannot be understood without asking for: include s3://b/k." in done.output


def test_region_and_stack_are_not_guessed(validated):
    done = validated(
        "Mappings: {Images: {us-east-1: {Ami: ami-1}}}\n"
        "Conditions: {Here: !Equals [!Ref AWS::Region, us-east-1]}\n"
        "Resources:\n"
        "  B:\n"
        "    Type: AWS::S3::Bucket\n"
        "    Properties:\n"
        "      Tags:\n"
        "        - {Key: ami, Value: !FindInMap [Images, !Ref AWS::Region, Ami]}\n"
        "        - {Key: stack, Value: !Select [2, !Split ['/', !Ref AWS::StackId]]}\n"
    )
    assert (done.exit_code, "nothing to complain about" in done.output) == (0, True), done.output


def test_what_holds_the_name_of_a_groups_member_may_be_anything(validated):
    done = validated(
        "heat_template_version: 2018-08-31\n"
        "resources:\n"
        "  group:\n"
        "    type: OS::Heat::ResourceGroup\n"
        "    properties:\n"
        "      count: 2\n"
        "      index_var: $index\n"
        "      resource_def:\n"
        "        type: OS::Cinder::Volume\n"
        "        properties: {size: $index, name: {str_replace: {template: N, params: {N: $index}}}}\n"
    )
    assert (done.exit_code, "nothing to complain about" in done.output) == (0, True), done.output


def test_rules_are_judged_by_the_values_that_are_given(validated):
    text = (
        "Parameters: {Size: {Type: String, Default: big}}\n"
        "Rules:\n"
        "  Sizes:\n"
        "    Assertions: [{Assert: {'Fn::Contains': [[small], !Ref Size]}, AssertDescription: Small ones only.}]\n"
        "Resources: {B: {Type: AWS::S3::Bucket}}\n"
    )
    assert "nothing to complain about" in validated(text).output


@pytest.mark.parametrize(
    "head", ["Parameters: [A]\nResources", "heat_template_version: 2021-04-16\nparameters: [A]\nresources"]
)
def test_a_parameter_is_not_unknown_where_the_section_cannot_be_read(validated, head):
    done = validated(head + ": {}\n", "--parameter", "A=1")
    assert "UnknownParameter" not in done.output
    assert "a map of names" in done.output
