"""Parameters for images take what the table of images knows, besides the cloud's (cloudformation.md D06, L56)."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from engine.model.template import Parameter, Template
from mappings import Mappings

_IMAGE: Final = "glance.image"
_TYPE: Final = "AWS::EC2::Image::Id"


def with_known_images(template: Template, rows: Mappings) -> Template:
    """`template` whose parameters of AWS's type for images do not ask the cloud about ids that the table has."""
    found = {name: one for name, one in template.parameters.items() if _TYPE in one.source_type}
    if not found:
        return template
    known = tuple(glob for glob, _ in rows.table("images"))
    changed = {name: _knowing(one, known) for name, one in found.items()}
    return replace(template, parameters={**template.parameters, **changed})


def _knowing(parameter: Parameter, known: tuple[str, ...]) -> Parameter:
    limits = (replace(one, known=known) if one.custom == _IMAGE else one for one in parameter.constraints)
    return replace(parameter, constraints=tuple(limits))
