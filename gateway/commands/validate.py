"""`isotherm validate`: everything that can be known about a template without a cloud and without a server."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Optional

import typer

from engine.model.diagnostic import Diagnostic, Invalid, Severity
from engine.model.source import Source


def validate(
    templates: Annotated[list[Path], typer.Argument(help="CloudFormation or HOT templates.", exists=True,
                                                    dir_okay=False, show_default=False)],
    environment: Annotated[
        Optional[list[Path]],  # noqa: UP045  (typer reads the annotation)
        typer.Option("--environment", "-e", help="Environment file; several are merged in order.", exists=True,
                     dir_okay=False),
    ] = None,
    parameter: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option("--parameter", "-P", help="NAME=VALUE; without a value a parameter may be anything it allows."),
    ] = None,
    lint: Annotated[bool, typer.Option("--lint", help="Add cfn-lint's findings on CloudFormation templates.")] = False,
    config_file: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help="isotherm.conf, for its mapping rows and options."),
    ] = None,
) -> None:  # fmt: skip
    """Check templates without a cloud: all findings with their places, exit status 1 when there is an error."""
    from rich.console import Console

    from gateway.commands.findings import show, summary

    console, check, given = Console(highlight=False), checker(config_file), _parameters(parameter or [])
    around = _environment(environment or [])
    looked_at = [around] if around.findings else [_looked_at(check, path, around, given) for path in templates]
    if lint:
        asyncio.run(_add_advice([one for one in looked_at if one.source is not None and not _broken(one.findings)]))
    for one in looked_at:
        show(console, one.findings, one.texts, one.name)
        if not one.findings:
            console.print(f"{one.name}: nothing to complain about", soft_wrap=True)
    found = [one.findings for one in looked_at]
    if counted := summary(found):
        console.print(counted, soft_wrap=True)
    if any(map(_broken, found)):
        raise typer.Exit(1)


@dataclass(slots=True)
class LookedAt:
    """A file, or the environments, with what was found there; `texts` are those that findings may point into."""

    name: str
    texts: dict[str, str]
    findings: list[Diagnostic] = field(default_factory=list)
    source: Source | None = None
    document: dict[str, Any] = field(default_factory=dict)


def _broken(findings: Sequence[Diagnostic]) -> bool:
    return any(one.severity is Severity.ERROR for one in findings)


def checker(config_file: str | None) -> Any:
    """What checks templates as the configuration says. Raises BadParameter where that cannot be read."""
    from engine.door import TemplateCheck
    from engine.resources.registry import Registry
    from gateway.config import Settings, load
    from gateway.operator import load_operator
    from mappings import Mappings
    from translators.translator import Translator

    try:
        settings = load(Settings(), config_file)
        rows = Mappings([Path(one) for one in settings.mapping_dirs], settings.mapping)
        operator = load_operator(settings.environment_dir)
    except Exception as error:
        # The errors of oslo.config and of the rows name file and line; a traceback would hide that.
        raise typer.BadParameter(str(error), param_hint="--config-file") from error
    return TemplateCheck(Translator(rows, operator), Registry())


def _parameters(given: Sequence[str]) -> dict[str, str]:
    found = {}
    for one in given:
        name, equals, value = one.partition("=")
        if not equals:
            raise typer.BadParameter(f"{one!r} is not NAME=VALUE", param_hint="--parameter")
        found[name] = value
    return found


def _read(path: Path) -> str:
    """Raises Invalid where it is not UTF-8."""
    from translators.source import decode

    return decode(path.read_bytes(), name=str(path))


def _environment(paths: Sequence[Path]) -> LookedAt:
    """All environments together; with a mistake in one of them nothing can be said of a template."""
    from translators.hot.environment import merge_environments, read_environment

    around = LookedAt(str(paths[0]) if paths else "", {})
    documents = []
    for path in paths:
        around.texts[str(path)] = path.read_text(encoding="utf-8", errors="replace")
        try:
            documents.append(read_environment(_read(path), name=str(path)))
        except Invalid as error:
            around.findings += error.diagnostics
    if not around.findings:
        try:
            around.document = merge_environments(documents)
        except Invalid as error:
            around.findings += error.diagnostics
    return around


def opened(path: Path, around: LookedAt | None = None, parameters: Mapping[str, str] | None = None) -> LookedAt:
    """The template with what it refers to beside it, and nothing found yet but that it is not UTF-8."""
    from gateway.commands.local_files import LocalFiles

    document = {} if around is None else around.document
    files = LocalFiles(path)
    files.texts.update({} if around is None else around.texts)
    files.texts[str(path)] = path.read_text(encoding="utf-8", errors="replace")
    found = LookedAt(str(path), files.texts)
    environment = {name: part for name, part in document.items() if name != "parameters"}
    values = {**(document.get("parameters") or {}), **(parameters or {})}
    try:
        found.source = Source(_read(path), files, environment, values, str(path))
    except Invalid as error:
        found.findings += error.diagnostics
    return found


def _looked_at(check: Any, path: Path, around: LookedAt, parameters: Mapping[str, str]) -> LookedAt:
    from gateway.commands.offline import answered

    found = opened(path, around, parameters)
    if found.source is not None:
        try:
            found.findings += check.offline(answered(check.offline, found.source)).warnings
        except Invalid as error:
            found.findings += error.diagnostics
    return found


async def _add_advice(looked_at: Sequence[LookedAt]) -> None:
    sources = [one.source for one in looked_at if one.source is not None and _is_cloudformation(one.source)]
    advice = await _linted(sources)
    for one in looked_at:
        one.findings += advice.get(one.name, ())


def _is_cloudformation(source: Source) -> bool:
    """cfn-lint refuses HOT."""
    from translators.parsing import outline

    return outline(source).dialect == "cfn"


async def _linted(sources: Sequence[Source]) -> dict[str, tuple[Diagnostic, ...]]:
    """cfn-lint's findings by the source's name, all asked of one worker process."""
    from gateway.linting import Linter

    linter = Linter(limit=60)
    try:
        return {one.name: await linter.lint(one.text, "us-east-1", name=one.name) for one in sources}
    finally:
        await linter.close()
