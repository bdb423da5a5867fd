"""`isotherm translate`: a CloudFormation template rewritten as HOT, or a HOT one printed as it is understood."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from engine.model.diagnostic import Diagnostic, Invalid, Severity
from engine.model.source import Source

if TYPE_CHECKING:
    from translators.to_hot import Translated


class Language(enum.StrEnum):
    HOT = "hot"


def translate(
    template: Annotated[Path, typer.Argument(help="A CloudFormation or HOT template.", exists=True, dir_okay=False,
                                             show_default=False)],
    to: Annotated[Language, typer.Option("--to", help="The language to write.")] = Language.HOT,
    out: Annotated[
        Optional[Path],  # noqa: UP045  (typer reads the annotation)
        typer.Option("--out", "-o", help="File to write; without it the standard output.", dir_okay=False),
    ] = None,
    config_file: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help="isotherm.conf, for its mapping rows and options."),
    ] = None,
) -> None:  # fmt: skip
    """Rewrite a template as HOT, comments telling where each part comes from; exit status 1 where it cannot be."""
    from rich.console import Console

    from gateway.commands.findings import show
    from gateway.commands.validate import checker, opened

    console, check, given = Console(stderr=True, highlight=False), checker(config_file), opened(template)
    text, texts, source = None, given.texts, given.source
    findings = given.findings
    if source is not None:
        text, findings = _translated(check, source)
    if source is not None and text is not None:
        # What is written is looked at as any template is, so that nobody finds out where it is deployed.
        name = str(out or f"{template.stem}.hot")
        texts[name] = text
        findings += _wrong(check, Source(text, source.files, name=name))
    show(console, findings, texts, given.name)
    if text is None or any(one.severity is Severity.ERROR for one in findings):
        raise typer.Exit(1)
    if out is None:
        typer.echo(text, nl=False)
    else:
        out.write_text(text, encoding="utf-8")


def _translated(check: Any, source: Source) -> tuple[str | None, list[Diagnostic]]:
    """The text, None where there is an error, and what is to be said of the template."""
    from gateway.commands.offline import answered
    from translators.hot.printer import print_template

    try:
        source = answered(check.offline, source)
        template = check.offline(source)
        made = _as_hot(template, source)
    except Invalid as error:
        return None, list(error.diagnostics)
    findings = [*template.warnings, *made.findings]
    if any(one.severity is Severity.ERROR for one in findings):
        return None, findings
    return print_template(made.template, made.comments), findings


def _as_hot(template: Any, source: Source) -> Translated:
    """HOT is printed as it was written: neither are types resolved nor `AWS::` resources lowered."""
    from engine.model.template import Dialect
    from translators import hot
    from translators.hot.printer import Comments
    from translators.source import read
    from translators.to_hot import Translated, to_hot

    if template.dialect is Dialect.CFN:
        return to_hot(template, source.name)
    return Translated(hot.parse(read(source.text, name=source.name), source), Comments(), ())


def _wrong(check: Any, source: Source) -> list[Diagnostic]:
    try:
        check.offline(source)
    except Invalid as error:
        return list(error.diagnostics)
    return []
