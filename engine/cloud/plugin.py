"""What only openstacksdk and keystoneauth1 can do, in threads: reading `clouds.yaml`, and every other auth type."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from engine.cloud.auth import AuthSettings
from engine.cloud.catalog import official_type
from engine.cloud.errors import Permanent, Temporary
from engine.cloud.token import TokenInfo, parse_token

#: Auth types that are one POST of ours.
_NATIVE = frozenset({None, "password", "v3password", "token", "v3token", "v3applicationcredential"})

_NATIVE_OPTIONS = frozenset({
    "auth_url", "username", "user_id", "password", "user_domain_name", "user_domain_id", "project_name", "project_id",
    "project_domain_name", "project_domain_id", "application_credential_id", "application_credential_name",
    "application_credential_secret", "token", "trust_id",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class CloudEntry:
    """An entry of `clouds.yaml`. `plugin` and `session` are keystoneauth1 objects where the auth type needs them;
    `trusted` is the file that the session reads, there for as long as the entry."""

    settings: AuthSettings
    plugin: Any = None
    session: Any = None
    trusted: Any = None


def read_entry(name: str) -> CloudEntry:
    """Return the entry `name` of the user's `clouds.yaml` (and `secure.yaml`, OS_CLIENT_CONFIG_FILE …).

    Blocks: call it in a thread. Raises Permanent with what is wrong with the file.
    """
    from openstack.config import OpenStackConfig

    try:
        region = OpenStackConfig(load_envvars=True).get_one(cloud=name)
        auth_type, auth = region.config.get("auth_type"), dict(region.config.get("auth") or {})
        settings = _settings(region, auth)
        unknown = {key for key, value in auth.items() if value is not None} - _NATIVE_OPTIONS - _ALIASES.keys()
        if auth_type in _NATIVE and not unknown:
            return CloudEntry(settings)
        return CloudEntry(settings, region.get_auth(), region.get_session())
    except Permanent:
        raise
    except Exception as error:  # plugins are anybody's code, and their assertions too are about the entry
        raise Permanent(
            f"The cloud {name!r} of clouds.yaml cannot be used: {str(error) or type(error).__name__}"
        ) from error


def read_credential(credential: Mapping[str, Any], *, ca_cert: str | None, insecure: bool) -> CloudEntry:
    """What a user's credential says: the `auth_type` and the options `auth` of a keystoneauth1 plugin.

    Blocks: call it in a thread. Raises Permanent with what is wrong, without what is secret.
    """
    auth_type, auth = credential.get("auth_type"), credential.get("auth")
    if not isinstance(auth_type, str) or not isinstance(auth, Mapping):
        raise Permanent("The credential is no JSON object with `auth_type` and `auth`, as keystoneauth has them.")
    given = {_ALIASES.get(name, name): value for name, value in auth.items() if value is not None}
    if not isinstance(given.get("auth_url"), str) or not given["auth_url"].startswith(("http://", "https://")):
        raise Permanent("The credential's `auth` has no auth_url.")
    known = {name: value for name, value in given.items() if name in _NATIVE_OPTIONS}
    if wrong := sorted(name for name, value in known.items() if not isinstance(value, str)):
        raise Permanent(f"The credential's {', '.join(wrong)} must be text.")
    settings = AuthSettings(**known)
    if auth_type in _NATIVE and len(known) == len(given):
        settings.identity()
        return CloudEntry(settings)
    from keystoneauth1 import loading, session

    try:
        plugin = loading.get_plugin_loader(auth_type).load_from_options(**auth)
    except Exception as error:  # plugins are anybody's code
        raise Permanent(f"The credential cannot be used: {str(error) or type(error).__name__}") from error
    if insecure or not ca_cert:
        return CloudEntry(settings, plugin, session.Session(verify=not insecure))
    trusted = tempfile.NamedTemporaryFile("w", encoding="ascii", suffix=".pem")  # noqa: SIM115  (lives with the entry)
    trusted.write(ca_cert)
    trusted.flush()
    return CloudEntry(settings, plugin, session.Session(verify=trusted.name), trusted)


_ALIASES = {"default_domain_id": "user_domain_id", "default_domain_name": "user_domain_name",
            "tenant_name": "project_name", "tenant_id": "project_id"}  # fmt: skip


def _settings(region: Any, auth: Mapping[str, Any]) -> AuthSettings:
    values = {name: value for name, value in auth.items() if name in _NATIVE_OPTIONS and value is not None}
    for alias, name in _ALIASES.items():
        if auth.get(alias) and name not in values:
            values[name] = auth[alias]
    if "auth_url" not in values:
        raise Permanent(f"The cloud {region.name!r} of clouds.yaml has no auth_url.")
    verify, cert = region.get_requests_verify_args()
    key = None
    if isinstance(cert, tuple):
        cert, key = cert
    overrides = {}
    for option, value in region.config.items():
        if option.endswith("_endpoint_override") and isinstance(value, str):
            overrides[official_type(option.removesuffix("_endpoint_override").replace("_", "-"))] = value
    return AuthSettings(
        **values,
        region=region.get_region_name() or None,
        interface=region.get_interface() or "public",
        verify=bool(verify),
        cacert=verify if isinstance(verify, str) else None,
        cert=cert,
        key=key,
        endpoint_overrides=overrides,
    )


class PluginSource:
    """A token by a keystoneauth1 plugin."""

    def __init__(self, entry: CloudEntry, threads: ThreadPoolExecutor) -> None:
        self._entry, self._threads = entry, threads

    async def fetch(self) -> TokenInfo:
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._fetch)

    def _fetch(self) -> TokenInfo:
        from keystoneauth1 import exceptions

        plugin, session = self._entry.plugin, self._entry.session
        try:
            plugin.invalidate()
            access = plugin.get_access(session)
            if access.version != "v3":
                raise Permanent(f"The identity service at {self._entry.settings.auth_url} is not of version 3.")
            return parse_token({"token": _document(access)}, access.auth_token)
        except (exceptions.ConnectFailure, exceptions.ConnectTimeout, exceptions.HttpServerError) as error:
            raise Temporary(f"Keystone could not be asked for a token: {error}") from error
        except (exceptions.ClientException, ValueError, AttributeError) as error:
            raise Permanent(f"The configured user cannot authenticate: {error}") from error


def _document(access: Any) -> dict[str, Any]:
    """The token's document, put together again from the plugin's public properties."""
    document: dict[str, Any] = {
        "user": {
            "id": access.user_id,
            "name": access.username,
            "domain": {"id": access.user_domain_id, "name": access.user_domain_name},
        },
        "roles": [{"name": name} for name in access.role_names],
        "expires_at": access.expires.isoformat(),
        "catalog": access.service_catalog.catalog if access.has_service_catalog() else [],
    }
    if access.project_id:
        domain = {"id": access.project_domain_id, "name": access.project_domain_name}
        document["project"] = {"id": access.project_id, "name": access.project_name, "domain": domain}
    return document
