"""Configuration: oslo.config options, their file, and the values the rooms take.

Option names are heat.conf's where the meaning is the same. `isotherm config-sample` prints them all.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.cloud.settings import CloudSettings
from engine.runs.context import EngineSettings
from gateway import config_help
from gateway.notifications import DRIVERS, LEVELS, NotificationSettings
from mappings import CHOICES, OPTIONS


@dataclass(frozen=True, slots=True)
class Settings:
    """What the composition root composes. `cloud` None: the embedded simulator."""

    host: str = "127.0.0.1"
    port: int = 8000
    state_dir: Path = Path(".isotherm")
    cloud: str | None = None
    region: str | None = None
    transport_url: str | None = None  # of RabbitMQ, for processes apart
    transport_prefix: str = "isotherm"  # of the names of queue and exchange
    database: str | None = None  # SQLAlchemy URL; None: SQLite in the state directory
    encryption_keys: Sequence[str] = ()
    mapping_dirs: Sequence[str] = ()
    environment_dir: str | None = None  # of the operator's environments
    mapping: Mapping[str, str] = dataclasses.field(default_factory=dict)  # see `mappings.OPTIONS`
    macros: Mapping[str, str] = dataclasses.field(default_factory=dict)  # URL by name
    custom_resources: Mapping[str, str] = dataclasses.field(default_factory=dict)  # URL by name
    allow_custom_resource_urls: bool = False
    policy_file: str | None = None
    allowed_template_networks: Sequence[str] = ()
    heat_waitcondition_server_url: str | None = None
    simulator_build_seconds: float = 0.3
    engine: EngineSettings = EngineSettings()
    clouds: CloudSettings = CloudSettings()
    notifications: NotificationSettings = NotificationSettings()


def load(base: Settings, config_file: str | None) -> Settings:
    """Return `base` with what the file says. Raises oslo.config's errors, whose text names file and line."""
    if config_file is None:
        return base
    from oslo_config import cfg

    conf = cfg.ConfigOpts()
    for section, options in sections().items():
        conf.register_opts(options, group=None if section == "DEFAULT" else section)
    conf([], project="isotherm", default_config_files=[config_file])
    engine = dataclasses.replace(base.engine, **_given(conf.engine, base.engine))
    clouds = dataclasses.replace(base.clouds, **_given(conf.cloud, base.clouds))
    keys = list(conf.auth_encryption_key) or list(base.encryption_keys)
    return dataclasses.replace(
        base, engine=engine, clouds=clouds, encryption_keys=keys, region=conf.region or base.region,
        cloud=base.cloud or conf.cloud_name, transport_url=conf.transport_url or base.transport_url,
        transport_prefix=conf.transport_prefix,
        database=conf.database or base.database, mapping_dirs=list(conf.mapping_dirs) or list(base.mapping_dirs),
        mapping={name: conf.mapping[name] for name in OPTIONS},
        environment_dir=conf.environment_dir or base.environment_dir,
        macros={**base.macros, **_named(cfg, config_file, "macros")},
        custom_resources={**base.custom_resources, **_named(cfg, config_file, "custom_resources")},
        allow_custom_resource_urls=conf.allow_custom_resource_urls, policy_file=conf.policy_file or base.policy_file,
        allowed_template_networks=list(conf.allowed_template_networks),
        heat_waitcondition_server_url=conf.heat_waitcondition_server_url or base.heat_waitcondition_server_url,
        simulator_build_seconds=conf.simulator_build_seconds, notifications=_notifications(conf),
    )  # fmt: skip


def _notifications(conf: Any) -> NotificationSettings:
    section, rabbit = conf.oslo_messaging_notifications, conf.oslo_messaging_rabbit
    return NotificationSettings(
        driver=tuple(section.driver or ("noop",)), topics=tuple(section.topics), transport_url=section.transport_url,
        control_exchange=conf.control_exchange, default_publisher_id=conf.default_publisher_id,
        default_notification_level=conf.default_notification_level.upper(),
        amqp_durable_queues=rabbit.amqp_durable_queues, rabbit_quorum_queue=rabbit.rabbit_quorum_queue,
    )  # fmt: skip


def _named(cfg: Any, config_file: str, section: str) -> dict[str, str]:
    """A section whose names are the operator's: no option can be registered for them."""
    sections: dict[str, dict[str, list[str]]] = {}
    cfg.ConfigParser(config_file, sections).parse()
    return {name: values[-1] for name, values in sections.get(section, {}).items()}


