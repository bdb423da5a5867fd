"""The Parameters section (cloudformation.md L05, L50 to L76; heat.md §3.4)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from engine.model.diagnostic import Span
from engine.model.template import MISSING, Constraint, Parameter, ParameterType
from engine.model.value import Value
from translators.cfn import limits, nodes
from translators.cfn.findings import Findings, Path, did_you_mean
from translators.cfn.parameter_types import TYPES, TypeRow, is_stored, ssm_inner
from translators.source import SourceNode

_KEYS = frozenset(
    {
        "AllowedPattern",
        "AllowedValues",
        "ConstraintDescription",
        "Default",
        "Description",
        "Label",
        "MaxLength",
        "MaxValue",
        "MinLength",
        "MinValue",
        "NoEcho",
        "Type",
    }
)


_HYPHEN_AFTER_CLASS = re.compile(r"(?<!\\)((?:\\\\)*\\[wWdDsS])-(?!\])")


@dataclass(frozen=True, slots=True)
class _Declared:
    """One parameter while it is read."""

    name: str
    node: SourceNode
    span: Span
    at: Path
    findings: Findings

    def wrong(self, key: str, summary: str, detail: str = "") -> None:
        item = self.node.get(key)
        span = item.span if item is not None else self.node.span
        self.findings.error("InvalidParameter", summary, detail, at=(self.at, key), span=span)

    def string(self, key: str) -> str:
        """The text of `key`, "" when absent."""
        item = self.node.get(key)
        if item is None:
            return ""
        text = nodes.as_string(item)
        if text is None:
            self.wrong(key, f"Template format error: Every {key} member must be a string.", f"Put {key} in quotes.")
        return text or ""

    def number(self, key: str) -> float | None:
        item = self.node.get(key)
        if item is None:
            return None
        number = nodes.as_number(item)
        if number is None:
            self.wrong(key, f"Template format error: Parameter '{self.name}' {key} must be a number.",
                       f"{item.text or 'This'} is none.")  # fmt: skip
        return number

    @property
    def stored(self) -> bool:
        """Whether its value is a name in the parameter store."""
        return is_stored(self.string("Type"))

    def whole(self, key: str) -> int | None:
        number = self.number(key)
        if number is not None and number != int(number):
            self.wrong(key, f"Template format error: Parameter '{self.name}' {key} must be a whole number.")
        return None if number is None else int(number)


def read_parameters(
    node: SourceNode | None, labels: Mapping[str, str], strict: bool, findings: Findings
) -> dict[str, Parameter]:
    """Return the declared parameters; `labels` are those of AWS::CloudFormation::Interface."""
    if node is None:
        return {}
    at: Path = (None, "Parameters")
    found: dict[str, Parameter] = {}
    for name, key, item in nodes.members(node, at, "Parameters", findings):
        here: Path = (at, name)
        nodes.check_name("Parameter", name, key, here, findings, strict)
        if item.kind != "map":
            summary = "Template format error: Any Parameters member must be an object."
            findings.error("InvalidParameter", summary, "Give it at least a Type.", at=here, span=key.span)
            found[name] = Parameter(name, ParameterType.STRING, source_type="String", span=key.span)
            continue
        found[name] = _parameter(_Declared(name, item, key.span, here, findings), key, labels.get(name, ""))
    if len(found) > limits.PARAMETERS and strict:
        summary = limits.too_many("parameters", len(found), limits.PARAMETERS)
        findings.error("LimitExceeded", summary, "Put some into nested stacks.", at=at, span=node.span)
    return found


def _parameter(declared: _Declared, key: SourceNode, label: str) -> Parameter:
    node, findings = declared.node, declared.findings
    message = "Invalid template parameter property '{}'"
    nodes.check_keys(node, _KEYS, message, "InvalidParameter", declared.at, findings)
    written, row = _type(declared)
    description = declared.string("Description")
    if len(description) > limits.PARAMETER_DESCRIPTION_LENGTH:
        most = limits.PARAMETER_DESCRIPTION_LENGTH
        summary = f"Template format error: Description must be no longer than {most} characters."
        declared.wrong("Description", summary, "Shorten it.")
    default = _default(declared, row)
    return Parameter(
        name=declared.name,
        type=row.type,
        default=default,
        description=description,
        label=declared.string("Label") or label,
        hidden=_no_echo(declared),
        constraints=_constraints(declared, row),
        source_type=written,
        span=key.span,
        default_span=None if (written_default := node.get("Default")) is None else written_default.span,
    )


def _type(declared: _Declared) -> tuple[str, TypeRow]:
    """The type as written and what it becomes; a string when it is not known."""
    unknown = TypeRow(ParameterType.STRING)
    node = declared.node.get("Type")
    written = nodes.as_string(node) if node is not None else None
    if node is None and nodes.misspelt(declared.node, "Type", _KEYS):
        return "String", unknown
    if not written:
        summary = "Template format error: Every Parameters object must contain a Type member."
        declared.findings.error("InvalidParameter", summary, "Add `Type: String`.", at=declared.at, span=declared.span)
        return "String", unknown
    if written in TYPES:
        return written, TYPES[written]
    inner = ssm_inner(written)
    if inner is not None:
        return written, TYPES[inner]
    summary = f"Template format error: Unrecognized parameter type: {written}"
    usual = "The usual ones are String, Number, CommaDelimitedList and List<Number>."
    declared.wrong("Type", summary, did_you_mean(written, TYPES) or usual)
    return written, unknown


def _default(declared: _Declared, row: TypeRow) -> Value:
    """The default as text (as AWS keeps it), or as JSON for Heat's Json type; MISSING when there is none."""
    node = declared.node.get("Default")
    if node is None:
        return MISSING
    if row.type is ParameterType.JSON and node.kind == "map":
        return node.to_python()
    if row.type in (ParameterType.LIST, ParameterType.JSON) and node.kind == "list":
        plain = node.to_python()
        return plain if row.type is ParameterType.JSON else [nodes.text(item) for item in plain]
    if node.kind != "scalar" or node.tag is not None or node.value is None:
        hint = "Functions cannot be used in Parameters; write the value itself."
        declared.wrong("Default", "Template format error: Every Default member must be a string.", hint)
        return MISSING
    text = nodes.text(node.value)
    if row.type is ParameterType.NUMBER and nodes.as_number(node) is None and not declared.stored:
        declared.wrong("Default", f"Parameter '{declared.name}' must be a number.", f"The default is {text!r}.")
    if len(text.encode()) > limits.PARAMETER_VALUE_BYTES:
        most = limits.PARAMETER_VALUE_BYTES
        summary = f"Template format error: Parameter '{declared.name}' default value is longer than {most} bytes."
        declared.wrong("Default", summary, "Shorten it.")
    return text


