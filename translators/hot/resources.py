"""The sections `resources`, `outputs` and `conditions` (heat.md TR rows)."""

from __future__ import annotations

from collections.abc import Mapping

from engine.model.diagnostic import Span
from engine.model.expression import Expression, ListOf, Literal, MapOf, Mistake
from engine.model.template import DeletionPolicy, Output, Resource
from translators.findings import nearest
from translators.hot import shapes
from translators.hot.builder import Builder
from translators.source import SourceNode

_CONDITIONS_SINCE = 5  # the level of 2016-10-14
_LATER: Mapping[str, str] = {"condition": "2016-10-14", "external_id": "2016-10-14"}
_MAX_NAME = 255
_RESOURCE_KEYS = (
    "type", "properties", "metadata", "depends_on", "deletion_policy", "update_policy", "description",
)  # fmt: skip
_OUTPUT_KEYS = ("value", "description")
_POLICIES: Mapping[str, DeletionPolicy] = {
    one.value: one for one in (DeletionPolicy.DELETE, DeletionPolicy.RETAIN, DeletionPolicy.SNAPSHOT)
}


def read_resources(b: Builder, node: SourceNode | None) -> dict[str, Resource]:
    found: dict[str, Resource] = {}
    for key, item in shapes.section(node, "resources", b.findings):
        with b.within("resources", key.text):
            _check_name(b, key)
            if shapes.definition(item, "a resource definition", _here(b), b.findings):
                b.plain_base64 = True
                found[key.text] = _resource(b, key, item)
                b.plain_base64 = False
    return found


def _here(b: Builder) -> str:
    return ".".join(b.address)


def _check_name(b: Builder, key: SourceNode) -> None:
    """APIX-14."""
    name = key.text
    if "/" in name or not name or len(name) > _MAX_NAME:
        b.fail("InvalidName", f'Resource name may not contain "/", be empty or longer than {_MAX_NAME}: {name!r}.',
               "Rename it.", key.span)  # fmt: skip
    if name in b.parameters:
        b.fail("DuplicateName", f"Duplicate names {[name]}: a parameter and a resource.", "Rename one of them.",
               key.span)  # fmt: skip


def _resource(b: Builder, key: SourceNode, item: SourceNode) -> Resource:
    newer = b.version.level >= _CONDITIONS_SINCE
    known = (*_RESOURCE_KEYS, *_LATER) if newer else _RESOURCE_KEYS
    shapes.known_keys(item, known, "a resource definition", _here(b), b.findings, _LATER)
    condition, external = (item.get("condition"), item.get("external_id")) if newer else (None, None)
    policy = item.get("deletion_policy")
    computed = policy is not None and policy.kind == "map"
    depends_on = _depends_on(b, item.get("depends_on"))
    if external is not None and depends_on:
        b.fail("InvalidExternalResourceDependency", f"The external resource {key.text} cannot depend on another.",
               "It is not made, so nothing can be waited for: take depends_on out.",
               shapes.key_span(item, "depends_on"))  # fmt: skip
    return Resource(
        address=key.text,
        type=_type(b, key, item, known),
        properties=_properties(b, item),
        depends_on=depends_on,
        condition=_condition(b, condition),
        metadata=_metadata(b, item),
        deletion_policy=DeletionPolicy.DELETE if computed else _policy(b, policy, newer),
        computed_policy=_part(b, item, "deletion_policy") if computed else None,
        update_policy=_part(b, item, "update_policy"),
        external_id=None if external is None else _external_id(b, item, external),
        description=shapes.text(item.get("description"), f"{_here(b)}.description", b.findings),
        span=key.span,
        places=_places(item),
    )


def _places(item: SourceNode) -> dict[str, Span]:
    found = {"properties": shapes.key_span(item, "properties")} if item.get("properties") is not None else {}
    needed = item.get("depends_on")
    found |= {name: one.span for name in ("type", "deletion_policy") if (one := item.get(name)) is not None}
    if needed is not None:
        for one in needed.items if needed.kind == "list" else (needed,):
            found.setdefault(f"depends_on.{one.text}", one.span)
    return found


def _type(b: Builder, key: SourceNode, item: SourceNode, known: tuple[str, ...]) -> str:
    node = item.get("type")
    if node is None and shapes.misspelt(item, "type", known):
        return ""
    if node is None or shapes.is_null(node):
        b.fail("MissingKey", f"Each resource must contain a type key; {key.text} has none.",
               "Add type: and a name, such as OS::Nova::Server.", key.span)  # fmt: skip
        return ""
    if not isinstance(node.value, str) or not node.value:
        b.fail("InvalidDefinition", f"The type of {key.text} must be a string.", "Write one type's name.", node.span)
        return ""
    return node.value


