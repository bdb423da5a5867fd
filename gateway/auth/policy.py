"""Policy: oslo.policy rules with Heat's names and default roles (heat.md AUTH-08, AUTH-09, §1.1)."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

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
    "stacks:update_no_change": "rule:stacks:update_patch",
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

# Types that only administrators may use unless a policy file says otherwise; `*` stands for a whole namespace.
_ADMIN_TYPES = (
    "OS::Blazar::Host", "OS::Cinder::EncryptedVolumeType", "OS::Cinder::QoSAssociation", "OS::Cinder::QoSSpecs",
    "OS::Cinder::Quota", "OS::Cinder::VolumeType", "OS::Keystone::*", "OS::Manila::ShareType",
    "OS::Neutron::ProviderNet", "OS::Neutron::QoSBandwidthLimitRule", "OS::Neutron::QoSDscpMarkingRule",
    "OS::Neutron::QoSMinimumBandwidthRule", "OS::Neutron::QoSMinimumPacketRateRule", "OS::Neutron::QoSPolicy",
    "OS::Neutron::Quota", "OS::Neutron::Segment", "OS::Nova::Flavor", "OS::Nova::HostAggregate", "OS::Nova::Quota",
    "OS::Octavia::AvailabilityZone", "OS::Octavia::AvailabilityZoneProfile", "OS::Octavia::Flavor",
    "OS::Octavia::FlavorProfile", "OS::Octavia::Quota",
)  # fmt: skip
TYPE_RULES: Mapping[str, str] = {f"resource_types:{name}": ADMIN for name in _ADMIN_TYPES}

_MOST_REMEMBERED = 10_000
_FILE_SECONDS = 10  # how long an answer is kept when a policy file, which may change, was asked


class PolicyFileError(ValueError):
    """The configured policy file cannot be used; the text says why."""


class Policy:
    """Answers are remembered: a rule's answer depends on the roles and on whether the project is the caller's own.

    Raises PolicyFileError at once: oslo.policy would go on without a file that is not there.
    """

    def __init__(self, policy_file: str | None = None, now: Callable[[], float] = time.monotonic) -> None:
        if policy_file is not None:
            _check_file(policy_file)
        self._file, self._now = policy_file, now
        self._enforcer: Any = None
        self._lock = threading.Lock()
        self._known: dict[tuple[str, tuple[str, ...], bool], bool] = {}
        self._forget_at = now() + _FILE_SECONDS

    async def ready(self) -> None:
        """Return when `allows` can be asked. Importing oslo.policy takes a third of a second, once, in a thread."""
        if self._enforcer is None:
            await asyncio.to_thread(self._open)

    def allows(self, rule: str, caller: Caller, project_id: str) -> bool:
        """Whether `caller` may do `rule` in `project_id`; unknown rules are refused. Ask only once `ready`."""
        if self._file is not None and self._now() >= self._forget_at:
            self._known.clear()
            self._forget_at = self._now() + _FILE_SECONDS
        key = (rule, caller.roles, caller.project_id == project_id)
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            credentials = {"roles": list(caller.roles), "project_id": caller.project_id, "user_id": caller.user_id}
            found = bool(self._open().enforce(rule, {"project_id": project_id}, credentials))
            self._known[key] = found
        return found

    def forbidden_types(self, names: Iterable[str], caller: Caller, project_id: str) -> list[str]:
        """Those resource types among `names` that `caller` may not use (AUTH-09): by a rule of the type's own, or of
        its namespace (`resource_types:OS::Keystone::*`)."""
        rules = self._open().registered_rules.keys() | self._open().rules.keys()
        refused = []
        for name in names:
            asked = (f"resource_types:{name}", f"resource_types:{name.rpartition('::')[0]}::*")
            if any(rule in rules and not self.allows(rule, caller, project_id) for rule in asked):
                refused.append(name)
        return refused

    def _open(self) -> Any:
        with self._lock:
            if self._enforcer is None:
                from oslo_config import cfg
                from oslo_policy import policy

                conf = cfg.ConfigOpts()
                conf([], project="isotherm", default_config_files=[])
                enforcer = policy.Enforcer(conf, policy_file=self._file)
                rules = {**RULES, **TYPE_RULES}
                enforcer.register_defaults([policy.RuleDefault(name, check) for name, check in rules.items()])
                enforcer.load_rules()
                self._enforcer = enforcer
        return self._enforcer


def _check_file(path: str) -> None:
    try:
        found = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise PolicyFileError(f"policy_file {path} cannot be read: {error}") from error
    if found is not None and not isinstance(found, dict):
        raise PolicyFileError(f"policy_file {path} must be a map of rules by name.")