def _no_echo(declared: _Declared) -> bool:
    node = declared.node.get("NoEcho")
    if node is None:
        return False
    value = nodes.as_bool(node)
    if value is None:
        declared.wrong(
            "NoEcho", "Template format error: Every NoEcho member must be a boolean.", "Write true or false."
        )
        return True
    return value


def _constraints(declared: _Declared, row: TypeRow) -> tuple[Constraint, ...]:
    """All constraints, each with the ConstraintDescription (L71 to L75)."""
    why = declared.string("ConstraintDescription")
    found: list[Constraint] = []
    allowed = _allowed_values(declared, row)
    if allowed is not None:
        found.append(Constraint(allowed_values=allowed, description=why))
    pattern = _pattern(declared)
    if pattern is not None:
        found.append(Constraint(pattern=pattern, description=why))
    shortest, longest = declared.whole("MinLength"), declared.whole("MaxLength")
    if shortest is not None or longest is not None:
        found.append(Constraint(length=(shortest, longest), description=why))
        _check_order(declared, "MinLength", "MaxLength", shortest, longest)
    least, most = declared.number("MinValue"), declared.number("MaxValue")
    if least is not None or most is not None:
        _check_order(declared, "MinValue", "MaxValue", least, most)
        if row.type is ParameterType.NUMBER or row.numeric_items:
            found.append(Constraint(range=(least, most), description=why))
        else:
            declared.findings.warning(
                "ConstraintIgnored",
                f"MinValue and MaxValue of parameter {declared.name} are ignored: its type is not a number.",
                "Make it a Number, or remove them.",
                at=declared.at,
                span=declared.node.span,
            )
    if row.custom is not None:
        found.append(Constraint(custom=row.custom, description=why, missing=row.missing))
    return tuple(found)


def _allowed_values(declared: _Declared, row: TypeRow) -> tuple[Value, ...] | None:
    node = declared.node.get("AllowedValues")
    if node is None:
        return None
    if node.kind != "list" or node.tag is not None or not node.items:
        summary = "Template format error: Every AllowedValues member must be a list."
        declared.wrong("AllowedValues", summary, "Write `[first, second]`.")
        return None
    values: list[Value] = []
    for index, item in enumerate(node.items):
        if row.type is ParameterType.JSON:
            values.append(item.to_python())
        elif item.kind != "scalar" or item.tag is not None:
            declared.findings.error(
                "InvalidParameter",
                "Template format error: Every AllowedValues member must be a list of strings.",
                "Functions cannot be used in Parameters.",
                at=((declared.at, "AllowedValues"), str(index)),
                span=item.span,
            )
        else:
            values.append(nodes.text(item.value))
    return tuple(values)


def _pattern(declared: _Declared) -> str | None:
    """The pattern for Python; AWS's are Java's. One that Python does not know is left out with a warning."""
    written = declared.string("AllowedPattern")
    if not written:
        return None
    pattern = _HYPHEN_AFTER_CLASS.sub(r"\1\\-", written)  # Java takes the hyphen in [\w-.] as itself
    try:
        re.compile(pattern)
    except re.error as why:
        item = declared.node.get("AllowedPattern")
        declared.findings.warning(
            "ConstraintIgnored",
            f"AllowedPattern of parameter {declared.name} is not checked: no regular expression known here ({why}).",
            "Write it in the syntax that Java and Python share.",
            at=(declared.at, "AllowedPattern"),
            span=item.span if item is not None else None,
        )
        return None
    return pattern


def _check_order(declared: _Declared, low: str, high: str, least: float | None, most: float | None) -> None:
    if least is not None and most is not None and least > most:
        summary = f"Template format error: Parameter '{declared.name}' {low} must be less than {high}."
        declared.wrong(low, summary, f"{low} is {least:g}, {high} is {most:g}.")
