"""OS::Swift::Container."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from engine.cloud.errors import Conflict, NotFound
from engine.model.value import Value
from engine.resources.base import Gone, Kind, Operation, OperationFailed, ResourceType
from engine.resources.declare import attribute, boolean, mapping, string

_MARK = "x-container-meta-oe"


class Container(ResourceType):
    """The name is the key: what was there before is never taken for ours, and the mark is in a header (M4)."""

    name = "OS::Swift::Container"
    service = "object-store"
    race_safe = True
    properties = {
        "name": string(),
        "X-Container-Read": string(),
        "X-Container-Write": string(),
        "X-Container-Meta": mapping(None, default={}),
        "X-Account-Meta": mapping(None, default={}),
        "PurgeOnDelete": boolean(default=False),
    }
    attributes = {
        "DomainName": attribute(),
        "WebsiteURL": attribute(),
        "RootURL": attribute(),
        "ObjectCount": attribute(Kind.INTEGER),
        "BytesUsed": attribute(Kind.INTEGER),
        "HeadContainer": attribute(Kind.MAP),
    }

    def validate(self, properties: Mapping[str, Value]) -> Sequence[str]:
        name = properties.get("name")
        if isinstance(name, str) and ("/" in name or len(name.encode()) > 256):
            return ["name: a container's name has no slash and at most 256 bytes"]
        return ()

    # --- the verbs ------------------------------------------------------------------------------------------------
    async def prepare(self, op: Operation) -> Mapping[str, Value]:
        return {"absent": await self._head(op, self._name(op)) is None}

    async def create(self, op: Operation) -> str | None:
        name = self._name(op)
        if not op.data.get("absent"):
            raise OperationFailed(
                f"The container {name} exists already and is not this resource's; choose another name"
            )
        headers = {f"X-Container-Meta-{key}": str(value) for key, value in op.properties["X-Container-Meta"].items()}
        headers[_MARK] = op.token
        for header in ("X-Container-Read", "X-Container-Write"):
            if op.properties.get(header):
                headers[header] = op.properties[header]
        await op.cloud.request("object-store", "PUT", _path(name), headers=headers)
        if op.properties["X-Account-Meta"]:
            account = {f"X-Account-Meta-{key}": str(value) for key, value in op.properties["X-Account-Meta"].items()}
            await op.cloud.request("object-store", "POST", "", headers=account)
        return name

    async def find(self, op: Operation) -> str | None:
        name = self._name(op)
        found = await self._head(op, name)
        return name if found is not None and found.get(_MARK) == op.token else None

    async def ready(self, op: Operation) -> Mapping[str, Value]:
        return await self._attributes(op)

    async def read(self, op: Operation) -> Mapping[str, Value]:
        found = (await self._attributes(op))["HeadContainer"]
        assert isinstance(found, Mapping)
        return found

    async def update(self, op: Operation, changed: frozenset[str]) -> None:
        return

    async def delete(self, op: Operation) -> None:
        assert op.physical_id is not None
        path = _path(op.physical_id)
        if op.properties["PurgeOnDelete"]:
            await self._purge(op, path)
        try:
            await op.cloud.request("object-store", "DELETE", path)
        except NotFound:
            return
        except Conflict as error:
            if op.properties["PurgeOnDelete"]:
                raise
            raise OperationFailed(
                f"Deleting non-empty container ({op.physical_id}) when PurgeOnDelete is False is not supported"
            ) from error

    async def _purge(self, op: Operation, path: str) -> None:
        try:
            rows = await op.cloud.list("object-store", path, "", params={"format": "json"})
        except NotFound:
            return
        for row in rows:
            try:
                await op.cloud.request("object-store", "DELETE", f"{path}/{quote(str(row['name']))}")
            except NotFound:
                continue

    # --- looking ----------------------------------------------------------------------------------------------------
    def _name(self, op: Operation) -> str:
        return str(op.properties.get("name") or op.physical_name())

    async def _head(self, op: Operation, name: str) -> Mapping[str, str] | None:
        try:
            return (await op.cloud.request("object-store", "HEAD", _path(name))).headers
        except NotFound:
            return None

    async def _attributes(self, op: Operation) -> dict[str, Any]:
        assert op.physical_id is not None
        found = await self._head(op, op.physical_id)
        if found is None:
            raise Gone(f"The container {op.physical_id} does not exist any more")
        shown = {key: value for key, value in found.items() if key != _MARK}
        return {
            "DomainName": "",
            "WebsiteURL": _path(op.physical_id),
            "RootURL": _path(""),
            "ObjectCount": int(found.get("x-container-object-count", 0)),
            "BytesUsed": int(found.get("x-container-bytes-used", 0)),
            "HeadContainer": shown,
            "show": shown,
        }


def _path(name: str) -> str:
    return f"/{quote(name, safe='')}"
