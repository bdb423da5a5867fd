"""Reading YAML, and JSON as the YAML it is, from the parser's events.

libyaml's own loader recurses on the C stack: 51,200 opening brackets kill the process. Events do not recurse, so depth,
aliases and size are bounded here while the tree is built.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from engine.model.diagnostic import Diagnostic, Invalid, Span, invalid
from engine.model.nearest import did_you_mean
from engine.model.value import Value
from translators.source.node import SourceNode, alike

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 100
MAX_NODES = 200_000  # aliases counted as often as they are used
MAX_REPEATED = 50_000  # of these, by aliases: a text of no size would take seconds otherwise
_LONG = 64  # characters of a text that count as one more value when an alias repeats it

_MERGE = "tag:yaml.org,2002:merge"
_STANDARD = "tag:yaml.org,2002:"
_DEEP = "maximum nesting depth"  # libyaml from 0.2.6 gives up at 1,000 levels, before it tells of the first
_PLAIN_TAGS = {"str", "int", "float", "bool", "null", "seq", "map", "timestamp", "value"}


def decode(data: bytes, *, name: str = "template") -> str:
    """UTF-8 text. Raises Invalid with the line and column of the first bad byte."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line, column = before.count(b"\n") + 1, len(before[before.rfind(b"\n") + 1 :].decode()) + 1
        raise invalid(
            "NotUtf8",
            f"The template is not UTF-8: byte 0x{data[error.start]:02x} at offset {error.start} begins no character.",
            "Save it as UTF-8.",
            span=Span(name, line, column),
        ) from error


def read(text: str, *, name: str = "template") -> SourceNode:
    """The tree of a JSON or YAML text. Raises Invalid: not well-formed, too deep, too large, duplicate keys."""
    if len(text) > MAX_BYTES or len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise invalid(
            "TemplateTooLarge",
            f"The template is larger than {MAX_BYTES} bytes.",
            "Split it into nested stacks.",
            span=Span(name, 1, 1),
        )
    json = _is_json(text)
    if json:
        text = _as_yaml(text)
    return _Builder(name, text, json=json).build(_events(text, name))


def _events(text: str, name: str) -> Iterator[yaml.Event]:
    try:
        loader = yaml.CSafeLoader(text)
        try:
            while (event := loader.get_event()) is not None:
                yield event
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        if mark is not None and _DEEP in str(error.problem):
            read(text[: mark.index], name=name)  # what led there is far deeper than allowed, so this raises
        raise _not_well_formed(error, text, name) from error
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        span = Span(name, before.count("\n") + 1, error.position - (before.rfind("\n") + 1) + 1)
        raise invalid(
            "NotWellFormed",
            f"Template format error: YAML not well-formed. (line {span.line}, column {span.column})",
            "There is a control character that YAML does not allow.",
            span=span,
        ) from error
    except (UnicodeEncodeError, ValueError) as error:
        raise invalid("NotWellFormed", "Template format error: unsupported structure.", str(error),
                      span=Span(name, 1, 1)) from error  # fmt: skip


def _not_well_formed(error: yaml.MarkedYAMLError, text: str, name: str) -> Invalid:
    problem, began = error.problem or "", error.context_mark
    mark = error.problem_mark or began
    # What is never closed is noticed at the end of the text; the mistake is where it begins.
    if began is not None and "end of stream" in problem:
        mark = began
    span = Span(name, 1, 1) if mark is None else Span(name, mark.line + 1, mark.column + 1)
    json = _is_json(text)
    comment = _comment(text[: mark.index + 2], name) if json and mark is not None else None
    if comment is not None:
        return invalid(
            "NotWellFormed",
            f"Template format error: JSON not well-formed. (line {comment.line}, column {comment.column})",
            "JSON has no comments: take this one out, or write the template in YAML.", span=comment,
        )  # fmt: skip
    context = f"{error.context} (line {began.line + 1}, column {began.column + 1})" if began else error.context
    said = ", ".join(part for part in (context, problem) if part)
    here = text.splitlines()[span.line - 1][span.column - 1 :] if span.line <= text.count("\n") else ""
    way_out = "Indent with spaces; YAML does not take tabs for that." if here[:1] == "\t" else _way_out(problem, json)
    return invalid(
        "NotWellFormed",
        f"Template format error: {'JSON' if json else 'YAML'} not well-formed. "
        f"(line {span.line}, column {span.column})",
        f"The parser says: {said}. {way_out}".rstrip(), span=span,
    )  # fmt: skip


