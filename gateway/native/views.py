"""Engine records as the native API's objects (heat.md APIO rows)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from engine.expr.parameters import shown
from engine.model.stack import (
    Change,
    ChangeAction,
    EngineService,
    Event,
    Options,
    OutputValue,
    Replacement,
    ResourceRecord,
    Snapshot,
    Stack,
)
from engine.model.status import Action, OnFailure
from engine.model.template import MISSING, Template
from engine.model.value import NO_VALUE, UNKNOWN, Value

NO_DESCRIPTION = "No description"
NO_OUTPUT_DESCRIPTION = "No description given"


class Links:
    """URLs of one request: its host, its version prefix, its tenant (APIX-18)."""

    def __init__(self, root: str, tenant: str) -> None:
        self._root, self._tenant = root, tenant

    def place(self, tenant: str, name: str, stack_id: str) -> str:
        return f"{self._root}/{quote(tenant)}/stacks/{quote(name)}/{quote(stack_id)}"

    def stack(self, stack: Stack) -> str:
        return self.place(self._tenant, stack.name, stack.id)

    def resource(self, stack: Stack, address: str) -> str:
        return f"{self.stack(stack)}/resources/{quote(address, safe='/~')}"


def when(time: dt.datetime | None) -> str | None:
    """APIX-15."""
    return None if time is None else time.strftime("%Y-%m-%dT%H:%M:%SZ")


def tags(stack: Stack) -> list[str] | None:
    """Tags of the native API have no value; CloudFormation's are shown as `key=value`."""
    return tag_names(stack.options) or None


def tag_names(options: Options) -> list[str]:
    return list(options.tag_names)


def parameters_shown(
    template: Template, given: Mapping[str, Value], project_id: str, stack_name: str
) -> dict[str, str]:  # fmt: skip
    """APIO-02, of a stack that is not there yet: everything as text, hidden values masked."""
    found = {"OS::project_id": project_id, "OS::stack_id": "None", "OS::stack_name": stack_name}
    for name, parameter in template.parameters.items():
        value = given.get(name, parameter.default)
        if value is not MISSING:
            found[name] = "******" if parameter.hidden else shown(value)
    return found


def status(stack: Stack) -> str:
    if stack.action is Action.INIT:
        return "INIT_COMPLETE"
    return stack.state


def stack_summary(stack: Stack, links: Links, *, project: bool = False) -> dict[str, Any]:
    """APIO-01."""
    found: dict[str, Any] = {
        "id": stack.id,
        "links": [{"href": links.stack(stack), "rel": "self"}],
        "stack_name": stack.name,
        "description": "",
        "stack_status": status(stack),
        "stack_status_reason": stack.status_reason,
        "creation_time": when(stack.created),
        "updated_time": when(stack.updated),
        "deletion_time": when(stack.deleted),
        "stack_owner": stack.user_name,
        "parent": stack.parent_id,
        "stack_user_project_id": stack.project_id,
        "tags": tags(stack),
    }
    if project:
        found["project"] = stack.project_id
    return found


def stack_full(stack: Stack, links: Links, *, outputs: bool = True) -> dict[str, Any]:
    """APIO-02."""
    found = stack_summary(stack, links)
    parameters = {
        "OS::project_id": stack.project_id,
        "OS::stack_id": stack.id,
        "OS::stack_name": stack.name,
        **stack.parameters,
    }
    found |= {
        "description": stack.description or NO_DESCRIPTION,
        "template_description": stack.description or NO_DESCRIPTION,
        "parameters": parameters,
        "disable_rollback": stack.options.on_failure is OnFailure.DO_NOTHING,
        "timeout_mins": stack.options.timeout_mins,
        "notification_topics": [],
        "capabilities": [],
    }
    if outputs and not (stack.action is Action.DELETE and stack.deleted is not None):
        found["outputs"] = [output(one) for one in stack.outputs]
    return found


def output(one: OutputValue) -> dict[str, Any]:
    found: dict[str, Any] = {
        "output_key": one.name,
        "description": one.description or NO_OUTPUT_DESCRIPTION,
        "output_value": one.value,
    }
    if one.error is not None:
        found["output_error"] = one.error
    return found


def resource(
    record: ResourceRecord, stack: Stack, links: Links, *, parent: str | None = None, nested: Stack | None = None
) -> dict[str, Any]:
    """APIO-03. `nested` is the stack behind the resource, `parent` the resource that holds its stack or group."""
    found: dict[str, Any] = {
        "resource_name": record.address,
        "logical_resource_id": record.address,
        "resource_type": record.type,
        "resource_status": record.state,
        "resource_status_reason": record.status_reason or "state changed",
        "physical_resource_id": record.physical_id or "",
        "creation_time": when(record.created),
        "updated_time": when(record.updated),
        "required_by": list(record.required_by),
        "links": [
            {"href": links.resource(stack, record.address), "rel": "self"},
            {"href": links.stack(stack), "rel": "stack"},
        ],
    }
    if nested is not None:
        found["links"].append({"href": links.stack(nested), "rel": "nested"})
    if parent is not None:
        found["parent_resource"] = parent
    return found


