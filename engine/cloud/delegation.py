"""How the engine acts later for a stack, when the caller and his token are long gone. The ways, in order:

1. `own`: the caller is the configured user in the configured project; nothing has to be lent.
2. `trust`: made from the caller's own token, with all his roles; kept per user and project, so that it also serves
   his later requests that are signed with an EC2 key. Keystones with the fix of CVE-2026-80182 refuse trusts to
   tokens that came from EC2 keys, and always did to those from application credentials.
3. standing: a trust or application credential kept from earlier (`isotherm delegate`, or way 2).
4. `ec2_key`: the configured user may read the caller's EC2 key (an administrator may): the engine signs with it,
   and acts as the caller with exactly the caller's roles.
5. `service_user`: the configured user has a role on the project (perhaps an inherited one), and no role there that
   the caller has not: nobody may do through the engine what he may not do himself.
"""

from __future__ import annotations

import enum
import logging
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from engine.cloud.context import Context
from engine.cloud.errors import CloudError, NotFound, Permanent, Temporary
from engine.model.stack import Caller

_log = logging.getLogger(__name__)


class Way(enum.StrEnum):
    OWN = "own"
    TRUST = "trust"
    APPLICATION_CREDENTIAL = "application_credential"
    EC2_KEY = "ec2_key"
    SERVICE_USER = "service_user"


@dataclass(frozen=True, slots=True)
class Delegation:
    """A way, and what it needs. `to_record` holds the secret: the store seals it."""

    way: Way
    user_id: str
    project_id: str
    roles: tuple[str, ...] = ()
    trust_id: str = ""
    application_credential_id: str = ""
    secret: str = field(default="", repr=False)

    @property
    def name(self) -> str:
        """What tells it from others; no secret."""
        match self.way:
            case Way.TRUST:
                return f"trust:{self.trust_id}"
            case Way.APPLICATION_CREDENTIAL:
                return f"application-credential:{self.application_credential_id}"
            case Way.OWN | Way.SERVICE_USER | Way.EC2_KEY:
                return f"{self.way}:{self.user_id}:{self.project_id}"

    def to_record(self) -> dict[str, Any]:
        record = {"way": str(self.way), "user_id": self.user_id, "project_id": self.project_id,
                  "roles": list(self.roles), "trust_id": self.trust_id,
                  "application_credential_id": self.application_credential_id, "secret": self.secret}  # fmt: skip
        return {name: value for name, value in record.items() if value}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Delegation:
        """Raises ValueError for a record of an unknown way."""
        return cls(
            Way(record["way"]), record["user_id"], record["project_id"], tuple(record.get("roles", ())),
            record.get("trust_id", ""), record.get("application_credential_id", ""), record.get("secret", ""),
        )  # fmt: skip


class DelegationStore(Protocol):
    """Keeps one standing delegation per user and project, sealed."""

    async def get_delegation(self, user_id: str, project_id: str) -> Mapping[str, Any] | None: ...
    async def put_delegation(self, user_id: str, project_id: str, record: Mapping[str, Any]) -> None: ...


class Acting(Protocol):
    """What is needed of a client (`engine.cloud.client.Client`)."""

    @property
    def project_id(self) -> str: ...
    @property
    def user_id(self) -> str: ...
    @property
    def context(self) -> Context: ...
    async def request(self, service: str, method: str, path: str, *, json: Any = None) -> Any: ...


class Ways(Protocol):
    """What is needed of a connection (`engine.cloud.connection.Connection`)."""

    async def own(self) -> Acting: ...
    async def for_project(self, project_id: str) -> Acting: ...
    async def for_caller(self, token: str, project_id: str) -> Acting: ...
    async def for_delegation(self, delegation: Delegation) -> Acting: ...