def _comment(text: str, name: str) -> Span | None:
    """Where the first comment of a JSON text begins, as other languages have them."""
    for found in _STRING_OR_COMMENT.finditer(text):
        if found.group(1) is not None:
            begins = found.start()
            return Span(name, text.count("\n", 0, begins) + 1, begins - text.rfind("\n", 0, begins))
    return None


def _way_out(problem: str, json: bool) -> str:
    if json and "<document start>" in problem:
        return "There is one closing bracket too many before this."
    return next((told for part, told in _WAYS_OUT if part in problem), "")


# What libyaml says of the usual mistakes, and what they usually are.
_WAYS_OUT: Final = (
    ("',' or '}'", "Before this a comma is missing, or the } that ends the map."),
    ("',' or ']'", "Before this a comma is missing, or the ] that ends the list."),
    ("end of stream", "The quote that ends it is missing."),
    (
        "mapping values are not allowed",
        "Put a value with a colon in it in quotes; a key before this may lack its own, or this line is indented too"
        " far.",
    ),
    ("expected key", "Keys of one map begin in the same column."),
    ("cannot start any token", "Put a value that begins with this character in quotes."),
    ("could not find expected ':'", "The key before this lacks its colon, or its indentation is wrong."),
)


def _too_deep(span: Span) -> Invalid:
    return invalid("TemplateTooDeep", f"Template format error: nested more than {MAX_DEPTH} levels deep.",
                   "No template needs that; look for a missing end of a list or a map.", span=span)  # fmt: skip


# --- JSON where YAML reads it differently -----------------------------------------------------------------------------
_STRING_OR_COMMENT = re.compile(r'"(?:[^"\\]|\\.)*"|(?<![^\s,{\[])(//|/\*)')
_STRING_OR_TAB = re.compile(r'"(?:[^"\\]|\\.)*"|\t')
_RAW = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")  # plain in JSON's strings, not so in YAML
_PAIR = re.compile(r"\\\\|\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})")
_EXPONENT = re.compile(r"-?\d+[eE][+-]?\d+|-?\d+\.\d+[eE]\d+")


def _is_json(text: str) -> bool:
    return text.lstrip()[:1] == "{"


def _as_yaml(text: str) -> str:
    """Tabs between tokens become single spaces, so that columns stay; what YAML reads otherwise is escaped."""
    if "\t" in text:
        text = _STRING_OR_TAB.sub(lambda found: " " if found.group() == "\t" else found.group(), text)
    text = _RAW.sub(lambda found: f"\\u{ord(found.group()):04x}", text)
    return _PAIR.sub(_one_character, text) if "\\u" in text else text


def _one_character(found: re.Match[str]) -> str:
    if found.group(1) is None:  # an escaped backslash
        return found.group()
    high, low = int(found.group(1), 16), int(found.group(2), 16)
    return f"\\U{0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00):08x}"


_VARIABLE_OR_BREAK = re.compile("\\$\\{([^}\n]*)\\}|\r\n|[\n\r\x85\u2028\u2029]")


@dataclass(slots=True)
class _Open:
    """A collection whose end has not come yet."""

    kind: str
    span: Span
    tag: str | None
    anchor: str | None
    children: list[SourceNode] = field(default_factory=list)
    merges: set[int] = field(default_factory=set)  # places of children that are merge keys
    size: int = 1


