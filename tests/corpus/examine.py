"""One template on its whole way without a cloud: read, translated, bound, evaluated, planned, described."""

from __future__ import annotations

import enum
import json
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, TypeAlias

from engine.door import TemplateCheck
from engine.expr.evaluate import evaluate
from engine.expr.parameters import Bindings, placeholders
from engine.model.diagnostic import Diagnostic, Invalid
from engine.model.expression import Expression, Literal, MapOf
from engine.model.source import Source, Unanswered
from engine.model.template import DeletionPolicy, Parameter, Resource, Template
from engine.model.value import Value
from engine.plan.deployment import Deployment, bind_source, deploy
from engine.plan.planner import plan_changes
from engine.plan.scope import NOTHING_ASKED, Facts, View
from engine.resources.base import StackIdentity
from engine.resources.registry import Registry
from gateway.commands.local_files import LocalFiles
from gateway.commands.offline import answered
from mappings import Mappings
from tests.corpus.plausible import plausible
from tests.corpus.stopwatch import Stopwatch, TooLong
from translators.operator import BUILTIN, Operator
from translators.parsing import declared_parameters
from translators.parsing import examine as parse_all
from translators.registry import is_template
from translators.summary import template_summary
from translators.translator import Translator

ENDINGS: Final = (".yaml", ".yml", ".json", ".template")
LIMIT: Final = 1.0  # seconds of processor time that a step may take with one template, and with each 100 KB of it
_IDENTITY: Final = StackIdentity(
    "11111111-2222-3333-4444-555555555555", "web", "aaaabbbbccccddddeeeeffff00001111", "", ""
)
# Where most templates in public say that they work; exports and other stacks' outputs are unknown, not absent.
_FACTS: Final = Facts(region="us-east-1", zones=("az1", "az2", "az3"), exports=None, stack_outputs=None)
_FACADE: Final = {"metadata": {}, "deletion_policy": "Delete", "update_policy": {}}
_STAND_IN: Final = "OS::Heat::None"  # has every property and every attribute
_FOREIGN: Final = ("AWS::", "Custom::", "Alexa::")
_MEMBERS: Final = ("resource_def", "resource")  # properties that hold a type

Ask: TypeAlias = Callable[[Callable[[Source], object], Source], Source]
Give: TypeAlias = Callable[[Mapping[str, Parameter]], Mapping[str, Value]]


class Verdict(enum.StrEnum):
    UNDERSTOOD = "understood"
    TYPES_MISSING = "types missing"
    REFUSED = "refused"
    CRASHED = "crashed"
    HUNG = "hung"


