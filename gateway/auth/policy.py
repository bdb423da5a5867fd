"""Policy: oslo.policy rules with Heat's names and default roles (heat.md AUTH-08, §1.1)."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from engine.model.stack import Caller

_PROJECT = "project_id:%(project_id)s"
READER = f"(role:admin) or (role:reader and {_PROJECT}) or (role:member and {_PROJECT})"
MEMBER = f"(role:admin) or (role:member and {_PROJECT})"
AGENT = f"{READER} or (role:heat_stack_user)"  # what software inside a server may do with its own resource
ADMIN = "role:admin"
NOBODY = "!"

RULES: Mapping[str, str] = {
    **{
        f"stacks:{name}": READER
        for name in (
            "list_resource_types", "resource_schema", "list_template_versions", "list_template_functions", "index",
            "preview", "detail", "show", "template", "environment", "files", "list_outputs", "show_output",
            "list_snapshots", "show_snapshot",
        )
    },
    **{
        f"stacks:{name}": MEMBER
        for name in (
            "validate_template", "generate_template", "create", "update", "update_patch", "preview_update",
            "preview_update_patch", "delete", "abandon", "export", "snapshot", "delete_snapshot", "restore_snapshot",
        )
    },
    "stacks:lookup": AGENT,
    "stacks:global_index": NOBODY,
    "resource:index": READER,
    "resource:show": READER,
    "resource:metadata": AGENT,
    "resource:signal": AGENT,
    "resource:mark_unhealthy": MEMBER,
    "events:index": READER,
    "events:show": READER,
    "actions:suspend": MEMBER,
    "actions:resume": MEMBER,
    "actions:check": READER,
    "actions:cancel_update": MEMBER,
    "actions:cancel_without_rollback": MEMBER,
    "build_info:build_info": READER,
    "service:index": ADMIN,
    "software_configs:index": READER,
    "software_deployments:index": READER,
}  # fmt: skip

_MOST_REMEMBERED = 10_000


class Policy:
    """Answers are remembered: a rule's answer depends on the roles and on whether the project is the caller's own."""

    def __init__(self, policy_file: str | None = None) -> None:
        self._file = policy_file
        self._enforcer: Any = None
        self._lock = threading.Lock()
        self._known: dict[tuple[str, tuple[str, ...], bool], bool] = {}

    def allows(self, rule: str, caller: Caller, project_id: str) -> bool:
        """Whether `caller` may do `rule` in `project_id`. The first call imports oslo.policy."""
        key = (rule, caller.roles, caller.project_id == project_id)
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            credentials = {"roles": list(caller.roles), "project_id": caller.project_id, "user_id": caller.user_id}
            found = bool(self._rules().enforce(rule, {"project_id": project_id}, credentials))
            self._known[key] = found
        return found

    def _rules(self) -> Any:
        with self._lock:
            if self._enforcer is None:
                from oslo_config import cfg
                from oslo_policy import policy

                conf = cfg.ConfigOpts()
                conf([], project="isotherm", default_config_files=[])
                enforcer = policy.Enforcer(conf, policy_file=self._file)
                enforcer.register_defaults([policy.RuleDefault(name, check) for name, check in RULES.items()])
                enforcer.load_rules()
                self._enforcer = enforcer
        return self._enforcer
