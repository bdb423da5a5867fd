"""All services of one simulated cloud, and the way of a request through them."""

from __future__ import annotations

import logging

from simulator.compute.service import Compute
from simulator.http import ANYBODY, Call, Caller, Refusal, Reply
from simulator.identity.service import Identity
from simulator.image.service import Image
from simulator.key_manager.service import KeyManager
from simulator.network.service import Network
from simulator.object_store.service import ObjectStore
from simulator.placement import Placement
from simulator.volume.service import Volume
from simulator.world import SERVICES, Service, World

_log = logging.getLogger(__name__)


class Services:
    """Made once; the world's tables are theirs."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.identity = Identity(world)
        self.network = Network(world)
        self.image = Image(world)
        self.volume = Volume(world, self.image)
        self.compute = Compute(world, self.network, self.image, self.volume)
        self.object_store = ObjectStore(world)
        self.key_manager = KeyManager(world)
        self.by_name: dict[str, Service] = {
            service.name: service
            for service in (
                self.identity, self.network, self.image, self.volume, self.compute, self.object_store,
                self.key_manager, Placement(world),
            )
        }  # fmt: skip

    def service_of(self, first_part: str) -> Service | None:
        """The service below this first part of the path."""
        name = SERVICES.get(first_part)
        return self.by_name.get(name) if name else None

    def acting(self, user: str, project: str) -> Call:
        """A call in the name of a user of the seed, for what is made before anybody asks."""
        seed = self.world.seed
        user_id, project_id = seed.users[user], seed.projects[project]
        roles = self.identity.role_names(self.identity.assignments.effective(user_id, project_id))
        caller = Caller({"methods": ["password"]}, user_id, project_id, frozenset(roles))
        return Call(self.world, "", "", "", [], {}, b"", caller=caller)

    def answer(self, service: Service, call: Call) -> Reply:
        """Carry out one request."""
        self.world.agenda.run(self.world.now())
        try:
            service.prepare(call)
            if service.is_public(call):
                call.caller = ANYBODY
            else:
                call.caller = self._caller(service, call)
            reply = self._dispatch(service, call)
        except Refusal as refusal:
            reply = service.refused(call, refusal)
            if refusal.status == 401 and "WWW-Authenticate" not in reply.headers:
                reply = self._unauthorized(refusal)
        except Exception:
            _log.exception("the simulator failed at %s %s %s", call.method, service.name, call.path)
            reply = service.refused(call, Refusal(500, "Internal Server Error", "HTTPInternalServerError"))
        service.finish(call, reply)
        return reply

    def _caller(self, service: Service, call: Call) -> Caller:
        return self.identity.caller(call.headers.get("x-auth-token"))

    def _unauthorized(self, refusal: Refusal) -> Reply:
        """What keystonemiddleware says for all services."""
        error = {"code": 401, "title": "Unauthorized", "message": refusal.message}
        return Reply(401, {"error": error}, {"WWW-Authenticate": f'Keystone uri="{self.identity.root}"'})

    def _dispatch(self, service: Service, call: Call) -> Reply:
        if isinstance(service, ObjectStore):
            return service.dispatch(call)
        handler, params, known = service.router.find(call.method, call.path)
        if handler is None and call.method == "HEAD":
            handler, params, known = service.router.find("GET", call.path)
        if handler is None:
            return service.wrong_method(call) if known else service.unknown_path(call)
        call.params = params
        if isinstance(service, Volume):
            service.check_project(call)
        return handler(call)
