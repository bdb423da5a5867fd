"""`isotherm validate`: everything that can be known about a template without a cloud and without a server."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
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

    console, check, given = Console(highlight=False), _check(config_file), _parameters(parameter or [])
    sources = [_source(path, environment or [], given) for path in templates]
    found = [_findings(check, source) for source, _ in sources]
    if lint:
        whole = [one for (one, _), findings in zip(sources, found, strict=True) if not _broken(findings)]
        advice = asyncio.run(_linted([one for one in whole if _is_cloudformation(one)]))
        found = [[*one, *advice.get(source.name, ())] for one, (source, _) in zip(found, sources, strict=True)]
    for findings, (source, texts) in zip(found, sources, strict=True):
        show(console, findings, texts, source.name)
        if not findings:
            console.print(f"{source.name}: nothing to complain about", soft_wrap=True)
    if counted := summary(found):
        console.print(counted, soft_wrap=True)
    if any(map(_broken, found)):
        raise typer.Exit(1)


def _broken(findings: Sequence[Diagnostic]) -> bool:
    return any(one.severity is Severity.ERROR for one in findings)


def _check(config_file: str | None) -> Any:
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


def _source(path: Path, environments: Sequence[Path], parameters: dict[str, str]) -> tuple[Source, dict[str, str]]:
    """The template with what it refers to, and the texts that findings may point into."""
    from gateway.commands.local_files import LocalFiles
    from translators.hot.environment import merge_environments, read_environment

    text = path.read_text(encoding="utf-8", errors="replace")
    files = LocalFiles(path)
    files.texts[str(path)] = text
    documents = []
    for one in environments:
        files.texts[str(one)] = one.read_text(encoding="utf-8", errors="replace")
        try:
            documents.append(read_environment(files.texts[str(one)], name=str(one)))
        except Invalid as error:
            raise typer.BadParameter(str(error), param_hint="--environment") from error
    merged = merge_environments(documents)
    values = {**(merged.pop("parameters", None) or {}), **parameters}
    return Source(text, files, merged, values, str(path)), files.texts


def _findings(check: Any, source: Source) -> list[Diagnostic]:
    from gateway.commands.offline import answered

    try:
        return list(check.offline(answered(check.offline, source)).warnings)
    except Invalid as error:
        return list(error.diagnostics)


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
