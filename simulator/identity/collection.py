"""What every Keystone collection does. Unknown attributes are kept and shown, unknown filters ignored (tokens §3)."""

from __future__ import annotations

import copy
import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from simulator.http import Call, Refusal, Reply, Routes
from simulator.identity.errors import conflict, forbidden, malformed, not_found
from simulator.query import same
from simulator.sdk import SdkClass, sdk_class
from simulator.store import Obj
from simulator.world import hidden

if TYPE_CHECKING:
    from simulator.identity.service import Identity


class Collection:
    """Declared by the SDK's class; administrators only, unless a subclass says otherwise."""

    sdk_name: ClassVar[str] = ""
    path: ClassVar[str] = ""
    key: ClassVar[str] = ""  # as the SDK has it, where it has one
    defaults: ClassVar[Mapping[str, Any]] = {}
    required: ClassVar[tuple[str, ...]] = ("name",)
    unique: ClassVar[tuple[str, ...]] = ()  # attributes that together name one object
    filters: ClassVar[frozenset[str]] = frozenset({"name"})

    def __init__(self, identity: Identity) -> None:
        self.identity = identity
        self.world = identity.world
        self.table = identity.table(f"identity{self.path}")

    @property
    def sdk(self) -> SdkClass:
        return sdk_class(self.sdk_name)

    @property
    def plural(self) -> str:
        return self.path[1:]

    def register(self, router: Routes) -> None:
        router.add("GET", self.path, self.list)
        router.add("POST", self.path, self.create)
        router.add("GET", f"{self.path}/{{id}}", self.show)
        router.add("HEAD", f"{self.path}/{{id}}", self.show)
        router.add("PATCH", f"{self.path}/{{id}}", self.update)
        router.add("DELETE", f"{self.path}/{{id}}", self.delete)

    # --- for subclasses ------------------------------------------------------------------------------------------
    def allowed(self, call: Call, verb: str, obj: Obj | None) -> bool:
        return call.is_admin

    def before_create(self, call: Call, obj: Obj) -> None:
        """Check and complete a new object."""

    def before_update(self, call: Call, obj: Obj, changes: Obj) -> None:
        """Check and complete changes."""

    def before_delete(self, call: Call, obj: Obj) -> None:
        """Raises Refusal when it may not go."""

    def after_delete(self, call: Call, obj: Obj) -> None:
        """What else goes."""

    def render(self, obj: Obj) -> Obj:
        return hidden(obj) | {"links": {"self": f"{self.identity.root}{self.path}/{obj['id']}"}}

    def matches(self, obj: Obj, name: str, value: str) -> bool:
        return same(obj.get(name), [value])

    # --- verbs ---------------------------------------------------------------------------------------------------
    def check(self, call: Call, verb: str, obj: Obj | None = None) -> None:
        if not self.allowed(call, verb, obj):
            noun = self.plural if verb == "list" else self.key
            raise forbidden(f"identity:{verb}_{noun}")

    def create(self, call: Call) -> Reply:
        values = self.sent(call)
        self.check(call, "create", values)
        obj = self.make(call, values)
        return Reply(201, {self.key: self.render(obj)})

    def sent(self, call: Call) -> Obj:
        body = call.json()
        values = body.get(self.key) if isinstance(body, dict) else None
        if not isinstance(values, dict):
            raise Refusal(400, f"'{self.key}' is a required property")
        return dict(values)

    def make(self, call: Call, values: Obj) -> Obj:
        for name in self.required:
            if values.get(name) in (None, ""):
                raise Refusal(400, f"'{name}' is a required property\n\nFailed validating 'required' in schema")
        obj = (
            {"id": uuid.uuid4().hex}
            | copy.deepcopy(dict(self.defaults))
            | {k: v for k, v in values.items() if k != "id"}
        )
        self.before_create(call, obj)
        self._check_unique(obj)
        return self.table.put(obj)

    def _check_unique(self, obj: Obj) -> None:
        if not self.unique:
            return
        wanted = {name: obj[name] for name in self.unique}
        if any(other["id"] != obj["id"] for other in self.table.where(**wanted)):
            raise self.duplicate(obj)

    def duplicate(self, obj: Obj) -> Refusal:
        where = f" at domain ID {obj['domain_id']}" if "domain_id" in self.unique else ""
        return conflict(self.key, f"Duplicate entry found with name {obj['name']}{where}")

    def find(self, object_id: str) -> Obj:
        obj = self.table.get(object_id)
        if obj is None:
            raise not_found(self.key.replace("_", " "), object_id)
        return obj

    def show(self, call: Call) -> Reply:
        obj = self.table.get(call.params["id"])
        self.check(call, "get", obj)
        return Reply(200, {self.key: self.render(self.find(call.params["id"]))})

    def list(self, call: Call) -> Reply:
        self.check(call, "list")
        rows = [obj for obj in self.table if self.passes(call, obj)]
        return self.identity.listing(call, self.plural, [self.render(obj) for obj in rows])

    def passes(self, call: Call, obj: Obj) -> bool:
        return all(self.matches(obj, name, value) for name, value in call.query if name in self.filters)

    def update(self, call: Call) -> Reply:
        obj = self.table.get(call.params["id"])
        self.check(call, "update", obj)
        obj = self.find(call.params["id"])
        changes = self.sent(call)
        if changes.get("id", obj["id"]) != obj["id"]:
            raise malformed("Cannot change ID.")
        self.before_update(call, obj, changes)
        self._check_unique(obj | changes)
        obj |= changes
        self.table.put(obj)
        return Reply(200, {self.key: self.render(obj)})

    def delete(self, call: Call) -> Reply:
        obj = self.table.get(call.params["id"])
        self.check(call, "delete", obj)
        obj = self.find(call.params["id"])
        self.before_delete(call, obj)
        self.table.remove(obj["id"])
        self.after_delete(call, obj)
        return Reply(204)
