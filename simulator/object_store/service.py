"""Swift: accounts, containers and objects, metadata in headers."""

from __future__ import annotations

import base64
import hashlib
from typing import Any
from urllib.parse import unquote

from simulator.http import Call, Refusal, Reply
from simulator.store import Obj
from simulator.world import Service, World, stamp_micro

_TITLES = {
    400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
    409: "Conflict", 412: "Precondition Failed", 422: "Unprocessable Entity", 503: "Service Unavailable",
}  # fmt: skip
_PAGE = 10_000
#: Headers that are kept with a container or object as they come.
_KEPT = {
    "container": ("x-container-read", "x-container-write", "x-versions-location", "x-history-location",
                  "x-versions-enabled", "x-container-sync-to", "x-container-sync-key"),
    "object": ("content-encoding", "content-disposition", "x-delete-at", "x-object-manifest"),
}  # fmt: skip


class ObjectStore(Service):
    """Paths are `/v1/AUTH_{project}[/{container}[/{object}]]`; objects may have slashes in their names."""

    name = "object-store"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.accounts = world.table("object-store/accounts")
        self.containers = world.table("object-store/containers")
        self.containers.index("project_id")
        self.objects = world.table("object-store/objects")
        self.objects.index("container_id")

    def is_public(self, call: Call) -> bool:
        return call.path.strip("/") in ("", "info")

    def refused(self, call: Call, refusal: Refusal) -> Reply:
        title = _TITLES.get(refusal.status, "Error")
        body = f"<html><h1>{title}</h1><p>{refusal.message}</p></html>".encode()
        return Reply(refusal.status, body, {"Content-Type": "text/html; charset=UTF-8"})

    def finish(self, call: Call, reply: Reply) -> None:
        reply.headers["X-Trans-Id"] = call.headers.get("_request_id", "")

    def dispatch(self, call: Call) -> Reply:
        """The paths are no fixed shape, so this service routes by itself."""
        if call.path.strip("/") == "info":
            return Reply(200, {"swift": {"version": "2.30.0", "account_listing_limit": _PAGE}})
        parts = call.path.lstrip("/").split("/", 3)
        if len(parts) < 2 or parts[0] != "v1" or not parts[1].startswith("AUTH_"):
            raise Refusal(404, "The resource could not be found.")
        project = parts[1].removeprefix("AUTH_")
        container = unquote(parts[2]) if len(parts) > 2 else ""
        name = unquote(parts[3]) if len(parts) > 3 else ""
        self._check(call, project, container)
        handler: Any
        if name:
            handler = getattr(self, f"_object_{call.method.lower()}", None)
        elif container:
            handler = getattr(self, f"_container_{call.method.lower()}", None)
        else:
            handler = getattr(self, f"_account_{call.method.lower()}", None)
        if handler is None:
            raise Refusal(405, "The method is not allowed for this resource.")
        reply: Reply = handler(call, project, container, name)
        return reply

    def _check(self, call: Call, project: str, container: str) -> None:
        roles = call.caller.roles
        own = project == call.project_id and bool(roles & {"admin", "swiftoperator", "member"})
        if own or "ResellerAdmin" in roles or (call.is_admin and project == call.project_id):
            return
        row = self.containers.get(f"{project}/{container}")
        readers = str((row or {}).get("headers", {}).get("x-container-read", "")).split(",")
        if call.method in ("GET", "HEAD") and (".r:*" in readers or f"{call.project_id}:*" in readers):
            return
        raise Refusal(403, "Access was denied to this resource.")

    # --- account -------------------------------------------------------------------------------------------------
    def _account_headers(self, project: str) -> dict[str, str]:
        rows = self.containers.by("project_id", project)
        found = [obj for row in rows for obj in self.objects.by("container_id", row["id"])]
        account = self.accounts.get(project) or {"metadata": {}}
        return _meta("Account", account["metadata"]) | {
            "X-Account-Container-Count": str(len(rows)), "X-Account-Object-Count": str(len(found)),
            "X-Account-Bytes-Used": str(sum(obj["bytes"] for obj in found)), "Accept-Ranges": "bytes",
        }  # fmt: skip

    def _account_head(self, call: Call, project: str, *_: str) -> Reply:
        return Reply(204, None, self._account_headers(project))

    def _account_get(self, call: Call, project: str, *_: str) -> Reply:
        rows = [
            {"name": row["name"], "count": len(found), "bytes": sum(obj["bytes"] for obj in found),
             "last_modified": row["last_modified"]}
            for row in self.containers.by("project_id", project)
            for found in [self.objects.by("container_id", row["id"])]
        ]  # fmt: skip
        return _listing(call, rows, self._account_headers(project))

    def _account_post(self, call: Call, project: str, *_: str) -> Reply:
        account = self.accounts.get(project) or {"id": project, "metadata": {}}
        account["metadata"] = _merged(account["metadata"], call, "account")
        self.accounts.put(account)
        return Reply(204)

    # --- containers ----------------------------------------------------------------------------------------------
    def _container(self, project: str, container: str) -> Obj:
        row = self.containers.get(f"{project}/{container}")
        if row is None:
            raise Refusal(404, "The resource could not be found.")
        return row

    def _container_headers(self, row: Obj) -> dict[str, str]:
        found = self.objects.by("container_id", row["id"])
        counts = {"X-Container-Object-Count": str(len(found)),
                  "X-Container-Bytes-Used": str(sum(obj["bytes"] for obj in found))}  # fmt: skip
        kept = {name.title(): value for name, value in row["headers"].items()}
        return _meta("Container", row["metadata"]) | kept | counts | {
            "X-Storage-Policy": "default", "X-Timestamp": f"{row['timestamp']:.5f}", "Accept-Ranges": "bytes",
        }  # fmt: skip

    def _container_put(self, call: Call, project: str, container: str, _: str) -> Reply:
        """A second PUT merges its metadata into what is there, whoever made it (tokens §4)."""
        if len(container.encode()) > 256:
            raise Refusal(400, f"Container name length of {len(container.encode())} longer than 256")
        row = self.containers.get(f"{project}/{container}")
        status = 201 if row is None else 202
        if row is None:
            now = self.world.now()
            row = {"id": f"{project}/{container}", "name": container, "project_id": project, "metadata": {},
                   "headers": {}, "timestamp": now, "last_modified": stamp_micro(now)}  # fmt: skip
        self._keep_container(call, row)
        return Reply(status)

    def _container_post(self, call: Call, project: str, container: str, _: str) -> Reply:
        self._keep_container(call, self._container(project, container))
        return Reply(204)

    def _keep_container(self, call: Call, row: Obj) -> None:
        row["metadata"] = _merged(row["metadata"], call, "container")
        row["headers"] = _kept(row["headers"], call, "container")
        self.containers.put(row)

    def _container_head(self, call: Call, project: str, container: str, _: str) -> Reply:
        return Reply(204, None, self._container_headers(self._container(project, container)))

    def _container_get(self, call: Call, project: str, container: str, _: str) -> Reply:
        row = self._container(project, container)
        rows = [
            {"name": obj["name"], "bytes": obj["bytes"], "hash": obj["etag"], "content_type": obj["content_type"],
             "last_modified": obj["last_modified"]}
            for obj in self.objects.by("container_id", row["id"])
        ]  # fmt: skip
        return _listing(call, rows, self._container_headers(row))

    def _container_delete(self, call: Call, project: str, container: str, _: str) -> Reply:
        row = self._container(project, container)
        if self.objects.has("container_id", row["id"]):
            raise Refusal(409, "There was a conflict when trying to complete your request.")
        self.containers.remove(row["id"])
        return Reply(204)

    # --- objects -------------------------------------------------------------------------------------------------
    def _object(self, project: str, container: str, name: str) -> Obj:
        obj = self.objects.get(f"{project}/{container}/{name}")
        if obj is None or (obj["delete_at"] is not None and obj["delete_at"] <= self.world.now()):
            raise Refusal(404, "The resource could not be found.")
        return obj

    def _object_put(self, call: Call, project: str, container: str, name: str) -> Reply:
        row = self._container(project, container)
        object_id = f"{row['id']}/{name}"
        if call.headers.get("if-none-match") == "*" and object_id in self.objects:
            raise Refusal(412, "A precondition for this request was not met.")
        data = call.raw
        if source := call.headers.get("x-copy-from"):
            other = self._object(project, *unquote(source).lstrip("/").partition("/")[::2])
            data = base64.b64decode(other["data"])
        etag = hashlib.md5(data, usedforsecurity=False).hexdigest()
        if call.headers.get("etag", etag).strip('"') != etag:
            raise Refusal(422, "Unable to process the contained instructions")
        now = self.world.now()
        headers = _kept({}, call, "object")
        obj: Obj = {
            "id": object_id, "container_id": row["id"], "project_id": project, "name": name, "bytes": len(data),
            "etag": etag, "content_type": call.headers.get("content-type", "application/octet-stream"),
            "metadata": _merged({}, call, "object"), "headers": headers, "timestamp": now,
            "last_modified": stamp_micro(now), "data": base64.b64encode(data).decode(),
            "delete_at": _delete_at(call, now),
        }  # fmt: skip
        self.objects.put(obj)
        return Reply(201, None, {"Etag": etag})

    def _object_headers(self, obj: Obj) -> dict[str, str]:
        kept = {name.title(): value for name, value in obj["headers"].items()}
        return _meta("Object", obj["metadata"]) | kept | {
            "Content-Type": obj["content_type"], "Etag": obj["etag"], "X-Timestamp": f"{obj['timestamp']:.5f}",
            "Last-Modified": obj["last_modified"], "Accept-Ranges": "bytes",
        }  # fmt: skip

    def _object_head(self, call: Call, project: str, container: str, name: str) -> Reply:
        obj = self._object(project, container, name)
        return Reply(200, None, self._object_headers(obj) | {"Content-Length": str(obj["bytes"])})

    def _object_get(self, call: Call, project: str, container: str, name: str) -> Reply:
        obj = self._object(project, container, name)
        return Reply(200, base64.b64decode(obj["data"]), self._object_headers(obj))

    def _object_post(self, call: Call, project: str, container: str, name: str) -> Reply:
        obj = self._object(project, container, name)
        obj |= {"metadata": _merged({}, call, "object"), "headers": _kept({}, call, "object")}
        obj["delete_at"] = _delete_at(call, self.world.now())
        self.objects.put(obj)
        return Reply(202)

    def _object_delete(self, call: Call, project: str, container: str, name: str) -> Reply:
        self.objects.remove(self._object(project, container, name)["id"])
        return Reply(204)


