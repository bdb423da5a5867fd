"""Secrets in Barbican, as dynamic references name them (cloudformation.md L92, L93).

Barbican knows several secrets of one name and changes none: the newest is what AWS calls the current one, the one
before it the previous one, and a secure string's versions count from the oldest.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from engine.cloud.contract import Cloud
from engine.cloud.errors import NotFound, Permanent
from engine.cloud.secrets import KEY_MANAGER, secret_payload
from engine.model.dynamic import Reference
from engine.resources.base import OperationFailed

_ID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_SUFFIX: Final = re.compile(r"-[A-Za-z0-9]{6}$")  # what Secrets Manager adds to a name in an ARN
_STAGES: Final = ("AWSCURRENT", "AWSPREVIOUS")


async def secret_text(cloud: Cloud, reference: Reference) -> str:
    """What the reference stands for. Raises OperationFailed; CloudError when Barbican cannot be asked."""
    try:
        secret_id = await _find(cloud, reference)
        payload = await _payload(cloud, secret_id)
    except NotFound as error:
        raise _missing(reference) from error
    except Permanent as error:
        if KEY_MANAGER not in await cloud.services():
            raise OperationFailed(f"{_shown(reference)} cannot be resolved: the cloud has no Barbican.") from error
        raise
    return _part(payload, reference.key) if reference.key else payload


async def _find(cloud: Cloud, reference: Reference) -> str:
    wanted = reference.name
    if wanted.startswith("http"):
        return wanted.rpartition("/")[2]
    if _ID.fullmatch(wanted):
        return wanted
    name = wanted.rpartition(":secret:")[2] if wanted.startswith("arn:") else wanted
    versions = await _versions(cloud, name)
    if not versions and name != wanted:
        versions = await _versions(cloud, _SUFFIX.sub("", name))
    if reference.service == "ssm-secure":
        place = int(reference.version) - 1 if reference.version else len(versions) - 1
    elif reference.version:
        place = versions.index(reference.version) if reference.version in versions else -1
    else:
        place = len(versions) - 1 - _stage(reference)
    if not 0 <= place < len(versions):
        raise _missing(reference)
    return versions[place]


async def _versions(cloud: Cloud, name: str) -> list[str]:
    """The ids of the usable secrets of that name, oldest first."""
    reply = await cloud.request(KEY_MANAGER, "GET", "/secrets", params={"name": name, "limit": "100"})
    found: Sequence[Mapping[str, Any]] = (reply.body or {}).get("secrets", ())
    usable = [one for one in found if one.get("name") == name and one.get("status", "ACTIVE") == "ACTIVE"]
    return [str(one["secret_ref"]).rpartition("/")[2] for one in sorted(usable, key=lambda one: str(one["created"]))]


async def _payload(cloud: Cloud, secret_id: str) -> str:
    payload = await secret_payload(cloud, secret_id)
    try:
        return payload.decode()
    except UnicodeDecodeError as error:
        raise OperationFailed(f"The secret {secret_id} is no text: it cannot stand in a property.") from error


def _stage(reference: Reference) -> int:
    """How many newer ones there are."""
    stage = reference.stage or _STAGES[0]
    if stage not in _STAGES:
        raise OperationFailed(f"{_shown(reference)} cannot be resolved: its stage is none of {', '.join(_STAGES)}.")
    return _STAGES.index(stage)


def _part(payload: str, key: str) -> str:
    try:
        found = json.loads(payload)
    except ValueError as error:
        raise OperationFailed("Could not parse SecretString JSON") from error
    if not isinstance(found, Mapping) or key not in found:
        raise OperationFailed(f"Could not find a value associated with JSONKey in SecretString: {key}")
    value = found[key]
    return value if isinstance(value, str) else json.dumps(value)


def _missing(reference: Reference) -> OperationFailed:
    if reference.service == "ssm-secure":
        named = ":".join(part for part in ("ssm-secure", reference.name, reference.version) if part)
        return OperationFailed(f"Parameters: [{named}] cannot be found. It is the name of a secret in Barbican.")
    return OperationFailed(
        f"Secrets Manager can't find the specified secret. There is no {reference.name} in Barbican."
    )


def _shown(reference: Reference) -> str:
    return f"{{{{resolve:{reference.service}:{reference.name}}}}}"
