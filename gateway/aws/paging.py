"""Pages of a list, and the opaque tokens between them (cloudformation.md W22)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

import orjson

from gateway.aws.faults import validation

PAGE: Final = 100

T = TypeVar("T")


def page(
    items: Sequence[T], token: str | None, what: str, key: Callable[[T], Any], *, newest_first: bool = False,
    size: int = PAGE,
) -> tuple[list[T], str | None]:  # fmt: skip
    """Return one page of `items` and the token of the next one. `items` are in order of `key`, or in its reverse;
    what came or went between two pages neither repeats nor hides anything else. Raises AwsError for a bad token."""
    if token is not None:
        last = read_token(token, what)
        try:
            items = [one for one in items if (key(one) < last if newest_first else key(one) > last)]
        except TypeError as error:
            raise _bad(token) from error
    shown = list(items[:size])
    more = len(items) > size
    return shown, make_token(what, key(shown[-1])) if more else None


def numbered(items: Sequence[T], token: str | None, what: str) -> tuple[list[T], str | None]:
    """The same for a list that never changes."""
    start = 0 if token is None else read_token(token, what)
    if not isinstance(start, int) or start < 0:
        raise _bad(token or "")
    end = start + PAGE
    return list(items[start:end]), make_token(what, end) if end < len(items) else None


def make_token(what: str, last: Any) -> str:
    return base64.urlsafe_b64encode(orjson.dumps([what, last])).decode()


def read_token(token: str, what: str) -> Any:
    """The key of the last item shown; `what` binds a token to its list. Raises AwsError."""
    try:
        kind, last = orjson.loads(base64.b64decode(token.encode(), altchars=b"-_", validate=True))
    except (binascii.Error, orjson.JSONDecodeError, TypeError, ValueError) as error:
        raise _bad(token) from error
    if kind != what:
        raise _bad(token)
    return last


def _bad(token: str) -> Exception:
    shown = token if len(token) < 100 else f"{token[:100]}..."
    return validation(f"Token is invalid: {shown}")
