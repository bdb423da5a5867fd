"""Parameters of CloudFormation as HOT's, and mappings as parameters of type json."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from engine.model.dynamic import is_public_image
from engine.model.template import MISSING, Constraint, Parameter, ParameterType, Template
from engine.model.value import Value
from translators.cfn.parameter_types import ssm_inner

Tell = Callable[[str], None]

_SIZED = frozenset({ParameterType.STRING, ParameterType.LIST, ParameterType.JSON})


def hot_parameter(parameter: Parameter, lost: Tell) -> Parameter:
    """`parameter` as HOT has it; `lost` is told what HOT cannot keep of it."""
    default = parameter.default
    if ssm_inner(parameter.source_type) is not None and not is_public_image(default):
        lost("its value is looked up in the parameter store; HOT takes the value itself, so it must be given")
        default = MISSING
    return replace(
        parameter,
        default=default if default is MISSING else _plain(default, parameter.type),
        constraints=tuple(_constraints(parameter, lost)),
        source_type="",
    )


def mapping_parameter(name: str, mapping: str, template: Template) -> Parameter:
    rows = {top: dict(row) for top, row in template.mappings[mapping].items()}
    told = f"The mapping {mapping}; not meant to be given."
    return Parameter(name, ParameterType.JSON, rows, description=told)


def _constraints(parameter: Parameter, lost: Tell) -> Iterator[Constraint]:
    """Those that HOT has for the type (TP-17)."""
    kind = parameter.type
    for one in parameter.constraints:
        if one.pattern is not None and kind is not ParameterType.STRING:
            lost(f"HOT has no allowed_pattern for a {kind}")
        elif one.length is not None and kind not in _SIZED:
            lost(f"HOT has no length for a {kind}")
        elif one.range is not None and kind is not ParameterType.NUMBER:
            lost(f"HOT has no range for a {kind}")
        elif one.allowed_values is not None:
            if kind is ParameterType.JSON:
                lost("HOT has no allowed_values for a json")
            else:
                yield replace(one, allowed_values=tuple(_plain(value, kind) for value in one.allowed_values))
        elif one.known:
            lost(f"{one.custom} would refuse the names that the tables of the mappings know")
        elif one.custom is not None:
            yield replace(one, missing="")  # Heat has a sentence of its own
        elif one.range is not None:
            yield replace(one, range=(_whole(one.range[0]), _whole(one.range[1])))
        else:
            yield one


def _plain(value: Value, kind: ParameterType) -> Value:
    """Texts of numbers and booleans, which CloudFormation keeps as texts, as what they are."""
    if not isinstance(value, str):
        return value
    if kind is ParameterType.NUMBER:
        return int(value) if value.lstrip("-").isdigit() else float(value)
    return {"true": True, "false": False}.get(value.lower(), value) if kind is ParameterType.BOOLEAN else value


def _whole(number: float | None) -> float | None:
    return int(number) if isinstance(number, float) and number.is_integer() else number
