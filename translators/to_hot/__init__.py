"""A CloudFormation template, lowered, as a HOT template: what HOT has no words for is said by what equals it."""

from __future__ import annotations

from translators.to_hot.template import Translated, to_hot

__all__ = ["Translated", "to_hot"]
