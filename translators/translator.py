"""The public door of this room: text to template, lowered, and kept by content."""

from __future__ import annotations

import hashlib
import json
import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import replace

from engine.model.diagnostic import Invalid
from engine.model.expression import Expression, Yaql, find
from engine.model.source import Examined, Source
from engine.model.template import Dialect, Group, Resource, Template
from mappings import Mappings
from translators import cfn
from translators.doubt import doubtful, has_too_many_resources, without_circles
from translators.findings import in_order
from translators.lowering import lower_leniently, with_known_images
from translators.operator import Operator
from translators.parsing import examine, outline

_CACHED = 64  # templates
_CACHED_CHARACTERS = 2 * 1024 * 1024  # of all of them together: a template takes about sixty times its text


class Translator:
    """Implements `engine.model.source.Translator`. `rows` say what AWS types mean, `operator` what is said to every
    stack."""

    def __init__(self, rows: Mappings, operator: Operator | None = None) -> None:
        self._rows, self._operator = rows, operator or Operator()
        self._cache: OrderedDict[bytes, tuple[Template, int]] = OrderedDict()
        self._characters = 0
        self._lock = threading.Lock()  # long templates are translated beside the event loop

    def translate(self, source: Source) -> Template:
        """Return the template of `source`, `AWS::` resources lowered. Raises Invalid with all findings."""
        examined = self.examine(source)
        if examined.errors:
            raise Invalid(examined.errors)
        return examined.template

    def examine(self, source: Source) -> Examined:
        """What can be read of `source`, and every error in it. Raises Invalid where nothing can be. Kept if right."""
        key = _key(source)
        with self._lock:
            found = self._cache.get(key)
            if found is not None:
                self._cache.move_to_end(key)
                return Examined(found[0])
        examined = self._examined(source)
        if not examined.errors:
            self._keep(key, examined.template, len(source.text))
        return examined

    def _examined(self, source: Source) -> Examined:
        parsed, errors = examine(source, self._operator)
        if has_too_many_resources(errors):
            raise Invalid(errors)
        usable = with_known_images(without_circles(parsed, errors), self._rows)
        template, more = lower_leniently(usable, rows=self._rows, doubtful=doubtful(usable, errors))
        if _waits(template):
            template = replace(template, waits=True)
        told = {one.span for one in errors if one.span is not None}
        return Examined(template, in_order([*errors, *(one for one in more if one.span not in told)], source.name))

    def written_as(self, kind: str, member: str, name: str) -> tuple[str, ...] | None:
        """What the property of a member of a lowered resource is in the resource itself."""
        row = self._rows.row(kind)
        return None if row is None else row.written_as(member, name)

    def outline(self, source: Source) -> Template:
        """What the template says of itself, before transforms and lowering. Raises Invalid."""
        return outline(source)

    def _keep(self, key: bytes, template: Template, characters: int) -> None:
        with self._lock:
            _, replaced = self._cache.get(key, (template, 0))  # another thread may have been as quick
            self._cache[key] = (template, characters)
            self._characters += characters - replaced
            while len(self._cache) > _CACHED or (self._characters > _CACHED_CHARACTERS and len(self._cache) > 1):
                _, (_, freed) = self._cache.popitem(last=False)
                self._characters -= freed


def _waits(template: Template) -> bool:
    """Whether anything in it is YAQL, which HOT alone has."""
    return template.dialect is Dialect.HOT and any(find(outer, Yaql) for outer in _expressions(template))


def _expressions(template: Template) -> Iterator[Expression]:
    yield from template.conditions.values()
    for output in template.outputs.values():
        yield from (one for one in (output.value, output.condition) if one is not None)
    both: list[Resource | Group] = [*template.resources.values(), *template.groups.values()]
    for held in both:
        parts = (held.properties, held.metadata, held.condition, held.creation_policy, held.computed_policy)
        yield from (part for part in parts if part is not None)
    for resource in template.resources.values():
        yield from (part for part in (resource.update_policy, resource.external_id) if part is not None)


def _key(source: Source) -> bytes:
    """Parameters take part only where the template's shape depends on them (loops of AWS::LanguageExtensions)."""
    digest = hashlib.sha256(source.text.encode("utf-8", "surrogatepass"))
    shaping = source.parameters if cfn.reads_parameters(source) else None
    rest = (sorted(source.files.items()), source.environment, source.name, sorted(source.answers.items()), shaping)
    digest.update(json.dumps(rest, sort_keys=True, default=str).encode())
    return digest.digest()
