"""Files that a request keeps in an object store (heat.md TE-22)."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from urllib.parse import quote

from engine.cloud.contract import Cloud
from engine.cloud.errors import Permanent

_AT_ONCE = 8  # downloads


class TooMuch(Permanent):
    """The files are larger together than a request may be."""


async def files_of(cloud: Cloud, container: str, *, skip: Collection[str], most_bytes: int) -> dict[str, str]:
    """The texts of the container's objects by name, but for those in `skip`.

    Raises NotFound for a container that is not there, TooMuch for more than `most_bytes` together, Permanent for what
    is not UTF-8, and whatever else the cloud says.
    """
    root = f"/{quote(container, safe='')}"
    rows = await cloud.list("object-store", f"{root}?format=json", "")
    wanted = [row for row in rows if "name" in row and row["name"] not in skip and not row["name"].endswith("/")]
    size = sum(int(row.get("bytes") or 0) for row in wanted)
    if size > most_bytes:
        raise TooMuch(
            f"Total size of files to download ({size} bytes) exceeds maximum allowed ({most_bytes} bytes).", status=400
        )
    slots = asyncio.Semaphore(_AT_ONCE)

    async def text_of(name: str) -> str:
        async with slots:
            reply = await cloud.request("object-store", "GET", f"{root}/{quote(name)}")
        try:
            return reply.raw.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise Permanent(f"The file {name} is not UTF-8 (byte {error.start}).", status=400) from error

    names = [str(row["name"]) for row in wanted]
    texts = await asyncio.gather(*(text_of(name) for name in names))
    return dict(zip(names, texts, strict=True))
