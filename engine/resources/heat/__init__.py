"""Types of the engine itself: values, groups, nested stacks, wait conditions."""

from typing import Final

TYPES: Final = {
    "OS::Heat::AutoScalingGroup": "autoscaling_group:AutoScalingGroup",
    "OS::Heat::InstanceGroup": "instance_group:InstanceGroup",
    "OS::Heat::None": "none:NoneResource",
    "OS::Heat::RandomString": "random_string:RandomString",
    "OS::Heat::ResourceChain": "resource_chain:ResourceChain",
    "OS::Heat::ResourceGroup": "resource_group:ResourceGroup",
    "OS::Heat::ScalingPolicy": "scaling_policy:ScalingPolicy",
    "OS::Heat::Stack": "stack:Stack",
    "OS::Heat::TemplateResource": "template_resource:TemplateResource",
    "OS::Heat::TestResource": "test_resource:TestResource",
    "OS::Heat::UpdateWaitConditionHandle": "wait_condition_handle:UpdateWaitConditionHandle",
    "OS::Heat::Value": "value:ValueResource",
    "OS::Heat::WaitCondition": "wait_condition:WaitCondition",
    "OS::Heat::WaitConditionHandle": "wait_condition_handle:WaitConditionHandle",
}
