"""Barbican: secrets with their payloads. Neither consumers nor access lists, and nothing is encrypted."""

from __future__ import annotations

import base64
import binascii
from typing import Any, Final

from simulator.http import Call, Refusal, Reply
from simulator.store import Obj
from simulator.world import Service, World, stamp_micro

_PAGE: Final = 10
_MOST: Final = 100  # items of a page, whatever is asked for
_TITLES: Final = {400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 406: "Not Acceptable"}
_GIVEN: Final = ("algorithm", "bit_length", "mode", "expiration")
_FILTERS: Final = {
    "name": "name",
    "alg": "algorithm",
    "mode": "mode",
    "bits": "bit_length",
    "secret_type": "secret_type",
}


class KeyManager(Service):
    name = "key-manager"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.secrets = world.table("key-manager/secrets")
        self.secrets.index("project_id")
        self.router.add("GET", "/", self.versions)
        self.router.add("GET", "/v1", self.versions)
        self.router.add("GET", "/v1/secrets", self.list)
        self.router.add("POST", "/v1/secrets", self.create)
        self.router.add("GET", "/v1/secrets/{id}", self.show)
        self.router.add("PUT", "/v1/secrets/{id}", self.fill)
        self.router.add("DELETE", "/v1/secrets/{id}", self.delete)
        self.router.add("GET", "/v1/secrets/{id}/payload", self.payload)

    def refused(self, call: Call, refusal: Refusal) -> Reply:
        body = {"code": refusal.status, "title": _TITLES.get(refusal.status, "Error"), "description": refusal.message}
        return Reply(refusal.status, body)

    def versions(self, call: Call) -> Reply:
        version = {"id": "v1", "status": "stable", "updated": "2015-04-28T00:00:00Z", "links": [
            {"rel": "self", "href": f"{self.world.url}/key-manager/v1/"}], "media-types": []}  # fmt: skip
        return Reply(300 if call.path.strip("/") == "" else 200, {"versions": {"values": [version]}})

    def list(self, call: Call) -> Reply:
        found = [
            one
            for one in self.secrets.by("project_id", call.project_id)
            if all(str(one.get(field)) == call.first(key) for key, field in _FILTERS.items() if call.first(key))
        ]
        if (call.first("sort") or "") in ("created:desc", "desc:created"):
            found.reverse()
        start, size = int(call.first("offset") or 0), min(int(call.first("limit") or _PAGE), _MOST)
        body: dict[str, Any] = {
            "secrets": [self._view(one) for one in found[start : start + size]],
            "total": len(found),
        }
        if start + size < len(found):
            body["next"] = f"{self.world.url}/key-manager/v1/secrets?limit={size}&offset={start + size}"
        return Reply(200, body)

    def create(self, call: Call) -> Reply:
        given = call.json()
        if not isinstance(given, dict):
            raise Refusal(400, "Failed to validate JSON information: a secret is an object.")
        now = stamp_micro(self.world.now())
        secret: Obj = {
            "id": self.world.new_id(), "project_id": call.project_id, "creator_id": call.user_id,
            "name": given.get("name"), "secret_type": given.get("secret_type", "opaque"), "status": "ACTIVE",
            "created": now, "updated": now, "_payload": None, "_type": None,
            **{name: given.get(name) for name in _GIVEN},
        }  # fmt: skip
        if given.get("payload") is not None:
            kind = given.get("payload_content_type")
            if not kind:
                raise Refusal(
                    400, "Provided object does not match schema 'Secret': payload_content_type must be supplied."
                )
            secret["_payload"], secret["_type"] = _stored(given), kind.partition(";")[0]
        self.secrets.put(secret)
        return Reply(201, {"secret_ref": self._href(secret)}, {"Location": self._href(secret)})

    def show(self, call: Call) -> Reply:
        return Reply(200, self._view(self._mine(call)))

    def fill(self, call: Call) -> Reply:
        """Put a payload into a secret that has none."""
        secret = self._mine(call)
        if secret["_payload"] is not None:
            raise Refusal(409, "Secret already has data, cannot modify it.")
        secret["_payload"] = base64.b64encode(call.raw).decode()
        secret["_type"] = call.headers.get("content-type", "text/plain").partition(";")[0]
        self.secrets.put(secret)
        return Reply(204)

    def delete(self, call: Call) -> Reply:
        self.secrets.remove(self._mine(call)["id"])
        return Reply(204)

    def payload(self, call: Call) -> Reply:
        secret = self._mine(call)
        if secret["_payload"] is None:
            raise Refusal(404, "Not Found. Sorry but your secret has no payload.")
        wanted = call.headers.get("accept", "*/*")
        if wanted not in ("*/*", secret["_type"]):
            raise Refusal(406, "Secret payload retrieval issue seen - accept type not supported.")
        return Reply(200, base64.b64decode(secret["_payload"]), {"Content-Type": secret["_type"]})

    def _mine(self, call: Call) -> Obj:
        secret = self.secrets.get(call.params["id"])
        if secret is None or not call.mine(secret):
            raise Refusal(404, "Not Found. Sorry but your secret is in another castle.")
        return secret

    def _href(self, secret: Obj) -> str:
        return f"{self.world.url}/key-manager/v1/secrets/{secret['id']}"

    def _view(self, secret: Obj) -> Obj:
        shown = {name: value for name, value in secret.items() if name[:1] != "_" and name not in ("id", "project_id")}
        shown["secret_ref"] = self._href(secret)
        if secret["_type"]:
            shown["content_types"] = {"default": secret["_type"]}
        return shown


def _stored(given: dict[str, Any]) -> str:
    """The payload's bytes, as the journal keeps them."""
    payload = str(given["payload"])
    if given.get("payload_content_encoding") != "base64":
        return base64.b64encode(payload.encode()).decode()
    try:
        base64.b64decode(payload, validate=True)
    except binascii.Error as error:
        raise Refusal(400, "Unable to decode request data.") from error
    return payload
