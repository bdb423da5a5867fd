"""CloudFormation's limits on one template (cloudformation.md §3.1), as data. Heat's formats have none of these."""

from __future__ import annotations

from typing import Final

RESOURCES: Final = 500  # Q04
PARAMETERS: Final = 200  # Q05
OUTPUTS: Final = 200  # Q06
MAPPINGS: Final = 200  # Q07: maps, and keys of each map, and attributes of each key
NAME_LENGTH: Final = 255  # Q05 to Q08
TEMPLATE_DESCRIPTION_BYTES: Final = 1024  # Q09
PARAMETER_DESCRIPTION_LENGTH: Final = 4000  # Q05
OUTPUT_DESCRIPTION_BYTES: Final = 1024  # Q06
DYNAMIC_REFERENCES: Final = 60  # Q16
PARAMETER_VALUE_BYTES: Final = 4096  # Q05


def too_many(section: str, count: int, most: int) -> str:
    """AWS's sentence for a section with more members than allowed."""
    return f"Template format error: Number of {section}, {count}, is greater than maximum allowed, {most}"
