"""A stack as a document: what an export tells, an abandoned stack leaves behind, a snapshot shows (heat.md API-27)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from engine.model.diagnostic import Invalid
from engine.model.source import Source, Translator
from engine.model.stack import Stack
from engine.plan.decide import of_the_type
from engine.state.rows import ResourceRow
from engine.state.store import source_value

MASK = "******"


def export_data(
    stack: Stack, source: Source, rows: Iterable[ResourceRow], nested: Mapping[str, Mapping[str, Any]] | None = None
) -> dict[str, Any]:
    """`nested`: by address, the documents of the stacks inside."""
    kept = source_value(source)
    return {
        "name": stack.name,
        "id": stack.id,
        "action": stack.action.value,
        "status": stack.status.value,
        "template": kept["text"],
        "environment": {**kept["environment"], "parameters": kept["parameters"]},
        "files": kept["files"],
        "project_id": stack.project_id,
        "stack_user_project_id": stack.project_id,
        "tags": sorted(stack.options.tags) or None,
        "resources": {row.address: {**(nested or {}).get(row.address, {}), **_resource(row)} for row in rows},
    }


def _resource(row: ResourceRow) -> dict[str, Any]:
    return {
        "name": row.address,
        "resource_id": row.physical_id,
        "type": row.type,
        "action": row.action.value,
        "status": row.status.value,
        "metadata": dict(row.metadata),
        "resource_data": of_the_type(row.data),
    }


def masked(translator: Translator, source: Source) -> Source:
    """`source` with the values of hidden parameters hidden; all of them, when the template cannot tell any more."""
    try:
        hidden = {name for name, one in translator.translate(source).parameters.items() if one.hidden}
    except Invalid:
        hidden = set(source.parameters)
    return replace(
        source, parameters={name: MASK if name in hidden else value for name, value in source.parameters.items()}
    )
