"""OS::Cinder::VolumeAttachment: a volume on a server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.cloud.contract import Ready
from engine.cloud.errors import Conflict, NotFound
from engine.model.value import Value
from engine.resources.base import Gone, Operation, OperationFailed, ResourceType
from engine.resources.declare import named, string
from engine.resources.references import resolve_one

_ATTACHED = Ready(ok=frozenset({"in-use"}), failed=frozenset({"error", "error_attaching"}))
_DETACHED = Ready(ok=frozenset({"available"}), failed=frozenset({"error", "error_detaching"}))
_POLL = 0.5


class VolumeAttachment(ResourceType):
    """The key is the server with the volume (M4). The physical id is `<server>:<volume>`; templates see the volume."""

    name = "OS::Cinder::VolumeAttachment"
    service = "block-storage"
    race_safe = True
    properties = {
        "instance_uuid": string(required=True, mutable=True, refers="server"),
        "volume_id": named("volume", required=True, mutable=True),
        "mountpoint": string(mutable=True),
    }

    def reference(self, physical_id: str | None, attributes: Mapping[str, Value], address: str) -> Value:
        return physical_id.partition(":")[2] if physical_id else None

    async def prepare(self, op: Operation) -> Mapping[str, Value]:
        """Whether somebody else has attached it already: theirs is never taken for ours."""
        server, volume = await self._key(op)
        return {"absent": await self._row(op, server, volume) is None}

    async def create(self, op: Operation) -> str | None:
        server, volume = await self._key(op)
        await self._attach(op, server, volume)
        return f"{server}:{volume}"

    async def find(self, op: Operation) -> str | None:
        server, volume = await self._key(op)
        if not op.data.get("absent") or await self._row(op, server, volume) is None:
            return None
        return f"{server}:{volume}"

    async def ready(self, op: Operation) -> Mapping[str, Value]:
        server, volume = self._now(op)
        await self._wait(op, volume, _ATTACHED)
        row = await self._row(op, server, volume)
        if row is None:
            raise OperationFailed(f"Nova gave up attaching volume {volume} to server {server}")
        return {"show": row}

    async def read(self, op: Operation) -> Mapping[str, Value]:
        server, volume = self._now(op)
        row = await self._row(op, server, volume)
        if row is None:
            raise Gone(f"Volume {volume} is not attached to server {server} any more")
        return row

    async def check(self, op: Operation) -> Mapping[str, Value]:
        return {"show": await self.read(op)}

    async def update(self, op: Operation, changed: frozenset[str]) -> None:
        """Another server or volume: detached there, attached here, noted so that deleting finds it."""
        await self._detach(op, *self._now(op))
        server, volume = await self._key(op)
        await op.remember(now=f"{server}:{volume}")
        await self._attach(op, server, volume)

    async def delete(self, op: Operation) -> None:
        await self._detach(op, *self._now(op))

    # --- steps ------------------------------------------------------------------------------------------------------
    async def _key(self, op: Operation) -> tuple[str, str]:
        server = await resolve_one("server", op.properties["instance_uuid"], op.cloud)
        return server, await resolve_one("volume", op.properties["volume_id"], op.cloud)

    def _now(self, op: Operation) -> tuple[str, str]:
        """(server, volume) as attached now: an update may have moved it."""
        server, _, volume = str(op.data.get("now") or op.physical_id).partition(":")
        return server, volume

    async def _row(self, op: Operation, server: str, volume: str) -> dict[str, Any] | None:
        try:
            reply = await op.cloud.request("compute", "GET", f"/servers/{server}/os-volume_attachments/{volume}")
        except NotFound:
            return None
        return dict(reply.body["volumeAttachment"])

    async def _attach(self, op: Operation, server: str, volume: str) -> None:
        await self._wait_settled(op, volume)
        body: dict[str, Any] = {"volumeId": volume}
        if op.properties.get("mountpoint"):
            body["device"] = op.properties["mountpoint"]
        try:
            await op.cloud.request(
                "compute", "POST", f"/servers/{server}/os-volume_attachments", json={"volumeAttachment": body}
            )
        except Conflict:
            if not op.data.get("absent") or await self._row(op, server, volume) is None:
                raise

    async def _detach(self, op: Operation, server: str, volume: str) -> None:
        try:
            await op.cloud.request("compute", "DELETE", f"/servers/{server}/os-volume_attachments/{volume}")
        except NotFound:
            return
        while await self._row(op, server, volume) is not None:
            if op.services.monotonic() >= op.deadline:
                raise OperationFailed(f"Volume {volume} was not detached from server {server} in time")
            await op.services.sleep(_POLL)
        try:
            await self._wait(op, volume, _DETACHED)
        except NotFound:
            return  # it went with its server

    async def _wait_settled(self, op: Operation, volume: str) -> None:
        """Another attachment's end may still be under way."""
        ready = Ready(ok=frozenset({"available", "in-use"}), failed=frozenset({"error"}))
        await self._wait(op, volume, ready)

    async def _wait(self, op: Operation, volume: str, ready: Ready) -> None:
        await op.cloud.wait_ready("block-storage", "/volumes", "volumes", volume, ready, deadline=op.deadline)
