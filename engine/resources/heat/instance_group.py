"""OS::Heat::InstanceGroup: so many instances of a launch configuration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine.model.value import Value
from engine.resources.base import Operation, OperationFailed
from engine.resources.declare import attribute, integer, listing, mapping, string
from engine.resources.duration import seconds
from engine.resources.heat.capacity import Limits
from engine.resources.heat.instances import Instances, instance_maker
from engine.resources.heat.rolling import Pace
from engine.resources.heat.scaling_group import Maker

#: Where a launch configuration keeps the properties of its instances.
LAUNCH = "instance"
_LONGEST_PAUSE = 3600  # seconds


class InstanceGroup(Instances):
    """No policy scales it; its size is the property's."""

    name = "OS::Heat::InstanceGroup"
    scalable = False
    properties = {
        "AvailabilityZones": listing(None, required=True),
        "LaunchConfigurationName": string(required=True, mutable=True),
        "Size": integer(required=True, mutable=True),
        "LoadBalancerNames": listing(None),
        "Tags": listing(mapping({"Key": string(required=True), "Value": string(required=True)})),
    }
    attributes = {"InstanceList": attribute()}
    update_policy = {
        "RollingUpdate": mapping(
            {
                "MinInstancesInService": integer(default=0),
                "MaxBatchSize": integer(default=1),
                "PauseTime": string(default="PT0S"),
            }
        )
    }

    def validate(self, properties: Mapping[str, Value]) -> Sequence[str]:
        size = properties.get("Size")
        found = ["Size can not be less than zero"] if isinstance(size, int) and size < 0 else []
        if properties.get("LoadBalancerNames"):
            found.append("LoadBalancerNames: there are no load balancers of that kind; leave it out")
        return found

    def limits(self, properties: Mapping[str, Value]) -> Limits:
        return Limits(properties["Size"], properties["Size"])

    async def maker(self, op: Operation) -> Maker:
        """Raises OperationFailed when the stack has no such launch configuration."""
        reference = op.properties["LaunchConfigurationName"]
        found = (await op.services.kept_by(reference) or {}).get("values") or {}
        if LAUNCH not in found:
            raise OperationFailed(
                f"LaunchConfigurationName: there is no launch configuration {reference} in the stack; give a reference "
                "to one"
            )
        tags = list(op.properties.get("Tags") or ())
        if not any(tag["Key"].startswith("metering.") for tag in tags):
            tags.append({"Key": "metering.groupname", "Value": op.physical_id or op.physical_name()})
        return instance_maker(found[LAUNCH], tags)

    def pace(self, op: Operation) -> Pace | None:
        """Without a policy instances keep what they were made with."""
        policy = op.update_policy.get("RollingUpdate")
        if not isinstance(policy, Mapping):
            return None
        pause = seconds(str(policy.get("PauseTime") or "PT0S"))
        if pause is None or pause > _LONGEST_PAUSE:
            raise OperationFailed(
                f"RollingUpdate.PauseTime: {policy['PauseTime']!r} is no duration of at most an hour; write PT5M for "
                "five minutes"
            )
        return Pace(max(1, int(policy.get("MaxBatchSize") or 1)), int(policy.get("MinInstancesInService") or 0), pause)
