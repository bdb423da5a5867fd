"""Groups whose members are instances: each is an AWS::EC2::Instance of the child, and becomes what that is anywhere.

The instance's properties are those of a launch configuration; where it is placed, its subnet or zone, is decided when
it is made, evenly over the places there are, and stays.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from engine.model.value import Value
from engine.resources.base import Operation
from engine.resources.heat import members
from engine.resources.heat.members import Definitions, resources_text
from engine.resources.heat.scaling_group import Definition, Maker, ScalingGroup

INSTANCE = "AWS::EC2::Instance"
_SUBNET, _ZONE, _INTERFACES = "SubnetId", "AvailabilityZone", "NetworkInterfaces"


class Instances(ScalingGroup):
    """A type says what its instances have in common (`maker`), and in which format their template is written."""

    def version(self, op: Operation) -> Mapping[str, str]:
        """The line that says the format of the child's template."""
        return {"HeatTemplateFormatVersion": "2012-12-12"}

    def text_of(self, op: Operation, state: Definitions) -> str:
        """CloudFormation's formats know no template without resources."""
        return json.dumps({**self.version(op), "Resources": state}) if state else resources_text(state)

    def definitions_in(self, text: str) -> Definitions:
        found: Definitions = json.loads(text).get("Resources") or {}
        return found

    async def gathered(self, op: Operation, outputs: Mapping[str, Value]) -> dict[str, Any]:
        found = await super().gathered(op, outputs)
        addresses = [one.get("PublicIp") or one.get("PrivateIp") for one in found[members.MEMBERS].values()]
        return {**found, "InstanceList": ",".join(str(one) for one in addresses if one) or None}


def instance_maker(
    common: Mapping[str, Value], tags: Sequence[Mapping[str, Value]], subnets: Sequence[Value] = (),
    zones: Sequence[Value] = (),
) -> Maker:  # fmt: skip
    """Instances with these properties, and `tags` besides their own, in the subnets, else in the zones."""
    kept = {name: value for name, value in common.items() if value is not None}
    named = {str(tag.get("Key")) for tag in tags}
    own = [tag for tag in kept.get("Tags") or () if str(tag.get("Key")) not in named]
    kept |= {"Tags": [*own, *({"Key": tag["Key"], "Value": tag["Value"]} for tag in tags)]} if own or tags else {}
    where, places = (_subnet_of, subnets) if subnets else (_zone_of, zones)

    def make(now: Definition | None, others: Sequence[Definition]) -> Definition:
        if not places:
            return {"Type": INSTANCE, "Properties": kept}
        place = None if now is None else where(now["Properties"])
        if place not in places:
            taken = Counter(where(one["Properties"]) for one in others)
            place = min(places, key=lambda one: taken[one])
        return {"Type": INSTANCE, "Properties": _in_subnet(kept, place) if subnets else {**kept, _ZONE: place}}

    return make


def _subnet_of(properties: Mapping[str, Value]) -> Value:
    interfaces = properties.get(_INTERFACES)
    return interfaces[0].get(_SUBNET) if interfaces else properties.get(_SUBNET)


def _zone_of(properties: Mapping[str, Value]) -> Value:
    return properties.get(_ZONE)


def _in_subnet(properties: Mapping[str, Value], subnet: Value) -> dict[str, Value]:
    """Interfaces that are written out have the subnet themselves."""
    interfaces = properties.get(_INTERFACES)
    if not interfaces:
        return {**properties, _SUBNET: subnet}
    return {**properties, _INTERFACES: [{**interfaces[0], _SUBNET: subnet}, *interfaces[1:]]}
