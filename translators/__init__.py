"""Template languages: text to the common model. The translator itself is `translators.translator.Translator`."""

from __future__ import annotations

from translators.knowledge import TemplateFunction, TemplateVersion, functions, versions

__all__ = ["TemplateFunction", "TemplateVersion", "functions", "versions"]
