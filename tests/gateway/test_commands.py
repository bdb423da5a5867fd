"""`isotherm validate`: what a person reads about a template, offline."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from gateway.cli import app

BAD = """\
AWSTemplateFormatVersion: "2010-09-09"
Parameters:
  Size: {Type: String, Default: m1.tiny}
Resources:
  Web:
    Type: AWS::EC2::Instnace
    Properties: {ImageId: cirros, InstanceType: !Ref Sise}
"""
PARENT = """\
heat_template_version: 2018-08-31
resources:
  inner: {type: inner/child.yaml, properties: {word: hello}}
outputs:
  out: {value: {get_attr: [inner, said]}}
"""
CHILD = """\
heat_template_version: 2018-08-31
parameters: {word: {type: string}}
resources:
  value: {type: OS::Heat::Value, properties: {value: {str_replace: {template: {get_file: text.txt}, params: {W: a}}}}}
outputs:
  said: {value: {get_attr: [value, value]}}
"""


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["validate", *map(str, arguments)], env={"COLUMNS": "500"})


@pytest.fixture
def write(tmp_path: Path):
    def at(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return at


def test_every_finding_with_its_line_a_caret_and_the_way_out(write):
    path = write("bad.yaml", BAD)
    done = run(path)
    assert done.exit_code == 1
    assert done.output == (
        f"{path}:6:11: error: Template format error: Unrecognized resource types: [AWS::EC2::Instnace] [UnmappedType]\n"
        "    6 |     Type: AWS::EC2::Instnace\n"
        "      |           ^\n"
        "    Did you mean AWS::EC2::Instance?\n"
        f"{path}:7:49: error: Template format error: Unresolved resource dependencies [Sise] in the Resources block of "
        "the template [UnresolvedDependency]\n"
        "    7 |     Properties: {ImageId: cirros, InstanceType: !Ref Sise}\n"
        "      |                                                 ^\n"
        "    Did you mean Size?\n"
        "2 errors in 1 file\n"
    )


def test_a_good_template_and_the_files_it_refers_to(write):
    path = write("parent.yaml", PARENT)
    write("inner/child.yaml", CHILD)
    write("inner/text.txt", "W")
    done = run(path)
    assert (done.exit_code, done.output) == (0, f"{path}: nothing to complain about\n")


def test_a_file_that_is_not_there(write):
    done = run(write("parent.yaml", PARENT))
    assert done.exit_code == 1
    assert "inner/child.yaml" in done.output


def test_one_bad_template_among_good_ones_is_a_failure(write):
    good = write("good.yaml", "heat_template_version: 2018-08-31\nresources: {r: {type: OS::Heat::None}}\n")
    done = run(good, write("bad.yaml", BAD))
    assert done.exit_code == 1
    assert f"{good}: nothing to complain about" in done.output


def test_an_environment_says_what_a_type_is(write):
    path = write("t.yaml", "heat_template_version: 2018-08-31\nresources: {r: {type: My::Thing}}\n")
    environment = write("e.yaml", "resource_registry: {My::Thing: OS::Heat::None}\n")
    assert run(path).exit_code == 1
    assert run(path, "-e", environment).exit_code == 0


def test_several_files_are_counted_together(write):
    first, second = write("a.yaml", BAD), write("b.yaml", BAD)
    good = write("good.yaml", "heat_template_version: 2018-08-31\nresources: {r: {type: OS::Heat::None}}\n")
    assert run(first, good, second).output.endswith("\n4 errors in 2 files\n")


def test_a_mistake_in_an_environment_is_a_finding_and_nothing_else_is_said(write):
    environment = write("e.yaml", "parametres: {}\nresource_registry:\n")
    done = run(write("t.yaml", BAD), "-e", environment)
    assert done.exit_code == 1
    assert done.output == (
        f'{environment}:1:1: error: environment has wrong section "parametres" [InvalidEnvironment]\n'
        "    1 | parametres: {}\n"
        "      | ^\n"
        "    Did you mean parameters?\n"
        f'{environment}:2:1: error: environment has empty section "resource_registry" [InvalidEnvironment]\n'
        "    2 | resource_registry:\n"
        "      | ^\n"
        "    Leave the section out, or fill it.\n"
        "2 errors in 1 file\n"
    )


def test_environments_that_cannot_be_merged(write):
    one = write("a.yaml", "parameters: {p: 1}\nparameter_merge_strategies: {p: merge}\n")
    other = write("b.yaml", "parameters: {p: 2}\nparameter_merge_strategies: {p: overwrite}\n")
    done = run(write("t.yaml", BAD), "-e", one, "-e", other)
    assert (done.exit_code, "Conflicting merge strategies for parameter p" in done.output) == (1, True)


def test_cfn_lint_adds_warnings_to_a_template_that_is_understood(write):
    vpc = "{V: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.0.0.0/16}}}"
    path = write("t.yaml", f"Parameters: {{Unused: {{Type: String}}}}\nResources: {vpc}\n")
    assert "cfn-lint" not in run(path).output
    done = run("--lint", path)
    assert done.exit_code == 0
    assert "warning: Parameter Unused not used. [LintW2001]" in done.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["absent.yaml"], "does not exist"),
        (["--parameter", "novalue"], "is not NAME=VALUE"),
        (["--config-file", "absent.conf"], "absent.conf"),
    ],
    ids=["file", "parameter", "config"],
)
def test_a_mistake_in_the_command_is_told_with_status_2(write, arguments, said):
    done = run(*arguments, *([] if arguments == ["absent.yaml"] else [write("t.yaml", BAD)]))
    assert done.exit_code == 2
    assert said in done.output
