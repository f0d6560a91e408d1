"""Tasks: done once, by one process or by several."""

from pathlib import Path

import pytest

from vaekit.studies.dynamics import Places, missing, perform_all
from vaekit.studies.dynamics.linear import LinearCheck
from vaekit.studies.dynamics.results import read_result

SHORT = LinearCheck(step_size=0.1, duration=0.3, betas=(1.0,))


def test_a_task_leaves_its_file_and_is_done(tmp_path: Path) -> None:
    places = Places(tmp_path / "out", tmp_path / "work")
    assert list(perform_all([SHORT], places)) == [SHORT]
    assert read_result(places.result(SHORT))["settings"] == SHORT.settings
    assert missing([SHORT, SHORT], places) == []


@pytest.mark.slow
def test_processes_leave_the_same_files(tmp_path: Path) -> None:
    alone, shared = (Places(tmp_path / name, tmp_path / "work") for name in ("one", "two"))
    list(perform_all([SHORT], alone))
    assert list(perform_all([SHORT], shared, jobs=2)) == [SHORT]
    assert read_result(alone.result(SHORT)) == read_result(shared.result(SHORT))
