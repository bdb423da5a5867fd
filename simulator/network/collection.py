"""What every Neutron collection does: create, show, list, update and delete, attributes checked as Neutron does.

A collection is declared by its SDK class and a few tables; behaviour of its own goes into the `before_…` and
`after_…` methods of a subclass. Rows N… are those of the reference on VPCs, "tokens" that on marks.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from simulator.http import Call, Refusal, Reply, Routes
from simulator.network.errors import bad, invalid, not_authorized, not_found
from simulator.query import TAG_FILTERS, limit_of, next_link, page, same, sort, tagged, text_of
from simulator.sdk import SdkClass, sdk_class
from simulator.store import Obj, Table
from simulator.world import hidden, stamp

if TYPE_CHECKING:
    from simulator.network.service import Network

#: Attributes that Neutron sets itself and nobody sends.
_OWN = frozenset({"id", "status", "created_at", "updated_at", "revision_number", "tags", "project_id", "tenant_id"})
_PAGING = frozenset({"limit", "marker", "page_reverse", "sort_key", "sort_dir", "fields"})
_NAME_LENGTH = 255


class Collection:
    """Subclasses set what differs. `path` is the SDK's base path; a test holds them together."""

    sdk_name: ClassVar[str] = ""
    path: ClassVar[str] = ""
    noun: ClassVar[str] = ""  # as in "Network … could not be found."
    missing: ClassVar[str] = ""  # the error type of that
    defaults: ClassVar[Mapping[str, Any]] = {}
    required: ClassVar[tuple[str, ...]] = ()
    #: sent in PUT: 400 "Cannot update read-only attribute" (N24)
    read_only: ClassVar[frozenset[str]] = frozenset()
    #: only an administrator may set it; and only he sees the second ones
    admin_sets: ClassVar[frozenset[str]] = frozenset()
    admin_sees: ClassVar[frozenset[str]] = frozenset()
    admin_writes: ClassVar[bool] = False  # the whole collection
    booleans: ClassVar[frozenset[str]] = frozenset({"admin_state_up", "shared"})
    standard: ClassVar[bool] = True  # has description, times, revision and tags
    tags_dropped: ClassVar[bool] = False  # POST takes `tags` and drops them
    extra_filters: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, network: Network) -> None:
        self.network = network
        self.world = network.world
        self.table: Table = network.world.table(f"network{self.path}")
        self.table.index("project_id")

    # --- declaration ---------------------------------------------------------------------------------------------
    @property
    def sdk(self) -> SdkClass:
        return sdk_class(self.sdk_name)

    @property
    def key(self) -> str:
        return self.sdk.resource_key

    @property
    def plural(self) -> str:
        return self.sdk.resources_key

    @property
    def rule(self) -> str:
        """How policies call it: `create_network`."""
        return self.key

    def attributes(self) -> frozenset[str]:
        return self.sdk.body | self.defaults.keys() | _OWN

    def register(self, router: Routes) -> None:
        router.add("GET", self.path, self.list_all)
        router.add("POST", self.path, self.create)
        router.add("GET", f"{self.path}/{{id}}", self.show)
        router.add("PUT", f"{self.path}/{{id}}", self.update)
        router.add("DELETE", f"{self.path}/{{id}}", self.delete)
        if self.standard:
            router.add("GET", f"{self.path}/{{id}}/tags", self.list_tags)
            router.add("PUT", f"{self.path}/{{id}}/tags", self.replace_tags)
            router.add("DELETE", f"{self.path}/{{id}}/tags", self.remove_tags)
            router.add("GET", f"{self.path}/{{id}}/tags/{{tag}}", self.has_tag)
            router.add("PUT", f"{self.path}/{{id}}/tags/{{tag}}", self.add_tag)
            router.add("DELETE", f"{self.path}/{{id}}/tags/{{tag}}", self.remove_tag)

    # --- for subclasses ------------------------------------------------------------------------------------------
    def visible(self, call: Call, obj: Obj) -> bool:
        return call.mine(obj) or bool(obj.get("shared"))

    def scope(self, call: Call) -> list[Obj]:
        """All objects that the caller sees. Subclasses narrow it further where an index helps."""
        if call.is_admin:
            return list(self.table)
        return [obj for obj in self.table.objects.values() if self.visible(call, obj)]

    def before_create(self, call: Call, obj: Obj) -> None:
        """Check and complete a new object. Raises Refusal; nothing may be changed before it cannot any more."""

    def after_create(self, call: Call, obj: Obj) -> None:
        """What else comes into being."""

    def before_update(self, call: Call, obj: Obj, changes: Obj) -> None:
        """Check and complete the changes."""

    def before_delete(self, call: Call, obj: Obj) -> None:
        """Raises Refusal when it is in use."""

    def after_delete(self, call: Call, obj: Obj) -> None:
        """What else goes."""

    def render(self, call: Call, obj: Obj) -> Obj:
        """The object as it is shown."""
        return self.shown(call, hidden(obj))

    def matches(self, obj: Obj, name: str, values: list[str]) -> bool:
        """Whether the object passes the filter `name`."""
        if name in ("project_id", "tenant_id"):
            return obj.get("project_id", "") in values
        return same(obj.get(name), values)

    # --- verbs ---------------------------------------------------------------------------------------------------
    def create(self, call: Call) -> Reply:
        body = call.json()
        if isinstance(body, dict) and self.key not in body and isinstance(body.get(self.plural), list):
            made = [self.make(call, values) for values in body[self.plural]]
            return Reply(201, {self.plural: [self.render(call, obj) for obj in made]})
        return Reply(201, {self.key: self.render(call, self.make(call, call.inside(self.key)))})

    def make(self, call: Call, values: Mapping[str, Any], object_id: str | None = None) -> Obj:
        """A new object of the caller, checked. Only the simulator itself chooses ids."""
        if self.admin_writes and not call.is_admin:
            raise not_authorized(f"rule:create_{self.rule}")
        self._check_sent(call, values, "create")
        for name in self.required:
            if values.get(name) is None:
                raise bad(f"Failed to parse request. Required attribute '{name}' not specified")
        project = values.get("project_id") or values.get("tenant_id") or call.project_id
        if project != call.project_id and not call.is_admin:
            raise not_authorized(f"(rule:create_{self.rule} and rule:create_{self.rule}:tenant_id)")
        obj = self._new(project)
        obj["id"] = object_id or obj["id"]
        obj |= {name: value for name, value in values.items() if name not in ("tags", "tenant_id", "project_id")}
        self.network.check_quota(call, self)
        self.before_create(call, obj)
        self.table.put(obj)
        self.after_create(call, obj)
        return obj

    def _new(self, project: str) -> Obj:
        obj: Obj = {"id": self.world.new_id(), "project_id": project, "tenant_id": project}
        obj |= copy.deepcopy(dict(self.defaults))
        if self.standard:
            now = stamp(self.world.now())
            obj |= {"description": "", "tags": [], "created_at": now, "updated_at": now, "revision_number": 0}
        if not self.defaults:  # declared by the SDK alone
            obj = dict.fromkeys(sorted(self.sdk.body - {"location"})) | obj
        return obj

    def find(self, call: Call, object_id: str) -> Obj:
        """The object, if the caller may see it. Raises Refusal 404."""
        obj = self.table.get(object_id)
        if obj is None or not self.visible(call, obj):
            raise self.none(object_id)
        return obj

    def none(self, object_id: str) -> Refusal:
        return not_found(self.missing, self.noun, object_id)

    def own(self, call: Call, verb: str) -> Obj:
        """The object of the path, if the caller may change it."""
        obj = self.find(call, call.params["id"])
        if not call.mine(obj) or (self.admin_writes and not call.is_admin):
            raise not_authorized(f"rule:{verb}_{self.rule}")
        wanted = call.headers.get("if-match", "").removeprefix("revision_number=")
        if wanted.isdigit() and self.standard and int(wanted) != obj["revision_number"]:
            raise Refusal(
                412,
                f"Constrained to {wanted}, but current revision is {obj['revision_number']}",
                "RevisionNumberConstraintFailed",
            )
        return obj

    def show(self, call: Call) -> Reply:
        obj = self.render(call, self.find(call, call.params["id"]))
        fields = [value for name, value in call.query if name == "fields"]
        return Reply(200, {self.key: _only(obj, fields)})

    def update(self, call: Call) -> Reply:
        changes = dict(call.inside(self.key))
        obj = self.own(call, "update")
        for name in changes:
            if name in self.read_only or (name in _OWN and name != "tags"):
                raise bad(f"Cannot update read-only attribute {name}")
        self._check_sent(call, changes, "update")
        self.before_update(call, obj, changes)
        obj |= changes
        self.touch(obj)
        return Reply(200, {self.key: self.render(call, obj)})

    def touch(self, obj: Obj) -> None:
        """Keep a changed object."""
        if self.standard:
            obj["revision_number"] += 1
            obj["updated_at"] = stamp(self.world.now())
        self.table.put(obj)

    def delete(self, call: Call) -> Reply:
        obj = self.own(call, "delete")
        self.before_delete(call, obj)
        self.table.remove(obj["id"])
        self.after_delete(call, obj)
        return Reply(204)

    def list_all(self, call: Call) -> Reply:
        filters: dict[str, list[str]] = {}
        known = self.attributes() | self.sdk.filters | self.extra_filters | TAG_FILTERS | _PAGING
        for name, value in call.query:
            if name not in known:
                raise bad(f"['{name}'] is invalid attribute for filtering")
            if name in _PAGING or name in TAG_FILTERS:
                continue
            if name in self.booleans and value.lower() not in _BOOLEANS:
                raise invalid(f"'{value}' cannot be converted to boolean")
            filters.setdefault(name, []).append(value)
        found = [obj for obj in self.candidates(call, filters) if self._passes(obj, call, filters)]
        return self._page(call, found)

    def candidates(self, call: Call, filters: Mapping[str, list[str]]) -> list[Obj]:
        """What can pass at all: by id where ids are asked for."""
        if "id" in filters:
            asked = (self.table.get(object_id) for object_id in dict.fromkeys(filters["id"]))
            return [obj for obj in asked if obj is not None and self.visible(call, obj)]
        return self.scope(call)

    def _passes(self, obj: Obj, call: Call, filters: Mapping[str, list[str]]) -> bool:
        if not all(self.matches(obj, name, values) for name, values in filters.items()):
            return False
        return not self.standard or tagged(obj.get("tags") or (), call)

    def _page(self, call: Call, found: list[Obj]) -> Reply:
        keys = [value for name, value in call.query if name == "sort_key"]
        directions = [value for name, value in call.query if name == "sort_dir"]
        if len(keys) != len(directions) and (keys or directions):
            raise bad("The number of sort_keys and sort_dirs must be same")
        found = sort(found, list(zip(keys, directions, strict=True)))
        limit = limit_of(call, lambda text: bad(text))
        rows, more = page(found, call, limit, self.none)
        fields = [value for name, value in call.query if name == "fields"]
        body: dict[str, Any] = {self.plural: [_only(self.render(call, obj), fields) for obj in rows]}
        if more:
            address = f"{self.world.url}/networking/v2.0{self.path}"
            body[f"{self.plural}_links"] = [{"rel": "next", "href": next_link(call, address, rows[-1]["id"])}]
        return Reply(200, body)

    # --- attributes ----------------------------------------------------------------------------------------------
    def _check_sent(self, call: Call, values: Mapping[str, Any], verb: str) -> None:
        known = self.attributes()
        strange = [name for name in values if name not in known]
        if strange:
            raise bad(f"Unrecognized attribute(s) '{', '.join(strange)}'")
        if "tags" in values and not (self.tags_dropped and verb == "create"):
            method = "POST" if verb == "create" else "PUT"
            raise bad(f"Attribute 'tags' not allowed in {method}")
        if verb == "create":
            for name in ("id", "status", "created_at", "updated_at", "revision_number"):
                if name in values:
                    raise bad(f"Attribute '{name}' not allowed in POST")
        if not call.is_admin:
            for name in sorted(self.admin_sets & values.keys()):
                if values[name] is not None:
                    raise not_authorized(f"(rule:{verb}_{self.rule} and rule:{verb}_{self.rule}:{name})")
        for name, value in values.items():
            self._check_value(name, value)

    def _check_value(self, name: str, value: Any) -> None:
        if name in self.booleans and not (isinstance(value, bool) or text_of(value).lower() in _BOOLEANS):
            raise invalid(f"'{value}' cannot be converted to boolean")
        if name in ("name", "description"):
            if not isinstance(value, str):
                raise bad(f"Invalid input for {name}. Reason: '{value}' is not a valid string.")
            if len(value) > _NAME_LENGTH:
                raise bad(f"Invalid input for {name}. Reason: '{value}' exceeds maximum length of {_NAME_LENGTH}.")

    def shown(self, call: Call, obj: Obj) -> Obj:
        """Without what only administrators see."""
        if not call.is_admin:
            for name in self.admin_sees:
                obj.pop(name, None)
        return obj

    # --- tags ----------------------------------------------------------------------------------------------------
    def list_tags(self, call: Call) -> Reply:
        return Reply(200, {"tags": self.find(call, call.params["id"])["tags"]})

    def replace_tags(self, call: Call) -> Reply:
        tags = (call.json() or {}).get("tags")
        if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
            raise bad("Invalid tags body", "HTTPBadRequest")
        obj = self.own(call, "update")
        obj["tags"] = sorted(set(map(_tag, tags)))
        self.touch(obj)
        return Reply(200, {"tags": obj["tags"]})

    def remove_tags(self, call: Call) -> Reply:
        obj = self.own(call, "update")
        obj["tags"] = []
        self.touch(obj)
        return Reply(204)

    def has_tag(self, call: Call) -> Reply:
        if call.params["tag"] not in self.find(call, call.params["id"])["tags"]:
            raise not_found("TagNotFound", "Tag", call.params["tag"])
        return Reply(204)

    def add_tag(self, call: Call) -> Reply:
        obj = self.own(call, "update")
        tag = _tag(call.params["tag"])
        if tag not in obj["tags"]:
            obj["tags"] = sorted([*obj["tags"], tag])
            self.touch(obj)
        return Reply(201)

    def remove_tag(self, call: Call) -> Reply:
        obj = self.own(call, "update")
        if call.params["tag"] not in obj["tags"]:
            raise not_found("TagNotFound", "Tag", call.params["tag"])
        obj["tags"] = [tag for tag in obj["tags"] if tag != call.params["tag"]]
        self.touch(obj)
        return Reply(204)


_BOOLEANS = frozenset({"true", "false", "1", "0", "t", "f", "yes", "no", "y", "n", "on", "off"})


def _only(obj: Obj, fields: list[str]) -> Obj:
    return {name: value for name, value in obj.items() if name in fields} if fields else obj


def _tag(tag: str) -> str:
    if len(tag) > _NAME_LENGTH:
        raise bad(f"Invalid input for tags. Reason: '{tag}' exceeds maximum length of {_NAME_LENGTH}.")
    return tag
