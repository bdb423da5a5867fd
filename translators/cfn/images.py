"""Public paths of Systems Manager that stand for images (cloudformation.md L68, D06).

Nobody stores these here. A public path of an image, as a parameter's value or as a dynamic reference, stays a path:
the image table of the mappings turns it into an image where a property takes one, or here when the rows are at hand.
"""

from __future__ import annotations

import re

from engine.model.diagnostic import Span
from engine.model.dynamic import is_public_image
from engine.model.expression import Expression, TableLookup
from engine.model.template import Parameter
from engine.model.value import Value

Rows = tuple[tuple[str, Value], ...]

_REFERENCE = re.compile(r"\{\{resolve:ssm:([^:{}]+)(?::\d+)?\}\}")
_VALUE_OF_PARAMETER = "AWS::SSM::Parameter::Value<"


def holds_path(parameter: Parameter) -> bool:
    """Tell whether the parameter's value is a path, by its type."""
    return parameter.source_type.startswith(_VALUE_OF_PARAMETER)


def referenced(text: str) -> str | None:
    """The public path of an image when `text` is a dynamic reference to one and nothing else."""
    found = _REFERENCE.fullmatch(text)
    return found.group(1) if found is not None and is_public_image(found.group(1)) else None


def looked_up(path: Expression, rows: Rows, span: Span | None) -> Expression:
    """The image of `path` by the rows; the path itself when there are none."""
    return TableLookup(rows, path, span=span) if rows else path
