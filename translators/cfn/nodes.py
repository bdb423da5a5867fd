"""Small readings of source nodes that every section needs: text, whole numbers, truth, members of a map."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from engine.model.diagnostic import Span
from engine.model.nearest import closest
from engine.model.value import Value
from translators.cfn import limits
from translators.cfn.findings import Findings, Path, did_you_mean, slashed
from translators.source import SourceNode

FOR_EACH = "Fn::ForEach::"
_MAKING = ("ForEach", "Transform")  # functions that make members of a section
_LISTED = " and ".join(f"Fn::{name}" for name in _MAKING)


def text(value: Value) -> str:
    """A scalar as CloudFormation sees it: everything is text, truth is `true` and `false`."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def untagged(node: SourceNode) -> SourceNode:
    """The argument of a short form: the node without its tag."""
    return replace(node, tag=None)


def entries(node: SourceNode | None) -> tuple[tuple[SourceNode, SourceNode], ...]:
    """The entries of a map; none of what is no map."""
    return node.entries if node is not None and node.kind == "map" else ()


def key_span(node: SourceNode, name: str) -> Span:
    """Where the key `name` of a map stands; the map's place when it has none."""
    return next((key.span for key, _ in node.entries if key.value == name), node.span)


def is_null(node: SourceNode) -> bool:
    return node.kind == "scalar" and node.value is None and node.tag is None


def as_string(node: SourceNode) -> str | None:
    """The text of a plain string scalar, else None."""
    if node.kind == "scalar" and node.tag is None and isinstance(node.value, str):
        return node.value
    return None


def as_int(node: SourceNode) -> int | None:
    """A whole number, also when written as text."""
    number = as_number(node)
    return int(number) if number is not None and number == int(number) else None


def as_number(node: SourceNode) -> float | None:
    if node.kind != "scalar" or node.tag is not None or isinstance(node.value, bool):
        return None
    try:
        number = float(node.value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if number - number == 0 else None  # neither infinite nor nan


def as_bool(node: SourceNode) -> bool | None:
    """Truth, also when written as text in any case."""
    if node.kind != "scalar" or node.tag is not None:
        return None
    return {"true": True, "false": False}.get(text(node.value).lower())


def members(
    node: SourceNode, at: Path, section: str, findings: Findings
) -> Iterator[tuple[str, SourceNode, SourceNode]]:
    """Yield (name, key node, value node) of a section; null is an empty section (heat.md TR-12).

    What transforms would have replaced is reported here, once for every place.
    """
    if is_null(node):
        return
    if node.kind != "map" or node.tag is not None:
        findings.error(
            "InvalidStructure",
            f"Template format error: Any {section} member must be an object.",
            f"Write {section} as a map of names.",
            at=at,
            span=node.span,
        )
        return
    for key, item in node.entries:
        name = text(key.value)
        if name == "Fn::Transform":
            transform_found(item, key.span, (at, name), findings)
        elif name.startswith(FOR_EACH):
            for_each_found(name, key.span, (at, name), findings)
        elif name.startswith("Fn::"):
            summary = f"Template format error: {name} is no function that makes members of {section}."
            word, _, rest = name.removeprefix("Fn::").partition("::")
            near = "ForEach::Name" if name == "Fn::ForEach" else closest(word, _MAKING)
            hint = f"Did you mean Fn::{near}{'::' + rest if rest else ''}?" if near else f"Those are {_LISTED}."
            findings.error("UnknownFunction", summary, hint, at=(at, name), span=key.span)
        else:
            yield name, key, item


def transform_found(argument: SourceNode, span: Span | None, at: Path, findings: Findings) -> None:
    """Report an `Fn::Transform` that no transform has put there to be carried out (L30)."""
    named = argument.get("Name") if argument.kind == "map" else None
    name = text(named.value) if named is not None and named.kind == "scalar" else "?"
    findings.error(
        "TransformFailed",
        f"Template error: Fn::Transform with {name} stands in what another transform has made.",
        "What transforms make is not transformed again: let the macro return what it stands for.",
        at=at,
        span=span,
    )


def for_each_found(name: str, span: Span | None, at: Path, findings: Findings) -> None:
    """Report a loop in a template that has not asked for the language extensions (L33)."""
    findings.error(
        "TransformMissing",
        f"Template error: {name} can only be used with the transform AWS::LanguageExtensions.",
        "Add `Transform: AWS::LanguageExtensions` at the top of the template.",
        at=at,
        span=span,
    )


def null_found(node: SourceNode, at: Path, findings: Findings) -> None:
    findings.error(
        "NullValue",
        f"[{slashed(at)}] 'null' values are not allowed in templates",
        "Give a value, or leave the key out.",
        at=at,
        span=node.span,
    )


def check_name(kind: str, name: str, key: SourceNode, at: Path, findings: Findings, strict: bool) -> None:
    """Report a name that a member of a section may not have (Q05 to Q08); Heat only reserves the slash."""
    longest = limits.NAME_LENGTH
    fits = name.isascii() and name.isalnum() if strict else bool(name) and "/" not in name
    if not fits:
        summary = f"Template format error: {kind} name {name} is non alphanumeric."
        if kind == "Outputs":
            summary = f"Template format error: Outputs name '{name}' is non alphanumeric."
        findings.error("InvalidName", summary, "Use letters and digits only.", at=at, span=key.span)
    elif len(name) > longest:
        summary = f"Template format error: {kind} name {name[:40]}… has {len(name)} characters, more than {longest}."
        findings.error("InvalidName", summary, "Shorten the name.", at=at, span=key.span)


def misspelt(node: SourceNode, name: str, allowed: frozenset[str]) -> bool:
    """Whether a key that there is not was meant to be `name`; that it is missing is then no news."""
    keys = (text(key.value) for key, _ in node.entries)
    return any(closest(key, allowed) == name for key in keys if key not in allowed)


def check_keys(
    node: SourceNode, allowed: frozenset[str], message: str, code: str, at: Path, findings: Findings
) -> None:
    """Report every key of the map that is not allowed; `message` has `{}` for the key."""
    for key, item in node.entries:
        name = text(key.value)
        if name == "Fn::Transform":
            transform_found(item, key.span, (at, name), findings)
        elif name not in allowed:
            hint = did_you_mean(name, allowed) or f"Known here: {', '.join(sorted(allowed))}."
            findings.error(code, message.format(name), hint, at=(at, name), span=key.span)
