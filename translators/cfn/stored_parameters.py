"""Parameters whose value names one of the parameter store (cloudformation.md L65 to L69): what is to be asked there."""

from __future__ import annotations

from collections.abc import Mapping

from engine.model.dynamic import is_public_image
from engine.model.source import Question, Source
from engine.model.template import MISSING, Parameter
from translators.cfn.asking import Asking
from translators.cfn.parameter_types import is_stored
from translators.cfn.static import given


def ask(parameters: Mapping[str, Parameter], source: Source) -> None:
    """Raise Unanswered when a stored parameter that has to be there was not asked for yet.

    Public paths of images are not stored: the image table turns them into images.
    """
    asking = Asking(source)
    values = given(source)
    for name, parameter in parameters.items():
        if not is_stored(parameter.source_type):
            continue
        path = values.get(name)
        path = parameter.default if path is None else path
        if path is not MISSING and isinstance(path, str) and path and not is_public_image(path):
            asking.answer(Question("parameter", path, span=parameter.span))
    asking.check()
