"""Environments: reading, checking and merging (heat.md TE rows)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.model.diagnostic import invalid
from engine.model.value import Value
from translators.findings import Findings, nearest
from translators.source import read

SECTIONS = (
    "parameters", "parameter_defaults", "resource_registry", "encrypted_param_names", "event_sinks",
    "parameter_merge_strategies",
)  # fmt: skip
_LISTS = {"encrypted_param_names", "event_sinks"}
_STRATEGIES = {"overwrite", "merge", "deep_merge"}
_HOOKS = {"pre-create", "pre-update", "pre-delete", "post-create", "post-update", "post-delete"}
_ACTIONS = {"update", "replace"}


def read_environment(given: str | Mapping[str, Value] | None, *, name: str = "environment") -> dict[str, Value]:
    """A checked environment document from text or a map. Raises Invalid with all findings."""
    if given is None or given == "":
        return {}
    if isinstance(given, str):
        tree = read(given, name=name)
        if tree.kind == "scalar" and tree.value is None:
            return {}
        given = tree.to_python()
    if not isinstance(given, Mapping):
        raise invalid("InvalidEnvironment", "The environment is not a valid YAML mapping data type.")
    findings = Findings()
    for section, body in given.items():
        _check_section(str(section), body, findings)
    findings.check()
    return dict(given)


def _check_section(section: str, body: Value, findings: Findings) -> None:
    address = f"environment.{section}"
    if section not in SECTIONS:
        findings.error("InvalidEnvironment", f'environment has wrong section "{section}"', nearest(section, SECTIONS),
                       address=address)  # fmt: skip
        return
    wanted: type[Any] = list if section in _LISTS else Mapping
    if not isinstance(body, wanted):
        what = "a list" if wanted is list else "a map"
        findings.error("InvalidEnvironment", f"environment has empty section \"{section}\"" if body is None
                       else f"The environment's {section} must be {what}.",
                       "Leave the section out, or fill it.", address=address)  # fmt: skip
        return
    if section == "resource_registry":
        _check_registry(body, address, findings)
    elif section == "parameter_merge_strategies":
        for name, strategy in body.items():
            if strategy not in _STRATEGIES:
                findings.error("InvalidEnvironment", f"{strategy!r} is no merge strategy (parameter {name}).",
                               nearest(strategy, _STRATEGIES), address=address)  # fmt: skip


def _check_registry(body: Mapping[str, Value], address: str, findings: Findings) -> None:
    for name, value in body.items():
        if name == "resources" and isinstance(value, Mapping):
            for resource, settings in value.items():
                _check_settings(resource, settings, f"{address}.resources", findings)


def _check_settings(resource: str, settings: Value, address: str, findings: Findings) -> None:
    if not isinstance(settings, Mapping):
        return
    for key, known in (("hooks", _HOOKS), ("restricted_actions", _ACTIONS)):
        given = settings.get(key)
        for one in [given] if isinstance(given, str) else given or []:
            if one not in known:
                findings.error("InvalidEnvironment", f'Invalid {key[:-1].replace("_", " ")} "{one}" of {resource}.',
                               nearest(one, known), address=f"{address}.{resource}")  # fmt: skip


def merge_environments(environments: Sequence[Mapping[str, Value]]) -> dict[str, Value]:
    """Later ones over earlier ones, parameters by their merge strategies (TE-05, TE-06). Raises Invalid."""
    merged: dict[str, Value] = {}
    strategies: dict[str, str] = {}
    for environment in environments:
        for name, strategy in (environment.get("parameter_merge_strategies") or {}).items():
            if strategies.setdefault(name, strategy) != strategy:
                raise invalid("InvalidEnvironment", f"Conflicting merge strategies for parameter {name}: "
                              f"{strategies[name]} and {strategy}.", "Use one of them in all files.")  # fmt: skip
        for section, body in environment.items():
            if section == "parameter_merge_strategies":
                continue
            if section in ("parameters", "parameter_defaults"):
                merged[section] = _merge_parameters(merged.get(section) or {}, body, strategies)
            elif isinstance(body, Mapping):
                merged[section] = _deep(merged.get(section) or {}, body)
            elif isinstance(body, list):
                merged[section] = [*(merged.get(section) or []), *body]
    return merged


def _merge_parameters(
    old: Mapping[str, Value], new: Mapping[str, Value], strategies: Mapping[str, str]
) -> dict[str, Value]:
    result = dict(old)
    for name, value in new.items():
        strategy = strategies.get(name, strategies.get("default", "overwrite"))
        result[name] = value if strategy == "overwrite" or name not in result else _combined(
            name, result[name], value, strategy
        )  # fmt: skip
    return result


def _combined(name: str, old: Value, new: Value, strategy: str) -> Value:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        return _deep(old, new) if strategy == "deep_merge" else {**old, **new}
    if isinstance(old, list) or isinstance(new, list):
        listed = [part if isinstance(part, list) else str(part).split(",") for part in (old, new)]
        return [*listed[0], *listed[1]]
    if isinstance(old, bool) or isinstance(new, bool) or isinstance(old, Mapping) or isinstance(new, Mapping):
        raise invalid("InvalidEnvironment", f"The values of parameter {name} cannot be merged ({strategy}).")
    if isinstance(old, int | float) and isinstance(new, int | float):
        return old + new
    return f"{old}{new}"


def _deep(old: Mapping[str, Value], new: Mapping[str, Value]) -> dict[str, Value]:
    result = dict(old)
    for name, value in new.items():
        held = result.get(name)
        result[name] = _deep(held, value) if isinstance(held, Mapping) and isinstance(value, Mapping) else value
    return result