class Delegations:
    """One per process."""

    def __init__(
        self, connection: Ways, store: DelegationStore, extra_roles: frozenset[str] = frozenset({"service"})
    ) -> None:
        """`extra_roles`: what the service user may have beyond the caller's (setting `service_user_extra_roles`)."""
        self._connection, self._store, self._extra_roles = connection, store, extra_roles

    async def establish(self, caller: Caller) -> Delegation:
        """Find the first way that works. Raises Permanent with what an operator can do when none does, Temporary
        when Keystone cannot be asked."""
        own = await self._connection.own()
        if (own.user_id, own.project_id) == (caller.user_id, caller.project_id):
            return Delegation(Way.OWN, caller.user_id, caller.project_id, caller.roles)
        refused: list[str] = []
        standing = await self._standing(caller, refused)
        if standing is not None and (caller.token is None or set(standing.roles) == set(caller.roles)):
            return standing
        if caller.token is not None:
            try:
                return await self._make_trust(caller, caller.token, own.user_id)
            except Permanent as error:
                refused.append(str(error))
        if standing is not None:
            return standing
        for way in (self._by_ec2_key, self._by_service_user):
            try:
                return await way(caller)
            except Permanent as error:
                refused.append(str(error))
        raise Permanent(_no_way(caller, refused), status=403)

    async def keep_trust(self, caller: Caller) -> Delegation:
        """Make the standing trust of a caller who came with his own token (`isotherm delegate`)."""
        if caller.token is None:
            raise Permanent("A trust is made with a Keystone token; a request signed with an EC2 key has none.")
        own = await self._connection.own()
        return await self._make_trust(caller, caller.token, own.user_id)

    async def keep_application_credential(self, caller: Caller, credential_id: str, secret: str) -> Delegation:
        """Keep an application credential that the user made for this (`isotherm delegate`). Raises Permanent when
        it does not act as this user in this project."""
        delegation = Delegation(
            Way.APPLICATION_CREDENTIAL, caller.user_id, caller.project_id, caller.roles,
            application_credential_id=credential_id, secret=secret,
        )  # fmt: skip
        client = await self._connection.for_delegation(delegation)
        if (client.user_id, client.project_id) != (caller.user_id, caller.project_id):
            raise Permanent("The application credential is of another user or project.", status=403)
        await self._store.put_delegation(caller.user_id, caller.project_id, delegation.to_record())
        return delegation

    async def release(self, delegation: Delegation, *, still_used: bool = False) -> None:
        """Clean up after the last stack that acts by `delegation`: a trust that is not the standing one any more is
        deleted. Failures are logged, a stack's deletion does not fail for them."""
        if delegation.way is not Way.TRUST or still_used:
            return
        kept = await self.standing(delegation.user_id, delegation.project_id)
        if kept is not None and kept.name == delegation.name:
            return
        try:
            client = await self._connection.for_delegation(delegation)
            await client.request("identity", "DELETE", f"/OS-TRUST/trusts/{delegation.trust_id}")
        except NotFound:
            return
        except CloudError as error:
            _log.warning("trust %s is left behind: %s", delegation.trust_id, error)

    async def standing(self, user_id: str, project_id: str) -> Delegation | None:
        """What the user lends for the project at present."""
        record = await self._store.get_delegation(user_id, project_id)
        return None if record is None else Delegation.from_record(record)

    async def _standing(self, caller: Caller, refused: list[str]) -> Delegation | None:
        """What was kept, when it still works."""
        delegation = await self.standing(caller.user_id, caller.project_id)
        if delegation is None:
            return None
        try:
            await self._connection.for_delegation(delegation)
        except Temporary:
            raise
        except CloudError as error:  # removed, or the user has lost a role that it lends
            refused.append(str(error))
            return None
        return delegation

    async def _by_ec2_key(self, caller: Caller) -> Delegation:
        delegation = Delegation(Way.EC2_KEY, caller.user_id, caller.project_id, caller.roles)
        await self._connection.for_delegation(delegation)
        return delegation

    async def _by_service_user(self, caller: Caller) -> Delegation:
        client = await self._connection.for_project(caller.project_id)
        more = set(client.context.known.roles) - set(caller.roles) - self._extra_roles
        if more:
            names = ", ".join(sorted(more))
            raise Permanent(f"The engine's service user has roles there that the caller has not ({names}).", status=403)
        return Delegation(Way.SERVICE_USER, caller.user_id, caller.project_id, caller.roles)

    async def _make_trust(self, caller: Caller, token: str, trustee: str) -> Delegation:
        client = await self._connection.for_caller(token, caller.project_id)
        wanted = {
            "trustor_user_id": caller.user_id,
            "trustee_user_id": trustee,
            "project_id": caller.project_id,
            "impersonation": True,
            "allow_redelegation": False,
            "roles": [{"name": role} for role in caller.roles],
            "oe_token": f"oe-{secrets.token_hex(13)}",
        }
        reply = await client.request("identity", "POST", "/OS-TRUST/trusts", json={"trust": wanted})
        trust_id = reply.body["trust"]["id"]
        delegation = Delegation(Way.TRUST, caller.user_id, caller.project_id, caller.roles, trust_id=trust_id)
        await self._connection.for_delegation(delegation)
        await self._store.put_delegation(caller.user_id, caller.project_id, delegation.to_record())
        return delegation


def _no_way(caller: Caller, refused: list[str]) -> str:
    who = caller.user_name or caller.user_id
    where = caller.project_name or caller.project_id
    tried = " Tried: " + " ".join(dict.fromkeys(refused)) if refused else ""
    return (
        f"The engine cannot act later for user {who} in project {where}. Let {who} run `isotherm delegate` once, "
        f"or give the engine's service user a role on the project that {who} has too "
        f"(openstack role add --user SERVICE_USER --project {where} member).{tried}"
    )
