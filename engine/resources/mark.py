"""How an object is marked with its token and found by it again (tokens.md §1 and §4).

A mark is a strategy that a type names. `put` writes the token into the body of the create; `rows` asks for candidates;
`on` compares the mark in a row, because services ignore filters silently (rule 3).
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from engine.cloud.errors import NotFound
from engine.resources.base import Operation

if TYPE_CHECKING:
    from engine.resources.openstack_type import OpenStackType

_IDS = uuid.UUID("0f6d3e52-8e4b-4f7e-9a39-0d4f2ad7c1b6")

Row = Mapping[str, Any]


def chosen_id(token: str) -> str:
    """The id we choose for the object of that token (M1)."""
    return str(uuid.uuid5(_IDS, token))


class Mark:
    async def prepare(self, kind: OpenStackType, op: Operation) -> Mapping[str, Any]:
        """Notes to be durable before the create."""
        return {}

    def put(self, body: dict[str, Any], token: str) -> None:
        raise NotImplementedError

    async def rows(self, kind: OpenStackType, op: Operation) -> Sequence[Row]:
        raise NotImplementedError

    def on(self, row: Row, op: Operation) -> bool:
        raise NotImplementedError


class InDescription(Mark):
    """M2 in `description`, behind the user's own text, which is put back once the id is durable (rule 7)."""

    def __init__(self, limit: int = 255) -> None:
        self._limit = limit

    def put(self, body: dict[str, Any], token: str) -> None:
        body["description"] = self.text(body.get("description"), token)

    def text(self, own: str | None, token: str) -> str:
        """`<user's> [token]`; the user's text is cut if it must be."""
        if not own:
            return token
        tail = f" [{token}]"
        return own[: self._limit - len(tail)] + tail

    async def rows(self, kind: OpenStackType, op: Operation) -> Sequence[Row]:
        text = self.text(kind.own_description(op), op.token)
        return await kind.rows(op, {"description": text})

    def on(self, row: Row, op: Operation) -> bool:
        return op.token in (row.get("description") or "")


class InTags(Mark):
    """M2 in the `tags` of the create body."""

    def put(self, body: dict[str, Any], token: str) -> None:
        body["tags"] = [*(body.get("tags") or ()), token]

    async def rows(self, kind: OpenStackType, op: Operation) -> Sequence[Row]:
        return await kind.rows(op, {"tags": op.token})

    def on(self, row: Row, op: Operation) -> bool:
        return op.token in (row.get("tags") or ())


METADATA_KEY = "oe:token"


class InMetadata(Mark):
    """M2 in one key of the metadata."""

    def put(self, body: dict[str, Any], token: str) -> None:
        body["metadata"] = {**(body.get("metadata") or {}), METADATA_KEY: token}

    async def rows(self, kind: OpenStackType, op: Operation) -> Sequence[Row]:
        return await kind.rows(op, {"metadata": f"{{'{METADATA_KEY}':'{op.token}'}}"})

    def on(self, row: Row, op: Operation) -> bool:
        return bool((row.get("metadata") or {}).get(METADATA_KEY) == op.token)


class ChosenId(Mark):
    """M1: the id is ours; the retry itself is safe."""

    def put(self, body: dict[str, Any], token: str) -> None:
        body["id"] = chosen_id(token)

    async def rows(self, kind: OpenStackType, op: Operation) -> Sequence[Row]:
        try:
            return [await kind.show(op, chosen_id(op.token))]
        except NotFound:
            return []

    def on(self, row: Row, op: Operation) -> bool:
        return row.get("id") == chosen_id(op.token)


EXTRA_KEY = "oe_token"


class InExtra(Mark):
    """M5: an attribute that Keystone stores without knowing it; found by name and compared here."""

    def put(self, body: dict[str, Any], token: str) -> None:
        body[EXTRA_KEY] = token

    async def rows(self, kind: OpenStackType, op: Operation) -> Sequence[Row]:
        return await kind.rows(op, {"name": kind.physical_name(op)})

    def on(self, row: Row, op: Operation) -> bool:
        return row.get(EXTRA_KEY) == op.token


class BeforeList(Mark):
    """M7: nothing on the object; what matched before the create is written down and left out afterwards."""

    async def prepare(self, kind: OpenStackType, op: Operation) -> Mapping[str, Any]:
        return {"before": [str(row[kind.wire.identity]) for row in await kind.alike(op)]}

    def put(self, body: dict[str, Any], token: str) -> None:
        return

    async def rows(self, kind: OpenStackType, op: Operation) -> Sequence[Row]:
        before = set(op.data.get("before", ()))
        return [row for row in await kind.alike(op) if str(row[kind.wire.identity]) not in before]

    def on(self, row: Row, op: Operation) -> bool:
        return "before" in op.data
