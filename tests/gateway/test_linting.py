"""cfn-lint's advice: asked of a worker process, kept, bounded, and never an error (engine.md §5)."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator

import pytest

from engine.model.diagnostic import Severity, Span
from gateway import linting
from gateway.linting import Linter

TEXT = """\
Resources:
  Net:
    Type: AWS::EC2::VPC
    Properties: {CidrBlock: 10.0.0.0/16, CidrBloc: x}
  Server: {Type: 'OS::Nova::Server'}
"""


@pytest.fixture(name="linter")
async def _linter() -> AsyncIterator[Linter]:
    linter = Linter(limit=60.0)
    yield linter
    await linter.close()


async def test_findings_are_warnings_with_their_place(linter: Linter) -> None:
    (found,) = await linter.lint(TEXT, "RegionOne")
    assert (found.code, found.severity) == ("LintE3002", Severity.WARNING)
    assert "CidrBloc" in found.summary
    assert found.address == "Resources.Net.Properties.CidrBloc"
    assert found.span == Span("template", 4, 42)


async def test_answers_are_kept_and_a_new_worker_is_not_started(linter: Linter) -> None:
    first = await linter.lint(TEXT, "RegionOne")
    linter._dismiss()
    assert await linter.lint(TEXT, "RegionOne") == first
    assert linter._worker is None


async def test_worker_goes_after_so_many_questions() -> None:
    linter = Linter(limit=60.0, questions_per_worker=1)
    assert await linter.lint(TEXT, "RegionOne")
    assert linter._worker is None
    await linter.close()


async def test_broken_template_gives_findings_not_an_error(linter: Linter) -> None:
    assert [one.code for one in await linter.lint("[[[", "RegionOne")] == ["LintE0000"]


async def test_no_answer_in_time_gives_no_findings_and_ends_the_worker() -> None:
    linter = Linter(limit=0.01)
    assert await linter.lint(TEXT, "RegionOne") == ()
    assert linter._worker is None
    await linter.close()


async def test_full_queue_gives_no_findings_at_once() -> None:
    linter = Linter(limit=60.0, waiting=1)
    first = asyncio.ensure_future(linter.lint(TEXT, "RegionOne"))
    await asyncio.sleep(0)  # lets it take its place
    assert await linter.lint("Resources: {}", "RegionOne") == ()
    await linter.close()
    assert await first == ()


async def test_after_close_there_are_no_findings(linter: Linter) -> None:
    await linter.close()
    assert await linter.lint(TEXT, "RegionOne") == ()


async def test_worker_that_cannot_start_gives_no_findings(linter: Linter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    assert await linter.lint(TEXT, "RegionOne") == ()


async def test_too_large_a_template_is_not_asked_about(linter: Linter) -> None:
    assert await linter.lint("x" * (linting._LARGEST_TEMPLATE + 1), "RegionOne") == ()
    assert linter._worker is None