@dataclass(frozen=True, slots=True)
class Outcome:
    """`missing`: types without a meaning here, with the number of resources. `trouble`: what crashed or hung."""

    path: str
    verdict: Verdict
    findings: tuple[Diagnostic, ...] = ()
    missing: Mapping[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    trouble: str = ""

    @property
    def codes(self) -> frozenset[str]:
        return frozenset(one.code for one in self.findings)


def limit(text: str) -> float:
    return LIMIT * max(1.0, len(text) / 100_000)


class Examiner:
    """Types that are missing are put by a stand-in, so that the rest of such a template is looked at too. `ask` answers
    what a translation asks of the outside, `give` makes values of parameters."""

    def __init__(self, ask: Ask = answered, give: Give = plausible) -> None:
        self._ask, self._give = ask, give
        self._rows, self._registry = Mappings(), Registry(plugins=False)
        known = {name: name for name in (*self._rows.types(), *self._registry.all_types())}
        self._operator = Operator({**BUILTIN, **known, "*": _STAND_IN})
        self.forget()

    @property
    def types(self) -> tuple[str, ...]:
        return (*self._rows.types(), *self._registry.all_types())

    def forget(self) -> None:
        """Keep nothing of the templates seen so far."""
        self._real = TemplateCheck(Translator(self._rows), self._registry)
        self._translator = Translator(self._rows, self._operator)
        self._check = TemplateCheck(self._translator, self._registry)

    def examine(self, root: Path, path: Path) -> Outcome:
        """What becomes of the template at `path`, a file in the corpus `root`."""
        text = path.read_text(encoding="utf-8", errors="replace")
        return self.judge(Source(text, LocalFiles(path), name=str(path.relative_to(root))))

    def judge(self, source: Source) -> Outcome:
        """What becomes of `source`; the values that it has of parameters go before those that are made."""
        most, missing = limit(source.text), {}
        # What a user would ask one by one.
        steps = [Stopwatch(most) for _ in range(6)]
        asking, reading, answering, bare, any_values, whole = steps
        verdict, findings, trouble = Verdict.UNDERSTOOD, (), ""
        try:
            with asking:
                told = self._ask(parse_all, source)
            with reading:
                missing = self._missing(told)
            with answering:
                itself = self._ask(self._real.offline, source)
            with bare:
                self._as_it_is(itself, complete=not missing)
            with any_values:
                self._with_any_parameters(source)
                declared = declared_parameters(source)
            given = {**self._give(declared), **source.parameters}
            with whole:
                self._whole_way(replace(source, parameters=given))
            verdict = Verdict.TYPES_MISSING if missing else verdict
        except Invalid as refused:
            verdict, findings = Verdict.REFUSED, refused.diagnostics
        except TooLong:
            verdict, trouble = Verdict.HUNG, traceback.format_exc(limit=-5)
        except Exception:
            verdict, trouble = Verdict.CRASHED, traceback.format_exc()
        longest = max(watch.seconds for watch in steps)
        return Outcome(source.name, verdict, findings, missing, longest, trouble)

    def _as_it_is(self, source: Source, *, complete: bool) -> None:
        """Without any stand-in; what is refused for its types alone is not refused for its language."""
        try:
            self._real.offline(source)
        except Invalid:
            if complete:
                raise

    def _with_any_parameters(self, source: Source) -> None:
        template = self._translator.translate(self._ask(self._translator.translate, source))
        self._checked(template, placeholders(template, {}), NOTHING_ASKED)
        json.dumps(template_summary(self._translator.outline(source)))

    def _whole_way(self, source: Source) -> None:
        source = self._ask(self._translator.translate, source)
        template = self._translator.translate(source)
        deployment = self._checked(template, bind_source(template, source), _FACTS)
        scope = deployment.scope(View())
        for expression in _beside_properties(template):
            evaluate(expression, scope)
        plan_changes(deployment, {}, self._registry)
        json.dumps(template_summary(template))

    def _checked(self, template: Template, bindings: Bindings, facts: Facts) -> Deployment:
        deployment = deploy(template, bindings, _IDENTITY, facts, self._registry, _FACADE)
        resources = {address: _bare(resource) for address, resource in deployment.resources.items()}
        self._check.check(replace(deployment, resources=resources))
        return deployment

    def _missing(self, source: Source) -> Mapping[str, int]:
        try:
            template, _ = parse_all(source)
        except (Invalid, Unanswered):
            return {}  # told on the way
        return Counter(kind for kind in _types(template) if not self._is_known(kind))

    def _is_known(self, kind: str) -> bool:
        if kind.startswith(_FOREIGN):
            return self._rows.row(kind) is not None
        return is_template(kind) or self._registry.find(kind) is not None


def _beside_properties(template: Template) -> Iterator[Expression]:
    """Whether rules hold is up to the parameters, which nobody meant."""
    parts = [part for rule in template.rules for part in (rule.condition, *(held for held, _ in rule.assertions))]
    for resource in template.resources.values():
        parts += [resource.metadata, resource.update_policy, resource.creation_policy, resource.external_id]
    yield from (part for part in parts if part is not None)


def _types(template: Template) -> Iterator[str]:
    for resource in template.resources.values():
        yield resource.type
        yield from _types_inside(resource)


def _types_inside(resource: Resource) -> Iterator[str]:
    """The types of a group's members."""
    for name in _MEMBERS:
        definition = resource.properties.get(name)
        written = definition.get("type") if isinstance(definition, MapOf) else None
        if isinstance(written, Literal) and isinstance(written.value, str):
            yield written.value


def _bare(resource: Resource) -> Resource:
    """A stand-in has every property and attribute; what its policies may say, only the missing type knows."""
    if resource.type != _STAND_IN:
        return resource
    kept = DeletionPolicy.DELETE
    return replace(resource, update_policy=None, deletion_policy=kept, update_replace_policy=kept)
