"""The proof as a table: what was measured over seeds, and what becomes of each failure.

A failure is proved where its check was named first under every seed, where the remedy brought the
statistic back to the right side of its threshold, by the stated factor at least, and where no
healthy recipe comes near. Nobody writes a verdict by hand.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

from vaekit.diagnosis.proof import CASES, Case, Cell, read_cells
from vaekit.runs.folder import write_json

Row: TypeAlias = dict[str, Any]


def proof_table(folder: Path, seeds: Sequence[int], names: Sequence[str] = ()) -> Row:
    """Everything that was measured, as JSON.

    Args:
        folder: Of the runs.
        seeds: Of every case.
        names: Of the cases; all if empty.
    """
    cells = read_cells(folder, names or [case.name for case in CASES], seeds)
    sound = [cell for cell in cells if cell.stage == "healthy"]
    return {
        "seeds": list(seeds),
        "failures": [
            _failure(case, [cell for cell in cells if cell.case == case.name], sound)
            for case in CASES
            if case.expected is not None and any(cell.case == case.name for cell in cells)
        ],
        "healthy": [
            {
                "case": case.name,
                "what": case.provoked_by,
                "named": {cell.seed: cell.named for cell in sound if cell.case == case.name},
            }
            for case in CASES
            if case.expected is None and any(cell.case == case.name for cell in sound)
        ],
    }


def write_proof(folder: Path, seeds: Sequence[int]) -> Path:
    """Writes the table; returns where it is."""
    file = folder / "failure_modes.json"
    write_json(file, proof_table(folder, seeds))
    return file


def _failure(case: Case, cells: Sequence[Cell], sound: Sequence[Cell]) -> Row:
    check = case.expected or ""
    failing = [cell for cell in cells if cell.stage == "failing"]
    mended = [cell for cell in cells if cell.stage == "remedied"]
    known = [found for cell in cells if (found := cell.statistic(check)) is not None]
    after = {cell.seed: cell for cell in mended}
    statistic = known[0] if known else {"name": "", "threshold": 0.0, "bad": "above"}
    row: Row = {
        "case": case.name,
        "check": check,
        "provoked_by": case.provoked_by,
        "statistic": statistic["name"],
        "threshold": statistic["threshold"],
        "bad": statistic["bad"],
        "factor": case.factor,
        "seeds": [cell.seed for cell in failing],
        "failing": [_value(cell, check) for cell in failing],
        "remedied": [_value(after.get(cell.seed), check) for cell in failing],
        "healthy": [v for cell in sound if (v := _value(cell, check)) is not None],
        "named": [cell.named for cell in failing],
        "explained": sorted({name for cell in failing for name in cell.content["explained"]}),
        "named_after_remedy": [
            after[cell.seed].named if cell.seed in after else None for cell in failing
        ],
        "remedy": failing[0].content["remedy"] if failing else [],
    }
    row["verdict"] = verdict(row)
    return row


def verdict(row: Row) -> str:
    """What the numbers of a failure say.

    Example:
        >>> row = {"check": "a", "bad": "above", "threshold": 1.0, "factor": 1.0,
        ...        "named": [["a"]], "failing": [2.0], "remedied": [0.5], "healthy": [0.1]}
        >>> verdict(row), verdict({**row, "remedied": [1.5]})
        ('proved', 'not proved: the remedy did not help under 1 of 1 seeds')
    """
    problems = []
    unnamed = sum(named[:1] != [row["check"]] for named in row["named"])
    if unnamed:
        problems.append(f"not named first under {unnamed} of {len(row['named'])} seeds")
    pairs = zip(row["failing"], row["remedied"], strict=True)
    count = sum(
        _is_bad(row, after) or not _is_better(row, before, after) for before, after in pairs
    )
    if count:
        problems.append(f"the remedy did not help under {count} of {len(row['failing'])} seeds")
    alarms = sum(_is_bad(row, value) for value in row["healthy"])
    if alarms:
        problems.append(f"{alarms} of {len(row['healthy'])} healthy runs are beyond the threshold")
    return f"not proved: {'; '.join(problems)}" if problems else "proved"


def _value(cell: Cell | None, check: str) -> float | None:
    """The statistic of a run; None where it is not finite, or there is none."""
    found = None if cell is None else cell.statistic(check)
    return None if found is None else found["value"]


def _is_bad(row: Row, value: float | None) -> bool:
    """Whether a value, None where it is not finite, is on the wrong side."""
    if value is None:
        return True
    return value > row["threshold"] if row["bad"] == "above" else value < row["threshold"]


def _is_better(row: Row, before: float | None, after: float | None) -> bool:
    """Whether a value is better by the factor that was stated."""
    if after is None:
        return False
    if before is None:
        return True
    if row["bad"] == "above":
        return after * row["factor"] <= before
    return after >= before * row["factor"]
