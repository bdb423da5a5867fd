"""Text to template, whichever the dialect: reading, parsing, lowering; cached by content."""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict

from engine.model.diagnostic import Span, invalid
from engine.model.source import Source
from engine.model.template import Template
from mappings import Mappings
from translators import cfn, hot
from translators.check import check
from translators.lowering import lower
from translators.source import SourceNode, read

_CACHED = 64  # templates; one of 50 KB takes about 3 MB


class Translator:
    """Implements `engine.model.source.Translator`. `rows` say what AWS types mean."""

    def __init__(self, rows: Mappings) -> None:
        self._rows = rows
        self._cache: OrderedDict[bytes, Template] = OrderedDict()

    def translate(self, source: Source) -> Template:
        """Return the template of `source`, `AWS::` resources lowered. Raises Invalid with all findings."""
        key = _key(source)
        found = self._cache.get(key)
        if found is not None:
            self._cache.move_to_end(key)
            return found
        template = self._translate(source)
        self._cache[key] = template
        if len(self._cache) > _CACHED:
            self._cache.popitem(last=False)
        return template

    def _translate(self, source: Source) -> Template:
        tree = read(source.text, name=source.name)
        parsed = parse(tree, source)
        check(parsed)
        return lower(parsed, rows=self._rows)


def parse(tree: SourceNode, source: Source) -> Template:
    """The template as written, `AWS::` resources not lowered. Raises Invalid."""
    if tree.kind != "map":
        raise invalid(
            "NotAMap",
            "Template format error: the template is not a map of sections.",
            "It begins with heat_template_version or with AWSTemplateFormatVersion.",
            span=tree.span,
        )
    if tree.get("heat_template_version") is not None:
        return hot.parse(tree, source)
    if _is_cfn(tree):
        return cfn.parse(tree, source)
    raise invalid(
        "NoTemplateVersion",
        "Template format version not found.",
        "Begin a HOT template with `heat_template_version: 2018-08-31`, a CloudFormation one with "
        "`AWSTemplateFormatVersion: 2010-09-09`.",
        span=Span(source.name, 1, 1),
    )


def _is_cfn(tree: SourceNode) -> bool:
    """The version is optional in CloudFormation; its sections' capital letters are not."""
    return any(
        tree.get(section) is not None
        for section in ("AWSTemplateFormatVersion", "HeatTemplateFormatVersion", "Resources", "Parameters", "Transform")
    )


def _key(source: Source) -> bytes:
    """Parameters take part only where the template's shape depends on them (loops of AWS::LanguageExtensions)."""
    digest = hashlib.sha256(source.text.encode("utf-8", "surrogatepass"))
    shaping = source.parameters if cfn.reads_parameters(source) else None
    rest = (sorted(source.files.items()), source.environment, source.name, shaping)
    digest.update(json.dumps(rest, sort_keys=True, default=str).encode())
    return digest.digest()
