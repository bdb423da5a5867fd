"""Configuration: oslo.config options, their file, and the values the rooms take.

Option names are heat.conf's where the meaning is the same. `isotherm config-sample` prints them all.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.cloud.settings import CloudSettings
from engine.runs.context import EngineSettings


@dataclass(frozen=True, slots=True)
class Settings:
    """What the composition root composes. `cloud` None: the embedded simulator."""

    host: str = "127.0.0.1"
    port: int = 8000
    state_dir: Path = Path(".isotherm")
    cloud: str | None = None
    region: str | None = None
    database: str | None = None  # SQLAlchemy URL; None: SQLite in the state directory
    encryption_keys: Sequence[str] = ()
    mapping_dirs: Sequence[str] = ()
    policy_file: str | None = None
    allowed_template_networks: Sequence[str] = ()
    heat_waitcondition_server_url: str | None = None
    simulator_build_seconds: float = 0.3
    engine: EngineSettings = EngineSettings()
    clouds: CloudSettings = CloudSettings()


_HELP: Mapping[str, str] = {
    "region": "Name of the region; by default the cloud's.",
    "database": "SQLAlchemy URL of the database; by default SQLite in the state directory.",
    "auth_encryption_key": "Keys that seal secrets, url-safe base64 of 32 bytes each; the first one seals.",
    "mapping_dirs": "Folders of mapping rows that add to or override the shipped ones.",
    "policy_file": "oslo.policy file.",
    "allowed_template_networks": "Networks (CIDR) that template URLs may lead to although they are private, loopback "
    "or link-local.",
    "heat_waitcondition_server_url": "How servers of the cloud reach this gateway, for signal URLs; by default its "
    "own address.",
    "simulator_build_seconds": "How long the embedded simulator takes to build a server.",
}


def load(base: Settings, config_file: str | None) -> Settings:
    """Return `base` with what the file says. Raises oslo.config's errors, whose text names file and line."""
    if config_file is None:
        return base
    from oslo_config import cfg

    conf = cfg.ConfigOpts()
    conf.register_opts(_default_options(cfg))
    conf.register_opts(_options(cfg, EngineSettings, EngineSettings()), group="engine")
    conf.register_opts(_options(cfg, CloudSettings, CloudSettings()), group="cloud")
    conf([], project="isotherm", default_config_files=[config_file])
    engine = dataclasses.replace(base.engine, **_given(conf.engine, EngineSettings))
    clouds = dataclasses.replace(base.clouds, **_given(conf.cloud, CloudSettings))
    keys = list(conf.auth_encryption_key) or list(base.encryption_keys)
    return dataclasses.replace(
        base, engine=engine, clouds=clouds, encryption_keys=keys, region=conf.region or base.region,
        database=conf.database or base.database, mapping_dirs=list(conf.mapping_dirs) or list(base.mapping_dirs),
        policy_file=conf.policy_file or base.policy_file,
        allowed_template_networks=list(conf.allowed_template_networks),
        heat_waitcondition_server_url=conf.heat_waitcondition_server_url or base.heat_waitcondition_server_url,
        simulator_build_seconds=conf.simulator_build_seconds,
    )  # fmt: skip


def _default_options(cfg: Any) -> list[Any]:
    return [
        cfg.StrOpt("region", help=_HELP["region"]),
        cfg.StrOpt("database", help=_HELP["database"], secret=True),
        cfg.ListOpt("auth_encryption_key", default=[], secret=True, help=_HELP["auth_encryption_key"]),
        cfg.ListOpt("mapping_dirs", default=[], help=_HELP["mapping_dirs"]),
        cfg.StrOpt("policy_file", help=_HELP["policy_file"]),
        cfg.ListOpt("allowed_template_networks", default=[], help=_HELP["allowed_template_networks"]),
        cfg.StrOpt("heat_waitcondition_server_url", help=_HELP["heat_waitcondition_server_url"]),
        cfg.FloatOpt("simulator_build_seconds", default=0.3, help=_HELP["simulator_build_seconds"]),
    ]


_KINDS = {"float": "FloatOpt", "int": "IntOpt", "bool": "BoolOpt", "str": "StrOpt", "str | None": "StrOpt"}


def _options(cfg: Any, kind: type[Any], defaults: Any) -> list[Any]:
    """An option for each scalar field of a settings class."""
    found = []
    for field in dataclasses.fields(kind):
        option = _KINDS.get(str(field.type))
        if option is not None:
            found.append(getattr(cfg, option)(field.name, default=getattr(defaults, field.name)))
        elif str(field.type).startswith("Sequence[str]"):
            found.append(cfg.ListOpt(field.name, default=list(getattr(defaults, field.name))))
    return found


def _given(group: Any, kind: type[Any]) -> dict[str, Any]:
    known = {field.name: str(field.type) for field in dataclasses.fields(kind)}
    return {
        name: getattr(group, name)
        for name, written in known.items()
        if written in _KINDS or written.startswith("Sequence[str]")
    }
