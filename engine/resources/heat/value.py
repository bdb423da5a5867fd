"""OS::Heat::Value: a value under a name, turned into the type asked for."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from engine.model.value import UNKNOWN, Value
from engine.resources.base import Kind, Operation, OperationFailed
from engine.resources.declare import anything, attribute, one_of, string
from engine.resources.heat.local import LocalType


class ValueResource(LocalType):
    name = "OS::Heat::Value"
    properties = {
        "value": anything(required=True, mutable=True, description="The expression to generate the value."),
        "type": string(one_of("string", "number", "comma_delimited_list", "json", "boolean"), mutable=True),
    }
    attributes = {"value": attribute(Kind.ANY)}

    def validate(self, properties: Mapping[str, Value]) -> Sequence[str]:
        try:
            convert(properties.get("value"), properties.get("type"))
        except ValueError as error:
            return [str(error)]
        return ()

    def values(self, op: Operation) -> Mapping[str, Value]:
        try:
            return {"value": convert(op.properties.get("value"), op.properties.get("type"))}
        except ValueError as error:
            raise OperationFailed(str(error)) from error


def convert(value: Value, kind: Value) -> Value:
    """Return `value` as a parameter of that type would have it (TP-13 to TP-16). Raises ValueError."""
    if value is UNKNOWN or kind is UNKNOWN or value is None:
        return value
    match kind:
        case "string":
            return _text(value)
        case "number":
            return _number(value)
        case "comma_delimited_list":
            if isinstance(value, str):
                return [item.strip() for item in value.split(",")] if value else []
            if isinstance(value, list | tuple):
                return [_text(item) for item in value]
            raise ValueError(f"Value must be a comma-delimited list string: {value!r}")
        case "json":
            return json.loads(value) if isinstance(value, str) else value
        case "boolean":
            return _truth(value)
        case _:
            return value


def _text(value: Value) -> Value:
    if isinstance(value, str) or value is UNKNOWN:
        return value
    if isinstance(value, list | tuple | Mapping):
        return json.dumps(value, sort_keys=True, default=str)
    return str(value)


def _number(value: Value) -> Value:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    text = str(value).strip()
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        raise ValueError(f'Value "{value}" is not a number') from None


_TRUE, _FALSE = {"1", "t", "true", "on", "y", "yes"}, {"0", "f", "false", "off", "n", "no"}


def _truth(value: Value) -> bool:
    text = str(value).strip().lower()
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise ValueError(f'Value "{value}" is not a boolean')
