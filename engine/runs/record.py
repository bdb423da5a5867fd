"""What applying a resource writes into its row: what the template says of it, and how the attempt ended."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import NoReturn

from engine.expr.evaluate import evaluate
from engine.model.expression import Expression
from engine.model.status import Action, Status
from engine.model.template import Group, Resource
from engine.model.value import NO_VALUE, Value
from engine.plan.deployment import Deployment
from engine.plan.scope import DeploymentScope
from engine.resources.base import ResourceType
from engine.runs.ledger import Ledger
from engine.runs.lending import Lender
from engine.runs.spec import RunSpec
from engine.runs.step import NOT_THE_RESOURCE, StepFailed, explain
from engine.runs.wanted import Wanted
from engine.state.rows import ResourceRow


class Recorder:
    """Of one run."""

    def __init__(
        self, ledger: Ledger, deployment: Deployment, spec: RunSpec, lender: Lender, scope: DeploymentScope,
        masked: DeploymentScope | None,
    ) -> None:  # fmt: skip
        """`masked`: the scope in which hidden parameters are, None where there are none."""
        self._ledger, self._deployment, self._spec, self._lender = ledger, deployment, spec, lender
        self.scope, self.masked = scope, masked
        self.overtaken = False  # by a newer operation: what is interrupted keeps its state

    # --- rows -----------------------------------------------------------------------------------------------------
    def begin_row(self, resource: Resource, kind: ResourceType) -> ResourceRow:
        address = resource.address
        row = self._ledger.unborn(address, kind.name) or self._ledger.new_row(address, kind.name, resource.group)
        # From its first moment: going back to an earlier revision must not take up what this one began.
        row.revision = self._spec.target
        return row

    def condemn_others(self, row: ResourceRow) -> list[ResourceRow]:
        """There is one object of an address in the end: every other generation is left to the cleanup."""
        others = [o for o in self._ledger.generations(row.address) if o is not row and o.exists and not o.condemned]
        for other in others:
            other.condemned = True
        return others

    def requires(self, address: str) -> tuple[str, ...]:
        return tuple(sorted(self._deployment.requires[address]))

    def keep(self, row: ResourceRow, resource: Resource) -> bool:
        """Bring the row's own fields to the template's; returns whether any of them changed."""
        before = (row.requires, row.metadata, row.deletion_policy, row.replace_policy, row.description, row.condemned)
        row.requires = self.requires(resource.address)
        row.metadata = self._map(resource.metadata)
        row.deletion_policy, row.replace_policy = resource.deletion_policy, resource.update_replace_policy
        row.description, row.condemned = resource.description, False
        row.secret = row.secret or self._deployment.has_secrets
        after = (row.requires, row.metadata, row.deletion_policy, row.replace_policy, row.description, row.condemned)
        return before != after

    def fill(self, row: ResourceRow, wanted: Wanted) -> None:
        """The row of an object that is about to be there: its properties, and whether these are secret."""
        kind = wanted.kind
        row.properties, row.shown = wanted.properties, self.shown(wanted.resource)
        row.secret = row.secret or kind.secret_attributes or any(p.secret for p in kind.properties.values())

    def update_policy(self, resource: Resource) -> Mapping[str, Value]:
        return self._map(resource.update_policy)

    def _map(self, written: Expression | None) -> Mapping[str, Value]:
        found = {} if written is None else evaluate(written, self.scope)
        return found if isinstance(found, Mapping) else {}

    def shown(self, resource: Resource) -> Mapping[str, Value] | None:
        """The properties with hidden parameters masked, None when there are none."""
        if self.masked is None:
            return None
        found = evaluate(resource.properties, self.masked)
        return {} if found is NO_VALUE else found

    def veil(self, text: str) -> str:
        """`text` without anything secret that it may repeat."""
        return self._lender.veil(self._deployment.veil(text))

    # --- how it ended -----------------------------------------------------------------------------------------------
    @asynccontextmanager
    async def attempt(self, row: ResourceRow, action: Action, group: Group | None) -> AsyncIterator[None]:
        """Whatever ends what is done within is recorded. Raises StepFailed, what says nothing about the resource, and
        CancelledError."""
        try:
            yield
        except asyncio.CancelledError:
            await self._interrupted(row, action, group)
            raise
        except NOT_THE_RESOURCE:
            raise
        except Exception as error:
            await self.fail(row, action, error, group)

    async def fail(self, row: ResourceRow, action: Action, error: Exception, group: Group | None) -> NoReturn:
        reason = self.veil(explain(error))
        await self._ledger.move(row, action, Status.FAILED, reason, group=group, guarded=False)
        raise StepFailed(row.address, reason) from error

    async def _interrupted(self, row: ResourceRow, action: Action, group: Group | None) -> None:
        if self.overtaken:
            # The newer operation takes the row up from here; what is known of its object must not be lost.
            await self._ledger.write([row], guarded=False)
            return
        verb = "update" if action is Action.UPDATE else "creation"
        await self._ledger.move(row, action, Status.FAILED, f"Resource {verb} cancelled", group=group, guarded=False)

    async def complete(
        self, row: ResourceRow, action: Action, group: Group | None = None, also: Sequence[ResourceRow] = ()
    ) -> None:
        await self._ledger.move(row, action, Status.COMPLETE, group=group, also=also, durable=False)
