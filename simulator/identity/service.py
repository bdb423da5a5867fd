"""The Keystone API v3."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from simulator.http import ANYBODY, Below, Call, Caller, Refusal, Reply
from simulator.identity.assignments import Assignments
from simulator.identity.auth import Auth
from simulator.identity.catalog import Endpoints, Policies, Regions, Services
from simulator.identity.collection import Collection
from simulator.identity.delegation import ApplicationCredentials, Trusts
from simulator.identity.ec2 import Credentials
from simulator.identity.errors import forbidden, unauthorized
from simulator.identity.people import Domains, Groups, Projects, Roles, Users
from simulator.identity.tokens import Tokens
from simulator.ids import stable_hex
from simulator.store import Obj
from simulator.world import Service, World

_TITLES = {
    400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
    409: "Conflict", 413: "Request Entity Too Large", 429: "Too Many Requests", 500: "Internal Server Error",
    503: "Service Unavailable",
}  # fmt: skip
_PUBLIC = {("POST", "/v3/auth/tokens"), ("GET", "/v3"), ("GET", "/"), ("HEAD", "/v3"), ("HEAD", "/")}


class Identity(Service):
    name = "identity"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.domain_list = Domains(self)
        self.project_list = Projects(self)
        self.user_list = Users(self)
        self.group_list = Groups(self)
        self.role_list = Roles(self)
        self.region_list = Regions(self)
        self.service_list = Services(self)
        self.endpoint_list = Endpoints(self)
        self.collections: list[Collection] = [
            self.domain_list, self.project_list, self.user_list, self.group_list, self.role_list, self.region_list,
            self.service_list, self.endpoint_list, Policies(self),
        ]  # fmt: skip
        self.domains, self.projects = self.domain_list.table, self.project_list.table
        self.users, self.groups, self.roles = self.user_list.table, self.group_list.table, self.role_list.table
        self.services, self.endpoints = self.service_list.table, self.endpoint_list.table
        self.endpoints.index("service_id")
        self.memberships = self.table("identity/memberships")
        self.memberships.index("user_id")
        self.memberships.index("group_id")
        self.assignments = Assignments(self)
        self.trusts = Trusts(self)
        self.application_credentials = ApplicationCredentials(self)
        self.credentials = Credentials(self)
        self.tokens = Tokens(self)
        self.auth = Auth(self)
        self._routes()

    @property
    def root(self) -> str:
        return f"{self.world.url}/identity/v3"

    def _routes(self) -> None:
        below = Below(self.router, "/v3")
        for collection in self.collections:
            collection.register(below)
        for part in (self.assignments, self.trusts, self.application_credentials, self.credentials):
            part.register(below)
        for method, handler in (
            ("POST", self.auth.create), ("GET", self.auth.show), ("HEAD", self.auth.check),
            ("DELETE", self.auth.revoke),
        ):  # fmt: skip
            below.add(method, "/auth/tokens", handler)
        below.add("GET", "/auth/projects", self.own_projects)
        below.add("GET", "/auth/domains", self.own_domains)
        below.add("GET", "/auth/catalog", self.own_catalog)
        below.add("GET", "/auth/system", lambda _: Reply(200, {"system": []}))
        below.add("GET", "/limits", lambda call: self.listing(call, "limits", []))
        below.add("GET", "/registered_limits", lambda call: self.listing(call, "registered_limits", []))
        for path in ("/", "/v3"):
            self.router.add("GET", path, self.versions)

    # --- the service ---------------------------------------------------------------------------------------------
    def is_public(self, call: Call) -> bool:
        return (call.method, call.path.rstrip("/") or "/") in _PUBLIC

    def refused(self, call: Call, refusal: Refusal) -> Reply:
        title = _TITLES.get(refusal.status, "Error")
        headers = {}
        if refusal.status == 401:
            headers["WWW-Authenticate"] = f'Keystone uri="{self.root}"'
        return Reply(
            refusal.status, {"error": {"code": refusal.status, "message": refusal.message, "title": title}}, headers
        )

    def finish(self, call: Call, reply: Reply) -> None:
        reply.headers["Vary"] = "X-Auth-Token"

    def versions(self, call: Call) -> Reply:
        version = {
            "id": "v3.14", "status": "stable", "updated": "2020-04-07T00:00:00Z",
            "links": [{"rel": "self", "href": f"{self.root}/"}],
            "media-types": [
                {"base": "application/json", "type": "application/vnd.openstack.identity-v3+json"}
            ],
        }  # fmt: skip
        if call.path.strip("/") == "v3":
            return Reply(200, {"version": version})
        return Reply(300, {"versions": {"values": [version]}}, {"Location": f"{self.root}/"})

    def caller(self, token_id: str | None) -> Caller:
        """Who has this token. Raises Refusal 401."""
        token = self.tokens.read(token_id)
        if token is None:
            raise unauthorized()
        return self.tokens.caller(token)

    def known(self, token_id: str | None) -> Caller:
        """Who has this token; nobody in particular for a bad one."""
        token = self.tokens.read(token_id)
        return self.tokens.caller(token) if token else ANYBODY

    # --- for its parts -------------------------------------------------------------------------------------------
    def listing(self, call: Call, plural: str, rows: list[Obj]) -> Reply:
        address = f"{self.world.url}/identity{call.path}"
        if call.query:
            address += "?" + urlencode(call.query)
        return Reply(200, {plural: rows, "links": {"next": None, "self": address, "previous": None}})

    def domain_of(self, named: Any) -> str:
        """The id of a domain given by id or name; the default one when none is given."""
        if not isinstance(named, Mapping):
            return "default"
        if named.get("id"):
            return str(named["id"])
        for domain in self.domains.where(name=named.get("name")):
            return str(domain["id"])
        raise unauthorized()

    def users_named(self, domain_id: str, name: str) -> Obj | None:
        return next(iter(self.users.where(name=name, domain_id=domain_id)), None)

    def project_named(self, domain_id: str, name: str) -> Obj | None:
        return next(iter(self.projects.where(name=name, domain_id=domain_id)), None)

    def role_named(self, name: str) -> Obj | None:
        return next(iter(self.roles.where(name=name)), None)

    def role_names(self, role_ids: list[str]) -> list[str]:
        return [role["name"] for role in map(self.roles.get, role_ids) if role]

    def with_domain(self, obj: Obj) -> Obj:
        """As users and projects stand in tokens."""
        domain = self.domains.get(obj["domain_id"]) or {"id": obj["domain_id"], "name": ""}
        return {"domain": {"id": domain["id"], "name": domain["name"]}, "id": obj["id"], "name": obj["name"]}

    def reference(self, obj: Obj | None, object_id: str, *, named: bool) -> Obj:
        if obj is None or not named:
            return {"id": object_id}
        return self.with_domain(obj) if "domain_id" in obj else {"id": obj["id"], "name": obj["name"]}

    def projects_of(self, user_id: str) -> list[Obj]:
        return [self.project_list.render(p) for p in self.projects if self.assignments.effective(user_id, p["id"])]

    # --- what everybody may ask ----------------------------------------------------------------------------------
    def own_projects(self, call: Call) -> Reply:
        return self.listing(call, "projects", self.projects_of(call.user_id))

    def own_domains(self, call: Call) -> Reply:
        rows = [row for row in self.domains if self.assignments.effective_on_domain(call.user_id, row["id"])]
        return self.listing(call, "domains", [self.domain_list.render(row) for row in rows])

    def own_catalog(self, call: Call) -> Reply:
        if not call.project_id:
            raise forbidden("Cannot list the catalog without a project.")
        return self.listing(call, "catalog", self.tokens.catalog(call.project_id))

    def put_service(self, kind: str, name: str, url: str) -> None:
        """Have a service of this type at `url` on all interfaces, instead of what was there."""
        region = self.world.settings.region
        service = next(iter(self.services.where(type=kind)), None)
        if service is None:
            service = self.services.put({"id": stable_hex(kind), "type": kind, "name": name, "enabled": True})
        for endpoint in self.endpoints.by("service_id", service["id"]):
            self.endpoints.remove(endpoint["id"])
        for interface in ("public", "internal", "admin"):
            self.endpoints.put(
                {"id": stable_hex(f"{kind}/{interface}"), "interface": interface, "region_id": region,
                 "service_id": service["id"], "url": url, "enabled": True}
            )  # fmt: skip
