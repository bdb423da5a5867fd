"""AWS::AutoScaling::*: groups of instances, what their instances are, and policies."""

from __future__ import annotations

from engine.model.expression import AttributeRef, Expression, Literal, MapOf, NoValue, TableLookup
from engine.model.template import Resource
from translators.lowering import launch, logic, network
from translators.lowering.draft import Draft
from translators.lowering.signals import await_signals, signal_box
from translators.lowering.world import property_of

_ROLLING = "AutoScalingRollingUpdate"
_ROLLING_KEYS = frozenset(
    {
        "MaxBatchSize", "MinActiveInstancesPercent", "MinInstancesInService", "MinSuccessfulInstancesPercent",
        "PauseTime", "SuspendProcesses", "WaitOnResourceSignals",
    }
)  # fmt: skip


# --- groups ---------------------------------------------------------------------------------------------------------
def group(draft: Draft) -> None:
    made = draft.members["group"]
    instance = _instance(draft)
    if instance is not None:
        made.properties["instance"] = instance
    made.properties["heat_format"] = Literal(draft.of_heat)
    if draft.prop("VPCZoneIdentifier") is None and draft.prop("AvailabilityZones") is None:
        draft.error("PropertyMissing", f"{draft.source.address}: nothing says where the instances are.",
                    "Give VPCZoneIdentifier or AvailabilityZones.")  # fmt: skip
    if draft.prop("AvailabilityZones") is not None and not draft.of_heat:  # Heat does not look at them
        made.properties["zones"] = draft.prop("AvailabilityZones") or NoValue()
    for subnet in _subnets(draft):
        for table in network.tables_of(draft.world, subnet).tables:
            # The way out is there when instances boot: cloud-init and cfn-signal need it.
            made.soft += [route.address for route in network.routes_of(draft.world, table)]
    _update_policy(draft)
    _creation_policy(draft)


def _subnets(draft: Draft) -> list[Resource]:
    """Those of the group's subnets that are in the template."""
    listed = logic.items(draft.prop("VPCZoneIdentifier")) or []
    found = [draft.world.named(one, network.SUBNET) for one in listed]
    return [one for one in found if one is not None]


def _instance(draft: Draft) -> Expression | None:
    """The properties of an instance: those that the launch configuration or template of this stack keeps."""
    ways = {name: value for name in ("LaunchConfigurationName", "LaunchTemplate", "MixedInstancesPolicy")
            if logic.present(value := draft.prop(name)) != logic.FALSE}  # fmt: skip
    if len(ways) != 1:
        draft.error(
            "PropertyConflict" if ways else "PropertyMissing",
            f"{draft.source.address}: just one of LaunchConfigurationName, LaunchTemplate and MixedInstancesPolicy "
            "says what the instances are.",
            f"There are {', '.join(ways)}." if ways else "Give one of them.",
        )
        return None
    ((name, value),) = ways.items()
    if name == "LaunchConfigurationName":
        found = _configuration(draft, value)
        if found is None:
            _unknown(draft, "launch configuration", name)
            return None
        return logic.attribute(f"{found.address}/configuration", "values", launch.INSTANCE)
    path = [name]
    if name == "MixedInstancesPolicy":
        wanted = logic.entry(value, "LaunchTemplate")
        if logic.entry(wanted, "Overrides") is not None:
            draft.warn("PropertyIgnored", "Overrides are ignored: all instances are as the launch template says.",
                       name, "LaunchTemplate", "Overrides")  # fmt: skip
        value = logic.entry(wanted, "LaunchTemplateSpecification")
        path += ["LaunchTemplate", "LaunchTemplateSpecification"]
    found = _template(draft, value)
    if found is None:
        _unknown(draft, "launch template", *path)
        return None
    version = logic.entry(value, "Version") or Literal("$Default")
    return AttributeRef(f"{found.address}/template", Literal("versions"), (version,))


def _unknown(draft: Draft, what: str, *path: str) -> None:
    draft.error("NotInTemplate", f"{draft.source.address}: the {what} is not a resource of this template.",
                f"Refer to a {what} of the template; what an instance is must be known here.", *path)  # fmt: skip


def _configuration(draft: Draft, value: Expression | None) -> Resource | None:
    found = draft.world.named(value, network.CONFIGURATION)
    if found is not None or logic.text(value) is None:
        return found
    return _called(draft, network.CONFIGURATION, "LaunchConfigurationName", logic.text(value))


def _template(draft: Draft, specification: Expression | None) -> Resource | None:
    found = draft.world.named(logic.entry(specification, "LaunchTemplateId"), network.TEMPLATE)
    name = logic.text(logic.entry(specification, "LaunchTemplateName"))
    return found if found is not None or name is None else _called(draft, network.TEMPLATE, "LaunchTemplateName", name)


