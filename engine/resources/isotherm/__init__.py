"""Types of our own, which mappings lower to."""

from collections.abc import Mapping
from typing import Final

TYPES: Final[Mapping[str, str]] = {}
