"""What dynamic references stand for, put into an operation at the moment it is handed to the cloud.

Rows, events, views and plans keep the references (cloudformation.md L91 to L93): a secret is in memory for as long as
the run takes, and nowhere else. A changed secret is no change of the resource, as in AWS.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import replace

from engine.cloud.contract import Cloud
from engine.expr.evaluate import evaluate
from engine.model.dynamic import BadReference, Reference, filled, hidden, is_public_image, parse, references_in
from engine.model.stack import OutputValue
from engine.model.template import Dialect, Resource
from engine.model.value import NO_VALUE, Value
from engine.plan.deployment import Deployment
from engine.plan.scope import View
from engine.resources.base import Operation, OperationFailed, ResourceType
from engine.resources.schema import check_properties, normalize
from engine.runs.context import RunContext
from engine.runs.ledger import Ledger
from engine.runs.secrets import secret_text
from engine.runs.stored import stored_value

_TELLING = 4  # characters; shorter values stand in any text by chance


class Lender:
    """Of one run; each reference is asked once."""

    def __init__(self, context: RunContext, ledger: Ledger, deployment: Deployment, view: View) -> None:
        self._store, self._ledger, self._deployment, self._view = context.store, ledger, deployment, view
        self._scope = deployment.scope(view)
        self._used = deployment.template.dialect is Dialect.CFN
        self._asked: dict[str, asyncio.Task[str]] = {}
        self._secrets: dict[str, str] = {}  # by reference: what must not be seen
        self._reading = asyncio.Lock()  # one look into our own database at a time is quick enough

    def plain(self, resource: Resource) -> tuple[Mapping[str, Value], frozenset[str]]:
        """The properties of the resource with references as they are written, and the references met on the way."""
        self._scope.met.clear()
        self._scope.refill()
        found = evaluate(resource.properties, self._scope)
        given: Mapping[str, Value] = {} if found is NO_VALUE else found
        if not self._used:
            return given, frozenset()
        return given, frozenset([*self._scope.met, *references_in(given)])

    async def lend(self, operation: Operation, resource: Resource, kind: ResourceType) -> None:
        """Put them into the operation's properties. Raises OperationFailed, its text without secrets."""
        nested = kind.inside(operation.properties, operation.stack.region)
        in_the_house = nested or (kind.local and kind.service is None)
        if not self._used or in_the_house:
            return  # it keeps the reference, and hands it on
        given, met = self.plain(resource)
        wanted = {*met, *references_in(operation.properties)}
        earlier = set(references_in(operation.before)) - wanted
        if not wanted and not earlier:
            return
        known = await self._values(operation, wanted)
        before = {**known, **await self._values(operation, earlier, patient=True)}
        plain = normalize(kind, given)
        clear = self._clear(resource, kind, known)
        taken_up = operation.properties != plain  # begun with other properties
        operation.before = {
            name: clear[name] if name in clear and value == plain.get(name) else filled(value, before)
            for name, value in operation.before.items()
        }
        operation.properties = filled(operation.properties, known) if taken_up else clear

    def _clear(self, resource: Resource, kind: ResourceType, known: Mapping[str, str]) -> Mapping[str, Value]:
        found = evaluate(resource.properties, self._deployment.scope(self._view, known=known))
        properties = normalize(kind, {} if found is NO_VALUE else filled(found, known))
        sentences = [finding.sentence for finding in check_properties(kind, properties)]
        sentences += kind.validate(properties)
        if sentences:
            raise OperationFailed(self.veil("; ".join(sentences)))
        return properties

    def hide(self, attributes: Mapping[str, Value]) -> Mapping[str, Value]:
        """Attributes in which the cloud echoes secrets, with the references in their place."""
        found: Mapping[str, Value] = hidden(attributes, self._secrets) if self._secrets else attributes
        return found

    def veil(self, text: str) -> str:
        """`text` without what the references to secrets stand for."""
        return str(hidden(text, self._secrets))

    async def outputs(self, outputs: tuple[OutputValue, ...]) -> tuple[OutputValue, ...]:
        """Outputs with what plain references (`ssm`) stand for; secrets stay references. Raises OperationFailed."""
        if not self._used:
            return outputs
        texts = {text for output in outputs for text in references_in(output.value)}
        known = {text: await self._asked_once(text, None) for text in texts if not _reference(text).secret}
        return tuple(replace(output, value=filled(output.value, known)) for output in outputs) if known else outputs

    # --- asking -------------------------------------------------------------------------------------------------------
    async def _values(self, operation: Operation, texts: Iterable[str], *, patient: bool = False) -> dict[str, str]:
        """By reference. `patient`: what cannot be had is left out."""
        listed = sorted(texts)
        told = await asyncio.gather(
            *(self._asked_once(text, operation.cloud) for text in listed), return_exceptions=patient
        )
        found = {text: value for text, value in zip(listed, told, strict=True) if isinstance(value, str)}
        for text, value in found.items():
            if _reference(text).secret and len(value) >= _TELLING:
                self._secrets[text] = value
        return found

    async def _asked_once(self, text: str, cloud: Cloud | None) -> str:
        if text not in self._asked or (self._asked[text].done() and self._asked[text].exception() is not None):
            self._asked[text] = asyncio.ensure_future(self._ask(_reference(text), text, cloud))
        return await asyncio.shield(self._asked[text])

    async def _ask(self, reference: Reference, text: str, cloud: Cloud | None) -> str:
        if reference.service == "ssm":
            version = int(reference.version) if reference.version else None
            project_id = self._deployment.identity.project_id
            async with self._reading:
                found = await stored_value(self._store, project_id, reference.name, version, self._ledger.all())
            if found is None and is_public_image(reference.name):
                return reference.name
            if found is None:
                named = ":".join(part for part in ("ssm", reference.name, reference.version) if part)
                hint = "An AWS::SSM::Parameter in a stack of this project makes one."
                raise OperationFailed(f"Parameters: [{named}] cannot be found. {hint}")
            return found
        assert cloud is not None
        return await secret_text(cloud, reference)


def _reference(text: str) -> Reference:
    try:
        return parse(text)
    except BadReference as error:
        raise OperationFailed(str(error)) from error
