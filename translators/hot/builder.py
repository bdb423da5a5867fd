"""Source nodes → expressions of one HOT template; mistakes are collected with their places."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from engine.model import expression as x
from engine.model.diagnostic import Span
from engine.model.expression import Expression, Literal, MapOf
from engine.model.nearest import closest, did_you_mean
from translators.findings import Findings, nearest
from translators.hot.versions import DESCRIPTIONS, OWN_FUNCTIONS, Version, instead_of
from translators.source import SourceNode

PSEUDO = {
    "OS::stack_id": x.Pseudo.STACK_ID,
    "OS::stack_name": x.Pseudo.STACK_NAME,
    "OS::project_id": x.Pseudo.PROJECT_ID,
    "OS::region": x.Pseudo.REGION,
}
_OF_RESOURCES = frozenset({"get_resource", "get_attr", "Ref", "Fn::GetAtt"})
# Words that are functions somewhere and that a user may well choose as a key of a plain map.
_ORDINARY_WORDS = frozenset({"if", "not", "and", "or", "filter", "equals", "contains", "digest", "repeat", "yaql"})
# Functions whose misspelling is told from a plain key by the shape of the argument: a name, or a list.
_BY_ARGUMENT: Mapping[str, tuple[str, ...]] = {
    "scalar": ("get_param", "get_resource", "get_attr", "get_file", "resource_facade"),
    "list": ("get_param", "get_attr", "list_join", "str_split", "map_merge", "list_concat", "list_concat_unique"),
    "map": ("str_replace", "str_replace_strict", "str_replace_vstrict", "repeat"),
}  # fmt: skip


@dataclass(slots=True)
class Builder:
    """Reads expressions of one template of `version`; `files` answer get_file."""

    version: Version
    findings: Findings
    readers: Mapping[str, Reader]
    files: Mapping[str, str]
    parameters: frozenset[str]
    resources: frozenset[str]
    conditions: frozenset[str] = frozenset()
    in_condition: bool = False
    plain_base64: bool = False  # Fn::Base64 gives its text: what is being read encodes by itself
    address: list[str] = field(default_factory=list)

    # --- walking --------------------------------------------------------------------------------------------------
    def build(self, node: SourceNode) -> Expression:
        """The expression of `node`; a mistake is reported, and stands for anything."""
        if node.tag is not None:
            short = node.tag.lstrip("!")
            way_out = instead_of(short, self.version) or instead_of(f"Fn::{short}", self.version)
            return self.fail("UnknownTag", f"The tag {node.tag} has no meaning in HOT.",
                             way_out or "Write a function as a map of one key.", node.span)  # fmt: skip
        if node.kind == "scalar":
            return Literal(node.value, span=node.span)
        if node.kind == "list":
            return x.ListOf(tuple([self._at(str(i), item) for i, item in enumerate(node.items)]), span=node.span)
        called = self.call(node)
        if called is not None:
            return called
        entries = [(key.text, self._at(key.text, item)) for key, item in node.entries]
        return MapOf(tuple(entries), span=node.span, keys=node.key_spans)

    def _at(self, step: str, node: SourceNode) -> Expression:
        if node.kind == "scalar" and node.tag is None:
            return Literal(node.value, span=node.span)
        self.address.append(step)
        found = self.build(node)
        self.address.pop()
        return found

    @contextmanager
    def within(self, *steps: str) -> Iterator[None]:
        """Findings inside are addressed below `steps`."""
        before = len(self.address)
        self.address.extend(steps)
        try:
            yield
        finally:
            del self.address[before:]

    def call(self, node: SourceNode) -> Expression | None:
        """The function call that a map of one entry may be."""
        if len(node.entries) != 1:
            return None
        key, argument = node.entries[0]
        name = key.value
        if not isinstance(name, str):
            return None
        if name in self._allowed():
            self.address.append(name)
            found = self.readers[name](self, argument, key.span)
            self.address.pop()
            return found
        known_elsewhere = name in DESCRIPTIONS and (self.in_condition or name not in _ORDINARY_WORDS)
        if known_elsewhere or name.startswith("Fn::") or name in OWN_FUNCTIONS:
            where = "in conditions " if self.in_condition else ""
            return self.fail(
                "UnknownFunction",
                f'"{name}" is not a function {where}of heat_template_version {self.version.name}.',
                self._instead(name),
                key.span,
            )  # fmt: skip
        meant = misspelt(name, argument.kind, argument.get("template") is not None, self._allowed())
        if meant is None:
            return None
        return self.fail("UnknownFunction", f'"{name}" is not a function.', f"Did you mean {meant}?", key.span)

    def _instead(self, name: str) -> str:
        if self.in_condition and name in _OF_RESOURCES:
            return "Conditions are decided before any resource exists: use parameters."
        heats = self.version.condition_functions if self.in_condition else self.version.functions
        return instead_of(name, self.version, in_condition=self.in_condition) or nearest(name, heats)

    def _allowed(self) -> frozenset[str]:
        return self.version.understood_in_conditions if self.in_condition else self.version.understood

    # --- mistakes -------------------------------------------------------------------------------------------------
    def fail(self, code: str, summary: str, detail: str, span: Span | None) -> Expression:
        self.findings.error(code, summary, detail, address=".".join(self.address), span=span)
        return x.Mistake(span=span)

    def wrong(self, name: str, form: str, span: Span) -> Expression:
        return self.fail("InvalidFunctionArgument", f'The argument of "{name}" has not the form it needs.',
                         f"Write {name}: {form}", span)  # fmt: skip

    def ignored(self, name: str, node: SourceNode, known: Container[str]) -> None:
        """Warn of keys that the function `name` has no use for; Heat does not look at them."""
        for key, _ in node.entries:
            if key.value not in known:
                self.findings.warning("UnknownKey", f'"{key.text}" in "{name}" is not looked at.',
                                      address=".".join(self.address), span=key.span)  # fmt: skip

    # --- conditions and references --------------------------------------------------------------------------------
    def condition(self, node: SourceNode) -> Expression:
        """A condition: its name, a boolean, or a condition function."""
        if node.kind == "scalar":
            if isinstance(node.value, bool):
                return Literal(node.value, span=node.span)
            name = node.text
            if name not in self.conditions:
                return self.fail("UnknownCondition", f'Invalid condition "{name}": there is no such condition.',
                                 nearest(name, self.conditions), node.span)  # fmt: skip
            return x.ConditionRef(name, span=node.span)
        before, self.in_condition = self.in_condition, True
        found = self.build(node)
        self.in_condition = before
        if isinstance(found, MapOf | x.ListOf):
            known = self.version.condition_functions
            near = did_you_mean(node.entries[0][0].text, known) if len(node.entries) == 1 else ""
            return self.fail("InvalidCondition", "A condition is a name, a boolean or a condition function.",
                             near or f"Functions of conditions are {', '.join(sorted(known))}.", node.span)  # fmt: skip
        return found

    def parameter(self, name: str, path: tuple[Expression, ...], span: Span) -> Expression:
        if name in PSEUDO:
            return x.PseudoRef(PSEUDO[name], span=span)
        if name not in self.parameters:
            way_out = nearest(name, PSEUDO if name.startswith("OS::") else self.parameters)
            if name in self.resources:
                way_out = f"{name} is a resource: write get_resource, or get_attr."
            return self.fail("UnknownParameter", f"The Parameter ({name}) was not defined in template.", way_out, span)
        return x.ParameterRef(name, path, span=span)

    def resource(self, name: str, span: Span) -> str | None:
        """The name when there is such a resource; else the mistake is reported (TR-13)."""
        if name in self.resources:
            return name
        self.fail(
            "InvalidTemplateReference",
            f'The specified reference "{name}" (in {".".join(self.address)}) is incorrect.',
            f"{name} is a parameter: write get_param." if name in self.parameters else nearest(name, self.resources),
            span,
        )  # fmt: skip
        return None


def misspelt(name: str, kind: str, has_template: bool, allowed: Container[str]) -> str | None:
    """The function that `name` nearly is, where the argument, of that kind, has the shape of that function's."""
    if "_" not in name or (kind == "map" and not has_template):
        return None
    return closest(name, [one for one in _BY_ARGUMENT[kind] if one in allowed], cutoff=0.75)


def is_call(name: str, kind: str, has_template: bool, version: Version, *, in_condition: bool) -> bool:
    """Whether a map of this one key, in a template of `version`, is not read as plain data."""
    allowed = version.understood_in_conditions if in_condition else version.understood
    if name in allowed or name.startswith("Fn::") or name in OWN_FUNCTIONS:
        return True
    if name in DESCRIPTIONS and (in_condition or name not in _ORDINARY_WORDS):
        return True
    return misspelt(name, kind, has_template, allowed) is not None


Reader = Callable[[Builder, SourceNode, Span], Expression]
