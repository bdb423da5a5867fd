"""A template after parsing and lowering: what both dialects become."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.model.diagnostic import Diagnostic, Span
from engine.model.expression import Expression, MapOf
from engine.model.immutable import immutable
from engine.model.value import Value


class Dialect(enum.StrEnum):
    CFN = "cfn"
    HOT = "hot"


class DeletionPolicy(enum.StrEnum):
    DELETE = "Delete"
    RETAIN = "Retain"
    RETAIN_EXCEPT_ON_CREATE = "RetainExceptOnCreate"
    SNAPSHOT = "Snapshot"


class ParameterType(enum.StrEnum):
    STRING = "string"
    NUMBER = "number"
    LIST = "comma_delimited_list"
    JSON = "json"
    BOOLEAN = "boolean"


class _Missing(enum.Enum):
    MISSING = "missing"


MISSING = _Missing.MISSING


@dataclass(frozen=True, slots=True)
class Constraint:
    """One limit on a value. Exactly one of the fields before `description` is set.

    Of a custom one, `known` are globs of values that the cloud need not be asked about, and `missing` is what is said
    of a value (`{}`) that it does not know.
    """

    allowed_values: tuple[Value, ...] | None = None
    pattern: str | None = None
    length: tuple[int | None, int | None] | None = None  # characters, or items of a list
    range: tuple[float | None, float | None] | None = None
    modulo: tuple[float, float] | None = None  # step, offset
    custom: str | None = None  # a name of heat.md §3.5, asked of the cloud
    description: str = ""
    known: tuple[str, ...] = ()
    missing: str = ""


@dataclass(frozen=True, slots=True)
class Parameter:
    """`source_type` is the type as written (`AWS::EC2::KeyPair::KeyName`); `numeric_items`: List<Number>."""

    name: str
    type: ParameterType
    default: Value = MISSING
    description: str = ""
    label: str = ""
    hidden: bool = False
    immutable: bool = False
    constraints: tuple[Constraint, ...] = ()
    tags: tuple[str, ...] = ()
    source_type: str = ""
    span: Span | None = field(default=None, compare=False)
    default_span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class ParameterGroup:
    label: str
    description: str
    parameters: tuple[str, ...]


@immutable
class Resource:
    """One engine resource.

    `address` is the logical id, or `<logical id>/<member>` for a member of a lowered group. `depends_on` are
    addresses (of resources or of groups) that must be complete first; `soft_depends_on` likewise, but an edge that
    would close a cycle is dropped. `condition` false: the resource is not in the stack. `places` tells where parts
    stand that have no span of their own: `type`, `properties` (their key), `depends_on.NAME`.
    """

    address: str
    type: str
    properties: MapOf
    depends_on: tuple[str, ...] = ()
    soft_depends_on: tuple[str, ...] = ()
    condition: Expression | None = None
    metadata: Expression | None = None
    deletion_policy: DeletionPolicy = DeletionPolicy.DELETE
    update_replace_policy: DeletionPolicy = DeletionPolicy.DELETE
    computed_policy: Expression | None = None  # the deletion policy, where a function gives it
    update_policy: Expression | None = None
    creation_policy: Expression | None = None
    external_id: Expression | None = None
    description: str = ""
    group: str | None = None
    span: Span | None = field(default=None, compare=False)
    places: Mapping[str, Span] = field(default_factory=dict, compare=False, repr=False)

    def place(self, part: str) -> Span | None:
        """Where `part` stands, or the resource's name."""
        return self.places.get(part, self.span)


@immutable
class Group:
    """What one source resource became when it was lowered: a name over several resources.

    The engine treats it as a record that begins with its first member and completes after its last; views show it in
    place of its members. `type` is a label only. `reference` and `attributes` have already been put in place of every
    reference to it; they are kept for views. `properties` are those the user wrote.
    """

    address: str
    type: str
    members: tuple[str, ...]
    reference: Expression
    attributes: Mapping[str, Expression]
    properties: MapOf
    depends_on: tuple[str, ...] = ()
    condition: Expression | None = None
    metadata: Expression | None = None
    creation_policy: Expression | None = None
    deletion_policy: DeletionPolicy = DeletionPolicy.DELETE
    update_replace_policy: DeletionPolicy = DeletionPolicy.DELETE
    computed_policy: Expression | None = None
    replace_on: frozenset[str] = frozenset()  # names of the written properties whose change makes a new object
    description: str = ""
    span: Span | None = field(default=None, compare=False)


@immutable
class Output:
    name: str
    value: Expression
    description: str = ""
    export: Expression | None = None
    condition: Expression | None = None
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Rule:
    """CFN `Rules`: every assertion must hold when the rule's condition does."""

    name: str
    condition: Expression | None
    assertions: tuple[tuple[Expression, str], ...]


@dataclass(frozen=True, slots=True)
class Template:
    """`warnings` are findings that do not stop it (ignored properties, soft edges dropped)."""

    dialect: Dialect
    version: str
    resources: Mapping[str, Resource]
    description: str = ""
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    parameter_groups: tuple[ParameterGroup, ...] = ()
    mappings: Mapping[str, Mapping[str, Mapping[str, Value]]] = field(default_factory=dict)
    conditions: Mapping[str, Expression] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    groups: Mapping[str, Group] = field(default_factory=dict)
    outputs: Mapping[str, Output] = field(default_factory=dict)
    metadata: Value = None
    capabilities: frozenset[str] = frozenset()  # what the caller must acknowledge (CFN)
    capability_reasons: tuple[str, ...] = ()  # the types that ask for them, as written
    transforms: tuple[str, ...] = ()
    settled: frozenset[str] = frozenset()  # parameters whose values the transforms have used
    warnings: tuple[Diagnostic, ...] = ()
    waits: bool = False  # something in it is evaluated by another process, for which its evaluation waits


EMPTY = Template(dialect=Dialect.HOT, version="", resources={})
