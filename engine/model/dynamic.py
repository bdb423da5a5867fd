"""Dynamic references in texts: `{{resolve:ssm:/name}}` (cloudformation.md L91 to L94).

A reference stands in templates, properties, events and the database as it is written. What it stands for is put in
when a resource is handed to the cloud, and nowhere else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from engine.model.value import UNKNOWN, Value

OPENING: Final = "{{resolve:"
_REFERENCE: Final = re.compile(r"\{\{resolve:([^{}]*)\}\}")
_STORED: Final = re.compile(r"([A-Za-z0-9_.\-/]+)(?::([0-9]+))?")
_UUID: Final = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
# A secret is named by its name, its ARN, or the address that Barbican knows it by; the last two have colons.
_SECRET_ID: Final = re.compile(
    rf"arn:[^:]*:secretsmanager:[^:]*:[^:]*:secret:[^:]+|https?://\S+?/secrets/{_UUID}|[^:]+"
)
_SERVICES: Final = ("ssm", "ssm-secure", "secretsmanager")


# Public parameters of AWS that are images: the image table of the mappings knows them by these names (D06, L68).
_PUBLIC_IMAGE: Final = re.compile(r"/aws/service/(?:debian/|\S*(?:ami|image))\S*")


def is_public_image(path: Value) -> bool:
    return isinstance(path, str) and _PUBLIC_IMAGE.fullmatch(path) is not None


class BadReference(ValueError):
    """The text between the braces is no reference; the message is AWS's."""


@dataclass(frozen=True, slots=True)
class Reference:
    """`name` is a parameter's or a secret's; `version` a parameter's number or a secret's id, `stage` AWSCURRENT or
    AWSPREVIOUS, `key` a key of the secret's JSON; "" where it is not said."""

    service: str
    name: str
    version: str = ""
    stage: str = ""
    key: str = ""

    @property
    def secret(self) -> bool:
        """Whether what it stands for must never be seen."""
        return self.service != "ssm"


def parse(text: str) -> Reference:
    """The reference that `text`, braces and all, is. Raises BadReference."""
    found = _REFERENCE.fullmatch(text)
    service, _, rest = (found.group(1) if found else "").partition(":")
    if service in ("ssm", "ssm-secure"):
        stored = _STORED.fullmatch(rest)
        if stored is None:
            raise BadReference(f"Incorrect format is used in the following SSM reference: [{text}]")
        return Reference(service, stored.group(1), stored.group(2) or "")
    if service == "secretsmanager":
        return _secret(text, rest)
    raise BadReference(f"Dynamic references are of {', '.join(_SERVICES)}; this one is not: [{text}]")


def _secret(text: str, rest: str) -> Reference:
    """`id[:SecretString[:key[:stage[:version]]]]`; parts may be left empty."""
    found = _SECRET_ID.match(rest)
    parts = rest[found.end() :].split(":") if found is not None else ["?"]
    wrong = f"Incorrect format is used in the following Secrets Manager reference: [{text}]"
    if found is None or parts[0] or len(parts) > 5 or (len(parts) > 1 and parts[1] not in ("", "SecretString")):
        raise BadReference(wrong)
    key, stage, version = (*parts[2:], "", "", "")[:3]
    if stage and version:
        raise BadReference(f"{wrong}: it has a stage and a version")
    return Reference("secretsmanager", found.group(), version, stage, key)


# --- in values --------------------------------------------------------------------------------------------------------
def references_in(value: Value) -> Iterator[str]:
    """The texts of all complete references in a value of any shape."""
    if isinstance(value, str):
        if OPENING in value:
            yield from (found.group() for found in _REFERENCE.finditer(value))
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from references_in(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from references_in(item)


def filled(value: Value, known: Mapping[str, str]) -> Value:
    """`value` with every reference that is `known`, by its text, replaced by what it stands for."""
    if isinstance(value, str):
        if OPENING not in value:
            return value
        return _REFERENCE.sub(lambda found: known.get(found.group(), found.group()), value)
    return _each(value, lambda item: filled(item, known))


def unresolved(value: Value) -> Value:
    """`value` with UNKNOWN in place of every text that holds a reference: what it will be is not known yet."""
    if not _opens(value):
        return value
    if isinstance(value, str):
        return UNKNOWN if OPENING in value and _REFERENCE.search(value) else value
    return _each(value, unresolved)


def _opens(value: Value) -> bool:
    """Whether a text in it may hold a reference; most hold none."""
    if isinstance(value, str):
        return OPENING in value
    if isinstance(value, dict | Mapping):
        return any(map(_opens, value.values()))
    return isinstance(value, list | tuple) and any(map(_opens, value))


def hidden(value: Value, known: Mapping[str, str]) -> Value:
    """`value` with the reference in place of what it stands for: the reverse of `filled`, for what others echo."""
    if isinstance(value, str):
        for reference, clear in known.items():
            value = value.replace(clear, reference) if clear else value
        return value
    return _each(value, lambda item: hidden(item, known))


def _each(value: Value, change: Callable[[Value], Value]) -> Value:
    """A map or list with its items changed; the very value where none is."""
    if isinstance(value, Mapping):
        made = {key: change(item) for key, item in value.items()}
        return value if all(made[key] is item for key, item in value.items()) else made
    if isinstance(value, list | tuple):
        items = [change(item) for item in value]
        return value if all(new is old for new, old in zip(items, value, strict=True)) else items
    return value
