"""Generic create, find, read, update, delete and check of one OpenStack object, over the SDK's declarations.

A type says which SDK class it is, how properties go over the wire, what its mark is, when it is ready. It writes a
hook only where the service is odd.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import quote

from engine.cloud.contract import Cloud, Ready
from engine.cloud.errors import Conflict, NotFound
from engine.cloud.sdk import SdkResource, describe
from engine.model.value import Value
from engine.resources.base import Differing, Gone, Operation, OperationFailed, ResourceType
from engine.resources.drift import differing
from engine.resources.mark import InDescription, Mark, Row
from engine.resources.references import resolve_references
from engine.resources.wire import at_path, to_wire


class OpenStackType(ResourceType):
    """`sdk` names the class under `openstack.`; `service` its catalogue type.

    `polled`: made slowly, so waiting begins at the shared poll and not with a look of its own. `lingers`: deletion
    takes a while and is waited for. `shown_whole`: the answer to a create is all that a look would show, so that a
    ready object needs none. `name_key`: the property that names the object; without it the name is made from the
    token (M3).
    """

    sdk: ClassVar[str]
    service: ClassVar[str | None]
    mark: ClassVar[Mark] = InDescription()
    ready_when: ClassVar[Ready | None] = None
    polled: ClassVar[bool] = False
    lingers: ClassVar[bool] = False
    shown_whole: ClassVar[bool] = False
    name_key: ClassVar[str | None] = "name"
    name_limit: ClassVar[int] = 255
    list_suffix: ClassVar[str] = ""  # collections whose plain list tells names only: "/detail"
    microversion: ClassVar[str | None] = None
    unsaid: ClassVar[frozenset[str]] = frozenset()  # not sent while false: naming them needs a right users may lack

    # --- what is on the wire ------------------------------------------------------------------------------------
    @property
    def wire(self) -> SdkResource:
        return describe(self.sdk)

    def collection(self, op: Operation) -> str:
        """The path of the collection."""
        return self.wire.base_path

    def path(self, op: Operation, object_id: str | None = None) -> str:
        return f"{self.collection(op)}/{object_id or op.physical_id}"

    def wrap(self, body: Mapping[str, Any]) -> dict[str, Any]:
        key = self.wire.resource_key
        return {key: dict(body)} if key else dict(body)

    def unwrap(self, body: Any) -> dict[str, Any]:
        key = self.wire.resource_key
        found = body.get(key, body) if key and isinstance(body, Mapping) else body
        return dict(found or {})

    def physical_name(self, op: Operation) -> str:
        """The user's name, or one made from the token."""
        own = op.properties.get(self.name_key) if self.name_key else None
        return own or op.physical_name(self.name_limit)

    def own_description(self, op: Operation) -> str | None:
        """The user's description, which the mark stands behind for a moment."""
        specs = op.properties.get("value_specs") or {}
        return op.properties.get("description") or specs.get("description")

    async def body(self, op: Operation) -> dict[str, Any]:
        """What create sends, without the mark."""
        properties = await resolve_references(self.properties, op.properties, op.cloud)
        said = {name: value for name, value in properties.items() if value or name not in self.unsaid}
        body = to_wire(self.properties, said)
        if self.name_key is not None:
            body[self.properties[self.name_key].body or self.name_key] = self.physical_name(op)
        body.update(properties.get("value_specs") or {})
        return body

    async def changes(self, op: Operation, changed: frozenset[str]) -> dict[str, Any]:
        """What update sends for these properties; one that is no longer given goes as null, a name is made anew."""
        after = {name: op.properties.get(name) for name in changed if name in self.properties}
        body = to_wire(self.properties, await resolve_references(self.properties, after, op.cloud), nulls=True)
        if self.name_key is not None and self.name_key in changed:
            body[self.properties[self.name_key].body or self.name_key] = self.physical_name(op)
        if "value_specs" in changed:
            body.update(op.properties.get("value_specs") or {})
        return body

    def kept(self, op: Operation, row: Mapping[str, Any]) -> dict[str, Value]:
        """The attributes of a live object."""
        shown = self.presented(op, row)
        found = {name: at_path(shown, one.body or name) for name, one in self.attributes.items()}
        found["show"] = shown
        return found

    def presented(self, op: Operation, row: Mapping[str, Any]) -> dict[str, Any]:
        """The live object without our mark in it."""
        return dict(row)

    # --- the verbs ------------------------------------------------------------------------------------------------
    async def prepare(self, op: Operation) -> Mapping[str, Value]:
        return await self.mark.prepare(self, op)

    async def alike(self, op: Operation) -> Sequence[Row]:
        """Objects with the same name and immutable properties, for types whose mark is a list made before (M7)."""
        name = self.physical_name(op)
        return [row for row in await self.rows(op, {}) if row.get("name") == name]

    async def create(self, op: Operation) -> str | None:
        body = await self.body(op)
        self.mark.put(body, op.token)
        try:
            made = await self.post(op, body)
        except Conflict:
            # A retry of ours may have met its own earlier success (tokens.md rule 4).
            found = await self.find(op)
            if found is None:
                raise
            return found
        if self.shown_whole:
            op.made = made
        return str(made[self.wire.identity])

    async def post(self, op: Operation, body: Mapping[str, Any]) -> dict[str, Any]:
        reply = await self.call(op, self.wire.create_method, self.collection(op), self.wrap(body))
        return self.unwrap(reply)

    async def find(self, op: Operation) -> str | None:
        for row in await self.mark.rows(self, op):
            object_id = str(row[self.wire.identity])
            if self.mark.on(row, op) and self.is_ours(row, op) and object_id not in op.owned_ids:
                return object_id
        return None

    def is_ours(self, row: Row, op: Operation) -> bool:
        """Whether the row's project is the one the object was made for."""
        owner = row.get("project_id") or row.get("tenant_id")
        wanted = op.properties.get("tenant_id") or op.cloud.project_id
        return owner in (None, "", wanted)

    async def ready(self, op: Operation) -> Mapping[str, Value]:
        row = await self.unmarked(op, await self.settled(op))
        return self.kept(op, row)

    async def settled(self, op: Operation) -> dict[str, Any]:
        """The object once it is usable."""
        assert op.physical_id is not None
        if self.ready_when is None:
            return await self._first_look(op)
        if not self.polled:
            row = await self._first_look(op)
            if str(at_path(row, self.ready_when.path)).lower() in self.ready_when.ok:
                return row
        wire = self.wire
        assert self.service is not None
        assert wire.resources_key is not None
        return await op.cloud.wait_ready(
            self.service, self.collection(op) + self.list_suffix, wire.resources_key, op.physical_id, self.ready_when,
            deadline=op.deadline, microversion=self.microversion,
        )  # fmt: skip

    async def _first_look(self, op: Operation) -> dict[str, Any]:
        """The object as its create has shown it, and otherwise as it is now."""
        made, op.made = op.made, None
        return dict(made) if made is not None else await self.read_row(op)

    async def unmarked(self, op: Operation, row: dict[str, Any]) -> dict[str, Any]:
        """The object with the user's own description back in place, where there is one (rule 7)."""
        own = self.own_description(op)
        if not own or not isinstance(self.mark, InDescription) or op.token not in (row.get("description") or ""):
            return row
        await self.put(op, {"description": own})
        return {**row, "description": own}

    async def read(self, op: Operation) -> Mapping[str, Value]:
        return self.presented(op, await self.read_row(op))

    async def read_row(self, op: Operation) -> dict[str, Any]:
        """The live object. Raises Gone."""
        if op.physical_id is None:
            raise Gone(f"{self.name} {op.address} was never made")
        try:
            return await self.show(op, op.physical_id)
        except NotFound as error:
            raise Gone(error.message) from error

    async def show(self, op: Operation, object_id: str) -> dict[str, Any]:
        """The live object with that id. Raises NotFound."""
        return self.unwrap(await self.call(op, "GET", self.path(op, object_id)))

    async def exists(self, cloud: Cloud, object_id: str) -> bool:
        """Whether the cloud has such an object; True too where its path needs more than its id (TR-08)."""
        kind = type(self)
        if kind.collection is not OpenStackType.collection or kind.path is not OpenStackType.path:
            return True
        path = f"{self.wire.base_path}/{quote(object_id, safe='')}"
        try:
            await cloud.request(self.service or "", "GET", path, microversion=self.microversion)
        except NotFound:
            return False
        return True

    async def update(self, op: Operation, changed: frozenset[str]) -> None:
        body = await self.changes(op, changed)
        if body:
            await self.put(op, body)

    async def put(self, op: Operation, body: Mapping[str, Any]) -> None:
        try:
            await self.call(op, self.wire.commit_method, self.path(op), self.wrap(body))
        except NotFound as error:
            if await self.vanished(op):
                raise Gone(error.message) from error
            raise

    async def vanished(self, op: Operation) -> bool:
        """Whether a 404 meant the object itself and not something the request named."""
        try:
            await self.read_row(op)
        except Gone:
            return True
        return False

    async def delete(self, op: Operation) -> None:
        assert op.physical_id is not None
        try:
            await self.call(op, "DELETE", self.path(op))
        except NotFound:
            return
        if self.lingers:
            await self.gone(op)

    async def gone(self, op: Operation) -> None:
        """Wait until the object has left its collection."""
        assert op.physical_id is not None
        assert self.service is not None
        assert self.wire.resources_key is not None
        await op.cloud.wait_gone(
            self.service, self.collection(op) + self.list_suffix, self.wire.resources_key, op.physical_id,
            deadline=op.deadline, microversion=self.microversion,
        )  # fmt: skip

    async def check(self, op: Operation) -> Mapping[str, Value]:
        row = await self.read_row(op)
        if self.ready_when is not None:
            state = str(at_path(row, self.ready_when.path))
            if state.lower() not in self.ready_when.ok:
                expected = " or ".join(sorted(one.upper() for one in self.ready_when.ok))
                raise OperationFailed(f"'{self.ready_when.path}': expected '{expected}', got '{state}'")
        return self.kept(op, row)

    async def drift(self, op: Operation) -> Sequence[Differing]:
        return await self.differences(op, await self.read_row(op))

    async def differences(self, op: Operation, row: Mapping[str, Any]) -> list[Differing]:
        """Where `row` is not what the properties say; types add what the wire names do not show."""
        values = await resolve_references(self.properties, op.properties, op.cloud)
        return differing(self.properties, values, self.presented(op, row))

    async def live_attribute(self, op: Operation, name: str) -> Value:
        row = await self.read_row(op)
        return self.kept(op, row).get(name)

    # --- calls ----------------------------------------------------------------------------------------------------
    async def call(
        self, op: Operation, method: str, path: str, json: Any = None, *, params: Mapping[str, str] | None = None
    ) -> Any:
        """The answer's body."""
        assert self.service is not None
        reply = await op.cloud.request(
            self.service, method, path, json=json, params=params, microversion=self.microversion
        )
        return reply.body

    async def rows(self, op: Operation, params: Mapping[str, str]) -> Sequence[dict[str, Any]]:
        """The collection, as far as the service honours `params`."""
        assert self.service is not None
        assert self.wire.resources_key is not None
        return await op.cloud.list(
            self.service, self.collection(op) + self.list_suffix, self.wire.resources_key,
            params=params, microversion=self.microversion,
        )  # fmt: skip
