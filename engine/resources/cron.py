"""Whether a text is a cron expression, as `croniter` reads them for Heat (heat.md TK-01): five to seven fields."""

from __future__ import annotations

import re

_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
# name, lowest, highest, words that stand for numbers from the lowest on
_FIELDS: tuple[tuple[str, int, int, list[str]], ...] = (
    ("minute", 0, 59, []),
    ("hour", 0, 23, []),
    ("day of the month", 1, 31, []),
    ("month", 1, 12, _MONTHS),
    ("day of the week", 0, 7, _DAYS),
    ("second", 0, 59, []),
    ("year", 1970, 2099, []),
)
_NICKNAMES = frozenset({"@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"})
_PART = re.compile(r"(?P<first>\*|\?|\w+)(-(?P<last>\w+))?(/(?P<step>\d+))?")
_LAST_OF_MONTH = re.compile(r"l\w{1,3}|\w{1,3}l|\w{1,3}#[1-5]", re.IGNORECASE)


def wrong_with_cron(text: str) -> str | None:
    """One sentence when `text` is no cron expression, else None."""
    if text.lower() in _NICKNAMES:
        return None
    fields = text.split()
    if not 5 <= len(fields) <= 7:
        return f"Invalid CRON expression: it has {len(fields)} fields, not five to seven"
    for (name, low, high, words), field in zip(_FIELDS, fields, strict=False):
        for part in field.lower().split(","):
            if not _fits(part, name, low, high, words):
                return f"Invalid CRON expression: {field} is no {name}"
    return None


def _fits(part: str, name: str, low: int, high: int, words: list[str]) -> bool:
    if name.startswith("day") and (part == "l" or _LAST_OF_MONTH.fullmatch(part)):
        return True
    found = _PART.fullmatch(part)
    if found is None:
        return False
    if found["first"] in ("*", "?"):
        return found["last"] is None and found["step"] != "0"
    ends = [_number(end, low, words) for end in (found["first"], found["last"]) if end is not None]
    return all(end is not None and low <= end <= high for end in ends) and found["step"] != "0"


def _number(text: str, low: int, words: list[str]) -> int | None:
    if text in words:
        return words.index(text) + low
    return int(text) if text.isascii() and text.isdigit() and len(text) < 5 else None
