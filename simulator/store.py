"""The objects of the simulated cloud: tables of plain dicts in memory, with indexes, and a journal on disk.

One request's changes are one line of the journal, written before the request is answered: killing the process loses
nothing that was answered. A torn last line is a request that nobody had an answer to, and is dropped.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

Obj = dict[str, Any]
IndexKeys = Callable[[Obj], Iterable[str]]

_COMPACT_BYTES = 16 * 1024 * 1024


def by_field(name: str) -> IndexKeys:
    """An index on one field."""
    return lambda obj: (obj[name],) if obj.get(name) else ()


class Table:
    """Objects by id, in the order they were made. Objects may be changed in place, then `put` again."""

    def __init__(self, name: str, changed: Callable[[str, str, Obj | None], None]) -> None:
        self.name = name
        self.objects: dict[str, Obj] = {}
        self._changed = changed
        self._indexes: dict[str, tuple[IndexKeys, dict[str, dict[str, Obj]]]] = {}
        self._keys: dict[str, dict[str, tuple[str, ...]]] = {}

    def index(self, name: str, keys: IndexKeys | None = None) -> None:
        """Keep `by(name, key)` quick. May be called once per name, before or after objects are there."""
        if name in self._indexes:
            return
        keys = keys or by_field(name)
        self._indexes[name] = (keys, {})
        self._keys[name] = {}
        for object_id, obj in self.objects.items():
            self._reindex(name, object_id, tuple(keys(obj)), obj)

    def get(self, object_id: str) -> Obj | None:
        return self.objects.get(object_id)

    def put(self, obj: Obj) -> Obj:
        object_id = obj["id"]
        self.objects[object_id] = obj
        for name, (keys, _) in self._indexes.items():
            self._reindex(name, object_id, tuple(keys(obj)), obj)
        self._changed(self.name, object_id, obj)
        return obj

    def remove(self, object_id: str) -> None:
        if self.objects.pop(object_id, None) is None:
            return
        for name in self._indexes:
            self._reindex(name, object_id, (), None)
        self._changed(self.name, object_id, None)

    def by(self, index: str, key: str) -> list[Obj]:
        return list(self._indexes[index][1].get(key, {}).values())

    def has(self, index: str, key: str) -> bool:
        return bool(self._indexes[index][1].get(key))

    def where(self, **fields: Any) -> list[Obj]:
        """All objects with these values; looks at every object."""
        return [obj for obj in self.objects.values() if all(obj.get(k) == v for k, v in fields.items())]

    def __iter__(self) -> Iterator[Obj]:
        return iter(list(self.objects.values()))

    def __len__(self) -> int:
        return len(self.objects)

    def __contains__(self, object_id: str) -> bool:
        return object_id in self.objects

    def _reindex(self, name: str, object_id: str, new: tuple[str, ...], obj: Obj | None) -> None:
        known = self._keys[name]
        old = known.get(object_id, ())
        if old == new:
            if obj is not None:
                for key in new:
                    self._indexes[name][1][key][object_id] = obj
            return
        entries = self._indexes[name][1]
        for key in old:
            bucket = entries[key]
            bucket.pop(object_id, None)
            if not bucket:
                del entries[key]
        for key in new:
            if obj is not None:
                entries.setdefault(key, {})[object_id] = obj
        if new:
            known[object_id] = new
        else:
            known.pop(object_id, None)


class Store:
    """All tables and their journal. `path` None keeps everything in memory only."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._tables: dict[str, Table] = {}
        self._dirty: dict[tuple[str, str], Obj | None] = {}
        self._file: int | None = None
        self._written = 0
        self._compact_at = _COMPACT_BYTES

    def table(self, name: str) -> Table:
        found = self._tables.get(name)
        if found is None:
            found = self._tables[name] = Table(name, self._note)
        return found

    @property
    def tables(self) -> Mapping[str, Table]:
        return self._tables

    def open(self) -> None:
        """Read what is on disk and begin a fresh journal. Raises OSError, or ValueError for a file that is not one."""
        if self._path is None:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        if self._path.exists():
            self._load(self._path)
        self._dirty.clear()
        self._compact()

    def flush(self) -> None:
        """Write what the request changed. One `write` call: the kernel has it when this returns."""
        if not self._dirty:
            return
        if self._file is not None:
            lines = orjson.dumps([[table, key, obj] for (table, key), obj in self._dirty.items()]) + b"\n"
            os.write(self._file, lines)
            self._written += len(lines)
        self._dirty.clear()
        if self._written > self._compact_at:
            self._compact()

    def close(self) -> None:
        self.flush()
        if self._file is not None:
            self._compact()
            os.close(self._file)
            self._file = None

    def _note(self, table: str, object_id: str, obj: Obj | None) -> None:
        self._dirty[table, object_id] = obj

    def _load(self, path: Path) -> None:
        lines = path.read_bytes().split(b"\n")
        for number, line in enumerate(lines):
            if not line:
                continue
            try:
                changes = orjson.loads(line)
            except orjson.JSONDecodeError as error:
                if number == len(lines) - 1:
                    return
                raise ValueError(f"{path}: line {number + 1} is not a journal entry of the simulator") from error
            for table, object_id, obj in changes:
                if obj is None:
                    self.table(table).remove(object_id)
                else:
                    self.table(table).put(obj)

    def _compact(self) -> None:
        """Replace the journal by one that holds just what is there now."""
        if self._path is None:
            return
        fresh = self._path.with_name(self._path.name + ".new")
        with fresh.open("wb") as out:
            for table in self._tables.values():
                for object_id, obj in table.objects.items():
                    out.write(orjson.dumps([[table.name, object_id, obj]]) + b"\n")
            out.flush()
            os.fsync(out.fileno())
        fresh.chmod(0o600)  # password hashes and keys
        fresh.replace(self._path)
        if self._file is not None:
            with contextlib.suppress(OSError):
                os.close(self._file)
        self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND)
        self._written = 0
        self._compact_at = max(_COMPACT_BYTES, 2 * self._path.stat().st_size)