class _Builder:
    def __init__(self, name: str, text: str, *, json: bool = False) -> None:
        self._name, self._text, self._json = name, text, json
        self._open: list[_Open] = []
        self._anchors: dict[str, tuple[SourceNode, int]] = {}
        self._count, self._repeated = 0, 0
        self._root: SourceNode | None = None
        self._documents = 0
        self._findings: list[Diagnostic] = []

    def build(self, events: Iterator[yaml.Event]) -> SourceNode:
        take = {
            yaml.ScalarEvent: self._scalar,
            yaml.MappingStartEvent: self._begin,
            yaml.SequenceStartEvent: self._begin,
            yaml.MappingEndEvent: self._end,
            yaml.SequenceEndEvent: self._end,
            yaml.AliasEvent: self._alias,
            yaml.DocumentStartEvent: self._document,
        }
        for event in events:
            read = take.get(type(event))
            if read is not None:
                read(event)
        if self._findings:
            raise Invalid(self._findings)
        if self._root is None:
            raise invalid("EmptyTemplate", "Template format error: the template is empty.",
                          "It begins with heat_template_version or with AWSTemplateFormatVersion.",
                          span=Span(self._name, 1, 1))  # fmt: skip
        return self._root

    def _document(self, event: Any) -> None:
        self._documents += 1
        if self._documents > 1:
            raise invalid("SeveralDocuments", "Template format error: there is more than one YAML document.",
                          "Keep one; `---` begins a new one.", span=self._span(event))  # fmt: skip

    def _span(self, event: Any) -> Span:
        mark = event.start_mark
        return Span(self._name, mark.line + 1, mark.column + 1)

    def _begin(self, event: Any) -> None:
        span = self._span(event)
        if len(self._open) >= MAX_DEPTH:
            raise _too_deep(span)
        kind = "map" if isinstance(event, yaml.MappingStartEvent) else "list"
        self._open.append(_Open(kind, span, self._tag(event.tag, span), event.anchor))

    def _end(self, event: Any) -> None:
        done = self._open.pop()
        if done.kind == "list":
            node = SourceNode("list", done.span, items=tuple(done.children), tag=done.tag)
        else:
            node = SourceNode("map", done.span, entries=self._entries(done), tag=done.tag)
        self._add(node, done.anchor, done.size)

    def _scalar(self, event: Any) -> None:
        mark, text, tag = event.start_mark, event.value, event.tag
        span = Span(self._name, mark.line + 1, mark.column + 1)
        if tag is None:
            # In quotes it is text; so is a plain one that begins as no number, word or date of YAML's does.
            plain = event.implicit[0] and text[:1] in _RESOLVERS
            value = self._plain(text, span) if plain else text
            short = None
        else:
            short = self._tag(tag, span)
            value = text if short is not None or tag == "!" else self._typed(tag, text, span)
        variables = self._variables(event) if "${" in text else None
        node = SourceNode("scalar", span, value, tag=short, variables=variables)
        self._add(node, event.anchor, 1 + len(text) // _LONG)

    def _variables(self, event: Any) -> dict[str, Span]:
        """Where the `${…}` of a text stand, as it is written: in quotes, over several lines, behind a tag."""
        start = event.start_mark
        found: dict[str, Span] = {}
        line, begins = start.line + 1, start.index - start.column
        for match in _VARIABLE_OR_BREAK.finditer(self._text, start.index, event.end_mark.index):
            if match.group(1) is None:
                line, begins = line + 1, match.end()
            else:
                found.setdefault(match.group(1), Span(self._name, line, match.start() - begins + 1))
        return found

    def _plain(self, text: str, span: Span) -> Value:
        resolved = _resolve(text)
        if resolved is None:
            if not (self._json and _EXPONENT.fullmatch(text)):
                return text
            resolved = "tag:yaml.org,2002:float"  # YAML 1.1 wants a point and a sign there
        if resolved == _MERGE and self._is_key():
            self._open[-1].merges.add(len(self._open[-1].children))
            return text
        return self._typed(resolved, text, span)

    def _is_key(self) -> bool:
        return bool(self._open) and self._open[-1].kind == "map" and len(self._open[-1].children) % 2 == 0

    def _tag(self, tag: str | None, span: Span) -> str | None:
        """A short form's tag; None for untagged nodes and YAML's own types; anything else is refused."""
        if tag is None or tag == "!":
            return None
        if tag.startswith("!"):
            return tag
        if tag.startswith(_STANDARD) and tag.removeprefix(_STANDARD) in _PLAIN_TAGS:
            return None
        raise invalid("UnknownTag", f"Template format error: the YAML tag {tag} has no meaning here.",
                      "Write the plain value.", span=span)  # fmt: skip

    def _typed(self, tag: str, text: str, span: Span) -> Value:
        try:
            return _CONVERT.get(tag.removeprefix(_STANDARD), str)(text)
        except (ValueError, OverflowError) as error:
            raise invalid("BadScalar", f"Template format error: {text!r} is not what its form says: {error}.",
                          "Put it in quotes.", span=span) from error  # fmt: skip

    def _alias(self, event: Any) -> None:
        found = self._anchors.get(event.anchor)
        if found is None:
            raise invalid("UnknownAlias", f"Template format error: there is no anchor &{event.anchor} for this alias.",
                          did_you_mean(event.anchor, self._anchors) or "An anchor stands before its aliases.",
                          span=self._span(event))  # fmt: skip
        node, size = found
        self._count += size - 1  # what is inside is there once more
        self._repeated += size
        if self._repeated > MAX_REPEATED:
            raise invalid("TemplateTooLarge", f"Template format error: aliases repeat more than {MAX_REPEATED} values.",
                          "Aliases of aliases grow fast; write what is needed.", span=node.span)  # fmt: skip
        self._add(node, None, size)

    def _add(self, node: SourceNode, anchor: str | None, size: int) -> None:
        self._count += 1
        if self._count > MAX_NODES:
            raise invalid("TemplateTooLarge", f"Template format error: more than {MAX_NODES} values, aliases included.",
                          "Aliases of aliases grow fast; write what is needed.", span=node.span)  # fmt: skip
        if anchor is not None:
            self._anchors[anchor] = (node, size)
        if self._open:
            self._open[-1].children.append(node)
            self._open[-1].size += size
        else:
            self._root = node

    # --- maps -----------------------------------------------------------------------------------------------------
    def _entries(self, done: _Open) -> tuple[tuple[SourceNode, SourceNode], ...]:
        """Pairs of a map: merged ones last and only where the map has no such key itself."""
        own: dict[Any, tuple[SourceNode, SourceNode]] = {}
        merged: list[tuple[SourceNode, SourceNode]] = []
        for at in range(0, len(done.children) - 1, 2):
            key, value = done.children[at], done.children[at + 1]
            if at in done.merges:
                merged.extend(self._merged(value))
                continue
            name = self._key(key)
            if name in own:
                if alike(own[name][1], value):
                    continue
                first = own[name][0].span
                self._findings.append(Diagnostic(
                    "DuplicateKey", f"Template format error: the key {key.text} is there twice.",
                    f"The first one is at line {first.line}, column {first.column}; keep one of them.", span=key.span,
                ))  # fmt: skip
                continue
            own[name] = (key, value)
        for key, value in merged:
            own.setdefault(self._key(key), (key, value))
        return tuple(own.values())

    def _key(self, node: SourceNode) -> Any:
        if node.kind != "scalar":
            hint = "Write one name."
            if node.kind == "map" and len(node.entries) == 1 and node.entries[0][1].value is None:
                hint = "Put a text that begins with {{ in quotes."
            raise invalid("BadKey", "Template format error: a key must be a scalar, not a list or a map.",
                          hint, span=node.span)  # fmt: skip
        return (type(node.value) is bool, node.value)

    def _merged(self, value: SourceNode) -> list[tuple[SourceNode, SourceNode]]:
        sources = value.items if value.kind == "list" else (value,)
        found: list[tuple[SourceNode, SourceNode]] = []
        for source in sources:
            if source.kind != "map":
                raise invalid("BadMerge", "Template format error: only maps can be merged with <<.",
                              "Write an alias of a map, or a list of such.", span=source.span)  # fmt: skip
            found.extend(source.entries)
        return found


# --- scalars --------------------------------------------------------------------------------------------------------
_RESOLVERS = {
    first: [(tag, pattern) for tag, pattern in known if not tag.endswith(":timestamp")]
    for first, known in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


def _resolve(text: str) -> str | None:
    """YAML 1.1's implicit type, None for text; dates stay text, as both dialects read them (TV-15)."""
    for tag, pattern in _RESOLVERS.get(text[:1], ()):
        if pattern.match(text):
            return str(tag)
    return None


def _integer(text: str) -> int:
    text = text.replace("_", "")
    sign = -1 if text.startswith("-") else 1
    digits = text.lstrip("+-")
    if len(digits) > 4000:
        raise ValueError("too many digits")
    if digits.startswith("0b"):
        return sign * int(digits[2:], 2)
    if digits.startswith("0x"):
        if len(digits) > 3000:  # they are four thousand in decimal, which Python still writes
            raise ValueError("too many digits")
        return sign * int(digits[2:], 16)
    if ":" in digits:
        return sign * int(_sexagesimal(digits))
    if digits.startswith("0") and digits != "0":
        return sign * int(digits, 8)
    return sign * int(digits)


def _float(text: str) -> float:
    text = text.replace("_", "").lower()
    sign = -1.0 if text.startswith("-") else 1.0
    digits = text.lstrip("+-")
    if digits == ".inf":
        return sign * float("inf")
    if digits == ".nan":
        return float("nan")
    return sign * (_sexagesimal(digits) if ":" in digits else float(digits))


def _sexagesimal(digits: str) -> float:
    value = 0.0
    for part in digits.split(":"):
        value = value * 60 + float(part)
    return value


_BOOLEANS = {"yes": True, "no": False, "true": True, "false": False, "on": True, "off": False}


def _boolean(text: str) -> bool:
    if text.lower() not in _BOOLEANS:  # tagged as one
        raise ValueError("no boolean")
    return _BOOLEANS[text.lower()]


def _null(text: str) -> None:
    return None


_CONVERT: dict[str, Any] = {
    "int": _integer,
    "float": _float,
    "bool": _boolean,
    "null": _null,
    "str": str,
    "timestamp": str,
}
