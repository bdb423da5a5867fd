"""The public door of this room: text to template, lowered, and kept by content."""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict

from engine.model.diagnostic import Invalid
from engine.model.source import Examined, Source
from engine.model.template import Template
from mappings import Mappings
from translators import cfn
from translators.doubt import doubtful, without_circles
from translators.findings import in_order
from translators.lowering import lower_leniently
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

    def translate(self, source: Source) -> Template:
        """Return the template of `source`, `AWS::` resources lowered. Raises Invalid with all findings."""
        key = _key(source)
        found = self._cache.get(key)
        if found is not None:
            self._cache.move_to_end(key)
            return found[0]
        examined = self.examine(source)
        if examined.errors:
            raise Invalid(examined.errors)
        self._keep(key, examined.template, len(source.text))
        return examined.template

    def examine(self, source: Source) -> Examined:
        """What can be read of `source`, and every error in it. Raises Invalid where nothing can be."""
        parsed, errors = examine(source, self._operator)
        usable = without_circles(parsed, errors)
        template, more = lower_leniently(usable, rows=self._rows, doubtful=doubtful(usable, errors))
        told = {one.span for one in errors if one.span is not None}
        return Examined(template, in_order([*errors, *(one for one in more if one.span not in told)], source.name))

    def outline(self, source: Source) -> Template:
        """What the template says of itself, before transforms and lowering. Raises Invalid."""
        return outline(source)

    def _keep(self, key: bytes, template: Template, characters: int) -> None:
        self._cache[key] = (template, characters)
        self._characters += characters
        while len(self._cache) > _CACHED or (self._characters > _CACHED_CHARACTERS and len(self._cache) > 1):
            _, (_, freed) = self._cache.popitem(last=False)
            self._characters -= freed


def _key(source: Source) -> bytes:
    """Parameters take part only where the template's shape depends on them (loops of AWS::LanguageExtensions)."""
    digest = hashlib.sha256(source.text.encode("utf-8", "surrogatepass"))
    shaping = source.parameters if cfn.reads_parameters(source) else None
    rest = (sorted(source.files.items()), source.environment, source.name, sorted(source.answers.items()), shaping)
    digest.update(json.dumps(rest, sort_keys=True, default=str).encode())
    return digest.digest()
