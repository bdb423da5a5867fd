"""Servers: create, show, list, update, delete; metadata and tags."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Any

from simulator.compute.errors import bad, conflict, forbidden, not_found
from simulator.compute.server_create import (
    Requested,
    check_body,
    check_metadata,
    check_name,
    check_tags,
    new_password,
)
from simulator.compute.server_view import ServerView
from simulator.http import Call, Refusal, Reply, Routes
from simulator.query import limit_of, next_link, page, sort, tagged
from simulator.store import Obj
from simulator.world import fall_due, stamp

if TYPE_CHECKING:
    from simulator.compute.service import Compute

TABLE = "compute/servers"
_MOST = 1000
#: Parameters of the list that Nova knows; `metadata`, `uuid` and `description` it knows and ignores (tokens §3).
_FILTERS = frozenset(
    {
        "name", "status", "image", "flavor", "ip", "ip6", "changes-since", "changes-before", "all_tenants", "tags",
        "tags-any", "not-tags", "not-tags-any", "reservation_id", "limit", "marker", "sort_key", "sort_dir", "host",
        "metadata", "uuid", "description", "deleted", "tenant_id", "project_id", "user_id", "vm_state", "task_state",
        "power_state", "key_name", "availability_zone", "config_drive", "launched_at", "terminated_at", "progress",
        "hostname", "locked", "display_name", "created_at", "instance_name", "access_ip_v4", "access_ip_v6",
        "auto_disk_config", "display_description",
        "image_ref", "kernel_id", "launch_index", "node", "ramdisk_id", "root_device_name",
        "soft_deleted",
    }
)  # fmt: skip
_HISTORY = 40


class Servers:
    def __init__(self, compute: Compute) -> None:
        self._compute = compute
        self._world = compute.world
        self.table = compute.table(TABLE)
        self.table.index("project_id")
        self.view = ServerView(compute)
        self._world.agenda.on_due(TABLE, self._due)

    def register(self, router: Routes) -> None:
        router.add("GET", "/servers", lambda call: self.list(call, detail=False))
        router.add("GET", "/servers/detail", lambda call: self.list(call, detail=True))
        router.add("POST", "/servers", self.create)
        router.add("GET", "/servers/{id}", self.show)
        router.add("PUT", "/servers/{id}", self.update)
        router.add("DELETE", "/servers/{id}", self.delete)
        router.add("GET", "/servers/{id}/metadata", self.metadata)
        router.add("POST", "/servers/{id}/metadata", self.set_metadata)
        router.add("PUT", "/servers/{id}/metadata", self.set_metadata)
        router.add("GET", "/servers/{id}/metadata/{key}", self.metadata_item)
        router.add("PUT", "/servers/{id}/metadata/{key}", self.set_metadata_item)
        router.add("DELETE", "/servers/{id}/metadata/{key}", self.drop_metadata_item)
        router.add("GET", "/servers/{id}/tags", self.tags)
        router.add("PUT", "/servers/{id}/tags", self.set_tags)
        router.add("DELETE", "/servers/{id}/tags", self.set_tags)
        router.add("GET", "/servers/{id}/tags/{tag}", self.has_tag)
        router.add("PUT", "/servers/{id}/tags/{tag}", self.add_tag)
        router.add("DELETE", "/servers/{id}/tags/{tag}", self.drop_tag)

    # --- create --------------------------------------------------------------------------------------------------
    def create(self, call: Call) -> Reply:
        values = call.inside("server")
        check_body(call, values)
        body = call.json()
        hints = body.get("os:scheduler_hints") or body.get("OS-SCH-HNT:scheduler_hints") or {}
        least = int(values.get("min_count") or 1)
        count = max(least, int(values.get("max_count") or least))
        password = str(values.get("adminPass") or new_password())
        first: Obj | None = None
        for number in range(1, count + 1):
            requested = Requested(self._compute, call, values, hints)
            self._compute.misc.check_quota(call.project_id, requested.flavor)
            name = values["name"] if count == 1 else f"{values['name']}-{number}"
            server = self._make(call, requested, name)
            first = first or server
        if first is None:
            raise bad("min_count must be >= 1")
        if values.get("return_reservation_id"):
            return Reply(202, {"reservation_id": first["_reservation_id"]})
        shown = {
            "id": first["id"], "links": self._compute.links("servers", first["id"]), "OS-DCF:diskConfig": "MANUAL",
            "security_groups": [{"name": n} for n in dict.fromkeys(
                g.get("name") for g in values.get("security_groups") or [{"name": "default"}])],
            "adminPass": password,
        }  # fmt: skip
        return Reply(202, {"server": shown}, {"Location": f"{self._compute.root}/servers/{first['id']}"})

    def _make(self, call: Call, requested: Requested, name: str) -> Obj:
        values, now = requested.values, self._world.now()
        server: Obj = {
            "id": self._world.new_id(), "name": name, "status": "BUILD", "vm_state": "building",
            "task_state": "scheduling", "power_state": 0, "project_id": call.project_id, "user_id": call.user_id,
            "metadata": dict(values.get("metadata") or {}), "image": requested.image, "flavor": requested.flavor,
            "created": stamp(now), "updated": stamp(now), "launched_at": None, "progress": 0, "host": "",
            "key_name": values.get("key_name"), "config_drive": "True" if values.get("config_drive") else "",
            "description": values.get("description") or (None if call.microversion >= (2, 19) else name),
            "tags": sorted(set(values.get("tags") or [])), "locked": False, "locked_reason": None,
            "hostname": values.get("hostname") or _hostname(name), "availability_zone": "nova",
            "access": [values.get("accessIPv4") or "", values.get("accessIPv6") or ""],
            "server_group": requested.server_group, "user_data": values.get("user_data"),
            "disk_config": values.get("OS-DCF:diskConfig", "MANUAL"), "fault": None,
            "_groups": requested.groups, "_ports": [], "_actions": [],
            "_reservation_id": f"r-{self._world.random.getrandbits(40):010x}"[:10],
        }  # fmt: skip
        server["_ports"] = requested.plug(server)
        requested.attach(server)
        self.note(call, server, "create")
        if requested.server_group:
            group = self._compute.server_groups.table.get(requested.server_group)
            if group is not None:
                group["members"] = [*group["members"], server["id"]]
                self._compute.server_groups.table.put(group)
        then: Obj = {"status": "ACTIVE", "vm_state": "active", "task_state": None, "power_state": 1, "progress": 0}
        if call.fault is not None and call.fault.effect == "half_done":
            fault = {"code": 500, "message": call.fault.message}
            then = {"status": "ERROR", "vm_state": "error", "task_state": None, "fault": fault}
        self._world.agenda.plan(TABLE, server, now + self._world.settings.build_seconds, then)
        return server

    def note(self, call: Call, server: Obj, action: str) -> None:
        """Keep what was done with it (`os-instance-actions`)."""
        row = {"action": action, "request_id": call.headers.get("_request_id", ""), "user_id": call.user_id,
               "project_id": call.project_id, "at": self._world.now()}  # fmt: skip
        server["_actions"] = [*server["_actions"], row][-_HISTORY:]

    def _due(self, server: Obj) -> None:
        then = fall_due(server)
        if then.get("gone"):
            self.remove(server)
            return
        server |= then
        now = stamp(self._world.now())
        server["updated"] = now
        if then.get("fault"):
            server["fault"] = then["fault"] | {"created": now}
        if server["launched_at"] is None and server["vm_state"] == "active":
            server |= {"launched_at": now[:-1] + ".000000", "host": "simulated"}
        self.table.put(server)

    def remove(self, server: Obj) -> None:
        """It is gone, and with it the ports and volumes Nova made; others are let go (N31)."""
        network = self._compute.network
        for port in network.ports.table.by("device_id", server["id"]):
            if port.get("_made_by_nova"):
                network.ports.drop(port)
            else:
                release_port(self._compute, port)
        self._compute.volume.volumes.server_gone(server["id"])
        self.table.remove(server["id"])

    # --- reading -------------------------------------------------------------------------------------------------
    def find(self, call: Call, server_id: str | None = None) -> Obj:
        wanted = server_id or call.params["id"]
        server = self.table.get(wanted)
        if server is None or not call.mine(server):
            raise not_found(f"Instance {wanted} could not be found.")
        return server

    def show(self, call: Call) -> Reply:
        return Reply(200, {"server": self.view.render(call, self.find(call))})

    def list(self, call: Call, *, detail: bool) -> Reply:
        for name, _ in call.query:
            if name not in _FILTERS and not name.startswith("_") and call.microversion >= (2, 75):
                raise bad(f"Additional properties are not allowed ('{name}' was unexpected)")
        everybody = (call.first("all_tenants") or "0").lower() in ("1", "true", "")
        if everybody and not call.is_admin:
            raise forbidden("servers:detail:get_all_tenants" if detail else "servers:index:get_all_tenants")
        rows = list(self.table) if everybody else self.table.by("project_id", call.project_id)
        rows = [server for server in rows if self._passes(call, server)]
        rows.sort(key=lambda server: server["created"], reverse=True)
        keys = [value for name, value in call.query if name == "sort_key"]
        directions = [value for name, value in call.query if name == "sort_dir"]
        if keys:
            named = {"display_name": "name", "created_at": "created", "updated_at": "updated", "uuid": "id"}
            fill = [*directions, *["desc"] * (len(keys) - len(directions))]
            sort(rows, [(named.get(key, key), way) for key, way in zip(keys, fill, strict=False)])
        limit = limit_of(call, bad, _MOST)
        rows, more = page(rows, call, limit, lambda m: bad(f"marker [{m}] not found"))
        shown = [self.view.render(call, server) if detail else self.view.brief(server) for server in rows]
        body: dict[str, Any] = {"servers": shown}
        if more:
            address = f"{self._compute.root}/servers{'/detail' if detail else ''}"
            body["servers_links"] = [{"rel": "next", "href": next_link(call, address, rows[-1]["id"])}]
        return Reply(200, body)

    def _passes(self, call: Call, server: Obj) -> bool:
        for name, value in call.query:
            match name:
                case "name" | "display_name":
                    try:
                        if not re.search(value, server["name"], re.IGNORECASE):
                            return False
                    except re.error:
                        raise bad(f"Invalid regular expression {value}") from None
                case "status" if server["status"] != value.upper():
                    return False
                case "image" if server["image"] != value.rpartition("/")[2]:
                    return False
                case "flavor" if server["flavor"]["id"] != value.rpartition("/")[2]:
                    return False
                case "reservation_id" if server["_reservation_id"] != value:
                    return False
                case "ip" | "ip6" if not self.view.has_address(server, value):
                    return False
                case "changes-since" if _moment(server["updated"]) < _moment(value):
                    return False
                case "changes-before" if _moment(server["updated"]) > _moment(value):
                    return False
                case "tenant_id" | "project_id" if call.is_admin and server["project_id"] != value:
                    return False
                case "user_id" | "host" if call.is_admin and server[name] != value:
                    return False
                case "vm_state" if call.is_admin and server["vm_state"] != value:
                    return False
                case "key_name" | "availability_zone" if call.microversion >= (2, 83) and server[name] != value:
                    return False
                case _:
                    pass
        return call.microversion < (2, 26) or tagged(server["tags"], call)

    # --- changing ------------------------------------------------------------------------------------------------
    def update(self, call: Call) -> Reply:
        server, values = self.find(call), call.inside("server")
        known = {"name", "OS-DCF:diskConfig", "accessIPv4", "accessIPv6"}
        known |= {"description"} if call.microversion >= (2, 19) else set()
        known |= {"hostname"} if call.microversion >= (2, 90) else set()
        for name in values:
            if name not in known:
                raise bad(f"Additional properties are not allowed ('{name}' was unexpected)")
        if "name" in values:
            check_name("name", values["name"])
        server |= {name: values[name] for name in ("name", "description", "hostname") if name in values}
        access = server["access"]
        server["access"] = [values.get("accessIPv4", access[0]), values.get("accessIPv6", access[1])]
        server["disk_config"] = values.get("OS-DCF:diskConfig", server["disk_config"])
        self.touch(server)
        return Reply(200, {"server": self.view.render(call, server)})

    def touch(self, server: Obj) -> None:
        server["updated"] = stamp(self._world.now())
        self.table.put(server)

    def check_unlocked(self, call: Call, server: Obj) -> None:
        if server["locked"] and not call.is_admin:
            raise conflict(f"Instance {server['id']} is locked")

    def delete(self, call: Call) -> Reply:
        server = self.find(call)
        self.check_unlocked(call, server)
        self.begin_delete(call, server)
        return Reply(204)

    def begin_delete(self, call: Call, server: Obj) -> None:
        if server["task_state"] == "deleting":
            return
        server["task_state"] = "deleting"
        self.note(call, server, "delete")
        now = self._world.now()
        self._world.agenda.plan(TABLE, server, now + self._world.settings.delete_seconds, {"gone": True})

    # --- metadata ------------------------------------------------------------------------------------------------
    def metadata(self, call: Call) -> Reply:
        return Reply(200, {"metadata": self.find(call)["metadata"]})

    def set_metadata(self, call: Call) -> Reply:
        server, given = self.find(call), call.inside("metadata")
        check_metadata(given)
        merged = given if call.method == "PUT" else server["metadata"] | given
        check_metadata(merged)
        server["metadata"] = dict(merged)
        self.touch(server)
        return Reply(200, {"metadata": server["metadata"]})

    def metadata_item(self, call: Call) -> Reply:
        server, key = self.find(call), call.params["key"]
        if key not in server["metadata"]:
            raise not_found("Metadata item was not found")
        return Reply(200, {"meta": {key: server["metadata"][key]}})

    def set_metadata_item(self, call: Call) -> Reply:
        server, given = self.find(call), call.inside("meta")
        if list(given) != [call.params["key"]]:
            raise bad("Request body and URI mismatch")
        check_metadata(given)
        server["metadata"] = server["metadata"] | given
        self.touch(server)
        return Reply(200, {"meta": given})

    def drop_metadata_item(self, call: Call) -> Reply:
        server, key = self.find(call), call.params["key"]
        if key not in server["metadata"]:
            raise not_found("Metadata item was not found")
        server["metadata"] = {name: value for name, value in server["metadata"].items() if name != key}
        self.touch(server)
        return Reply(204)

    # --- tags ----------------------------------------------------------------------------------------------------
    def _tagged(self, call: Call, verb: str | None = None) -> Obj:
        if call.microversion < (2, 26):
            raise not_found("The resource could not be found.")
        server = self.find(call)
        if verb is not None and server["vm_state"] not in ("active", "paused", "suspended", "stopped"):
            raise conflict(f"Cannot '{verb}' instance {server['id']} while it is in vm_state {server['vm_state']}")
        return server

    def tags(self, call: Call) -> Reply:
        return Reply(200, {"tags": self._tagged(call)["tags"]})

    def set_tags(self, call: Call) -> Reply:
        deletes = call.method == "DELETE"
        server = self._tagged(call, "delete tags" if deletes else "update tags")
        body = call.json() or {}
        tags = [] if deletes else body.get("tags")
        check_tags(tags)
        server["tags"] = sorted(set(tags or ()))
        self.touch(server)
        return Reply(204) if deletes else Reply(200, {"tags": server["tags"]})

    def has_tag(self, call: Call) -> Reply:
        server, tag = self._tagged(call), call.params["tag"]
        if tag not in server["tags"]:
            raise not_found(f"Server {server['id']} has no tag '{tag}'")
        return Reply(204)

    def add_tag(self, call: Call) -> Reply:
        server, tag = self._tagged(call, "update tag"), call.params["tag"]
        if tag in server["tags"]:
            return Reply(204)
        check_tags([tag])
        if len(server["tags"]) >= 50:
            raise bad("The number of tags exceeded the per-server limit 50")
        server["tags"] = sorted([*server["tags"], tag])
        self.touch(server)
        return Reply(201, None, {"Location": f"{self._compute.root}/servers/{server['id']}/tags/{tag}"})

    def drop_tag(self, call: Call) -> Reply:
        server, tag = self._tagged(call, "delete tag"), call.params["tag"]
        if tag not in server["tags"]:
            raise not_found(f"Server {server['id']} has no tag '{tag}'")
        server["tags"] = [other for other in server["tags"] if other != tag]
        self.touch(server)
        return Reply(204)


def release_port(compute: Compute, port: Obj) -> None:
    """Let go of a port that is somebody's own."""
    port |= {
        "device_id": "",
        "device_owner": "",
        "status": "DOWN",
        "binding:host_id": "",
        "binding:vif_type": "unbound",
    }
    compute.network.ports.touch(port)


def _hostname(name: str) -> str:
    return re.sub(r"[^a-z0-9.-]+", "", re.sub(r"[ _]", "-", name.lower())).strip(".-")[:63] or "server"


def _moment(text: str) -> float:
    try:
        moment = dt.datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise Refusal(400, f"Invalid time {text}") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt.UTC)
    return moment.timestamp()
