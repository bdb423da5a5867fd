"""Change sets that take objects which exist already into a stack (cloudformation.md B14)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from engine.model.diagnostic import invalid
from engine.model.stack import Change, ChangeAction, Plan
from engine.plan.deployment import Deployment
from engine.resources.registry import Registry

#: Resource → the id of the object it is to be.
Imports = Mapping[str, str]


def as_import(plan: Plan, imports: Imports, *, fresh: bool) -> Plan:
    """`plan` with the additions of `imports` as such. Raises Invalid: an import makes, changes and removes nothing
    else; `fresh`: the stack is to be made by it, so that its outputs are new."""
    changed = [c for c in plan.changes if c.group is None and c.action is not ChangeAction.NONE]
    there = {c.address for c in plan.changes if c.address in imports and c.action is not ChangeAction.ADD}
    _refuse(there, "Resources {} passed in ResourcesToImport are already in the stack.", "Leave them out.")
    _refuse(
        {c.address for c in changed} - set(imports),
        "You have modified resources {} in your template that are not being imported.",
        "Update, create or delete operations cannot be executed during import operations: import first, update then.",
    )
    if "Outputs" in plan.other_changes and not fresh:
        raise invalid(
            "ImportNotAlone", "As part of the import operation, you cannot modify or add [Outputs].",
            "Import first, and change the outputs by an update.",
        )  # fmt: skip
    return replace(plan, changes=tuple(_imported(change, imports) for change in plan.changes))


def _imported(change: Change, imports: Imports) -> Change:
    logical = change.group or change.address
    if logical not in imports:
        return change
    return replace(
        change, action=ChangeAction.IMPORT, physical_id=imports[logical] if change.group is None else change.physical_id
    )


def _refuse(names: Collection[str], summary: str, way_out: str) -> None:
    if names:
        raise invalid("ImportNotAlone", summary.format(f"[{', '.join(sorted(names))}]"), way_out)


def to_adopt(deployment: Deployment, registry: Registry, imports: Imports) -> dict[str, dict[str, str]]:
    """Address → what the run is given of its object. Raises Invalid for a resource that is several objects here, of
    which one id tells nothing, and for what has none."""
    _refuse(
        set(imports) - {*deployment.resources, *deployment.groups}, "Resources {} to import are not in the template.",
        "Describe each resource to import in the template.",
    )  # fmt: skip
    found = {}
    for name, object_id in imports.items():
        group = deployment.groups.get(name)
        members = [name] if group is None else [one for one in group.members if one in deployment.resources]
        outside = [one for one in members if not registry.get(deployment.resources[one].type).local]
        if len(outside) != 1 or registry.get(deployment.resources[outside[0]].type).nested:
            types = ", ".join(sorted(deployment.resources[one].type for one in outside)) or "no object"
            raise invalid(
                "ImportNotSupported",
                f"ResourceTypes [{deployment.type_of(name)}] are not supported for Import: {name} is {types} in "
                "OpenStack.",
                "Import the objects as resources of these types.",
                address=name,
            )
        found[outside[0]] = {"resource_id": object_id}
    return found
