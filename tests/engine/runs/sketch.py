"""A template language for tests: JSON with as much in it as the engine has to run. Implements `Translator`.

`{"resources": {"a": {"type": …, "properties": {…}, "needs": […], "policy": "Retain"}}, "outputs": {…}}`; inside values
`{"ref": "a"}`, `{"attr": ["a", "size"]}`, `{"param": "p"}`, `{"import": "name"}`, `{"join": ["-", […]]}`,
`{"if": ["cond", x, y]}`. A resource with `members` is lowered to a group, its first member being what it refers to.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from engine.model.diagnostic import invalid
from engine.model.expression import (
    AttributeRef,
    Equals,
    Expression,
    ImportValue,
    Join,
    ListOf,
    Literal,
    MapOf,
    ParameterRef,
    ResourceRef,
    Yaql,
)
from engine.model.source import Examined, Source
from engine.model.template import (
    MISSING,
    DeletionPolicy,
    Dialect,
    Group,
    Output,
    Parameter,
    ParameterType,
    Resource,
    Template,
)

THING = "Test::Thing"


class Sketches:
    """The translator."""

    def examine(self, source: Source) -> Examined:
        return Examined(self.translate(source))

    def outline(self, source: Source) -> Template:
        return self.translate(source)

    def written_as(self, kind: str, member: str, name: str) -> tuple[str, ...] | None:
        """A member called `it` is all that its group says."""
        return ("said", name) if member == "it" else None

    def translate(self, source: Source) -> Template:
        try:
            document = json.loads(source.text)
        except json.JSONDecodeError as error:
            raise invalid("NotJson", f"The template is not JSON: {error}.") from error
        resources: dict[str, Resource] = {}
        groups: dict[str, Group] = {}
        for name, body in document["resources"].items():
            if "members" in body:
                groups[name] = _group(name, body, resources)
            else:
                resources[name] = _resource(name, body)
        return Template(
            dialect=Dialect(document.get("dialect", "cfn")),
            version="1",
            resources=resources,
            groups=groups,
            parameters={name: _parameter(name, body) for name, body in document.get("parameters", {}).items()},
            conditions={name: _expression(body) for name, body in document.get("conditions", {}).items()},
            outputs={name: _output(name, body) for name, body in document.get("outputs", {}).items()},
            waits='"yaql"' in source.text,
        )


def _resource(name: str, body: Mapping[str, Any], group: str | None = None) -> Resource:
    condition = body.get("condition")
    return Resource(
        address=name,
        type=body.get("type", THING),
        properties=_map(body.get("properties", {})),
        depends_on=tuple(body.get("needs", ())),
        metadata=_expression(body["metadata"]) if "metadata" in body else None,
        condition=None if condition is None else _expression(condition),
        deletion_policy=DeletionPolicy(body.get("policy", "Delete")),
        update_replace_policy=DeletionPolicy(body.get("replace_policy", "Delete")),
        external_id=_expression(body["external"]) if "external" in body else None,
        group=group,
    )


def _group(name: str, body: Mapping[str, Any], resources: dict[str, Resource]) -> Group:
    members = []
    for short, member in body["members"].items():
        address = f"{name}/{short}"
        resources[address] = _resource(address, {"needs": body.get("needs", ()), **member}, name)
        members.append(address)
    return Group(
        address=name,
        type=body.get("type", "Far::Thing"),
        members=tuple(members),
        reference=ResourceRef(members[0]),
        attributes={"Size": AttributeRef(members[0], Literal("size"))},
        properties=_map(body.get("properties", {})),
    )


def _parameter(name: str, body: Mapping[str, Any]) -> Parameter:
    return Parameter(name, ParameterType.STRING, default=body.get("default", MISSING), hidden=body.get("hidden", False))


def _output(name: str, body: Any) -> Output:
    if isinstance(body, dict) and "value" in body:
        export = body.get("export")
        return Output(name, _expression(body["value"]), export=None if export is None else _expression(export))
    return Output(name, _expression(body))


def _map(body: Mapping[str, Any]) -> MapOf:
    return MapOf(tuple((name, _expression(value)) for name, value in body.items()))


def _expression(value: Any) -> Expression:
    match value:
        case {"ref": str(address)}:
            return ResourceRef(address)
        case {"attr": [address, name]}:
            return AttributeRef(address, Literal(name))
        case {"param": str(name)}:
            return ParameterRef(name)
        case {"join": [delimiter, items]}:
            return Join(Literal(delimiter), (_expression(items),))
        case {"import": name}:
            return ImportValue(_expression(name))
        case {"yaql": str(expression)}:
            return Yaql(Literal(expression), Literal({}))
        case {"equals": [left, right]}:
            return Equals(_expression(left), _expression(right))
        case dict():
            return _map(value)
        case list():
            return ListOf(tuple(_expression(item) for item in value))
        case _:
            return Literal(value)


def thing(*, needs: tuple[str, ...] = (), of: str = THING, policy: str = "Delete", **properties: Any) -> dict[str, Any]:
    """A resource of a sketch; properties are given by name."""
    body: dict[str, Any] = {"type": of, "properties": properties, "policy": policy}
    return {**body, "needs": list(needs)} if needs else body


def ref(address: str) -> dict[str, Any]:
    return {"ref": address}


def attr(address: str, name: str) -> dict[str, Any]:
    return {"attr": [address, name]}


def sketch(
    *, dialect: str = "cfn", outputs: Mapping[str, Any] | None = None, parameters: Mapping[str, Any] | None = None,
    conditions: Mapping[str, Any] | None = None, **resources: Any,
) -> str:  # fmt: skip
    """The text of a template."""
    return json.dumps(
        {
            "dialect": dialect, "resources": resources, "outputs": outputs or {}, "parameters": parameters or {},
            "conditions": conditions or {},
        }
    )  # fmt: skip