def resource_full(
    record: ResourceRecord, stack: Stack, links: Links, attributes: Mapping[str, Value], *,
    parent: str | None = None, nested: Stack | None = None,
) -> dict[str, Any]:  # fmt: skip
    """APIO-04."""
    found = resource(record, stack, links, parent=parent, nested=nested)
    return {**found, "description": record.description, "attributes": dict(attributes)}


def event(one: Event, stack: Stack, links: Links, *, root: Stack | None = None, full: bool = False) -> dict[str, Any]:
    """APIO-06 and APIO-07."""
    name = stack.name if one.address is None else one.address
    place = links.stack(stack) if one.address is None else links.resource(stack, one.address)
    reason = one.reason or ("state changed" if one.address is not None else "")
    found: dict[str, Any] = {
        "id": one.id,
        "event_time": when(one.time),
        "resource_name": name,
        "logical_resource_id": name,
        "resource_status": f"{one.action}_{one.status}",
        "resource_status_reason": reason,
        "physical_resource_id": one.physical_id,
        "links": [
            {"href": f"{links.resource(stack, name)}/events/{one.id}", "rel": "self"},
            {"href": place, "rel": "resource"},
            {"href": links.stack(stack), "rel": "stack"},
        ],
    }
    if root is not None:
        found["links"].append({"href": links.stack(root), "rel": "root_stack"})
    if full:
        found |= {"resource_type": one.type, "resource_properties": dict(one.properties)}
    return found


def snapshot(one: Snapshot) -> dict[str, Any]:
    """APIO-08."""
    return {
        "id": one.id,
        "name": one.name,
        "action": "CREATE",
        "status": one.status.value,
        "status_reason": one.reason,
        "data": None if one.data is None else dict(one.data),
        "creation_time": when(one.created),
    }


def planned(change: Change, stack_name: str, stack_id: str, tenant: str) -> dict[str, Any]:
    """APIO-05: the engine's raw form."""
    identity = {"stack_name": stack_name, "stack_id": stack_id, "tenant": tenant, "path": ""}
    return {
        "resource_name": change.address,
        "resource_type": change.type,
        "resource_action": "INIT",
        "resource_status": "COMPLETE",
        "resource_status_reason": "",
        "physical_resource_id": change.physical_id or "",
        "resource_identity": {**identity, "path": f"/resources/{change.address}"},
        "stack_identity": identity,
        "stack_name": stack_name,
        "creation_time": None,
        "updated_time": None,
        "description": "",
        "metadata": {},
        "attributes": {},
        "required_by": [],
        "properties": known(change.after),
    }


def resource_changes(
    changes: Sequence[Change], stack_name: str, stack_id: str, tenant: str
) -> dict[str, list[dict[str, Any]]]:
    """API-24: what an update would do; members of a lowered resource name it as their parent."""
    found: dict[str, list[dict[str, Any]]] = {
        "unchanged": [], "updated": [], "replaced": [], "added": [], "deleted": [],
    }  # fmt: skip
    for change in changes:
        one = planned(change, stack_name, stack_id, tenant)
        if change.group is not None:
            one["parent_resource"] = change.group
        found[_bucket(change)].append(one)
    return found


def _bucket(change: Change) -> str:
    match change.action:
        case ChangeAction.NONE:
            return "unchanged"
        case ChangeAction.ADD | ChangeAction.IMPORT:
            return "added"
        case ChangeAction.REMOVE:
            return "deleted"
        case ChangeAction.MODIFY:
            return "replaced" if change.replacement is Replacement.ALWAYS else "updated"


def known(value: Value) -> Value:
    """A value for JSON: UNKNOWN is null, NO_VALUE is left out."""
    if value is UNKNOWN or value is NO_VALUE:
        return None
    if isinstance(value, Mapping):
        return {key: known(item) for key, item in value.items() if item is not NO_VALUE}
    if isinstance(value, list | tuple):
        return [known(item) for item in value if item is not NO_VALUE]
    return value


def service(one: EngineService, now: dt.datetime) -> dict[str, Any]:
    """API-46: down when it has not reported for two intervals."""
    late = (now - one.updated).total_seconds() > 2 * one.report_interval
    return {
        "id": one.id,
        "engine_id": one.id,
        "host": one.host,
        "hostname": one.hostname,
        "binary": one.binary,
        "topic": one.topic,
        "report_interval": one.report_interval,
        "created_at": when(one.created),
        "updated_at": when(one.updated),
        "deleted_at": None,
        "status": "down" if late else "up",
    }
