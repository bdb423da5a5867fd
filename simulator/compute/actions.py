"""`POST /servers/{id}/action`: the states a server may go through, as a table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simulator.compute.errors import bad, conflict, forbidden, invalid, not_found
from simulator.compute.server_create import check_name, find_group, new_password
from simulator.compute.servers import TABLE
from simulator.http import Call, Reply, Routes
from simulator.store import Obj
from simulator.world import stamp_micro

if TYPE_CHECKING:
    from simulator.compute.service import Compute


@dataclass(frozen=True, slots=True)
class Move:
    """From which `vm_state`s, what the server shows meanwhile, and where it ends."""

    verb: str
    states: tuple[str, ...]
    task: str
    status: str
    vm_state: str
    power: int = 1
    meanwhile: str | None = None
    body: str | None = None  # answered with a password, or nothing


_MOVES = {
    "os-start": Move("start", ("stopped",), "powering-on", "ACTIVE", "active"),
    "os-stop": Move("stop", ("active", "error"), "powering-off", "SHUTOFF", "stopped", 4),
    "pause": Move("pause", ("active",), "pausing", "PAUSED", "paused", 3),
    "unpause": Move("unpause", ("paused",), "unpausing", "ACTIVE", "active"),
    "suspend": Move("suspend", ("active",), "suspending", "SUSPENDED", "suspended", 4),
    "resume": Move("resume", ("suspended",), "resuming", "ACTIVE", "active"),
    "rescue": Move("rescue", ("active", "stopped", "error"), "rescuing", "RESCUE", "rescued", body="adminPass"),
    "unrescue": Move("unrescue", ("rescued",), "unrescuing", "ACTIVE", "active"),
    "shelve": Move("shelve", ("active", "stopped", "paused", "suspended"), "shelving", "SHELVED_OFFLOADED",
                   "shelved_offloaded", 4),
    "shelveOffload": Move("shelveOffload", ("shelved",), "shelving_offloading", "SHELVED_OFFLOADED",
                          "shelved_offloaded", 4),
    "unshelve": Move("unshelve", ("shelved", "shelved_offloaded"), "unshelving", "ACTIVE", "active"),
    "confirmResize": Move("confirmResize", ("resized",), "", "ACTIVE", "active"),
    "revertResize": Move("revertResize", ("resized",), "resize_reverting", "ACTIVE", "active",
                         meanwhile="REVERT_RESIZE"),
    "migrate": Move("migrate", ("active", "stopped"), "resize_migrating", "VERIFY_RESIZE", "resized",
                    meanwhile="RESIZE"),
}  # fmt: skip
_ADMIN = {"migrate": "os-migrate-server:migrate", "os-resetState": "os-admin-actions:reset_state"}
#: What Nova took out of its API.
_GONE = frozenset({"addFloatingIp", "removeFloatingIp", "addFixedIp", "removeFixedIp", "os-getVNCConsole"})
_REBOOTABLE = ("active", "stopped", "paused", "suspended", "error")


class Actions:
    def __init__(self, compute: Compute) -> None:
        self._compute = compute
        self._servers = compute.servers
        self._others: dict[str, Callable[[Call, Obj, Any], Reply]] = {
            "reboot": self._reboot, "resize": self._resize, "rebuild": self._rebuild, "lock": self._lock,
            "unlock": self._unlock, "changePassword": self._change_password, "createImage": self._create_image,
            "os-getConsoleOutput": self._console, "addSecurityGroup": self._add_group,
            "removeSecurityGroup": self._remove_group, "forceDelete": self._force_delete,
            "os-resetState": self._reset_state,
        }  # fmt: skip

    def register(self, router: Routes) -> None:
        router.add("POST", "/servers/{id}/action", self.act)
        router.add("GET", "/servers/{id}/os-instance-actions", self.history)
        router.add("GET", "/servers/{id}/os-instance-actions/{request}", self.event)

    def act(self, call: Call) -> Reply:
        body = call.json()
        if not isinstance(body, dict) or len(body) != 1:
            raise bad("Malformed request body" if not isinstance(body, dict) else "Multiple actions specified.")
        (name, argument), *_ = body.items()
        server = self._servers.find(call)
        move, other = _MOVES.get(name), self._others.get(name)
        if name in _GONE and call.microversion >= (2, 44):
            raise not_found("The resource could not be found.")
        if move is None and other is None:
            raise bad(f"There is no such action: {name}")
        if name in _ADMIN and not call.is_admin:
            raise forbidden(_ADMIN[name])
        if name != "unlock":
            self._servers.check_unlocked(call, server)
        if move is not None:
            return self._move(call, server, name, move)
        assert other is not None
        return other(call, server, argument)

    # --- moving --------------------------------------------------------------------------------------------------
    def _check(self, server: Obj, verb: str, states: tuple[str, ...]) -> None:
        if server["vm_state"] not in states:
            raise conflict(f"Cannot '{verb}' instance {server['id']} while it is in vm_state {server['vm_state']}")
        if server["task_state"] is not None:
            raise conflict(f"Cannot '{verb}' instance {server['id']} while it is in task_state {server['task_state']}")

    def _move(self, call: Call, server: Obj, name: str, move: Move) -> Reply:
        self._check(server, move.verb, move.states)
        then: Obj = {"status": move.status, "vm_state": move.vm_state, "power_state": move.power}
        if name == "revertResize" and server.get("_old_flavor"):
            then["flavor"] = server.pop("_old_flavor")
        if name == "revertResize" and server.get("_was_stopped"):
            then |= {"status": "SHUTOFF", "vm_state": "stopped", "power_state": 4}
        if name == "confirmResize":
            server |= then
            self._servers.note(call, server, "confirmResize")
            self._servers.touch(server)
            return Reply(204)
        self._begin(call, server, move.verb, move.task, then, move.meanwhile)
        return Reply(200, {"adminPass": new_password()}) if move.body else Reply(202)

    def _begin(self, call: Call, server: Obj, verb: str, task: str, then: Obj, meanwhile: str | None) -> None:
        world = self._compute.world
        server["task_state"] = task
        if meanwhile is not None:
            server["status"] = meanwhile
        self._servers.note(call, server, verb)
        world.agenda.plan(TABLE, server, world.now() + world.settings.build_seconds / 3, then | {"task_state": None})

    def _reboot(self, call: Call, server: Obj, argument: Any) -> Reply:
        kind = argument.get("type") if isinstance(argument, dict) else None
        if str(kind) not in ("HARD", "Hard", "hard", "SOFT", "Soft", "soft"):
            kinds = ["HARD", "Hard", "hard", "SOFT", "Soft", "soft"]
            raise invalid("type", kind, f"'{kind}' is not one of {kinds}")
        hard = str(kind).upper() == "HARD"
        self._check(server, "reboot", _REBOOTABLE if hard else ("active",))
        then = {"status": "ACTIVE", "vm_state": "active", "power_state": 1}
        task = "rebooting_hard" if hard else "rebooting"
        self._begin(call, server, "reboot", task, then, "HARD_REBOOT" if hard else "REBOOT")
        return Reply(202)

    def _resize(self, call: Call, server: Obj, argument: Any) -> Reply:
        wanted = str(argument.get("flavorRef") if isinstance(argument, dict) else "").rpartition("/")[2]
        flavor = self._compute.flavors.table.get(wanted)
        if flavor is None:
            raise bad(f"Flavor {wanted} could not be found.")
        if flavor["id"] == server["flavor"]["id"]:
            raise bad("When resizing, instances must change flavor!")
        self._check(server, "resize", ("active", "stopped"))
        server["_old_flavor"], server["_was_stopped"] = server["flavor"], server["vm_state"] == "stopped"
        then = {"status": "VERIFY_RESIZE", "vm_state": "resized", "flavor": flavor}
        self._begin(call, server, "resize", "resize_prep", then, "RESIZE")
        return Reply(202)

    def _rebuild(self, call: Call, server: Obj, argument: Any) -> Reply:
        values = argument if isinstance(argument, dict) else {}
        image_id = str(values.get("imageRef", "")).rpartition("/")[2]
        image = self._compute.image.images.get(image_id)
        if image is None or not self._compute.image.visible(call, image):
            raise bad("Cannot find image for rebuild")
        self._check(server, "rebuild", ("active", "stopped", "error", "paused", "suspended"))
        if "name" in values:
            check_name("name", values["name"])
            server["name"] = values["name"]
        if "metadata" in values:
            server["metadata"] = dict(values["metadata"])
        for name, since in (("description", (2, 19)), ("user_data", (2, 57)), ("hostname", (2, 90))):
            if name in values and call.microversion >= since:
                server[name] = values[name]
        if values.get("key_name") is not None and call.microversion >= (2, 54):
            if self._compute.keypairs.get(call.user_id, values["key_name"]) is None:
                raise bad("Invalid key_name provided.")
            server["key_name"] = values["key_name"]
        server["image"] = image_id
        stopped = server["vm_state"] == "stopped"
        then = {"status": "SHUTOFF", "vm_state": "stopped", "power_state": 4} if stopped else {
            "status": "ACTIVE", "vm_state": "active", "power_state": 1, "fault": None}  # fmt: skip
        self._begin(call, server, "rebuild", "rebuilding", then, "REBUILD")
        shown = self._servers.view.render(call, server) | {"adminPass": values.get("adminPass") or new_password()}
        if call.microversion >= (2, 57):
            shown["user_data"] = server["user_data"]
        return Reply(202, {"server": shown})

    def _reset_state(self, call: Call, server: Obj, argument: Any) -> Reply:
        state = argument.get("state") if isinstance(argument, dict) else None
        if state not in ("active", "error"):
            raise invalid("state", state, f"'{state}' is not one of ['active', 'error']")
        server |= {"vm_state": state, "status": str(state).upper(), "task_state": None, "_due": None}
        self._servers.touch(server)
        return Reply(202)

    # --- others --------------------------------------------------------------------------------------------------
    def _lock(self, call: Call, server: Obj, argument: Any) -> Reply:
        server["locked"] = True
        reason = argument.get("locked_reason") if isinstance(argument, dict) else None
        server["locked_reason"] = reason if call.microversion >= (2, 73) else None
        self._servers.touch(server)
        return Reply(202)

    def _unlock(self, call: Call, server: Obj, argument: Any) -> Reply:
        server |= {"locked": False, "locked_reason": None}
        self._servers.touch(server)
        return Reply(202)

    def _change_password(self, call: Call, server: Obj, argument: Any) -> Reply:
        if not isinstance(argument, dict) or not isinstance(argument.get("adminPass"), str):
            raise invalid("changePassword", argument, "'adminPass' is a required property")
        self._check(server, "changePassword", ("active",))
        self._servers.note(call, server, "changePassword")
        self._servers.touch(server)
        return Reply(202)

    def _create_image(self, call: Call, server: Obj, argument: Any) -> Reply:
        if not isinstance(argument, dict) or not argument.get("name"):
            raise invalid("createImage", argument, "'name' is a required property")
        self._check(server, "createImage", ("active", "stopped", "paused", "suspended"))
        image_id = self._compute.world.new_id()
        metadata = {str(name): str(value) for name, value in (argument.get("metadata") or {}).items()}
        more = {"visibility": "private", "image_type": "snapshot", "instance_uuid": server["id"]}
        self._compute.image.put_image(
            image_id, argument["name"], owner=call.project_id, data=b"", properties=metadata | more
        )
        self._servers.note(call, server, "createImage")
        self._servers.touch(server)
        if call.microversion >= (2, 45):
            return Reply(202, {"image_id": image_id})
        return Reply(202, None, {"Location": f"{self._compute.world.url}/image/v2/images/{image_id}"})

    def _console(self, call: Call, server: Obj, argument: Any) -> Reply:
        lines = [f"[    0.{number:06d}] {server['hostname']} simulated boot, line {number}" for number in range(1, 9)]
        lines.append(f"{server['hostname']} login:")
        length = argument.get("length") if isinstance(argument, dict) else None
        if length is not None and str(length).lstrip("-").isdigit() and int(length) >= 0:
            lines = lines[-int(length) :] if int(length) else []
        return Reply(200, {"output": "\n".join(lines)})

    def _group(self, call: Call, argument: Any) -> Obj:
        name = argument.get("name") if isinstance(argument, dict) else None
        group = find_group(self._compute, call.project_id, str(name))
        if group is None:
            raise not_found(f"Security group {name} is not found for project {call.project_id}")
        return group

    def _add_group(self, call: Call, server: Obj, argument: Any) -> Reply:
        group = self._group(call, argument)
        for port in self._servers.view.ports(server):
            if group["id"] in port["security_groups"]:
                raise bad(f"Invalid input for security_groups. Reason: Duplicate items in the list: '{group['id']}'.")
            port["security_groups"] = [*port["security_groups"], group["id"]]
            self._compute.network.ports.touch(port)
        return Reply(202)

    def _remove_group(self, call: Call, server: Obj, argument: Any) -> Reply:
        group = self._group(call, argument)
        ports = [port for port in self._servers.view.ports(server) if group["id"] in port["security_groups"]]
        if not ports:
            raise not_found(f"Security group {group['name']} is not associated with the instance {server['id']}")
        for port in ports:
            port["security_groups"] = [other for other in port["security_groups"] if other != group["id"]]
            self._compute.network.ports.touch(port)
        return Reply(202)

    def _force_delete(self, call: Call, server: Obj, argument: Any) -> Reply:
        self._servers.begin_delete(call, server)
        return Reply(202)

    # --- history -------------------------------------------------------------------------------------------------
    def history(self, call: Call) -> Reply:
        server = self._servers.find(call)
        rows = [_shown(server, row) for row in reversed(server["_actions"])]
        return Reply(200, {"instanceActions": rows})

    def event(self, call: Call) -> Reply:
        server = self._servers.find(call)
        for row in server["_actions"]:
            if row["request_id"] == call.params["request"]:
                return Reply(200, {"instanceAction": _shown(server, row) | {"events": []}})
        raise not_found(f"Action for request_id {call.params['request']} on instance {server['id']} not found")


def _shown(server: Obj, row: Obj) -> Obj:
    at = stamp_micro(row["at"])
    return {
        "action": row["action"], "instance_uuid": server["id"], "request_id": row["request_id"],
        "user_id": row["user_id"], "project_id": row["project_id"], "start_time": at, "message": None,
        "updated_at": at,
    }  # fmt: skip