def sections() -> Mapping[str, Sequence[Any]]:
    """Every option (`oslo_config.cfg.Opt`) by its section, in the order in which a person reads them."""
    from oslo_config import cfg

    texts = config_help.DEFAULT
    return {
        "DEFAULT": [
            cfg.StrOpt("region", help=texts["region"]),
            cfg.StrOpt("cloud_name", help=texts["cloud_name"]),
            cfg.StrOpt("transport_url", help=texts["transport_url"], secret=True),
            cfg.StrOpt("transport_prefix", default="isotherm", help=texts["transport_prefix"]),
            cfg.StrOpt("database", help=texts["database"], secret=True),
            cfg.ListOpt("auth_encryption_key", default=[], secret=True, help=texts["auth_encryption_key"]),
            cfg.ListOpt("mapping_dirs", default=[], help=texts["mapping_dirs"]),
            cfg.StrOpt("environment_dir", help=texts["environment_dir"]),
            cfg.StrOpt("policy_file", help=texts["policy_file"]),
            cfg.BoolOpt("allow_custom_resource_urls", default=False, help=texts["allow_custom_resource_urls"]),
            cfg.ListOpt("allowed_template_networks", default=[], help=texts["allowed_template_networks"]),
            cfg.StrOpt("heat_waitcondition_server_url", help=texts["heat_waitcondition_server_url"]),
            cfg.FloatOpt("simulator_build_seconds", default=0.3, help=texts["simulator_build_seconds"]),
            cfg.StrOpt("control_exchange", default="heat", help=texts["control_exchange"]),
            cfg.StrOpt("default_publisher_id", help=texts["default_publisher_id"]),
            cfg.StrOpt(
                "default_notification_level",
                default="INFO",
                choices=list(LEVELS),
                ignore_case=True,
                help=texts["default_notification_level"],
            ),
        ],
        "engine": _options(cfg, EngineSettings(), config_help.ENGINE),
        "cloud": _options(cfg, CloudSettings(), config_help.CLOUD),
        "mapping": [
            cfg.StrOpt(name, default=value, choices=list(CHOICES[name]), help=config_help.MAPPING.get(name))
            for name, value in OPTIONS.items()
        ],
        "oslo_messaging_notifications": _of_notifications(cfg, config_help.NOTIFICATIONS),
        "oslo_messaging_rabbit": [
            cfg.BoolOpt(name, default=False, help=text) for name, text in config_help.RABBIT.items()
        ],
    }


def _of_notifications(cfg: Any, texts: Mapping[str, str]) -> list[Any]:
    from oslo_config import types

    return [
        cfg.MultiOpt("driver", types.String(choices=list(DRIVERS)), help=texts["driver"]),
        cfg.ListOpt("topics", default=["notifications"], help=texts["topics"]),
        cfg.StrOpt("transport_url", help=texts["transport_url"], secret=True),
    ]


# How a field of a settings class is written in the file, and how it is read from there.
_KINDS: Mapping[str, tuple[str, Callable[[Any], Any]]] = {
    "float": ("FloatOpt", float),
    "int": ("IntOpt", int),
    "bool": ("BoolOpt", bool),
    "str": ("StrOpt", str),
    "str | None": ("StrOpt", lambda value: value),
    "Sequence[str]": ("ListOpt", tuple),
    "frozenset[str]": ("ListOpt", frozenset),
    "Mapping[str, str]": ("DictOpt", dict),
}

# What the composition root decides; [DEFAULT] has its option.
_COMPOSED = frozenset({"region"})


def _options(cfg: Any, defaults: Any, texts: Mapping[str, str]) -> list[Any]:
    """An option for each field of a settings class."""
    found = []
    for field in _fields(defaults):
        option, _ = _KINDS[str(field.type)]
        default = getattr(defaults, field.name)
        plain = sorted(default) if isinstance(default, frozenset) else default
        found.append(getattr(cfg, option)(field.name, default=plain, help=texts.get(field.name)))
    return found


def _given(group: Any, defaults: Any) -> dict[str, Any]:
    found = {field.name: _KINDS[str(field.type)][1](getattr(group, field.name)) for field in _fields(defaults)}
    if "microversions" in found:
        found["microversions"] = {**defaults.microversions, **found["microversions"]}
    return found


def _fields(defaults: Any) -> list[dataclasses.Field[Any]]:
    return [field for field in dataclasses.fields(defaults) if field.name not in _COMPOSED]
