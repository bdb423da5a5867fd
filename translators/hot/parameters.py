"""HOT parameters and their constraints (heat.md TP rows)."""

from __future__ import annotations

from collections.abc import Iterator

from engine.model.template import MISSING, Constraint, Parameter, ParameterType
from engine.model.value import Value
from translators.findings import Findings, nearest
from translators.hot.versions import LEVEL, Version
from translators.source import SourceNode

_KEYS = {"type", "label", "description", "default", "hidden", "constraints", "immutable", "tags", "schema"}
_TYPES = {one.value: one for one in ParameterType}
_CONSTRAINTS = {"length", "range", "modulo", "allowed_values", "allowed_pattern", "custom_constraint", "description"}


def read_parameters(node: SourceNode | None, version: Version, findings: Findings) -> dict[str, Parameter]:
    """Name → parameter; mistakes are reported."""
    return {one.name: one for one in _read(node, version, findings)}


def _read(node: SourceNode | None, version: Version, findings: Findings) -> Iterator[Parameter]:
    for key, body in () if node is None else node.entries:
        address = f"parameters.{key.text}"
        if body.kind != "map":
            findings.error("InvalidParameter", f"Parameter {key.text} must be a map with a type.", address=address,
                           span=body.span)  # fmt: skip
            continue
        for part, _ in body.entries:
            if part.value not in _KEYS or (part.value == "tags" and version.level < LEVEL["2018-03-02"]):
                findings.error("UnknownKey", f"Invalid key '{part.text}' for parameter ({key.text}).",
                               nearest(part.value, _KEYS), address=address, span=part.span)  # fmt: skip
        yield _parameter(key, body, version, findings)


def _parameter(key: SourceNode, body: SourceNode, version: Version, findings: Findings) -> Parameter:
    address = f"parameters.{key.text}"
    written = body.get("type")
    kind = None if written is None else _TYPES.get(written.text)
    if kind is None:
        what = "has no type" if written is None else f"has the invalid type ({written.text})"
        findings.error("InvalidParameter", f"Parameter {key.text} {what}.",
                       nearest("" if written is None else written.text, _TYPES), address=address,
                       span=key.span if written is None else written.span)  # fmt: skip
        kind = ParameterType.STRING
    default = body.get("default")
    return Parameter(
        name=key.text,
        type=kind,
        default=MISSING if default is None or (default.value is None and default.kind == "scalar")
        else default.to_python(),
        description=_text(body.get("description")),
        label=_text(body.get("label")),
        hidden=_truth(body.get("hidden"), address, findings),
        immutable=_truth(body.get("immutable"), address, findings),
        constraints=tuple(_constraints(body.get("constraints"), address, version, findings)),
        tags=tuple(str(tag) for tag in _list(body.get("tags"))),
        source_type=kind.value,
        span=key.span,
    )  # fmt: skip


def _text(node: SourceNode | None) -> str:
    return "" if node is None else node.text


def _list(node: SourceNode | None) -> list[Value]:
    return [] if node is None or node.kind != "list" else [item.to_python() for item in node.items]


def _truth(node: SourceNode | None, address: str, findings: Findings) -> bool:
    if node is None:
        return False
    if isinstance(node.value, bool):
        return node.value
    if node.text.lower() in ("true", "false"):
        return node.text.lower() == "true"
    findings.error("InvalidParameter", f"{node.text!r} is neither true nor false.", address=address, span=node.span)
    return False


def _constraints(node: SourceNode | None, address: str, version: Version, findings: Findings) -> Iterator[Constraint]:
    if node is None:
        return
    if node.kind != "list":
        findings.error("InvalidConstraint", "constraints must be a list.", address=address, span=node.span)
        return
    for one in node.items:
        if one.kind != "map":
            findings.error("InvalidConstraint", "A constraint must be a map.", address=address, span=one.span)
            continue
        for part, _ in one.entries:
            if part.value not in _CONSTRAINTS or (part.value == "modulo" and version.level < LEVEL["2017-02-24"]):
                findings.error("InvalidConstraint", f"Invalid key '{part.text}' for a constraint.",
                               nearest(part.value, _CONSTRAINTS), address=address, span=part.span)  # fmt: skip
        yield from _constraint(one, address, findings)


def _constraint(node: SourceNode, address: str, findings: Findings) -> Iterator[Constraint]:
    said = _text(node.get("description"))
    for key, body in node.entries:
        match key.value:
            case "length":
                low, high = (_bound(body, end, address, findings) for end in ("min", "max"))
                yield Constraint(length=(None if low is None else int(low), None if high is None else int(high)),
                                 description=said)  # fmt: skip
            case "range":
                low, high = (_bound(body, end, address, findings) for end in ("min", "max"))
                yield Constraint(range=(low, high), description=said)
            case "modulo":
                step, offset = (_bound(body, end, address, findings) for end in ("step", "offset"))
                if step:
                    yield Constraint(modulo=(step, offset or 0), description=said)
                else:
                    findings.error("InvalidConstraint", "modulo needs a step that is not zero.", address=address,
                                   span=body.span)  # fmt: skip
            case "allowed_values":
                if body.kind == "list":
                    yield Constraint(allowed_values=tuple(_list(body)), description=said)
                else:
                    findings.error("InvalidConstraint", "allowed_values must be a list.", address=address,
                                   span=body.span)  # fmt: skip
            case "allowed_pattern":
                yield Constraint(pattern=body.text, description=said)
            case "custom_constraint":
                yield Constraint(custom=body.text, description=said)
            case _:
                continue


def _bound(node: SourceNode, name: str, address: str, findings: Findings) -> float | None:
    found = node.get(name) if node.kind == "map" else None
    if found is None or found.value is None:
        return None
    try:
        return float(found.value)
    except (ValueError, TypeError):
        findings.error("InvalidConstraint", f"{name} must be a number, not {found.text!r}.", address=address,
                       span=found.span)  # fmt: skip
        return None
