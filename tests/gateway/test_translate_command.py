"""`isotherm translate`: what is written, what is told beside it, and when nothing is written."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from gateway.cli import app

EXAMPLES = Path(__file__).parents[2] / "examples"
BROKEN = "mistakes.yaml"  # is there to be refused
NEAT = """\
heat_template_version: 2018-08-31
parameters: {word: {type: string, default: a}}
resources:
  thing: {type: OS::Heat::Value, properties: {value: {str_replace: {template: {get_file: t.sh}, params: {W: a}}}}}
"""


def run(*arguments: str | Path, command: str = "translate") -> Result:
    return CliRunner().invoke(app, [command, *map(str, arguments)], env={"COLUMNS": "500"})


@pytest.fixture
def write(tmp_path: Path):
    def at(name: str, text: str) -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return at


@pytest.mark.parametrize(
    "path",
    [path for path in sorted(EXAMPLES.rglob("*.yaml")) if path.name != BROKEN],
    ids=lambda path: str(path.relative_to(EXAMPLES)),
)
def test_every_example_is_translated_to_what_is_valid(path: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.yaml"
    for file in path.parent.glob("_*.yaml"):
        (tmp_path / file.name).write_text(file.read_text())
    done = run(path, "--to", "hot", "-o", out)
    assert (done.exit_code, done.stdout) == (0, ""), done.output
    checked = run(out, command="validate")
    assert checked.exit_code == 0, checked.output
    again = run(out)
    assert again.exit_code == 0, again.output
    without = [line for line in out.read_text().splitlines() if not line.lstrip().startswith("# ")]
    assert [line for line in again.stdout.splitlines() if not line.lstrip().startswith("# ")] == without


def test_comments_say_where_each_part_comes_from(write) -> None:
    path = write("net.yaml", """\
        Parameters:
          Cidr: {Type: String, Default: 10.0.0.0/16}
        Conditions:
          Always: !Equals [a, a]
        Resources:
          Word: {Type: OS::Heat::RandomString}
          Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: !Ref Cidr}}
        Outputs:
          Id: {Value: !Ref Vpc, Export: {Name: vpc}}
        """)  # fmt: skip
    done = run(path)
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert lines[0] == "# Translated from the CloudFormation template net.yaml by Isotherm."
    for comment, key in [
        ("  # Cidr (String), net.yaml:2", "  Cidr:"),
        ("  # Always, net.yaml:4", "  Always: true"),
        ("  # Word (OS::Heat::RandomString), net.yaml:6", "  Word:"),
        ("  # Vpc (AWS::EC2::VPC), net.yaml:7; needs Isotherm", "  Vpc_leg:"),
        ("  # Lost: its export: HOT has none, so other stacks cannot import it.", "  Id:"),
    ]:
        assert lines[lines.index(key) - 1] == comment
    assert f"{path}:9:11: warning: Output Id: the export is lost, HOT has none. [LostInHot]" in done.stderr
    assert "LostInHot" not in done.stdout


def test_a_template_of_heats_own_types_needs_no_isotherm(write) -> None:
    path = write("own.yaml", """\
        Parameters: {Size: {Type: String, AllowedValues: [a, b]}}
        Mappings: {Names: {a: {Name: small}, b: {Name: large}}}
        Conditions: {Big: !Equals [!FindInMap [Names, !Ref Size, Name], large]}
        Resources:
          Thing:
            Type: OS::Heat::TestResource
            DependsOn: Other
            DeletionPolicy: Retain
            Properties:
              value: !Sub '${Other}-${Size}'
              update_replace: !If [Big, true, !Ref AWS::NoValue]
          Other: {Type: OS::Heat::RandomString, Condition: Big}
        """)  # fmt: skip
    done = run(path)
    assert done.exit_code == 0, done.output
    assert "Isotherm:" not in done.stdout.replace("by Isotherm.", "")
    assert (
        done.stdout[done.stdout.index("conditions:") :]
        == """\
conditions:
  # Big, own.yaml:3
  Big: {equals: [{get_param: [Names, {get_param: Size}, Name]}, large]}

resources:
  # Thing (OS::Heat::TestResource), own.yaml:5
  Thing:
    type: OS::Heat::TestResource
    deletion_policy: retain
    properties:
      value: {list_join: ['', [{get_resource: Other}, '-', {get_param: Size}]]}
      update_replace: {if: [Big, true]}

  # Other (OS::Heat::RandomString), own.yaml:12
  Other:
    type: OS::Heat::RandomString
    condition: Big
"""
    )


def test_hot_is_printed_as_it_is_understood(write) -> None:
    write("t.sh", "echo W\n")
    done = run(write("neat.yaml", NEAT))
    assert done.exit_code == 0, done.output
    assert (
        done.stdout
        == """\
heat_template_version: '2018-08-31'

parameters:
  word:
    type: string
    default: a

resources:
  thing:
    type: OS::Heat::Value
    properties:
      value:
        str_replace:
          template: |
            echo W
          params: {W: a}
"""
    )


def test_templates_as_types_are_written_by_their_names_again(write) -> None:
    write("child.yaml", "heat_template_version: 2018-08-31\nparameters: {word: {type: string}}\n")
    path = write("parent.yaml", """\
        Parameters: {Word: {Type: String}}
        Resources:
          One: {Type: child.yaml, Properties: {word: !Sub '${Word}!'}}
          Many:
            Type: OS::Heat::ResourceGroup
            Properties: {count: 2, resource_def: {type: child.yaml, properties: {word: !Ref Word}}}
        """)  # fmt: skip
    done = run(path)
    assert done.exit_code == 0, done.output
    found = yaml.safe_load(done.stdout)["resources"]
    joined = {"list_join": ["", [{"get_param": "Word"}, "!"]]}
    assert found["One"] == {"type": "child.yaml", "properties": {"word": joined}}
    inner = {"type": "child.yaml", "properties": {"word": {"get_param": "Word"}}}
    assert found["Many"]["properties"]["resource_def"] == inner


def test_a_template_with_mistakes_is_not_translated(write, tmp_path) -> None:
    path, out = write("bad.yaml", "Resources: {Web: {Type: AWS::EC2::Instnace}}\n"), tmp_path / "out.yaml"
    done = run(path, "-o", out)
    assert (done.exit_code, done.stdout, out.exists()) == (1, "", False)
    assert f"{path}:1:25: error: " in done.stderr
    assert "Did you mean AWS::EC2::Instance?" in done.stderr


def test_what_hot_has_no_words_for_is_told_and_nothing_is_written(write, tmp_path) -> None:
    path = write("dynamic.yaml", """\
        Resources:
          A: {Type: OS::Heat::TestResource, Properties: {value: '{{resolve:ssm:/name}}'}}
          B: {Type: OS::Heat::TestResource, Properties: {value: !Sub 'x{{resolve:secretsmanager:${A}}}'}}
        """)  # fmt: skip
    out = tmp_path / "out.yaml"
    done = run(path, "-o", out)
    assert (done.exit_code, out.exists()) == (1, False)
    assert f"{path}:2:65: error: HOT has no words for a dynamic reference. [NotInHot]" in done.stderr
    assert f"{path}:3:" in done.stderr
    assert "make it a parameter" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["absent.yaml"], "does not exist"), (["--to", "cfn"], "cfn"), (["--config-file", "absent.conf"], "absent.conf")],
    ids=["file", "language", "config"],
)
def test_a_mistake_in_the_command_is_told_with_status_2(write, arguments, said) -> None:
    done = run(*arguments, *([] if arguments == ["absent.yaml"] else [write("t.yaml", NEAT)]))
    assert done.exit_code == 2
    assert said in done.output
