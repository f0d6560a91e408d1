"""The proof: its verdicts, its committed numbers, and a small version of it."""

import json
import runpy
from pathlib import Path

import pytest

from vaekit.diagnosis import CASES, CHECKS, proof_table, prove, read_cells, verdict

DOCS = Path(__file__).parents[2] / "docs"
ROW = {
    "check": "a",
    "bad": "above",
    "threshold": 1.0,
    "factor": 2.0,
    "named": [["a", "b"], ["a"]],
    "failing": [2.0, 3.0],
    "remedied": [0.5, 0.9],
    "healthy": [0.1, 0.2],
}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, "proved"),
        ({"named": [["b", "a"], ["a"]]}, "not proved: not named first under 1 of 2 seeds"),
        ({"remedied": [0.5, 1.1]}, "not proved: the remedy did not help under 1 of 2 seeds"),
        ({"remedied": [0.5, None]}, "not proved: the remedy did not help under 1 of 2 seeds"),
        ({"failing": [1.5, 1.7]}, "not proved: the remedy did not help under 1 of 2 seeds"),
        ({"failing": [None, 3.0]}, "proved"),
        ({"healthy": [0.1, 4.0]}, "not proved: 1 of 2 healthy runs are beyond the threshold"),
    ],
)
def test_verdicts_follow_from_numbers(changed: dict, said: str) -> None:
    assert verdict({**ROW, **changed}) == said


def test_every_check_is_provoked() -> None:
    assert {case.expected for case in CASES if case.expected} == {check.name for check in CHECKS}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_recipes_of_cases_are_recipes(case) -> None:
    recipe = case.recipe(seed=7)
    assert recipe.name == case.name
    assert recipe.seed == 7


def test_page_is_in_step_with_the_numbers() -> None:
    written = runpy.run_path(str(DOCS / "make_failure_modes.py"))["page"]()
    assert (DOCS / "failure_modes.md").read_text(encoding="utf-8") == written, "run `make docs`"


def test_committed_numbers_prove_every_failure() -> None:
    table = json.loads((DOCS / "failure_modes.json").read_text(encoding="utf-8"))
    assert {row["check"] for row in table["failures"]} == {check.name for check in CHECKS}
    for row in table["failures"]:
        assert row["verdict"] == verdict(row) == "proved", row["case"]
        assert len(row["named"]) == len(table["seeds"])
    for row in table["healthy"]:
        assert not any(row["named"].values()), row["case"]


@pytest.mark.slow
def test_quick_provocations_are_named_and_mended(tmp_path: Path) -> None:
    names = ["wrong_levels", "long_warmup", "heavy_kl", "dead_encoder"]
    cells = list(prove(tmp_path, names, [0]))
    assert len(cells) == 2 * len(names)
    for row in proof_table(tmp_path, [0], names)["failures"]:
        assert row["named"][0][0] == row["check"]
        assert row["verdict"] == "proved"
    again = list(prove(tmp_path, names, [0]))  # nothing is trained or looked at twice
    assert [cell.content for cell in again] == [cell.content for cell in cells]
    assert read_cells(tmp_path, names, [0]) == cells
