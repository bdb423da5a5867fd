"""The error border: what services answer, in their many shapes, becomes one of our few exceptions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.cloud.errors import CloudError, Conflict, NotFound, OutcomeUnknown, Permanent, Temporary

#: Catalogue type → what people call the service.
SERVICE_NAMES: Mapping[str, str] = {
    "alarm": "Aodh",
    "baremetal": "Ironic",
    "block-storage": "Cinder",
    "compute": "Nova",
    "container-infrastructure-management": "Magnum",
    "database": "Trove",
    "dns": "Designate",
    "identity": "Keystone",
    "image": "Glance",
    "instance-ha": "Masakari",
    "key-manager": "Barbican",
    "load-balancer": "Octavia",
    "message": "Zaqar",
    "metric": "Gnocchi",
    "network": "Neutron",
    "object-store": "Swift",
    "orchestration": "Heat",
    "placement": "Placement",
    "reservation": "Blazar",
    "shared-file-system": "Manila",
    "workflow": "Mistral",
}

#: 409s that no waiting cures: a quota, or an address range that is used up (Neutron error types).
_EXHAUSTED = frozenset({"OverQuota", "QuotaExceeded", "QuotaResourceUnknown", "IpAddressGenerationFailure",
                        "IpAddressGenerationFailureNoMatchingSubnet", "ExternalIpAddressExhausted"})  # fmt: skip

#: 400s that mean "already there" or "in use" (tokens.md §2 and §4).
_CONFLICT_400 = re.compile(
    r"already has a port on subnet|overlaps with another subnet|already exists|already attached|already in use"
    r"|is in use|volume status must be|status must be available|has dependent snapshots|still has ports",
    re.IGNORECASE,
)

#: PUTs that are not the same twice: actions in Neutron's clothing.
_ACTION_PUT = re.compile(r"/(add|remove|insert|associate|disassociate)_[a-z_]+$")

_LONGEST_MESSAGE = 1000


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as error messages tell it: no parameters, no body, nothing secret."""

    service: str
    method: str
    path: str

    @property
    def service_name(self) -> str:
        return SERVICE_NAMES.get(self.service, f"The {self.service} service")

    @property
    def repeatable(self) -> bool:
        """Whether a second one does nothing more than the first."""
        if self.method in {"GET", "HEAD", "DELETE", "OPTIONS"}:
            return True
        return self.method == "PUT" and not _ACTION_PUT.search(self.path)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def refusal(asked: Asked, status: int, body: Any, text: str, headers: Mapping[str, str]) -> CloudError:
    """Return the exception for an answer of 300 or more. `body` is parsed JSON or None, `text` the start of the raw
    answer; `headers` have lower-case names."""
    kind, said = explain(body, text)
    verb = "failed at" if status >= 500 else "refused"
    said = _plain(said)[:_LONGEST_MESSAGE].rstrip() or _REASONS.get(status, "no reason was given")
    end = "" if said.endswith((".", "!", "?")) else "."
    message = f"{asked.service_name} {verb} {asked}: {said}{end} (HTTP {status})"
    match status:
        case 404 | 410:
            return NotFound(message, status=status, kind=kind)
        case 409:
            hopeless = kind in _EXHAUSTED or "quota exceeded" in said.lower()
            return (Permanent if hopeless else Conflict)(message, status=status, kind=kind)
        case 400 if _CONFLICT_400.search(said):
            return Conflict(message, status=status, kind=kind)
        case 429 | 498:
            return Temporary(message, status=status, kind=kind, retry_after=retry_after(headers))
        case 413 if "rate" in said.lower() and "limit" in said.lower():
            return Temporary(message, status=status, kind=kind, retry_after=retry_after(headers))
        case 503 if "retry-after" in headers:
            return Temporary(message, status=status, kind=kind, retry_after=retry_after(headers))
        case 501 | 505:
            return Permanent(message, status=status, kind=kind)
        case 408:
            return lost(asked, message, status=status, kind=kind)
        case _ if status >= 500:
            return lost(asked, message, status=status, kind=kind)
        case _:
            return Permanent(message, status=status, kind=kind)


