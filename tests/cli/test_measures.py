"""What measuring shows: rows for what was measured, the protocol, how far it is."""

import io
from typing import Any

import pytest
from rich.console import Console

from vaekit.cli.measures import measures_table, measuring, protocol_lines

PROTOCOL: dict[str, Any] = {
    "split": "test", "data_split": "100/-/40", "examples": 1040, "binarization": "[none]",
    "seed": 3, "evaluation_seconds": 61.4, "notes": ["Beware of [this]."],
}  # fmt: skip
MEASURED: dict[str, Any] = {
    "nll_nats": 86.542, "nll_standard_error_nats": 0.2217, "num_samples": 500,
    "elbo_nats": -90.9, "elbo_standard_error_nats": None, "kl_nats": 27.424,
    "mutual_information_nats": 6.9, "mutual_information_cap_nats": 6.95,
    "mutual_information_examples": 1040,
}  # fmt: skip


def shown(results: dict[str, Any]) -> str:
    console = Console(file=io.StringIO(), width=100)
    console.print(measures_table("[odd] title", results))
    return console.file.getvalue()  # pyright: ignore[reportAttributeAccessIssue]


def test_measured_rows_are_there_and_no_others() -> None:
    text = shown({**MEASURED, **PROTOCOL})
    rows = [line.strip() for line in text.splitlines() if "nats" in line]
    assert "[odd] title" in text
    assert len(rows) == 4
    assert "500 importance samples" in rows[0]
    assert "86.54 ± 0.22 nats" in rows[0]
    assert "90.90 ± ? nats" in rows[1]  # one example has no spread
    assert "ln 1,040" in rows[3]
    assert "6.90 of 6.95 nats" in rows[3]


@pytest.mark.parametrize(("psnr", "expected"), [({"psnr_db": 22.83}, "PSNR 22.8"), ({}, "raw")])
def test_error_has_a_peak_only_where_values_have_a_range(
    psnr: dict[str, float], expected: str
) -> None:
    text = shown({"mse": 0.0052, **psnr, **PROTOCOL})
    assert expected in text
    assert text.count("MSE") == 1


def test_protocol_has_its_notes() -> None:
    lines = protocol_lines(PROTOCOL).splitlines()
    assert lines == [
        "test split of 100/-/40, 1,040 examples, values [none], seed 3",
        "evaluation took 1 min 1 s",
        "note: Beware of [this].",
    ]


def test_a_file_gets_a_line_when_a_measure_begins() -> None:
    console = Console(file=io.StringIO())
    with measuring(console, has_bar=False) as told:
        for share in (0.1, 0.5, 1.0):
            told("first", share)
        told("second", 0.0)
    lines = console.file.getvalue().splitlines()  # pyright: ignore[reportAttributeAccessIssue]
    assert lines == ["first, 10%", "second"]


def test_a_terminal_gets_a_bar() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=100)
    with measuring(console, has_bar=True) as told:
        told("first", 0.25)
        told("second", 1.0)
    text = console.file.getvalue()  # pyright: ignore[reportAttributeAccessIssue]
    assert "second" in text
    assert "100 %" in text
