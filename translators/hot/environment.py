"""Environments: reading, checking and merging (heat.md TE rows)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from engine.model.diagnostic import Diagnostic, Invalid, Span, invalid
from engine.model.settings import HOOKS, RESTRICTED
from engine.model.template import Parameter, ParameterType
from engine.model.value import Value
from translators.findings import Findings, in_order, nearest
from translators.source import SourceNode, read

SECTIONS = (
    "parameters", "parameter_defaults", "resource_registry", "encrypted_param_names", "event_sinks",
    "parameter_merge_strategies",
)  # fmt: skip
_LISTS = {"encrypted_param_names", "event_sinks"}
_SINKS = ("zaqar-queue",)
_LEAST_TTL, _MOST_TTL = 60, 1_209_600  # seconds that Zaqar takes
_STRATEGIES = {"overwrite", "merge", "deep_merge"}
# Settings of single resources, and the words they may hold (TE-13, TE-14).
_SETTINGS = (("hooks", HOOKS), ("restricted_actions", RESTRICTED))


@dataclass(frozen=True, slots=True)
class Combined:
    """What a request's environment, files and parameters come to: `parameters` and the rest of the document."""

    parameters: Mapping[str, Value] = field(default_factory=dict)
    environment: Mapping[str, Value] = field(default_factory=dict)


def combine(
    environment: str | Mapping[str, Value] | None,
    environment_files: Sequence[str],
    files: Mapping[str, str],
    parameters: Mapping[str, Value],
    declared: Mapping[str, Parameter],
) -> Combined:
    """Return what a stack request says together (TE-03, TE-04, TE-05). Raises Invalid with all findings.

    `environment_files` name entries of `files`; with them the body's `environment` is ignored, but for the hooks of
    resources, and they win over the request's parameters. `declared` are the parameters of the template and of those
    sent along with it (`translators.declared_anywhere`).
    """
    if not environment_files:
        body = read_environment(environment)
        given = {**(body.pop("parameters", None) or {}), **parameters}
        return Combined(given, body)
    findings = Findings()
    documents = list(_hooks_beside(environment))
    for name in environment_files:
        if name not in files:
            findings.error("MissingFile", f'The environment file {name} is not in "files".',
                           nearest(name, files), address="environment_files")  # fmt: skip
            continue
        try:
            documents.append(read_environment(files[name], name=name))
        except Invalid as error:
            findings.add(error.diagnostics)
    findings.check()
    merged = merge_environments(documents, declared, parameters)
    return Combined(merged.pop("parameters", {}), merged)


def _hooks_beside(environment: str | Mapping[str, Value] | None) -> Iterator[Mapping[str, Value]]:
    """The hooks in a body's environment: `openstack stack create --pre-create NAME` says them there and nowhere else,
    beside the files that the environment is made of."""
    registry = environment.get("resource_registry") if isinstance(environment, Mapping) else None
    resources = registry.get("resources") if isinstance(registry, Mapping) else None
    found = _only_hooks(resources) if isinstance(resources, Mapping) else {}
    if found:
        yield read_environment({"resource_registry": {"resources": found}})


def _only_hooks(settings: Mapping[str, Value]) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for name, value in settings.items():
        kept = _only_hooks(value) if isinstance(value, Mapping) else value if name == "hooks" else None
        if kept:
            found[name] = kept
    return found


def read_environment(given: str | Mapping[str, Value] | None, *, name: str = "environment") -> dict[str, Value]:
    """A checked environment document from text or a map. Raises Invalid with all findings."""
    if given is None or given == "":
        return {}
    tree = None
    if isinstance(given, str):
        tree = read(given, name=name)
        if tree.kind == "scalar" and tree.value is None:
            return {}
        given = tree.to_python()
    if not isinstance(given, Mapping):
        raise invalid("InvalidEnvironment", "The environment is not a valid YAML mapping data type.",
                      f"Its sections are {', '.join(SECTIONS)}.", span=None if tree is None else tree.span)  # fmt: skip
    findings = Findings()
    for section, body in given.items():
        _check_section(str(section), body, findings)
    if findings.errors:
        places = None if tree is None else _Places(tree)
        raise Invalid(in_order(one if places is None else places.placed(one) for one in findings.errors))
    return dict(given)