def _properties(b: Builder, item: SourceNode) -> MapOf:
    node = item.get("properties")
    if node is None or shapes.is_null(node):
        return MapOf((), span=item.span)
    with b.within("properties"):
        if node.kind != "map" or node.tag is not None:
            b.fail("InvalidDefinition", "Properties must be a map.", "Write NAME: VALUE below it.", node.span)
            return MapOf((), span=node.span)
        whole = b.call(node)
        if whole is not None:
            return MapOf((), rest=whole, span=node.span)
        entries = []
        for key, value in node.entries:
            with b.within(key.text):
                entries.append((key.text, b.build(value)))
        return MapOf(tuple(entries), span=node.span, keys=node.key_spans)


def _part(b: Builder, item: SourceNode, name: str) -> Expression | None:
    node = item.get(name)
    if node is None or shapes.is_null(node):
        return None
    with b.within(name):
        return b.build(node)


def _metadata(b: Builder, item: SourceNode) -> Expression | None:
    node, found = item.get("metadata"), _part(b, item, "metadata")
    if node is not None and isinstance(found, Literal | ListOf):
        b.fail("InvalidDefinition", "Metadata must be a map.", "Write NAME: VALUE below it.", node.span)
    return found


def _external_id(b: Builder, item: SourceNode, node: SourceNode) -> Expression | None:
    found = _part(b, item, "external_id")
    if isinstance(found, MapOf | ListOf):
        b.fail("InvalidDefinition", "An external_id is the id of one object, as text.", "Write one id.", node.span)
    return found


def _condition(b: Builder, node: SourceNode | None) -> Expression | None:
    if node is None or shapes.is_null(node):
        return None
    with b.within("condition"):
        return b.condition(node)


def _depends_on(b: Builder, node: SourceNode | None) -> tuple[str, ...]:
    if node is None or shapes.is_null(node):
        return ()
    items = node.items if node.kind == "list" else (node,)
    found: list[str] = []
    with b.within("depends_on"):
        for item in items:
            if item.kind != "scalar":
                b.wrong("depends_on", "NAME, or [NAME, …]", item.span)
                continue
            name = b.resource(item.text, item.span)
            if name == b.address[1]:
                b.fail("CircularDependency", f"The resource {name} depends on itself.", "Take that out.", item.span)
            elif name is not None:
                found.append(name)
    return tuple(dict.fromkeys(found))


def _policy(b: Builder, node: SourceNode | None, newer: bool) -> DeletionPolicy:
    """TR-05: lower case from 2016-10-14."""
    if node is None or shapes.is_null(node):
        return DeletionPolicy.DELETE
    written = node.text if node.kind == "scalar" else f"a {node.kind}"
    found = _POLICIES.get(written.capitalize() if newer and written.islower() else written)
    if found is None:
        names = [name.lower() for name in _POLICIES] if newer else list(_POLICIES)
        b.fail("InvalidPolicy", f'Invalid deletion policy "{written}".', nearest(written, names), node.span)
        return DeletionPolicy.DELETE
    return found


# --- conditions and outputs -------------------------------------------------------------------------------------------
def read_conditions(b: Builder, node: SourceNode | None) -> dict[str, Expression]:
    """TR-11: condition functions, booleans, or names of other conditions."""
    found: dict[str, Expression] = {}
    for key, item in shapes.section(node, "conditions", b.findings):
        with b.within("conditions", key.text):
            found[key.text] = b.condition(item)
    return found


def read_outputs(b: Builder, node: SourceNode | None) -> dict[str, Output]:
    newer = b.version.level >= _CONDITIONS_SINCE
    found: dict[str, Output] = {}
    for key, item in shapes.section(node, "outputs", b.findings):
        with b.within("outputs", key.text):
            if not shapes.definition(item, "an output definition", _here(b), b.findings):
                continue
            known = (*_OUTPUT_KEYS, "condition") if newer else _OUTPUT_KEYS
            shapes.known_keys(item, known, "an output definition", _here(b), b.findings, _LATER)
            found[key.text] = Output(
                name=key.text,
                value=_value(b, key, item, known),
                description=shapes.text(item.get("description"), f"{_here(b)}.description", b.findings),
                condition=_condition(b, item.get("condition") if newer else None),
                span=key.span,
            )
    return found


def _value(b: Builder, key: SourceNode, item: SourceNode, known: tuple[str, ...]) -> Expression:
    node = item.get("value")
    if node is None and shapes.misspelt(item, "value", known):
        return Mistake(span=key.span)
    if node is None:
        return b.fail("MissingKey", 'Each output must contain a "value" key.', "Add value: to it.", key.span)
    with b.within("value"):
        return Literal(None, span=node.span) if shapes.is_null(node) else b.build(node)


def names_of(node: SourceNode | None) -> frozenset[str]:
    """The names a section defines, before any of it is read."""
    return frozenset(key.text for key, _ in node.entries) if node is not None and node.kind == "map" else frozenset()
