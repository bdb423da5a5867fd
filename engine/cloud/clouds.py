"""How the engine reaches the cloud: now as the caller, later as the stack's delegation says."""

from __future__ import annotations

from collections.abc import Mapping

from engine.cloud.client import Client
from engine.cloud.connection import Connection
from engine.cloud.delegation import Delegation, Delegations, DelegationStore, Way
from engine.cloud.errors import Permanent
from engine.model.stack import Caller
from engine.model.value import Value


class Clouds:
    """One per process: what runs and the door are lent."""

    def __init__(self, connection: Connection, store: DelegationStore) -> None:
        self.connection = connection
        self.delegations = Delegations(connection, store, connection.settings.service_user_extra_roles)
        connection.standing = self.delegations.standing

    async def for_caller(self, caller: Caller) -> Client:
        """With the caller's own token; when he signed with an EC2 key, as the engine will act for him later."""
        if caller.token is not None:
            return await self.connection.for_caller(caller.token, caller.project_id)
        return await self.connection.for_delegation(await self.delegations.establish(caller))

    async def establish(self, caller: Caller) -> Mapping[str, Value]:
        """A record that `for_delegation` turns into a cloud long after the caller's token is gone (holds secrets)."""
        return (await self.delegations.establish(caller)).to_record()

    async def for_delegation(self, delegation: Mapping[str, Value]) -> Client:
        """Raises Permanent for a record that is none."""
        return await self.connection.for_delegation(_delegation(delegation))

    async def revoke(self, delegation: Mapping[str, Value]) -> None:
        """Give back what `establish` took, unless it stands for the user's other stacks; never raises.

        A stack that still has a superseded trust goes on with the standing one.
        """
        try:
            wanted = _delegation(delegation)
        except Permanent:
            return
        if wanted.way is Way.TRUST:
            await self.delegations.release(wanted)


def _delegation(record: Mapping[str, Value]) -> Delegation:
    try:
        return Delegation.from_record(record)
    except (KeyError, ValueError) as error:
        raise Permanent("The stack has no delegation: nothing says how the engine may act for it.") from error
