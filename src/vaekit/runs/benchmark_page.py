"""A benchmark on disk: JSON with everything, CSV to compute with, Markdown to show."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vaekit.recipes import Benchmark
from vaekit.runs.benchmark_rows import Row
from vaekit.runs.folder import write, write_json, written_to
from vaekit.runs.table import markdown, write_csv


def write_benchmark(
    benchmark: Benchmark, found: Sequence[Row], folder: Path, json_file: Path | None = None
) -> list[Path]:
    """Writes benchmark.json, .csv and .md into a folder; returns where they are.

    Args:
        benchmark: What was measured.
        found: A row for each entry.
        folder: Of the runs; it is made if need be.
        json_file: Where the JSON goes instead.
    """
    whole = json_file or folder / "benchmark.json"
    for place in (folder, whole.parent):
        with written_to(place):
            place.mkdir(parents=True, exist_ok=True)
    tree = {
        "benchmark": benchmark.name,
        "description": benchmark.description,
        "protocol": benchmark.protocol.model_dump(mode="json", exclude_none=True),
        "entries": [row.as_json() for row in found],
    }
    write_json(whole, tree)
    page = folder / "benchmark.md"
    write(page, benchmark_markdown(found) + "\n")
    return [whole, write_csv(folder / "benchmark.csv", [_numbers(row) for row in found]), page]


def benchmark_markdown(found: Sequence[Row]) -> str:
    """The table, with everything that has to stand beside a number."""
    return markdown([_words(row) for row in found])


def _words(row: Row) -> dict[str, str]:
    entry = row.entry
    published = entry.published
    is_not_made = row.mean is None
    ours = "not run" if is_not_made else f"**{row.mean:.2f}**"
    if row.spread is not None:
        ours += f" ± {row.spread:.2f} ({row.spread_in_words})"
    return {
        "recipe": f"`{row.name}`",
        "published": f"{published.value:.2f}: {published.model}; {published.source}; "
        f"{published.protocol}"
        if published
        else "",
        "must, aim": ", ".join(f"{x:g}" for x in (entry.must, entry.aim) if x is not None),
        "ours": ours,
        "reached": "" if is_not_made else row.verdict,
        "protocol": "; ".join(filter(None, [row.protocol_in_words, *row.deviations])),
        "training": minutes(row.training_seconds),
        "machine": "; ".join(dict.fromkeys(run.machine for run in row.runs)),
    }


def _numbers(row: Row) -> dict[str, Any]:
    entry = row.entry
    return {
        "recipe": row.name,
        "measure": entry.measure,
        "published": entry.published.value if entry.published else None,
        "source": entry.published.source if entry.published else None,
        "must": entry.must,
        "aim": entry.aim,
        "ours": row.mean,
        "spread": row.spread,
        "spread_is": row.spread_in_words,
        "verdict": row.verdict,
        "protocol": row.protocol_in_words,
        "training_seconds": row.training_seconds,
        "machine": "; ".join(dict.fromkeys(run.machine for run in row.runs)),
    }


def minutes(seconds: float | None) -> str:
    """A duration as a table has it.

    Example:
        >>> minutes(754.2), minutes(9.04), minutes(None)
        ('12.6 min', '9.0 s', '')
    """
    if seconds is None:
        return ""
    return f"{seconds / 60:.1f} min" if seconds >= 60 else f"{seconds:.1f} s"
