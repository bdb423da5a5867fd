"""Beginning a stack: created, or adopted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.door.part import Part
from engine.model.errors import LimitExceeded, NotSupported, StackExists
from engine.model.ids import new_id
from engine.model.source import Source
from engine.model.stack import Caller, Options, Stack
from engine.model.status import Action, Status
from engine.model.value import Value
from engine.plan.deployment import Deployment
from engine.resources.base import StackIdentity
from engine.runs import reasons
from engine.runs.spec import RunSpec
from engine.state.rows import event_params, options_value
from engine.state.store import live_name, stack_record
from engine.state.vault import dump


class Creating(Part):
    async def create_stack(
        self, caller: Caller, name: str, source: Source, options: Options, *, client_token: str | None = None
    ) -> Stack:
        """Validate everything, store, start; returns the CREATE_IN_PROGRESS stack."""
        return await self._create(caller, name, source, options, Action.CREATE, client_token)

    async def adopt_stack(
        self, caller: Caller, name: str, source: Source, options: Options, resources: Mapping[str, Mapping[str, Value]]
    ) -> Stack:
        """Like create, but every object is there already: `resources` has each address's `resource_id`."""
        if not self._context.settings.enable_stack_adopt:
            raise NotSupported("Stack Adopt not enabled (enable_stack_adopt).")
        return await self._create(caller, name, source, options, Action.ADOPT, None, adopt=resources)

    async def _create(
        self, caller: Caller, name: str, source: Source, options: Options, kind: Action, client_token: str | None,
        adopt: Mapping[str, Mapping[str, Value]] | None = None,
    ) -> Stack:  # fmt: skip
        if await self._context.store.stack_by_name(caller.project_id, name) is not None:
            raise StackExists(name)
        await self._refuse_too_many(caller)
        source = await self.answered(caller, source)
        stack_id = new_id()
        identity = self._identity(stack_id, name, caller.project_id)
        cloud = self._cloud(caller)
        deployment = await self._validator.whole(identity, source, cloud, options)
        delegation = await self._delegation(caller, needed=self._validator.outside(deployment))
        spec = RunSpec(
            kind, on_failure=options.on_failure, deadline=self._deadline(options), adopt=adopt or {},
            retain_except_on_create=options.retain_except_on_create,
        )  # fmt: skip
        values = self._stack_values(caller, stack_id, name, deployment, options, client_token)
        values.update(
            action=kind.value, status=Status.IN_PROGRESS.value, reason=reasons.started(kind),
            run_json=dump(spec.value()), delegation_json=self._sealed(delegation),
        )  # fmt: skip
        stack = self._record({**values, "revision": None})
        event = event_params(stack, values["created"], None)
        await self._context.store.add_stack(values, source, event)
        self._context.ring(stack_id)
        return stack

    async def _refuse_too_many(self, caller: Caller) -> None:
        limit = self._context.settings.max_stacks_per_tenant
        if caller.is_admin or limit < 0:
            return
        if await self._context.store.live_stacks(caller.project_id) >= limit:
            raise LimitExceeded(f"You have reached the maximum stacks per tenant, {limit}. Please delete some stacks.")

    def _identity(self, stack_id: str, name: str, project_id: str, root_id: str | None = None) -> StackIdentity:
        return StackIdentity(stack_id, name, project_id, root_id or stack_id, self._context.settings.region)

    def _deadline(self, options: Options) -> int | None:
        if options.timeout_mins is None:
            return None
        return self._context.clock.now() + options.timeout_mins * 60_000_000

    def _sealed(self, delegation: Mapping[str, Value] | None) -> str | None:
        return None if delegation is None else self._context.store.vault.seal(dict(delegation))

    def _stack_values(
        self, caller: Caller, stack_id: str, name: str, deployment: Deployment, options: Options,
        client_token: str | None,
    ) -> dict[str, Any]:  # fmt: skip
        return {
            "id": stack_id,
            "name": name,
            "project_id": caller.project_id,
            "user_id": caller.user_id,
            "user_name": caller.user_name,
            "parent_id": None,
            "parent_address": None,
            "root_id": stack_id,
            "depth": 0,
            "dialect": deployment.template.dialect.value,
            "description": deployment.template.description,
            "reverting": None,
            "cleaning": False,
            "options_json": dump(options_value(options)),
            "parameters_json": dump(dict(deployment.bindings.shown)),
            "outputs_json": "[]",
            "created": self._context.clock.now(),
            "updated": None,
            "deleted": None,
            "good_revision": None,
            "operation_id": new_id(),
            "client_token": client_token,
            "delegation_json": None,
            "owner": None,
            "epoch": 0,
            "lease_until": None,
            "version": 0,
            "drift_status": None,
            "drift_checked": None,
            "live_name": live_name(caller.project_id, name),
        }

    def _record(self, values: Mapping[str, Any]) -> Stack:
        return stack_record(_Row(values), self._context.store.vault)

    async def _again(self, stack_id: str) -> Stack:
        found = await self._context.store.stack(stack_id)
        assert found is not None
        return found


class _Row:
    """A mapping read like a row of a result."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.__dict__.update(values)
