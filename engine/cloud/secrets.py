"""What is in a secret of Barbican."""

from __future__ import annotations

from engine.cloud.contract import Cloud

KEY_MANAGER = "key-manager"


async def secret_payload(cloud: Cloud, secret_id: str) -> bytes:
    """The payload, in the type that it was stored with. Raises NotFound."""
    told = (await cloud.request(KEY_MANAGER, "GET", f"/secrets/{secret_id}")).body or {}
    kind = (told.get("content_types") or {}).get("default", "text/plain")
    reply = await cloud.request(KEY_MANAGER, "GET", f"/secrets/{secret_id}/payload", headers={"Accept": kind})
    return reply.raw
