"""One group while it is being made: rows fill it first, then the function that the row names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.model.diagnostic import Span
from engine.model.expression import AttributeRef, Expression, MapOf, Mistake, ResourceRef
from engine.model.template import DeletionPolicy, Dialect, Resource
from mappings import Row
from translators.cfn.template import HEAT_VERSIONS
from translators.findings import Findings
from translators.lowering import logic
from translators.lowering.world import World

_OF_KEYS = frozenset({"UnsupportedProperty", "PropertyRejected", "PropertyIgnored", "PropertyUndecided"})
_MISSING = frozenset({"PropertyMissing", "RuleWithoutSource"})


@dataclass(slots=True)
class MemberDraft:
    """`soft` are addresses to wait for unless that closes a cycle."""

    name: str
    type: str
    properties: dict[str, Expression]
    condition: Expression = logic.TRUE
    depends_on: list[str] = field(default_factory=list)
    soft: list[str] = field(default_factory=list)
    deletion_policy: DeletionPolicy | None = None


@dataclass(slots=True)
class Draft:
    """`early` is the member that stands for the whole towards those it must not make wait (`early_for`)."""

    source: Resource
    row: Row
    world: World
    findings: Findings
    members: dict[str, MemberDraft] = field(default_factory=dict)
    reference: Expression | None = None
    attributes: dict[str, Expression] = field(default_factory=dict)
    early: str | None = None
    early_for: frozenset[str] = frozenset()
    misspelt: set[tuple[str, ...]] = field(default_factory=set)  # paths of maps in which a key is that there is not

    # --- reading --------------------------------------------------------------------------------------------------
    def prop(self, name: str) -> Expression | None:
        """The written value of a property."""
        return self.source.properties.get(name)

    def address(self, member: str) -> str:
        return f"{self.source.address}/{member}"

    def ref(self, member: str) -> ResourceRef:
        return ResourceRef(self.address(member))

    def attr(self, member: str, name: str, *path: str | int) -> AttributeRef:
        return logic.attribute(self.address(member), name, *path)

    @property
    def of_heat(self) -> bool:
        """Whether the template is in one of Heat's formats, whose own reading of `AWS::` types is the looser one."""
        template = self.world.template
        return template.dialect is Dialect.HOT or template.version in HEAT_VERSIONS

    # --- writing --------------------------------------------------------------------------------------------------
    def add(
        self, name: str, type_name: str, properties: Mapping[str, Expression | None] | None = None, *,
        condition: Expression | None = None, depends_on: tuple[str, ...] = (), soft: tuple[str, ...] = (),
    ) -> MemberDraft:  # fmt: skip
        """Add a member; properties that are None are left out, and a member whose condition is false altogether."""
        given = {key: value for key, value in (properties or {}).items() if value is not None}
        made = MemberDraft(name, type_name, given, condition or logic.TRUE, list(depends_on), list(soft))
        if made.condition != logic.FALSE:
            self.members[name] = made
        return made

    # --- telling --------------------------------------------------------------------------------------------------
    def place(self, *path: str) -> str:
        words = ("Resources", "Properties")
        if self.world.template.dialect is Dialect.HOT:
            words = ("resources", "properties")
        return ".".join((words[0], self.source.address, words[1], *path))

    def span_of(self, *path: str) -> Span | None:
        """Where a property stands, or what encloses it."""
        here: Expression | None = self.source.properties
        span = self.source.span
        for step in path:
            here = here.get(step) if isinstance(here, MapOf) else _item(here, step)
            if here is None:
                break
            span = here.span or span
        return span

    def _at(self, path: tuple[str, ...]) -> Expression | None:
        here: Expression | None = self.source.properties
        for step in path:
            here = here.get(step) if isinstance(here, MapOf) else _item(here, step)
        return here

    def key_span(self, *path: str) -> Span | None:
        """Where the last key of `path` stands."""
        outer = self._at(path[:-1])
        found = outer.key_span(path[-1]) if isinstance(outer, MapOf) and path else None
        return found or self.span_of(*path)

    def error(self, code: str, summary: str, detail: str = "", *path: str) -> None:
        """Report a mistake. What has been told is not told again: that a key is missing which is misspelt."""
        if code == "UnsupportedProperty":
            self.misspelt.add(path[:-1])
        elif (code in _MISSING and path in self.misspelt) or isinstance(self._at(path), Mistake):
            return
        self.findings.error(code, summary, detail, address=self.place(*path), span=self._span(code, path))

    def warn(self, code: str, summary: str, *path: str) -> None:
        self.findings.warning(code, summary, address=self.place(*path), span=self._span(code, path))

    def _span(self, code: str, path: tuple[str, ...]) -> Span | None:
        if not path:
            return self.source.place("properties")
        return self.key_span(*path) if code in _OF_KEYS else self.span_of(*path)


def _item(expression: Expression | None, step: str) -> Expression | None:
    found = logic.items(expression)
    return found[int(step)] if found is not None and step.isdigit() and int(step) < len(found) else None
