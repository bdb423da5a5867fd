"""Who waits for whom is the same before and after."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from engine.expr.parameters import placeholders
from engine.model.source import Source
from engine.model.template import Template
from engine.plan.deployment import deploy
from engine.plan.scope import NOTHING_ASKED
from engine.resources.base import StackIdentity
from engine.resources.registry import Registry
from mappings import Mappings
from translators.to_hot import to_hot
from translators.to_hot.names import resource_names
from translators.translator import Translator

REGISTRY = Registry(plugins=False)
CFN = Path(__file__).parents[3] / "examples" / "cfn"
ROUTES = """\
Resources:
  Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.0.0.0/16}}
  Igw: {Type: AWS::EC2::InternetGateway}
  Attached: {Type: AWS::EC2::VPCGatewayAttachment, Properties: {VpcId: !Ref Vpc, InternetGatewayId: !Ref Igw}}
  Table: {Type: AWS::EC2::RouteTable, Properties: {VpcId: !Ref Vpc}}
  Net: {Type: AWS::EC2::Subnet, Properties: {VpcId: !Ref Vpc, CidrBlock: 10.0.0.0/24}}
  In: {Type: AWS::EC2::SubnetRouteTableAssociation, Properties: {SubnetId: !Ref Net, RouteTableId: !Ref Table}}
  Out:
    Type: AWS::EC2::Route
    DependsOn: Attached
    Properties: {RouteTableId: !Ref Table, DestinationCidrBlock: 0.0.0.0/0, GatewayId: !Ref Igw}
  Back:
    Type: AWS::EC2::Route
    DependsOn: Web
    Properties: {RouteTableId: !Ref Table, DestinationCidrBlock: 10.9.0.0/16, InstanceId: !Ref Web}
  Web: {Type: AWS::EC2::Instance, Properties: {ImageId: a, SubnetId: !Ref Net}}
"""


def requires(template: Template) -> Mapping[str, frozenset[str]]:
    bindings = placeholders(template, {})
    return deploy(template, bindings, StackIdentity("", "", "", ""), NOTHING_ASKED, REGISTRY).requires


def everything(graph: Mapping[str, frozenset[str]], start: str) -> set[str]:
    seen, todo = set(), [start]
    while todo:
        for one in graph[todo.pop()] - seen:
            seen.add(one)
            todo.append(one)
    return seen


@pytest.mark.parametrize(
    "text",
    [
        *((CFN / name).read_text() for name in ("web-server.yaml", "mixed-types.yaml", "two-stacks/network.yaml")),
        ROUTES,
    ],
    ids=["web server", "mixed types", "network", "routes"],
)
def test_each_resource_waits_for_what_it_waited_for(text: str) -> None:
    template = Translator(Mappings()).translate(Source(text))
    names = resource_names(template)
    before, after = requires(template), requires(to_hot(template, "t.yaml").template)
    assert set(after) == set(names.values())
    for address, name in names.items():
        needed = {names[one] for one in everything(before, address) if one in names}
        assert everything(after, name) == needed, name


def test_an_edge_that_would_close_a_circle_is_left_out() -> None:
    """An instance waits for the routes of its subnet, but not for one that waits for the instance."""
    found = to_hot(Translator(Mappings()).translate(Source(ROUTES)), "t.yaml").template.resources
    assert "Out" in found["Web"].depends_on
    assert not any(name.startswith("Back") for name in found["Web"].depends_on)


def test_what_is_waited_for_anyway_is_not_said() -> None:
    found = to_hot(Translator(Mappings()).translate(Source(ROUTES)), "t.yaml").template.resources
    assert found["Net"].depends_on == ()  # it refers to its network, which waits for the VPC
    assert "Vpc" not in {name for one in found.values() for name in one.depends_on}