def _called(draft: Draft, kind: str, key: str, name: str | None) -> Resource | None:
    return next((one for one in draft.world.of_type(kind) if logic.text(property_of(one, key)) == name), None)


# --- policies of the resource ---------------------------------------------------------------------------------------
def _update_policy(draft: Draft) -> None:
    """UpdatePolicy (heat.md ENGU-11, cloudformation.md L83)."""
    policy, made = draft.source.update_policy, draft.members["group"]
    replacing = logic.entry(logic.entry(policy, "AutoScalingReplacingUpdate"), "WillReplace")
    scheduled = logic.entry(logic.entry(policy, "AutoScalingScheduledAction"), "IgnoreUnmodifiedGroupSizeProperties")
    if replacing is not None:
        made.properties["replace"] = replacing
    if scheduled is not None:
        made.properties["keep_size"] = scheduled
    rolling = logic.entry(policy, _ROLLING)
    if rolling is None:
        return
    for key in logic.keys(rolling):
        if key not in _ROLLING_KEYS:
            draft.findings.error(
                "UnsupportedProperty", f"Encountered unsupported property {key}",
                f"{_ROLLING} has {', '.join(sorted(_ROLLING_KEYS))}.", address=_policy_place(draft, key),
                span=rolling.span or draft.source.span,
            )  # fmt: skip
    if logic.entry(rolling, "MinActiveInstancesPercent") is not None:
        draft.findings.warning(
            "PropertyIgnored", f"{_ROLLING} MinActiveInstancesPercent is ignored: MinInstancesInService says it.",
            address=_policy_place(draft, "MinActiveInstancesPercent"), span=rolling.span or draft.source.span,
        )  # fmt: skip
    waits = logic.entry(rolling, "WaitOnResourceSignals")
    made.properties["rolling"] = logic.mapping(
        min_in_service=logic.entry(rolling, "MinInstancesInService"),
        max_batch_size=logic.entry(rolling, "MaxBatchSize"),
        pause_time=logic.entry(rolling, "PauseTime"),
        wait_for_signals=waits,
        percent=logic.entry(rolling, "MinSuccessfulInstancesPercent"),
    )
    if waits is not None:
        made.properties["signals_of"] = Literal(draft.source.address)


def _policy_place(draft: Draft, key: str) -> str:
    return f"{draft.place().rsplit('.', 1)[0]}.UpdatePolicy.{_ROLLING}.{key}"


def _creation_policy(draft: Draft) -> None:
    """The group is complete when its instances have said that they are, as often as asked."""
    made, creation = draft.members["group"], draft.source.creation_policy
    wanted = logic.entry(creation, "ResourceSignal")
    if wanted is None and "signals_of" not in made.properties:
        return
    signal_box(draft, made)
    if wanted is not None:
        share = logic.entry(logic.entry(creation, "AutoScalingCreationPolicy"), "MinSuccessfulInstancesPercent")
        await_signals(draft, draft.attr("group", "stack_id"), share)


# --- launch configurations ------------------------------------------------------------------------------------------
def launch_configuration(draft: Draft) -> None:
    """A record of what an instance is; another one for every change, as in AWS."""
    instance = launch.of_configuration(draft)
    made = draft.members["configuration"]
    made.properties["values"] = MapOf(((launch.INSTANCE, instance),))
    made.properties["fixed"] = MapOf(((launch.INSTANCE, instance),))


def launch_template(draft: Draft) -> None:
    data = draft.prop("LaunchTemplateData")
    if not isinstance(data, MapOf):
        draft.error("NotWrittenOut", "LaunchTemplateData must be written out.", "Write its properties by their names.",
                    "LaunchTemplateData")  # fmt: skip
        return
    draft.members["template"].properties["data"] = launch.of_template(draft, data)


# --- scaling policies -----------------------------------------------------------------------------------------------
#: AdjustmentType → the native word for it.
_ADJUSTMENTS = {
    "ChangeInCapacity": "change_in_capacity",
    "ExactCapacity": "exact_capacity",
    "PercentChangeInCapacity": "percent_change_in_capacity",
}


def policy(draft: Draft) -> None:
    for name in ("AdjustmentType", "ScalingAdjustment"):
        if logic.present(draft.prop(name)) == logic.FALSE:
            draft.error("PropertyMissing", f"{draft.source.address}: a policy that is signalled needs {name}.",
                        f"Add {name}.")  # fmt: skip
    kind = draft.prop("AdjustmentType")
    if kind is None:
        return
    written = logic.text(kind)
    if written is not None and written not in _ADJUSTMENTS:
        draft.error("PropertyConstraint", f"AdjustmentType {written} is none of {', '.join(_ADJUSTMENTS)}.",
                    "Use one of these.", "AdjustmentType")  # fmt: skip
        return
    draft.members["policy"].properties["adjustment_type"] = TableLookup(tuple(_ADJUSTMENTS.items()), kind)
