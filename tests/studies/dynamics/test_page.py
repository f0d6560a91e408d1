"""What is committed agrees with itself: page, tables, figures and results."""

import re
import runpy
from pathlib import Path

import pytest

from vaekit.studies.dynamics import committed_tables, results_in
from vaekit.studies.dynamics.results import MOST_BYTES

DOCS = Path(__file__).parents[3] / "docs"
STUDY = DOCS / "studies" / "dynamics"


def test_page_has_the_tables_that_follow_from_the_results() -> None:
    written = runpy.run_path(str(DOCS / "make_dynamics_page.py"))["page"]()
    page = (DOCS / "studies" / "dynamics.md").read_text(encoding="utf-8")
    assert page == written, "run `make docs`"


def test_tables_beside_the_results_are_theirs() -> None:
    tables = (STUDY / "verdict.md").read_text(encoding="utf-8")
    assert tables == committed_tables(STUDY), "run the study with --report-only"


def test_every_figure_of_the_page_is_there() -> None:
    page = (DOCS / "studies" / "dynamics.md").read_text(encoding="utf-8")
    for name in re.findall(r"\]\((dynamics/figures/[^)]+)\)", page):
        assert (DOCS / "studies" / name).is_file(), name


@pytest.mark.parametrize("path", sorted((STUDY / "results").glob("*.json")), ids=lambda p: p.stem)
def test_results_are_small(path: Path) -> None:
    assert path.stat().st_size <= MOST_BYTES


def test_results_are_named_after_what_they_are() -> None:
    names = {path.stem for path in (STUDY / "results").glob("*.json")}
    assert names == {content["name"] for content in results_in(STUDY)}
