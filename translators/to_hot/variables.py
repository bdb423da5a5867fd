"""A text with variables in it as HOT's `str_replace`, which is easier to read than a `list_join` of many parts."""

from __future__ import annotations

from collections.abc import Sequence

from engine.model import expression as x
from engine.model.diagnostic import Span
from engine.model.expression import Expression, ListOf, Literal, MapOf
from translators.to_hot.kinds import Kind

Part = tuple[Expression, Expression, Kind]  # as folded, as said, what kind of value it has

_PSEUDO = {
    x.Pseudo.STACK_ID: "OS::stack_id", x.Pseudo.STACK_NAME: "OS::stack_name", x.Pseudo.PROJECT_ID: "OS::project_id",
    x.Pseudo.REGION: "OS::region",
}  # fmt: skip


def with_variables(parts: Sequence[Part], span: Span | None) -> Expression | None:
    """The parts as one text and what its variables stand for; None where a variable cannot be told from the text."""
    pieces: list[str] = []
    places: list[int] = []  # of variables in the text
    params: dict[str, Expression] = {}
    for folded, said, kind in parts:
        if isinstance(folded, Literal):
            pieces.append(str(folded.value))
            continue
        held = _as_text(said, kind)
        key = next((key for key, known in params.items() if known == held), None) or _unused(_name(folded), params)
        params[key] = held
        places.append(sum(map(len, pieces)))
        pieces.append(key)
    text = "".join(pieces)
    if sorted(start for key in params for start in _occurrences(text, key)) != places:
        return None  # the text itself has what looks like a variable
    return x.Replace(Literal(text), MapOf(tuple(params.items())), serialize=True, span=span)


def _as_text(said: Expression, kind: Kind) -> Expression:
    """Heat writes booleans as Python does where it replaces, and as JSON does where it joins."""
    if kind in (Kind.TEXT, Kind.NUMBER):
        return said
    return x.Join(Literal(""), (ListOf((said,)),), serialize=True)


def _name(e: Expression) -> str:
    match e:
        case x.ParameterRef(name, ()):
            return name
        case x.ResourceRef(address):
            return address.replace("/", ".")
        case x.AttributeRef(address, Literal(str() as attribute), ()):
            return f"{address.replace('/', '.')}.{attribute}"
        case x.FindInMap(_, _, Literal(str() as column)):
            return column
        case x.PseudoRef(name):
            return _PSEUDO.get(name, name.value)
        case _:
            return "value"


def _unused(name: str, taken: dict[str, Expression]) -> str:
    key, position = f"${{{name}}}", 2
    while key in taken:
        key, position = f"${{{name} {position}}}", position + 1
    return key


def _occurrences(text: str, key: str) -> list[int]:
    found, at = [], text.find(key)
    while at >= 0:
        found.append(at)
        at = text.find(key, at + 1)
    return found
