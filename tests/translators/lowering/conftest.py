"""Templates in YAML, parsed and lowered."""

from __future__ import annotations

import textwrap

import pytest

from engine.model.diagnostic import Invalid
from engine.model.expression import AttributeRef, ResourceRef, walk
from engine.model.source import Source
from engine.model.template import Template
from engine.plan.deployment import bind_source, deploy
from engine.plan.scope import Facts
from engine.resources.base import StackIdentity
from engine.resources.registry import Registry
from mappings import Mappings
from translators.lowering import lower_leniently
from translators.parsing import parse

REGISTRY = Registry(plugins=False)
ROWS = Mappings()


def references(template: Template):
    """Addresses that anything in the lowered template refers to."""
    expressions = [o.value for o in template.outputs.values()]
    for resource in template.resources.values():
        expressions += [resource.properties, *(e for e in (resource.condition, resource.metadata) if e is not None)]
    for group in template.groups.values():
        expressions += [group.reference, group.properties, *group.attributes.values()]
    return {i.address for e in expressions for i in walk(e) if isinstance(i, ResourceRef | AttributeRef)}


@pytest.fixture
def lowered():
    """`lowered(resources)` → the template; nothing in it refers to a group any more, and every type is the engine's."""

    def make(resources: str, *, rows: Mappings = ROWS, head: str = "", outputs: str = "") -> Template:
        text = f"AWSTemplateFormatVersion: '2010-09-09'\n{textwrap.dedent(head)}\nResources:\n"
        text += textwrap.indent(textwrap.dedent(resources), "  ")
        if outputs:
            text += "\nOutputs:\n" + textwrap.indent(textwrap.dedent(outputs), "  ")
        return finish(text, rows)

    return make


def finish(text: str, rows: Mappings = ROWS) -> Template:
    template, errors = lower_leniently(parse(Source(text)), rows=rows)
    if errors:
        raise Invalid(errors)
    assert not references(template) & set(template.groups)
    assert all(REGISTRY.find(one.type) is not None for one in template.resources.values())
    return template


@pytest.fixture
def hot():
    """The same for a whole HOT template."""
    return lambda text: finish(textwrap.dedent(text))


@pytest.fixture
def refused(lowered):
    """`refused(resources)` → (code, summary) of every finding."""

    def make(resources: str, **more) -> list[tuple[str, str]]:
        with pytest.raises(Invalid) as caught:
            lowered(resources, **more)
        assert all(one.span is not None for one in caught.value.diagnostics)
        return [(one.code, str(one)) for one in caught.value.diagnostics]

    return make


@pytest.fixture
def graph():
    """`graph(template, **parameters)` → the deployment: its edges drawn, circles refused."""

    def make(template: Template, **parameters):
        bindings = bind_source(template, Source("", parameters=parameters))
        identity = StackIdentity("00000000-0000-4000-8000-000000000000", "s", "p", "r")
        return deploy(template, bindings, identity, Facts(), REGISTRY)

    return make


VPC = """
Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.0.0.0/16}}
Igw: {Type: AWS::EC2::InternetGateway}
Attached:
  Type: AWS::EC2::VPCGatewayAttachment
  Properties: {VpcId: !Ref Vpc, InternetGatewayId: !Ref Igw}
Pub: {Type: AWS::EC2::RouteTable, Properties: {VpcId: !Ref Vpc}}
PubDefault:
  Type: AWS::EC2::Route
  Properties: {RouteTableId: !Ref Pub, DestinationCidrBlock: 0.0.0.0/0, GatewayId: !Ref Igw}
PubA:
  Type: AWS::EC2::Subnet
  Properties: {VpcId: !Ref Vpc, CidrBlock: 10.0.0.0/24, MapPublicIpOnLaunch: true}
PubAInPub:
  Type: AWS::EC2::SubnetRouteTableAssociation
  Properties: {SubnetId: !Ref PubA, RouteTableId: !Ref Pub}
"""


@pytest.fixture
def vpc() -> str:
    """A VPC with one public subnet (T1)."""
    return VPC
