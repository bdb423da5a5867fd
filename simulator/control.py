"""The simulator's own knobs, below `/simulator/`. They need no token; the port is a loopback one.

- `GET /simulator`: settings that can be seen, and counts.
- `GET /simulator/requests[?service=&method=&path=regex&min_status=400]`: the last requests with their status, oldest
  first; `POST /simulator/reset-requests` forgets them. Requests to `/simulator` are not among them.
- `GET /simulator/objects[?project=NAME or id]`: number of objects per collection, and per project.
- `GET /simulator/faults`, `POST /simulator/faults` (a map with the fields of `simulator.settings.Fault`, answers its
  `id`), `DELETE /simulator/faults[/ID]`.
- `PUT /simulator/settings` `{"delay_ms": 5, "build_seconds": 0.1, "delete_seconds": 0}`.
"""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from typing import Any

import orjson

from simulator.faults import Faults, RequestLog, parse_fault
from simulator.http import Reply
from simulator.services import Services

_SETTABLE = ("delay_ms", "build_seconds", "delete_seconds")


class Control:
    def __init__(self, services: Services, faults: Faults, log: RequestLog) -> None:
        self._services, self._faults, self._log = services, faults, log

    def answer(self, method: str, path: str, query: list[tuple[str, str]], raw: bytes) -> Reply:
        parts = [part for part in path.split("/") if part][1:]
        try:
            body = orjson.loads(raw) if raw.strip() else None
            return self._route(method, parts, dict(query), body)
        except (ValueError, TypeError, re.error) as error:
            return Reply(400, {"error": str(error)})

    def _route(self, method: str, parts: list[str], query: dict[str, str], body: Any) -> Reply:
        match method, parts:
            case "GET", []:
                return Reply(200, self._overview())
            case "GET", ["requests"]:
                return Reply(200, {"requests": [row for row in self._log.rows() if _asked(row, query)]})
            case "POST", ["reset-requests"]:
                self._log.reset()
                return Reply(204)
            case "GET", ["objects"]:
                return Reply(200, self._objects(query.get("project")))
            case "GET", ["faults"]:
                return Reply(200, {"faults": self._faults.rows()})
            case "POST", ["faults"]:
                return Reply(201, {"id": self._faults.add(parse_fault(body))})
            case "DELETE", ["faults"]:
                self._faults.remove()
                return Reply(204)
            case "DELETE", ["faults", number]:
                self._faults.remove(int(number))
                return Reply(204)
            case "PUT", ["settings"]:
                return self._set(body)
            case _:
                return Reply(404, {"error": "no such knob; see simulator.control"})

    def _overview(self) -> dict[str, Any]:
        settings = self._services.world.settings
        return {name: getattr(settings, name) for name in _SETTABLE} | {
            "url": self._services.world.url, "requests": self._log.total, "faults": len(self._faults.rows()),
        }  # fmt: skip

    def _set(self, body: Any) -> Reply:
        if not isinstance(body, dict) or not body.keys() <= set(_SETTABLE):
            raise ValueError(f"settable are {', '.join(_SETTABLE)}")
        world = self._services.world
        given: dict[str, Any] = {name: float(value) for name, value in body.items()}
        world.settings = dataclasses.replace(world.settings, **given)
        return Reply(200, self._overview())

    def _objects(self, project: str | None) -> dict[str, Any]:
        world = self._services.world
        world.agenda.run(world.now())
        names = {row["id"]: row["name"] for row in self._services.identity.projects}
        counts: dict[str, Any] = {}
        for name, table in sorted(world.store.tables.items()):
            owners = Counter(names.get(obj.get("project_id") or "", obj.get("project_id") or "") for obj in table)
            if project is not None:
                wanted = names.get(project, project)
                if owners.get(wanted):
                    counts[name] = owners[wanted]
            elif owners:
                counts[name] = {"total": len(table), "projects": {k: v for k, v in owners.items() if k}}
        return {"objects": counts}


def _asked(row: dict[str, Any], query: dict[str, str]) -> bool:
    if query.get("service") not in (None, row["service"]) or query.get("method") not in (None, row["method"]):
        return False
    if "path" in query and not re.search(query["path"], row["path"]):
        return False
    status: int = row["status"]
    return status >= int(query.get("min_status", 0)) or status == 0
