"""The environment's resource registry: which type a written type stands for, and templates used as types."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Mapping
from typing import Any

from engine.model.expression import Expression, Literal, MapOf
from engine.model.source import Source
from engine.model.value import Value
from translators.hot.functions import Builder
from translators.source import SourceNode

_MOST_STEPS = 20  # a type mapped to a type mapped to …
TEMPLATE_RESOURCE = "OS::Heat::TemplateResource"


class Registry:
    """heat.md TE-07…TE-12."""

    def __init__(self, entries: Mapping[str, Value]) -> None:
        self._entries = entries
        self.base_url = str(entries.get("base_url") or "")

    def resolve(self, written: str, resource: str) -> str:
        """The type that `written` stands for at `resource`; itself when nothing is mapped."""
        kind = written
        for _ in range(_MOST_STEPS):
            found = self._once(kind, resource)
            if found is None or found == kind:
                return kind
            kind = found
        return kind

    def _once(self, kind: str, resource: str) -> str | None:
        for entries in (*self._for_resource(resource), self._entries):
            found = _match(entries, kind)
            if found is not None:
                return found
        return None

    def _for_resource(self, resource: str) -> Iterator[Mapping[str, Value]]:
        """The most specific names first."""
        named = self._entries.get("resources")
        if isinstance(named, Mapping):
            for pattern in sorted(named, key=lambda one: (one != resource, -len(one))):
                if isinstance(named[pattern], Mapping) and fnmatch.fnmatchcase(resource, pattern):
                    yield named[pattern]


def _match(entries: Mapping[str, Value], kind: str) -> str | None:
    exact = entries.get(kind)
    if isinstance(exact, str):
        return exact
    wild = [name for name in entries if name.endswith("*") and kind.startswith(name[:-1])]
    for name in sorted(wild, key=len, reverse=True):
        target = entries[name]
        if isinstance(target, str) and not kind.startswith(target.rstrip("*")):
            return target[:-1] + kind[len(name) - 1 :] if target.endswith("*") else target
    return None


def is_template(kind: str) -> bool:
    return kind.endswith((".yaml", ".yml", ".template", ".json"))


def template_type(
    kind: str, node: SourceNode, properties: MapOf, source: Source, builder: Builder
) -> tuple[str, MapOf] | None:
    """A type that is a template: the nested type and its properties; None for ordinary types (TE-08, TE-20)."""
    if not is_template(kind):
        return None
    at = node.span

    def literal(value: Any) -> Expression:
        return Literal(value, span=at)

    common: list[tuple[str, Expression]] = [
        ("type", literal(node.text)),
        ("environment", literal(child_environment(source.environment))),
        ("parameters", properties),
    ]
    text = source.files.get(kind)
    if text is not None:
        return TEMPLATE_RESOURCE, MapOf(
            (("template", literal(text)), ("files", literal(dict(source.files))), *common), span=at
        )
    if kind.startswith(("http://", "https://")):
        return TEMPLATE_RESOURCE, MapOf(
            (("url", literal(kind)), ("files", literal(dict(source.files))), *common), span=at
        )
    builder.fail(
        "MissingFile", f'The type {kind} is a template that was not sent: there is no "{kind}" among the files.',
        "The client sends local templates along; is the path right?", at,
    )  # fmt: skip
    return None


def child_environment(environment: Mapping[str, Value]) -> dict[str, Value]:
    """What a nested stack inherits (TE-19)."""
    kept = ("resource_registry", "parameter_defaults", "event_sinks")
    return {name: environment[name] for name in kept if environment.get(name)}