def lost(asked: Asked, message: str, *, status: int | None = None, kind: str | None = None) -> Temporary:
    """The exception for a request that was sent and whose outcome nobody told."""
    if asked.repeatable:
        return Temporary(message, status=status, kind=kind)
    return OutcomeUnknown(message, status=status, kind=kind)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds of a `Retry-After` header; dates are not honoured (no OpenStack service sends one)."""
    value = headers.get("retry-after", "")
    try:
        return max(0.0, float(value))
    except ValueError:
        return None


_REASONS = {
    300: "it offers several API versions at that address",
    401: "the token was not accepted",
    403: "the policy does not allow it",
    404: "there is no such object",
    406: "it does not know the API microversion asked for",
    413: "the request is too large or a quota is used up",
    429: "too many requests",
    500: "an internal error",
    502: "its proxy got no good answer",
    503: "it is not available now",
    504: "its proxy got no answer in time",
}


def explain(body: Any, text: str) -> tuple[str | None, str]:
    """Return the service's own error type and its sentence, out of any of the shapes services use."""
    if isinstance(body, Mapping):
        for shape in (_neutron, _heat_or_keystone, _wsme, _error_list, _flat, _wrapped):
            found = shape(body)
            if found is not None:
                return found
    return None, text


_Found = tuple[str | None, str] | None


def _neutron(body: Mapping[str, Any]) -> _Found:
    """{"NeutronError": {"type", "message", "detail"}} or a bare string."""
    error = body.get("NeutronError")
    if isinstance(error, Mapping):
        return _text(error.get("type")) or None, " ".join(filter(None, map(_text, _pick(error, "message", "detail"))))
    return (None, error) if isinstance(error, str) else None


def _heat_or_keystone(body: Mapping[str, Any]) -> _Found:
    """{"error": {"message", "title" or "type"}}; a traceback may be beside it and is never shown."""
    error = body.get("error")
    if isinstance(error, Mapping) and "message" in error:
        return _text(error.get("type") or error.get("title")) or None, _text(error["message"])
    return (None, error) if isinstance(error, str) else None


def _wsme(body: Mapping[str, Any]) -> _Found:
    """{"faultcode", "faultstring"}: Octavia, Mistral; inside "error_message": Aodh, Ironic."""
    inner = body.get("error_message", body)
    if isinstance(inner, str):
        return None, inner
    if isinstance(inner, Mapping) and "faultstring" in inner:
        return _text(inner.get("faultcode")) or None, _text(inner["faultstring"])
    return None


def _error_list(body: Mapping[str, Any]) -> _Found:
    """{"errors": [{"title", "detail", "code"}]}: Placement, Magnum."""
    errors = body.get("errors")
    if isinstance(errors, list) and errors and isinstance(errors[0], Mapping):
        first = errors[0]
        return _text(first.get("code")) or None, _text(first.get("detail") or first.get("title"))
    return None


def _flat(body: Mapping[str, Any]) -> _Found:
    """{"type" or "title", "message" or "description"}: Designate, Barbican, Zaqar, Gnocchi."""
    for name in ("message", "description", "explanation"):
        if body.get(name):
            return _text(body.get("type") or body.get("title")) or None, _text(body[name])
    return None


def _wrapped(body: Mapping[str, Any]) -> _Found:
    """{"itemNotFound": {"message", "code"}}: Nova, Cinder, Manila, Trove."""
    for name, value in body.items():
        if isinstance(value, Mapping) and "message" in value:
            return name, _text(value["message"])
    return None


def _pick(mapping: Mapping[str, Any], *names: str) -> list[Any]:
    return [mapping[name] for name in names if mapping.get(name)]


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{name}: {_text(item)}" for name, item in value.items())
    return "" if value is None else str(value)


def _plain(text: str) -> str:
    """The words of an HTML or plain page, without its markup."""
    text = re.sub(r"(?is)<(head|script|style).*?</\1>|<!--.*?-->", " ", text)
    return " ".join(re.sub(r"(?s)</?[a-zA-Z][^<>]*>", " ", text).split())
