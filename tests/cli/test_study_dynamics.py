"""`vaekit study dynamics` at the door: what it refuses, and a quick run as a whole."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def study(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "COLUMNS": "100", "NO_COLOR": "1"}
    return subprocess.run(
        [sys.executable, "-m", "vaekit", "study", "dynamics", *arguments],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--betas", "1,x"),
        ("--seeds", "-1"),
        ("--data", "colour"),
        ("--only", ""),
        ("--betas", "-1"),
    ],
)
def test_options_that_cannot_be_used(tmp_path: Path, option: str, value: str) -> None:
    done = study(f"{option}={value}", cwd=tmp_path)
    assert done.returncode == 2
    assert option in done.stderr
    assert "Traceback" not in done.stderr


def test_nothing_to_report(tmp_path: Path) -> None:
    done = study("--report-only", cwd=tmp_path)
    assert done.returncode == 4
    assert "no results" in done.stderr


@pytest.mark.slow
@pytest.mark.network
def test_a_quick_run(tmp_path: Path) -> None:
    """On MNIST: every part once, figures and verdicts, and nothing twice."""
    done = study("--quick", "--output", "out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    tree = json.loads((tmp_path / "out" / "verdict.json").read_text())
    (grid,) = tree["grids"]
    assert grid["claims"][0]["ruling"] == "supported"  # even an epoch shrinks the variance
    assert tree["quick"]
    names = {path.name for path in (tmp_path / "out" / "figures").iterdir()}
    assert len(names) == 8
    again = study("--quick", "--output", "out", cwd=tmp_path)
    assert "7 of 7 tasks are there" in again.stdout