class _Places:
    """Where in a document the things are that findings speak of."""

    def __init__(self, tree: SourceNode) -> None:
        self._tree = tree
        self._inside: dict[int, Mapping[str, tuple[Span, SourceNode]]] = {}  # by the identity of a node of the tree

    def placed(self, finding: Diagnostic) -> Diagnostic:
        """`finding` with the place of what its address leads to, as far as there is a way."""
        here, rest, span = self._tree, finding.address.removeprefix("environment."), self._tree.span
        while rest:
            inside = self._names(here)
            # Names may have dots themselves; the longest one that fits is meant.
            ends = [at for at, letter in enumerate(rest) if letter == "."]
            name = next((rest[:end] for end in (len(rest), *reversed(ends)) if rest[:end] in inside), None)
            if name is None:
                break
            span, here = inside[name]
            rest = rest[len(name) + 1 :]
        return replace(finding, span=span)

    def _names(self, node: SourceNode) -> Mapping[str, tuple[Span, SourceNode]]:
        if id(node) not in self._inside:
            entries = {key.text: (key.span, item) for key, item in node.entries}
            self._inside[id(node)] = {str(at): (one.span, one) for at, one in enumerate(node.items)} | entries
        return self._inside[id(node)]


# --- checks -----------------------------------------------------------------------------------------------------------
def _check_section(section: str, body: Value, findings: Findings) -> None:
    """TE-01: known sections only, none of them null."""
    address = f"environment.{section}"
    if section not in SECTIONS:
        findings.error("InvalidEnvironment", f'environment has wrong section "{section}"', nearest(section, SECTIONS),
                       address=address)  # fmt: skip
        return
    if body is None:
        findings.error("InvalidEnvironment", f'environment has empty section "{section}"',
                       "Leave the section out, or fill it.", address=address)  # fmt: skip
        return
    if section in _LISTS:
        _check_list(section, body, address, findings)
    elif not isinstance(body, Mapping):
        findings.error("InvalidEnvironment", f"The environment's {section} must be a map.",
                       "Write its entries below it.", address=address)  # fmt: skip
    elif section == "resource_registry":
        _check_registry(body, address, findings)
    elif section == "parameter_merge_strategies":
        for name, strategy in body.items():
            if not isinstance(strategy, str) or strategy not in _STRATEGIES:
                findings.error("InvalidEnvironment", f"{strategy!r} is no merge strategy (parameter {name}).",
                               nearest(strategy, _STRATEGIES), address=f"{address}.{name}")  # fmt: skip


def _check_list(section: str, body: Value, address: str, findings: Findings) -> None:
    if not isinstance(body, list):
        findings.error("InvalidEnvironment", f"The environment's {section} must be a list.", "Begin each with a dash.",
                       address=address)  # fmt: skip
    elif section == "event_sinks":
        for index, sink in enumerate(body):
            _check_sink(sink, f"{address}.{index}", findings)


def _check_sink(sink: Value, address: str, findings: Findings) -> None:
    """TE-15: `zaqar-queue` with a `target` and perhaps a `ttl`."""
    if not isinstance(sink, Mapping):
        findings.error("InvalidEnvironment", "An event sink must be a map.", "Write {type: …, target: …}.",
                       address=address)  # fmt: skip
        return
    if sink.get("type") not in _SINKS:
        findings.error("InvalidEnvironment", f"There is no event sink of the type {sink.get('type')!r}.",
                       nearest(sink.get("type"), _SINKS), address=f"{address}.type")  # fmt: skip
        return
    for name in set(sink) - {"type", "target", "ttl"}:
        findings.error("InvalidEnvironment", f"{name} is nothing that an event sink has.",
                       "It has type, target and ttl.", address=f"{address}.{name}")  # fmt: skip
    if not isinstance(sink.get("target"), str) or not sink["target"]:
        findings.error("InvalidEnvironment", "An event sink needs the name of a queue as its target.",
                       "Add target: NAME.", address=f"{address}.target")  # fmt: skip
    ttl = sink.get("ttl")
    if ttl is not None and (not isinstance(ttl, int) or isinstance(ttl, bool) or not _LEAST_TTL <= ttl <= _MOST_TTL):
        findings.error("InvalidEnvironment", f"The ttl of an event sink is from {_LEAST_TTL} to {_MOST_TTL} seconds.",
                       "Leave it out, or change it.", address=f"{address}.ttl")  # fmt: skip


def _check_registry(body: Mapping[str, Value], address: str, findings: Findings) -> None:
    for name, target in body.items():
        if name == "resources" and isinstance(target, Mapping):
            for resource, settings in target.items():
                _check_settings(str(resource), settings, f"{address}.resources", findings)
        elif target is not None and not isinstance(target, str):
            findings.error("InvalidEnvironment", f"The registry maps {name} to something that is no type's name.",
                           "Map it to a type, to a template's file or URL, or to null.",
                           address=f"{address}.{name}")  # fmt: skip


