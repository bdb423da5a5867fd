"""UserData: AWS wants it in base64, OpenStack's servers take the text."""

from __future__ import annotations

import base64

from engine.model.expression import Base64, Expression, If, Literal, NoValue
from engine.model.template import Dialect
from translators.lowering.draft import Draft


def plain_user_data(expression: Expression | None, draft: Draft) -> Expression | None:
    """The text that is encoded in `expression`; what is not `Fn::Base64` nor written out is text already."""
    match expression:
        case None | NoValue():
            return expression
        case Base64(text):
            return text
        case If(condition, then, otherwise):
            other = None if otherwise is None else plain_user_data(otherwise, draft)
            return If(condition, plain_user_data(then, draft) or NoValue(), other)
        case Literal(str() as written) if draft.world.template.dialect is Dialect.CFN:
            return Literal(_decoded(written), span=expression.span)
        case _:
            return expression


def _decoded(written: str) -> str:
    try:
        return base64.b64decode("".join(written.split()), validate=True).decode()
    except ValueError:  # not in base64, or not of text
        return written
