"""Reading the fixed parts of a HOT template: sections and definitions with known keys."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from engine.model.diagnostic import Span
from engine.model.nearest import closest
from translators.findings import Findings, nearest
from translators.source import SourceNode

_NONE: Mapping[str, str] = {}
_YES, _NO = {"1", "t", "true", "on", "y", "yes"}, {"0", "f", "false", "off", "n", "no"}
#: What may be written for a boolean, in any case of letters.
WORDS = frozenset(_YES | _NO)


def section(node: SourceNode | None, name: str, findings: Findings) -> tuple[tuple[SourceNode, SourceNode], ...]:
    """The entries of a map section; null is an empty one (TR-12), anything else is reported."""
    if node is None or is_null(node):
        return ()
    if node.kind != "map" or node.tag is not None:
        findings.error("InvalidTemplateSection", f'The section "{name}" must be a map of names.',
                       "Write NAME: {…} below it.", address=name, span=node.span)  # fmt: skip
        return ()
    return node.entries


def key_span(node: SourceNode, name: str) -> Span:
    """Where the key `name` of a map stands; the map's place when it has none."""
    return next((key.span for key, _ in node.entries if key.value == name), node.span)


def is_null(node: SourceNode) -> bool:
    return node.kind == "scalar" and node.value is None


def known_keys(
    node: SourceNode,
    known: Iterable[str],
    what: str,
    address: str,
    findings: Findings,
    later: Mapping[str, str] = _NONE,
) -> bool:
    """Report every key of `node` that `what` does not have; whether there was none.

    `later`: keys that newer versions have, with the version that brought them.
    """
    names = list(known)
    fine = True
    for key, _ in node.entries:
        if key.value not in names:
            fine = False
            same = [name for name in names if name == key.text.lower()]
            way_out = f"Did you mean {same[0]}?" if same else nearest(key.text, names)
            if key.text in later:
                way_out = f"It came with heat_template_version {later[key.text]}."
            findings.error("UnknownKey", f'"{key.text}" is not a valid keyword inside {what}.', way_out,
                           address=address, span=key.span)  # fmt: skip
    return fine


def misspelt(node: SourceNode, name: str, known: Iterable[str]) -> bool:
    """Whether a key that there is not was meant to be `name`; that it is missing is then no news."""
    names = list(known)
    return any(closest(key.text, names) == name for key, _ in node.entries if key.value not in names)


def definition(node: SourceNode, what: str, address: str, findings: Findings) -> bool:
    """Whether `node` is the map that a definition must be."""
    if node.kind == "map" and node.tag is None:
        return True
    findings.error("InvalidDefinition", f"{what[:1].upper()}{what[1:]} must be a map.",
                   "Write its keys below it.", address=address, span=node.span)  # fmt: skip
    return False


def text(node: SourceNode | None, address: str, findings: Findings) -> str:
    """A scalar as text; "" for nothing."""
    if node is None:
        return ""
    if node.kind != "scalar":
        findings.error("InvalidDefinition", f"{address} must be text, not a {node.kind}.", "Write one text.",
                       address=address, span=node.span)  # fmt: skip
        return ""
    return node.text


def flag(node: SourceNode | None, address: str, findings: Findings) -> bool:
    """A boolean, written as one or as one of the words for it."""
    if node is None or is_null(node):
        return False
    word = node.text.lower() if node.kind == "scalar" else ""
    if word not in WORDS:
        findings.error("InvalidDefinition", f"{address} must be true or false.", "Write one of the two.",
                       address=address, span=node.span)  # fmt: skip
    return word in _YES
