"""The Glance API v2. An image's id may be chosen once, and never again after it is gone (tokens §1 M1)."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from typing import Any

import orjson

from simulator.http import Call, Refusal, Reply
from simulator.query import limit_of, next_link, page, same, sort
from simulator.store import Obj
from simulator.world import Service, World, html_page, stamp

_TITLES = {
    400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
    409: "Conflict", 413: "Request Entity Too Large", 415: "Unsupported Media Type", 429: "Too Many Requests",
    500: "Internal Server Error", 503: "Service Unavailable",
}  # fmt: skip
_BASE: dict[str, Any] = {
    "name": None, "disk_format": None, "container_format": None, "visibility": "shared", "size": None,
    "virtual_size": None, "status": "queued", "checksum": None, "protected": False, "min_ram": 0, "min_disk": 0,
    "owner": None, "os_hidden": False, "os_hash_algo": None, "os_hash_value": None,
}  # fmt: skip
_READ_ONLY = frozenset(
    {"id", "status", "created_at", "updated_at", "size", "virtual_size", "checksum", "self", "file", "schema",
     "os_hash_algo", "os_hash_value", "owner", "direct_url", "locations", "stores"}
)  # fmt: skip
_PAGING = frozenset({"limit", "marker", "sort", "sort_key", "sort_dir", "member_status"})
_SORTABLE = ("name", "status", "container_format", "disk_format", "size", "id", "created_at", "updated_at")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_VISIBILITIES = ("community", "public", "private", "shared")
_VERSIONS = (
    "2.15",
    "2.13",
    "2.12",
    "2.11",
    "2.10",
    "2.9",
    "2.8",
    "2.7",
    "2.6",
    "2.5",
    "2.4",
    "2.3",
    "2.2",
    "2.1",
    "2.0",
)
_PAGE = 25


class Image(Service):
    name = "image"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.images = self.world.table("image/images")
        self.burnt = self.world.table("image/burnt")
        self.members = self.world.table("image/members")
        self.members.index("image_id")
        add = self.router.add
        add("GET", "/", lambda _: Reply(300, self._versions()))
        add("GET", "/versions", lambda _: Reply(200, self._versions()))
        add("GET", "/v2", lambda _: Reply(200, self._versions()))
        add("GET", "/v2/images", self.list_all)
        add("POST", "/v2/images", self.create)
        add("GET", "/v2/images/{id}", self.show)
        add("PATCH", "/v2/images/{id}", self.patch)
        add("DELETE", "/v2/images/{id}", self.delete)
        add("PUT", "/v2/images/{id}/file", self.upload)
        add("GET", "/v2/images/{id}/file", self.download)
        add("PUT", "/v2/images/{id}/tags/{tag}", self.add_tag)
        add("DELETE", "/v2/images/{id}/tags/{tag}", self.drop_tag)
        for name in ("deactivate", "reactivate"):
            add("POST", f"/v2/images/{{id}}/actions/{name}", self.switch)
        add("GET", "/v2/images/{id}/members", self.list_members)
        add("POST", "/v2/images/{id}/members", self.add_member)
        add("PUT", "/v2/images/{id}/members/{member}", self.update_member)
        add("DELETE", "/v2/images/{id}/members/{member}", self.drop_member)
        add("GET", "/v2/schemas/{kind}", self.schema)
        add("GET", "/v2/info/stores", lambda _: Reply(200, {"stores": [{"id": "files", "default": "true"}]}))
        add("GET", "/v2/info/import", lambda _: Reply(200, {"import-methods": {"type": "array", "value": []}}))

    def is_public(self, call: Call) -> bool:
        return call.path.strip("/") in ("", "v2", "versions")

    def refused(self, call: Call, refusal: Refusal) -> Reply:
        page_ = html_page(refusal.status, _TITLES.get(refusal.status, "Error"), html.escape(refusal.message))
        return Reply(refusal.status, page_, {"Content-Type": "text/html; charset=UTF-8"})

    def _versions(self) -> Obj:
        link = {"rel": "self", "href": f"{self.world.url}/image/v2/"}
        rows = [{"id": f"v{v}", "status": "SUPPORTED", "links": [link]} for v in _VERSIONS]
        rows[0]["status"] = "CURRENT"
        return {"versions": rows}

    # --- for others ----------------------------------------------------------------------------------------------
    def put_image(self, image_id: str, name: str, *, owner: str, data: bytes, properties: Obj | None = None) -> Obj:
        """An active image; public unless its properties say otherwise."""
        now = stamp(self.world.now())
        image: Obj = {"id": image_id, "created_at": now, "updated_at": now, "tags": [], "_more": {}} | _BASE
        image |= {
            "name": name,
            "owner": owner,
            "disk_format": "raw",
            "container_format": "bare",
            "visibility": "public",
        }
        for key, value in (properties or {}).items():
            if key in _BASE:
                image[key] = value
            else:
                image["_more"][key] = value
        return self._store_data(image, data)

    def visible(self, call: Call, image: Obj) -> bool:
        if call.is_admin or image["owner"] == call.project_id or image["visibility"] in ("public", "community"):
            return True
        return f"{image['id']}/{call.project_id}" in self.members

    # --- create, show, list --------------------------------------------------------------------------------------
    def create(self, call: Call) -> Reply:
        values = call.json()
        if not isinstance(values, dict):
            raise Refusal(400, "JSON body expected")
        image_id = values.get("id") or self.world.new_id()
        if not isinstance(image_id, str) or not _UUID.fullmatch(image_id):
            raise Refusal(400, f"Provided object does not match schema 'image': '{image_id}' does not match a UUID")
        if image_id in self.images or image_id in self.burnt:
            raise Refusal(409, f"Image ID {image_id} already exists!")
        now = stamp(self.world.now())
        image: Obj = {"id": image_id, "created_at": now, "updated_at": now, "tags": [], "_more": {}} | _BASE
        image["owner"] = call.project_id
        for name, value in values.items():
            if name == "id":
                continue
            if name == "owner":
                if value != call.project_id and not call.is_admin:
                    raise Refusal(403, "You are not permitted to create images owned by '" + str(value) + "'.")
                image["owner"] = value
                continue
            self._set(call, image, name, value)
        self.images.put(image)
        headers = {"Location": f"{self.world.url}/image/v2/images/{image_id}"}
        return Reply(201, self._render(image), headers)

    def _set(self, call: Call, image: Obj, name: str, value: Any) -> None:
        if name in _READ_ONLY:
            raise Refusal(403, f"Attribute '{name}' is read-only.")
        if name == "visibility":
            if value not in _VISIBILITIES:
                raise Refusal(
                    400, f"Provided object does not match schema 'image': '{value}' is not one of {list(_VISIBILITIES)}"
                )
            if value == "public" and not call.is_admin:
                raise Refusal(403, "You are not authorized to complete publicize_image action.")
        if name in ("min_ram", "min_disk") and (isinstance(value, bool) or not isinstance(value, int) or value < 0):
            raise Refusal(400, f"Provided object does not match schema 'image': {value} is not of type 'integer'")
        if name in ("protected", "os_hidden") and not isinstance(value, bool):
            raise Refusal(400, f"Provided object does not match schema 'image': {value} is not of type 'boolean'")
        if name == "tags":
            image["tags"] = sorted(set(map(str, value)))
        elif name in _BASE:
            image[name] = value
        else:
            if not isinstance(value, str):
                raise Refusal(400, f"Provided object does not match schema 'image': {value} is not of type 'string'")
            image["_more"] = image["_more"] | {name: value}

    def _render(self, image: Obj) -> Obj:
        shown = dict(image["_more"]) | {name: image[name] for name in _BASE}
        path = f"/v2/images/{image['id']}"
        shown |= {name: image[name] for name in ("id", "created_at", "updated_at", "tags")}
        shown |= {"self": path, "file": f"{path}/file", "schema": "/v2/schemas/image"}
        return shown | ({"stores": "files"} if image["status"] == "active" else {})

    def _find(self, call: Call, message: str | None = None) -> Obj:
        image = self.images.get(call.params["id"])
        if image is None or not self.visible(call, image):
            raise Refusal(404, message or f"No image found with ID {call.params['id']}")
        return image

    def _own(self, call: Call, message: str | None = None) -> Obj:
        image = self._find(call, message)
        if not call.is_admin and image["owner"] != call.project_id:
            raise Refusal(403, "You do not own this image")
        return image

    def show(self, call: Call) -> Reply:
        return Reply(200, self._render(self._find(call)))

    def list_all(self, call: Call) -> Reply:
        limit = limit_of(call, lambda text: Refusal(400, text), 1000)
        if call.first("limit") is None:
            limit = _PAGE
        asked = call.first("visibility")
        rows = [image for image in self.images if self._listed(call, image, asked)]
        rows = [image for image in rows if all(self._passes(image, n, v) for n, v in call.query if n not in _PAGING)]
        rows.reverse()
        sort(rows, self._keys(call))
        rows, more = page(rows, call, limit, lambda marker: Refusal(400, f"Invalid marker: {marker}"))
        here = "/v2/images"
        first = [(name, value) for name, value in call.query if name != "marker"]
        body: Obj = {"images": [self._render(image) for image in rows], "schema": "/v2/schemas/images"}
        body["first"] = here + ("?" + "&".join(f"{name}={value}" for name, value in first) if first else "")
        if more:
            body["next"] = next_link(call, here, rows[-1]["id"])
        return Reply(200, body)

    def _listed(self, call: Call, image: Obj, asked: str | None) -> bool:
        if not self.visible(call, image):
            return False
        return image["visibility"] != "community" or asked in ("community", "all") or image["owner"] == call.project_id

    def _passes(self, image: Obj, name: str, value: str) -> bool:
        match name:
            case "tag":
                return value in image["tags"]
            case "visibility":
                return value == "all" or image["visibility"] == value
            case "size_min":
                return image["size"] is not None and image["size"] >= _integer(value)
            case "size_max":
                return image["size"] is not None and image["size"] <= _integer(value)
            case "name" | "status" | "id" | "disk_format" | "container_format" if value.startswith("in:"):
                wanted = [part.strip('"') for part in value[3:].split(",")]
                return same(image.get(name), wanted)
            case "created_at" | "updated_at":
                return True
            case _:
                found = image.get(name) if name in _BASE or name == "id" else image["_more"].get(name)
                return found is not None and same(found, [value])

    def _keys(self, call: Call) -> list[tuple[str, str]]:
        pairs = [part.partition(":") for part in (call.first("sort") or "").split(",") if part]
        keys = [(key, way or "desc") for key, _, way in pairs]
        keys += [(value, call.first("sort_dir") or "desc") for name, value in call.query if name == "sort_key"]
        for key, _ in keys:
            if key not in _SORTABLE:
                raise Refusal(400, f"Invalid sort key: {key}. It must be one of the following: {', '.join(_SORTABLE)}.")
        return keys

    # --- change --------------------------------------------------------------------------------------------------
    def patch(self, call: Call) -> Reply:
        changes = call.json()
        if "json-patch" not in call.headers.get("content-type", ""):
            raise Refusal(415, "Unsupported Content-Type for PATCH")
        if not isinstance(changes, list):
            raise Refusal(400, "Request body must be a JSON array of operation objects.")
        image = self._own(call)
        for change in changes:
            self._change(call, image, change)
        image["updated_at"] = stamp(self.world.now())
        self.images.put(image)
        return Reply(200, self._render(image))

    def _change(self, call: Call, image: Obj, change: Any) -> None:
        match change:
            case {"op": "add" | "replace" as verb, "path": str(path), "value": value}:
                name = path.lstrip("/").replace("~1", "/").replace("~0", "~")
                if verb == "replace" and name not in _BASE and name not in image["_more"] and name != "tags":
                    raise Refusal(409, f"Property {name} does not exist.")
                self._set(call, image, name, value)
            case {"op": "remove", "path": str(path)}:
                name = path.lstrip("/")
                if name in _BASE:
                    raise Refusal(403, f"Property {name} may not be removed.")
                if name not in image["_more"]:
                    raise Refusal(409, f"Property {name} does not exist.")
                image["_more"] = {key: value for key, value in image["_more"].items() if key != name}
            case _:
                raise Refusal(400, "Unable to find operation object or its parts in the request.")

    def delete(self, call: Call) -> Reply:
        image = self._own(call, f"Failed to find image {call.params['id']} to delete")
        if image["protected"]:
            raise Refusal(403, f"Image {image['id']} is protected and cannot be deleted.")
        self.images.remove(image["id"])
        self.burnt.put({"id": image["id"]})
        for member in self.members.by("image_id", image["id"]):
            self.members.remove(member["id"])
        return Reply(204)

    def switch(self, call: Call) -> Reply:
        image = self._own(call)
        image["status"] = "deactivated" if call.path.endswith("/deactivate") else "active"
        self.images.put(image)
        return Reply(204)

    # --- data ----------------------------------------------------------------------------------------------------
    def upload(self, call: Call) -> Reply:
        image = self._own(call)
        if image["status"] != "queued":
            raise Refusal(409, f"Image status transition from {image['status']} to saving is not allowed")
        if not image["disk_format"] or not image["container_format"]:
            raise Refusal(400, "Properties disk_format, container_format must be set prior to saving data.")
        self._store_data(image, call.raw)
        return Reply(204)

    def _store_data(self, image: Obj, data: bytes) -> Obj:
        """Small data are kept, of the rest only what they were: nothing boots from them."""
        image |= {
            "status": "active", "size": len(data), "virtual_size": len(data),
            "checksum": hashlib.md5(data, usedforsecurity=False).hexdigest(), "os_hash_algo": "sha512",
            "os_hash_value": hashlib.sha512(data).hexdigest(), "updated_at": stamp(self.world.now()),
            "_data": base64.b64encode(data).decode() if len(data) <= _KEPT else None,
        }  # fmt: skip
        return self.images.put(image)

    def download(self, call: Call) -> Reply:
        image = self._find(call)
        if image["status"] != "active":
            return Reply(204)
        if image["_data"] is None:
            raise Refusal(404, "The simulator does not keep the data of large images.")
        headers = {"Content-Type": "application/octet-stream", "Content-MD5": image["checksum"]}
        return Reply(200, base64.b64decode(image["_data"]), headers)

    # --- tags and members ----------------------------------------------------------------------------------------
    def add_tag(self, call: Call) -> Reply:
        image = self._own(call)
        image["tags"] = sorted({*image["tags"], call.params["tag"]})
        self.images.put(image)
        return Reply(204)

    def drop_tag(self, call: Call) -> Reply:
        image = self._own(call)
        if call.params["tag"] not in image["tags"]:
            raise Refusal(404, "The resource could not be found.")
        image["tags"] = [tag for tag in image["tags"] if tag != call.params["tag"]]
        self.images.put(image)
        return Reply(204)

    def list_members(self, call: Call) -> Reply:
        rows = [_member(row) for row in self.members.by("image_id", self._find(call)["id"])]
        return Reply(200, {"members": rows, "schema": "/v2/schemas/members"})

    def add_member(self, call: Call) -> Reply:
        image, body = self._own(call), call.json() or {}
        if image["visibility"] != "shared":
            raise Refusal(403, "Only shared images have members.")
        member = body.get("member")
        if not member:
            raise Refusal(400, "Member to be added not specified")
        row_id = f"{image['id']}/{member}"
        if row_id in self.members:
            raise Refusal(409, f"Member {member} is duplicated for image {image['id']}")
        now = stamp(self.world.now())
        row: Obj = {"id": row_id, "image_id": image["id"], "member_id": member, "status": "pending"}
        self.members.put(row | {"created_at": now, "updated_at": now})
        return Reply(200, _member(row | {"created_at": now, "updated_at": now}))

    def _member_row(self, call: Call) -> Obj:
        row = self.members.get(f"{call.params['id']}/{call.params['member']}")
        if row is None:
            raise Refusal(
                404, f"{call.params['member']} not found in the member list of the image {call.params['id']}."
            )
        return row

    def update_member(self, call: Call) -> Reply:
        self._find(call)
        row, status = self._member_row(call), (call.json() or {}).get("status")
        if status not in ("pending", "accepted", "rejected"):
            raise Refusal(400, f"Member status '{status}' is not one of pending, accepted, rejected.")
        row |= {"status": status, "updated_at": stamp(self.world.now())}
        self.members.put(row)
        return Reply(200, _member(row))

    def drop_member(self, call: Call) -> Reply:
        self._own(call)
        self.members.remove(self._member_row(call)["id"])
        return Reply(204)

    def schema(self, call: Call) -> Reply:
        properties: Obj = {
            name: {"type": "string"} for name in (*_BASE, "id", "created_at", "updated_at", "self", "file", "schema")
        }
        properties |= {"tags": {"type": "array", "items": {"type": "string"}}}
        body = {"name": call.params["kind"], "properties": properties, "additionalProperties": {"type": "string"}}
        return Reply(200, orjson.dumps(body), {"Content-Type": "application/json"})


_KEPT = 1024 * 1024  # bytes of an upload


def _integer(text: str) -> int:
    if not text.isdigit():
        raise Refusal(400, f"Unable to filter by size: {text} is not an integer.")
    return int(text)


def _member(row: Obj) -> Obj:
    return {name: row[name] for name in ("member_id", "image_id", "status", "created_at", "updated_at")} | {
        "schema": "/v2/schemas/member"}  # fmt: skip