def _check_settings(resource: str, settings: Value, address: str, findings: Findings) -> None:
    here = f"{address}.{resource}"
    if not isinstance(settings, Mapping):
        findings.error("InvalidEnvironment", f"The settings of {resource} in the registry must be a map.",
                       "Write hooks: or restricted_actions: below it.", address=here)  # fmt: skip
        return
    for key, known in _SETTINGS:
        given = settings.get(key)
        words = [given] if isinstance(given, str) else given or []
        listed = words if isinstance(words, list) else [words]
        wrong = [word for word in listed if not isinstance(word, str) or word not in known]
        for word in wrong:
            findings.error("InvalidEnvironment", f'Invalid {key[:-1].replace("_", " ")} "{word}" of {resource}.',
                           nearest(word, known), address=f"{here}.{key}")  # fmt: skip
    for name, inner in settings.items():
        if isinstance(inner, Mapping):
            _check_settings(str(name), inner, here, findings)


# --- merging ----------------------------------------------------------------------------------------------------------
def merge_environments(
    environments: Sequence[Mapping[str, Value]],
    declared: Mapping[str, Parameter] | None = None,
    parameters: Mapping[str, Value] | None = None,
) -> dict[str, Value]:
    """Later documents over earlier ones over the request's `parameters` (TE-04, TE-06). Raises Invalid.

    Names that no template declares are dropped where there is something to merge with, and kept where there is not, as
    Heat does.
    """
    merged: dict[str, Value] = {"parameters": dict(parameters)} if parameters else {}
    chosen: dict[str, str] = {}
    for environment in environments:
        strategies = environment.get("parameter_merge_strategies") or {}
        for section, body in environment.items():
            held = merged.get(section)
            if section in ("parameters", "parameter_defaults"):
                merged[section] = _merge_parameters(held or {}, body, strategies, chosen, declared)
            elif section == "parameter_merge_strategies":
                continue
            elif isinstance(body, Mapping):
                merged[section] = _deep(held or {}, body)
            else:
                merged[section] = [*(held or []), *body]
    return merged


def _merge_parameters(
    old: Mapping[str, Value], new: Mapping[str, Value], strategies: Mapping[str, str], chosen: dict[str, str],
    declared: Mapping[str, Parameter] | None,
) -> dict[str, Value]:  # fmt: skip
    usable = {name: value for name, value in new.items() if value is not None}
    known = {name: value for name, value in usable.items() if declared is None or name in declared}
    for name in known:
        strategy = strategies.get(name, chosen.get(name, strategies.get("default", "overwrite")))
        if chosen.setdefault(name, strategy) != strategy:
            raise invalid("InvalidEnvironment", f"Conflicting merge strategies for parameter {name}: {chosen[name]} "
                          f"and {strategy}.", "Use one of them in all files.")  # fmt: skip
    if not old:
        return usable
    result = dict(old)
    for name, value in known.items():
        if name in result and chosen[name] != "overwrite":
            kind = None if declared is None else declared[name].type
            result[name] = _combined(name, kind, result[name], value, deep=chosen[name] == "deep_merge")
        else:
            result[name] = value
    return result


def _combined(name: str, kind: ParameterType | None, old: Value, new: Value, *, deep: bool) -> Value:
    """TE-06: text is put together, numbers are added, lists extended, maps updated."""
    if kind is ParameterType.JSON:
        old, new = (_parsed(name, value) for value in (old, new))
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        return _deep(old, new, joining=True) if deep else {**old, **new}
    if isinstance(old, list) or isinstance(new, list) or kind is ParameterType.LIST:
        return [*_listed(old), *_listed(new)]
    mixed = any(isinstance(value, bool | Mapping) for value in (old, new))
    if mixed or kind is ParameterType.BOOLEAN:
        raise invalid("InvalidEnvironment", f"The values of parameter {name} cannot be merged.",
                      "Only text, numbers, lists and maps can; use the strategy overwrite.")  # fmt: skip
    if isinstance(old, int | float) and isinstance(new, int | float):
        return old + new
    return f"{old}{new}"


def _listed(value: Value) -> list[Value]:
    if isinstance(value, list):
        return value
    return [item.strip() for item in str(value).split(",")] if value != "" else []


def _parsed(name: str, value: Value) -> Value:
    if not isinstance(value, str):
        return value
    return read(value or "{}", name=name).to_python()


def _deep(old: Mapping[str, Value], new: Mapping[str, Value], *, joining: bool = False) -> dict[str, Value]:
    """Maps inside maps merged; with `joining`, lists extended and texts put together too."""
    result = dict(old)
    for name, value in new.items():
        held = result.get(name)
        if isinstance(held, Mapping) and isinstance(value, Mapping):
            result[name] = _deep(held, value, joining=joining)
        elif joining and isinstance(held, list) and isinstance(value, list):
            result[name] = [*held, *value]
        elif joining and isinstance(held, str) and isinstance(value, str):
            result[name] = held + value
        else:
            result[name] = value
    return result
