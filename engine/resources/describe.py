"""A type's declaration as the native API shows it: the schema of API-05, the provider template of API-06."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.model.template import Constraint
from engine.resources.base import Kind, Property, ResourceType, Update


def schema_of(kind: ResourceType) -> dict[str, Any]:
    """The body of `GET resource_types/{name}` (heat.md API-05)."""
    shown = {name: one for name, one in kind.properties.items() if one.support != "HIDDEN"}
    attributes = {name: {"type": one.kind.value, **_told(one.description)} for name, one in kind.attributes.items()}
    attributes["show"] = {"type": "map", "description": "Detailed information about resource."}
    return {
        "resource_type": kind.name,
        "properties": {name: _property(one) for name, one in shown.items()},
        "attributes": attributes,
        "support_status": {"status": kind.support, "message": None, "version": None, "previous_status": None},
        **_told(kind.description),
    }


def _property(declared: Property) -> dict[str, Any]:
    found: dict[str, Any] = {
        "type": declared.kind.value,
        "required": declared.required,
        "update_allowed": declared.update is Update.IN_PLACE,
        "immutable": declared.update is Update.IMMUTABLE,
        **_told(declared.description),
    }
    if declared.default is not None:
        found["default"] = declared.default
    if declared.constraints:
        found["constraints"] = [_constraint(one) for one in declared.constraints]
    if declared.schema is not None:
        inner = {name: one for name, one in declared.schema.items() if one.support != "HIDDEN"}
        found["schema"] = {name: _property(one) for name, one in inner.items()}
    elif declared.items is not None:
        found["schema"] = {"*": _property(declared.items)}
    return found


def _told(description: str) -> dict[str, str]:
    return {"description": description} if description else {}


def _constraint(limit: Constraint) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if limit.allowed_values is not None:
        found["allowed_values"] = list(limit.allowed_values)
    elif limit.pattern is not None:
        found["allowed_pattern"] = limit.pattern
    elif limit.length is not None:
        found["length"] = _ends(limit.length)
    elif limit.range is not None:
        found["range"] = _ends(limit.range)
    elif limit.modulo is not None:
        found["modulo"] = {"step": limit.modulo[0], "offset": limit.modulo[1]}
    elif limit.custom is not None:
        found["custom_constraint"] = limit.custom
    return found | _told(limit.description)


def _ends(ends: tuple[float | None, float | None]) -> dict[str, float]:
    return {name: end for name, end in zip(("min", "max"), ends, strict=True) if end is not None}


# --- a provider template ------------------------------------------------------------------------------------------
_HOT_TYPE = {
    Kind.STRING: "string",
    Kind.INTEGER: "number",
    Kind.NUMBER: "number",
    Kind.BOOLEAN: "boolean",
    Kind.LIST: "comma_delimited_list",
    Kind.MAP: "json",
    Kind.ANY: "string",
}
_CFN_TYPE = {
    "string": "String",
    "number": "Number",
    "boolean": "Boolean",
    "comma_delimited_list": "CommaDelimitedList",
    "json": "Json",
}


def template_of(kind: ResourceType, dialect: str) -> dict[str, Any]:
    """The body of `GET resource_types/{name}/template` (API-06): parameters per property, outputs per attribute."""
    shown = {name: one for name, one in kind.properties.items() if one.support != "HIDDEN"}
    outputs = {name: one.description for name, one in kind.attributes.items()}
    outputs["show"] = "Detailed information about resource."
    short = kind.name.rsplit("::", 1)[-1]
    if dialect == "hot":
        return {
            "heat_template_version": "2016-10-14",
            "description": f"Initial template of {short}",
            "parameters": {name: _hot_parameter(one) for name, one in shown.items()},
            "resources": {short: {"type": kind.name, "properties": {name: {"get_param": name} for name in shown}}},
            "outputs": {
                name: {"description": told, "value": {"get_attr": [short, name]}} for name, told in outputs.items()
            },
        }
    return {
        "HeatTemplateFormatVersion": "2012-12-12",
        "Description": f"Initial template of {short}",
        "Parameters": {name: _cfn_parameter(one) for name, one in shown.items()},
        "Resources": {
            short: {"Type": kind.name, "Properties": {name: _cfn_use(name, one) for name, one in shown.items()}}
        },
        "Outputs": {
            name: {"Description": told, "Value": {"Fn::GetAtt": [short, name]}} for name, told in outputs.items()
        },
    }


def _cfn_use(name: str, declared: Property) -> dict[str, Any]:
    if declared.kind is Kind.LIST:
        return {"Fn::Split": [",", {"Ref": name}]}
    return {"Ref": name}


def _default(declared: Property) -> dict[str, Any]:
    if declared.default is not None:
        default = declared.default
        return {"default": ",".join(map(str, default)) if declared.kind is Kind.LIST and _plain(default) else default}
    return {} if declared.required else {"default": _EMPTY.get(declared.kind, "")}


_EMPTY: Mapping[Kind, Any] = {Kind.LIST: "", Kind.MAP: {}, Kind.BOOLEAN: False, Kind.INTEGER: 0, Kind.NUMBER: 0}


def _plain(items: Any) -> bool:
    return all(not isinstance(item, Mapping) for item in items)


def _hot_parameter(declared: Property) -> dict[str, Any]:
    kind = _HOT_TYPE[declared.kind]
    found: dict[str, Any] = {"type": kind, **_told(declared.description), **_default(declared)}
    limits = [_constraint(one) for one in declared.constraints]
    if limits:
        found["constraints"] = limits
    return found


def _cfn_parameter(declared: Property) -> dict[str, Any]:
    found: dict[str, Any] = {"Type": _CFN_TYPE[_HOT_TYPE[declared.kind]]}
    if declared.description:
        found["Description"] = declared.description
    for default in _default(declared).values():
        found["Default"] = default
    for limit in declared.constraints:
        found |= _cfn_limit(limit)
    return found


def _cfn_limit(limit: Constraint) -> dict[str, Any]:
    if limit.allowed_values is not None:
        return {"AllowedValues": list(limit.allowed_values)}
    if limit.pattern is not None:
        return {"AllowedPattern": limit.pattern}
    if limit.length is not None:
        return {f"{end.capitalize()}Length": value for end, value in _ends(limit.length).items()}
    if limit.range is not None:
        return {f"{end.capitalize()}Value": value for end, value in _ends(limit.range).items()}
    return {}
