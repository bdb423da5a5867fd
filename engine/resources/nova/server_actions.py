"""What is done to a server that stands: resize, rebuild, suspend, resume, image of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.cloud.contract import Ready
from engine.cloud.errors import Conflict, NotFound
from engine.model.value import Value
from engine.resources.base import Operation, OperationFailed
from engine.resources.nova.nova_type import NovaType
from engine.resources.nova.user_data import user_data
from engine.resources.references import resolve_one


class ServerActions(NovaType):
    """Each action looks first how far an earlier attempt has come, so that repeating it is safe."""

    async def act(self, op: Operation, action: str, body: Mapping[str, Any] | None) -> None:
        await self.call(op, "POST", f"{self.path(op)}/action", {action: body})

    async def until(self, op: Operation, *states: str) -> dict[str, Any]:
        """The server once it is in one of `states`."""
        assert op.physical_id is not None
        ready = Ready(ok=frozenset(states), reason="fault.message")
        return await op.cloud.wait_ready(
            "compute", self.collection(op), "servers", op.physical_id, ready, deadline=op.deadline
        )

    async def resize(self, op: Operation) -> None:
        """Bring the server to the flavor of its properties. Raises OperationFailed with Nova's fault."""
        wanted = await resolve_one("flavor", op.properties["flavor"], op.cloud)
        name = (await self.call(op, "GET", f"/flavors/{wanted}"))["flavor"]["name"]
        row = await self.read_row(op)
        if row.get("status") not in ("VERIFY_RESIZE", "RESIZE"):
            if _flavor_of(row) in (name, wanted):
                return
            await self.act(op, "resize", {"flavorRef": wanted})
        row = await self.until(op, "verify_resize", "active")
        if row["status"] == "VERIFY_RESIZE":
            try:
                await self.act(op, "confirmResize", None)
            except Conflict:
                pass  # the cloud confirmed it by itself
            row = await self.until(op, "active")
        if _flavor_of(row) not in (name, wanted):
            fault = (row.get("fault") or {}).get("message", "Nova gave no reason; as a rule no host has room for it")
            raise OperationFailed(f"The server kept its flavor {_flavor_of(row)}: {fault}")

    async def rebuild(self, op: Operation, *, with_user_data: bool) -> None:
        """Build the server anew on its properties' image, keeping id, ports and volumes."""
        properties = op.properties
        image = properties.get("image")
        if not image:
            raise OperationFailed("A server without an image cannot be rebuilt; set user_data_update_policy to REPLACE")
        row = await self.read_row(op)
        if row.get("status") != "REBUILD":
            body: dict[str, Any] = {"imageRef": await resolve_one("image", image, op.cloud)}
            if properties["image_update_policy"] == "REBUILD_PRESERVE_EPHEMERAL":
                body["preserve_ephemeral"] = True
            if properties.get("admin_pass"):
                body["adminPass"] = properties["admin_pass"]
            if with_user_data:
                body["user_data"] = user_data(properties["user_data"], properties["user_data_format"], op.metadata)
            await self.act(op, "rebuild", body)
        await self.until(op, "active")

    async def suspend(self, op: Operation) -> None:
        row = await self.read_row(op)
        if row.get("status") == "SUSPENDED":
            return
        await self.act(op, "suspend", None)
        await self.until(op, "suspended")

    async def resume(self, op: Operation) -> None:
        row = await self.read_row(op)
        if row.get("status") != "ACTIVE":
            await self.act(op, "resume", None)
            await self.until(op, "active")

    async def snapshot(self, op: Operation) -> None:
        """An image of the server, named after its mark, active before the server goes."""
        try:
            await self._image(op, f"{op.physical_name(200)}-snapshot")
        except NotFound:
            return  # nothing left to copy

    async def save(self, op: Operation, name: str) -> Mapping[str, Value]:
        """A server that boots from a volume holds nothing itself: its volumes are saved as the resources they are."""
        row = await self.read_row(op)
        if not row.get("image"):
            return {}
        return {"snapshot_image_id": await self._image(op, name)}

    async def restore(self, op: Operation, saved: Mapping[str, Value]) -> None:
        """Built anew on the image of the server, keeping id, ports and volumes."""
        image = saved.get("snapshot_image_id")
        if image is not None:
            row = await self.read_row(op)
            if row.get("status") != "REBUILD":
                await self.act(op, "rebuild", {"imageRef": image})
            await self.until(op, "active")

    async def discard(self, op: Operation, saved: Mapping[str, Value]) -> None:
        image = saved.get("snapshot_image_id")
        for found in [image] if image else await self._images(op, saved["name"]):
            try:
                await op.cloud.request("image", "DELETE", f"/images/{found}")
            except NotFound:
                continue

    async def _image(self, op: Operation, name: str) -> str:
        """The id of the image of that name, made if need be, once it is active. Raises NotFound without the server."""
        images = await self._images(op, name)
        if not images:
            await self.act(op, "createImage", {"name": name, "metadata": {}})
            images = await self._images(op, name)
        if not images:
            raise OperationFailed(f"Nova took the request for an image of the server, but there is no image {name}")
        ready = Ready(ok=frozenset({"active"}), failed=frozenset({"killed", "deleted", "error"}))
        await op.cloud.wait_ready("image", "/images", "images", images[0], ready, deadline=op.deadline)
        return images[0]

    async def _images(self, op: Operation, name: str) -> list[str]:
        found = await op.cloud.list("image", "/images", "images", params={"name": name})
        return [image["id"] for image in found if image.get("name") == name]


def _flavor_of(row: Mapping[str, Any]) -> str:
    """The flavor's name (since microversion 2.47), or its id."""
    flavor = row.get("flavor") or {}
    return str(flavor.get("original_name") or flavor.get("id"))
