"""Functions of text and lists put together into one YAQL expression, where HOT has no function of its own."""

from __future__ import annotations

from collections.abc import Callable

from engine.model import expression as x
from engine.model.expression import Expression, ListOf, Literal, MapOf
from translators.to_hot.folding import is_there


class Yaql:
    """Puts one YAQL expression together; `said` of the parts is what it gets as data."""

    def __init__(self, say: Callable[[Expression], Expression]) -> None:
        self._say = say
        self._data: dict[str, Expression] = {}

    def said(self, e: Expression) -> Expression:
        return self._made(self._text(e), e)

    def same_text(self, left: Expression, right: Expression) -> Expression:
        return self._made(f"str({self._text(left)}) = str({self._text(right)})", left)

    def _made(self, text: str, e: Expression) -> Expression:
        return x.Yaql(Literal(text), MapOf(tuple(self._data.items())), span=e.span)

    def _text(self, e: Expression) -> str:
        match e:
            case Literal(bool() as value):
                return "true" if value else "false"
            case Literal(int() as value):
                return str(value)
            case x.Concat(parts):
                return " + ".join(f"str({self._text(part)})" for part in parts)
            case x.Join(delimiter, (one,)):
                return f"{self._text(one)}.select(str($)).join({self._text(delimiter)})"
            case x.Split(delimiter, text, None):
                return f"str({self._text(text)}).split({self._text(delimiter)})"
            case x.Select(Literal(value), source) if str(value).isdigit():
                return f"{self._text(source)}[{int(value)}]"
            case x.Select(index, source):
                return f"{self._text(source)}[int({self._text(index)})]"
            case x.Length(source):
                return f"{self._text(source)}.len()"
            case ListOf(items) if all(map(is_there, items)):
                return f"[{', '.join(self._text(item) for item in items)}]"
            case _:
                return self._given(e)

    def _given(self, e: Expression) -> str:
        said = self._say(e)
        for name, known in self._data.items():
            if known == said:
                return f"$.data.{name}"
        name = f"v{len(self._data) + 1}"
        self._data[name] = said
        return f"$.data.{name}"
