"""Pages that are generated say what the code says."""

from __future__ import annotations

from docs.generate import TARGET, render


def test_the_coverage_page_is_the_one_that_the_rows_and_types_give() -> None:
    assert TARGET.read_text(encoding="utf-8") == render(), "run `make docs`"
