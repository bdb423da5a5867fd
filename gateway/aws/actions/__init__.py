"""The actions that are served, by name. An action that is not here is refused by its name (W13)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeAlias

from gateway.aws.actions import change_sets, drift, events, exports, protection, resources, signals, stacks, templates
from gateway.aws.call import Call

Handler: TypeAlias = Callable[[Call], Awaitable[dict[str, Any] | None]]

ACTIONS: Final[Mapping[str, Handler]] = {
    "CancelUpdateStack": stacks.cancel_update_stack,
    "ContinueUpdateRollback": stacks.continue_update_rollback,
    "CreateChangeSet": change_sets.create_change_set,
    "CreateStack": stacks.create_stack,
    "DeleteChangeSet": change_sets.delete_change_set,
    "DeleteStack": stacks.delete_stack,
    "DescribeChangeSet": change_sets.describe_change_set,
    "DescribeEvents": events.describe_events,
    "DescribeStackDriftDetectionStatus": drift.describe_stack_drift_detection_status,
    "DescribeStackEvents": events.describe_stack_events,
    "DescribeStackResource": resources.describe_stack_resource,
    "DescribeStackResourceDrifts": drift.describe_stack_resource_drifts,
    "DescribeStackResources": resources.describe_stack_resources,
    "DescribeStacks": stacks.describe_stacks,
    "DetectStackDrift": drift.detect_stack_drift,
    "DetectStackResourceDrift": drift.detect_stack_resource_drift,
    "ExecuteChangeSet": change_sets.execute_change_set,
    "GetStackPolicy": protection.get_stack_policy,
    "GetTemplate": templates.get_template,
    "GetTemplateSummary": templates.get_template_summary,
    "ListChangeSets": change_sets.list_change_sets,
    "ListExports": exports.list_exports,
    "ListImports": exports.list_imports,
    "ListStackResources": resources.list_stack_resources,
    "ListStacks": stacks.list_stacks,
    "RollbackStack": stacks.rollback_stack,
    "SetStackPolicy": protection.set_stack_policy,
    "SignalResource": signals.signal_resource,
    "UpdateStack": stacks.update_stack,
    "UpdateTerminationProtection": protection.update_termination_protection,
    "ValidateTemplate": templates.validate_template,
}
