"""Completing the record of a resource that became several objects, once these are there."""

from __future__ import annotations

from engine.expr.evaluate import evaluate
from engine.model.diagnostic import Invalid
from engine.model.status import Action, Status
from engine.model.template import Group
from engine.model.value import as_json, as_text
from engine.plan.deployment import Deployment
from engine.runs.ledger import Ledger
from engine.runs.record import Recorder
from engine.runs.spec import RunSpec
from engine.runs.step import StepFailed
from engine.state.rows import ResourceRow


class Sealer:
    """Of one run."""

    def __init__(self, ledger: Ledger, deployment: Deployment, spec: RunSpec, record: Recorder) -> None:
        self._ledger, self._deployment, self._spec, self._record = ledger, deployment, spec, record

    async def seal(self, group: Group) -> None:
        """Evaluate what the group shows, and complete its row. Raises StepFailed."""
        begun = self._ledger.group_begun(group.address)
        row = self._ledger.group_row(group) or self._ledger.new_group(group)
        before = row.properties
        try:
            self._fill(row, group)
        except Invalid as error:
            reason = self._record.veil(str(error))
            await self._ledger.move(row, row.action, Status.FAILED, reason, guarded=False)
            raise StepFailed(group.address, reason) from error
        changed = begun or row.status is not Status.COMPLETE or row.properties != before or row.condemned
        row.condemned = False
        requires = self._record.requires(group.address)
        if not changed and row.requires == requires:
            return
        row.requires, row.revision = requires, self._spec.target
        row.deletion_policy, row.replace_policy = group.deletion_policy, group.update_replace_policy
        fresh = row.action in (Action.CREATE, Action.IMPORT) and row.status is not Status.COMPLETE
        others = [other for other in self._ledger.generations(group.address) if other is not row]
        action = row.action if fresh else Action.UPDATE
        await self._ledger.move(row, action, Status.COMPLETE, announce=changed, also=others, durable=False)

    def _fill(self, row: ResourceRow, group: Group) -> None:
        scope, masked = self._record.scope, self._record.masked
        written, reference = as_json(evaluate(group.properties, scope)), as_text(evaluate(group.reference, scope))
        attributes = {name: as_json(evaluate(one, scope)) for name, one in group.attributes.items()}
        metadata = {} if group.metadata is None else as_json(evaluate(group.metadata, scope))
        row.shown = None if masked is None else as_json(evaluate(group.properties, masked))
        row.properties, row.physical_id, row.attributes, row.metadata = written, reference, attributes, metadata
        row.secret, row.description = self._deployment.has_secrets, group.description
