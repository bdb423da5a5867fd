"""What is tried: a template, an environment, parameters, pairs of a query; a seed and a number decide all of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final

import yaml

from tests.fuzz import nodes, texts, words
from tests.fuzz.calls import calling
from tests.fuzz.declared import declared, odd

ROOT: Final = Path(__file__).parents[2]
_FOLDERS: Final = (ROOT / "examples", ROOT / "tests" / "e2e" / "templates")
_ENDINGS: Final = (".yaml", ".yml", ".json", ".template")
_LARGEST: Final = 1024 * 1024  # bytes; more is refused before it is read
_MOST_KEPT: Final = 32
_ENVIRONMENT: Final = """\
parameters: {A: 1, p: {a: [b]}}
parameter_defaults: {A: "2", q: [x, y]}
parameter_merge_strategies: {default: merge, p: deep_merge}
encrypted_param_names: [q]
event_sinks: [{type: zaqar-queue, target: q, ttl: 60}]
resource_registry:
  "OS::Mine": OS::Heat::Value
  "OS::Quantum*": "OS::Neutron*"
  Mine::File: file.yaml
  resources: {a*: {hooks: [pre-create], "OS::X": OS::Heat::None, b: {restricted_actions: update}}}
"""
_INSIDE: Final = "heat_template_version: 2018-08-31\nparameters: {p: {type: json, default: {}}}\nresources: {}\n"


@dataclass(frozen=True, slots=True)
class Case:
    """`files` of a request, `environments` its environment or, where there are several, its environment files."""

    template: bytes
    environments: tuple[str, ...] = ()
    parameters: dict[str, Any] = field(default_factory=dict)
    query: tuple[tuple[str, str], ...] = ()
    files: dict[str, str] = field(default_factory=lambda: {"file.yaml": _INSIDE})

    def write(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "template").write_bytes(self.template)
        rest = {"environments": self.environments, "parameters": self.parameters, "query": self.query,
                "files": self.files}  # fmt: skip
        (folder / "request.json").write_text(json.dumps(rest, indent=1), encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> Case:
        rest = json.loads((folder / "request.json").read_text(encoding="utf-8"))
        query = tuple((name, value) for name, value in rest["query"])
        return cls((folder / "template").read_bytes(), tuple(rest["environments"]), rest["parameters"], query,
                   rest["files"])  # fmt: skip


class Cases:
    """The same `seed` and `corpus` give the same cases."""

    def __init__(self, seed: int, corpus: Path | None = None) -> None:
        self._seed = seed
        folders = (*_FOLDERS, *(() if corpus is None else (corpus,)))
        paths = [path for folder in folders for path in sorted(folder.rglob("*")) if path.suffix in _ENDINGS]
        self._texts = [path.read_bytes() for path in paths if path.is_file()]
        self._graphs: dict[bytes, Any] = {}  # of donors, which stay as they are

    def make(self, number: int) -> Case:
        random = Random(f"{self._seed}:{number}")
        template = self._template(random)[:_LARGEST]
        environments = tuple(_environment(random) for _ in range(random.choice((0, 0, 0, 0, 1, 1, 2))))
        return Case(template, environments, _parameters(template, random), _query(random))

    def _template(self, random: Random) -> bytes:
        chosen = random.random()
        if chosen < 0.02:
            return texts.noise(random)
        if chosen < 0.05:
            return texts.soup(random)
        if chosen < 0.07:
            return texts.brackets(random)
        if chosen < 0.25:
            return declared(random)
        if chosen < 0.4:
            return calling(random)
        seed = random.choice((random.choice(self._texts), declared(random), calling(random)))
        if chosen < 0.5:
            return texts.spoil(seed, self._texts, random)
        donors = [random.choice(self._texts) for _ in range(2)]
        return self._mutated(seed, donors, random) or texts.spoil(seed, donors, random)

    def _mutated(self, text: bytes, donors: Sequence[bytes], random: Random) -> bytes | None:
        root = _graph(text)
        others = [node for node in map(self._donor, donors) if node is not None]
        if root is None or not others:
            return None
        changed = nodes.serialize(nodes.mutate(root, others, random))
        return None if changed is None else changed.encode("utf-8", "surrogatepass")

    def _donor(self, text: bytes) -> Any:
        if text not in self._graphs:
            graph = _graph(text)
            if len(self._graphs) >= _MOST_KEPT:
                self._graphs.clear()  # the memory of this process is what is measured
            self._graphs[text] = None if graph is None else nodes.copied(graph)  # without the places in the text
        return self._graphs[text]


def _graph(text: bytes) -> Any:
    return nodes.compose(text.decode("utf-8", "replace"))


def _environment(random: Random) -> str:
    root = nodes.compose(_ENVIRONMENT)
    if random.random() < 0.8:
        root = nodes.mutate(root, [root], random)
    return nodes.serialize(root) or _ENVIRONMENT


def _parameters(template: bytes, random: Random) -> dict[str, Any]:
    """Odd values for some of those that the template declares, and now and then for one that it does not."""
    root = nodes.compose(template.decode("utf-8", "replace"))
    given = {name: odd(random) for name in _declared(root) if random.random() < 0.15}
    if random.random() < 0.05:
        given[words.odd_text(random)] = odd(random)
    return given


def _declared(root: Any) -> list[str]:
    sections = root.value if isinstance(root, yaml.MappingNode) else []
    found: list[str] = []
    for key, value in sections:
        if key.value in ("parameters", "Parameters") and isinstance(value, yaml.MappingNode):
            found += [name.value for name, _ in value.value if isinstance(name.value, str)]
    return found


def _query(random: Random) -> tuple[tuple[str, str], ...]:
    parts = ("Action", "StackName", "TemplateBody", "Parameters", "member", "1", "2", "999", "Tags", "Key", "Value",
             "entry", "ParameterKey", "ParameterValue", "OnFailure", "TimeoutInMinutes", "Capabilities", "", "-1",
             "RollbackConfiguration", "MonitoringTimeInMinutes", "RollbackTriggers", "Arn", "²", "1" * 30)  # fmt: skip
    return tuple(
        (".".join(random.choice(parts) for _ in range(random.choice((1, 1, 3, 4, 20)))), words.odd_text(random))
        for _ in range(random.choice((0, 1, 5, 30)))
    )