def _meta(kind: str, metadata: Obj) -> dict[str, str]:
    return {f"X-{kind}-Meta-{name.title()}": value for name, value in metadata.items()}


def _merged(metadata: Obj, call: Call, kind: str) -> Obj:
    found = dict(metadata)
    set_, drop = f"x-{kind}-meta-", f"x-remove-{kind}-meta-"
    for name, value in call.headers.items():
        if name.startswith(set_):
            found[name.removeprefix(set_)] = value
        if name.startswith(drop):
            found[name.removeprefix(drop)] = ""
    return {name: value for name, value in found.items() if value != ""}


def _kept(headers: Obj, call: Call, kind: str) -> Obj:
    found = headers | {name: call.headers[name] for name in _KEPT[kind] if name in call.headers}
    for name in _KEPT[kind]:
        if name.replace("x-", "x-remove-", 1) in call.headers:
            found.pop(name, None)
    return {name: value for name, value in found.items() if value != ""}


def _delete_at(call: Call, now: float) -> float | None:
    for name, base in (("x-delete-after", now), ("x-delete-at", 0.0)):
        text = call.headers.get(name)
        if text is not None:
            if not text.isdigit():
                raise Refusal(400, f"Non-integer {name.title()}")
            return base + int(text)
    return None


def _listing(call: Call, rows: list[Obj], headers: dict[str, str]) -> Reply:
    rows.sort(key=lambda row: str(row["name"]))
    prefix, marker, end = call.first("prefix") or "", call.first("marker") or "", call.first("end_marker")
    rows = [r for r in rows if r["name"].startswith(prefix) and r["name"] > marker and (end is None or r["name"] < end)]
    delimiter = call.first("delimiter")
    if delimiter:
        rows = _folded(rows, prefix, delimiter)
    limit = call.first("limit")
    rows = rows[: min(int(limit), _PAGE) if limit and limit.isdigit() else _PAGE]
    if call.first("format") == "json" or "application/json" in call.headers.get("accept", ""):
        return Reply(200, rows, headers | {"Content-Type": "application/json; charset=utf-8"})
    text = "".join(f"{row.get('name') or row['subdir']}\n" for row in rows).encode()
    return Reply(200 if rows else 204, text or None, headers | {"Content-Type": "text/plain; charset=utf-8"})


def _folded(rows: list[Obj], prefix: str, delimiter: str) -> list[Obj]:
    found: list[Obj] = []
    seen: set[str] = set()
    for row in rows:
        head, separator, _ = row["name"][len(prefix) :].partition(delimiter)
        if not separator:
            found.append(row)
        elif (folder := prefix + head + delimiter) not in seen:
            seen.add(folder)
            found.append({"subdir": folder})
    return found
