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


def test_samples_are_shown_beside_their_floor_and_codes_beside_chance() -> None:
    quality = {
        "mnist_fid": 54.07, "mnist_fid_floor": 3.63, "sample_quality_samples": 10_000,
        "sample_precision": 0.59, "sample_recall": 0.87, "sample_precision_of_train": 0.9,
        "sample_recall_of_train": 0.91, "class_coverage": 0.98, "class_coverage_data": 1.0,
        "classifier_accuracy": 0.9895,
    }  # fmt: skip
    scores = {"mig": 0.157, "factor_vae_score": 0.705, "factors": ["shape", "x", "y", "scale"]}
    lines = [line.split("  ") for line in shown({**quality, **scores, **PROTOCOL}).splitlines()]
    rows = {line[0].strip() or line[1].strip(): line[-1].strip() for line in map(_words, lines)}
    assert rows["mnist_fid, 10,000 samples"] == "54.07"
    assert rows["precision; recall of samples"] == "0.590; 0.870"
    assert rows["accuracy of the classifier behind these"] == "0.9895"
    assert rows["FactorVAE score, chance 0.25"] == "0.705"
    assert not any("Frechet" in name or "SAP" in name for name in rows)


def _words(parts: list[str]) -> list[str]:
    return [part for part in parts if part.strip()] or ["", ""]


def test_a_classifier_that_met_no_labels_has_no_accuracy() -> None:
    text = shown({"class_coverage": 0.9, "class_coverage_data": 0.9, "classifier_accuracy": None})
    assert "class coverage" in text
    assert "accuracy" not in text
