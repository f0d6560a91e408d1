"""The pages of docs/lesson are what their templates and the code give today."""

import re
import runpy
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

from vaekit.figures import encoded

DOCS = Path(__file__).parents[2] / "docs"
PAGES = ("README.md", "pieces.md", "reparameterisation.md", "kl.md", "one_step.md", "today.md")


@pytest.fixture(scope="module")
def made() -> dict:
    return runpy.run_path(str(DOCS / "make_lesson.py"))


@pytest.fixture(scope="module")
def pages(made: dict) -> dict[str, str]:
    return made["pages"]()


def test_pages_are_up_to_date(pages: dict[str, str]) -> None:
    assert set(pages) == set(PAGES)
    for file, text in pages.items():
        assert (DOCS / "lesson" / file).read_text(encoding="utf-8") == text, "run `make docs`"


def test_pictures_are_up_to_date(made: dict) -> None:
    for file, figure in made["figures"]().items():
        drawn = imread(BytesIO(encoded(figure, ".png")))
        kept = imread(DOCS / "lesson" / "images" / file)
        assert drawn.shape == kept.shape
        # Another build of a font library smooths edges of letters otherwise; a moved line is more.
        assert np.abs(drawn - kept).mean() < 0.004, "run `make docs`"


@pytest.mark.parametrize("file", PAGES)
def test_links_lead_somewhere(file: str) -> None:
    text = (DOCS / "lesson" / file).read_text(encoding="utf-8")
    places = [link for link in re.findall(r"\]\(([^)]+)\)", text) if "://" not in link]
    assert places
    for place in places:
        assert (DOCS / "lesson" / place.partition("#")[0]).exists(), place


@pytest.mark.parametrize("file", PAGES)
def test_lines_are_short(file: str) -> None:
    lines = (DOCS / "lesson" / file).read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if len(line) > 120 and not line.startswith("|")] == []


def test_known_values_are_on_the_page(pages: dict[str, str]) -> None:
    for number in ("2.3181471806", "6.3075850930"):
        assert pages["kl.md"].count(number) >= 2


def test_measured_variances_are_near_the_exact_ones(pages: dict[str, str]) -> None:
    text = pages["reparameterisation.md"]
    rows = re.findall(r"^\| (?:0\.05|0\.1|0\.2|0\.5|1|2) \|(.*)\|$", text, flags=re.MULTILINE)
    assert len(rows) == 6
    for row in rows:
        numbers = [float(cell) for cell in row.split("|")]
        # Of 400,000 draws with heavy tails: a hundred and fifty over sqrt(n), relative, at most.
        assert numbers[0::2] == pytest.approx(numbers[1::2], rel=0.05)


def test_the_code_on_the_page_gives_its_number(pages: dict[str, str]) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", pages["kl.md"], flags=re.DOTALL)
    *setup, last = code.strip().splitlines()
    expression, _, number = last.partition("  # ")
    names: dict = {}
    exec("\n".join(setup), names)
    assert f"{eval(expression, names):.10f}" == number
