"""The study as a whole, on digits: it trains, goes on, reports, and says that it was quick."""

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from vaekit.cli.main import app
from vaekit.errors import SpecError
from vaekit.studies.aevb import cells as numbers
from vaekit.studies.aevb import setting as parts
from vaekit.studies.aevb import train as training
from vaekit.studies.aevb.curve import bound

PAGE = "\n".join(
    f"<!-- begin {name} -->\n<!-- end {name} -->"
    for name in ("verdicts", "bounds", "published", "likelihoods", "starts", "speed")
)


def test_an_unknown_part_is_named() -> None:
    with pytest.raises(SpecError, match="no such part"):
        CliRunner().invoke(app, ["study", "aevb", "--only", "figure9"], catch_exceptions=False)


@pytest.mark.slow
def test_a_quick_study_goes_on_and_fills_a_page(
    digits: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    grey = {"data": {"kind": "digits"}, "transform": {"kind": "dequantize"}}
    monkeypatch.setitem(parts._DATA, "frey_faces", grey)
    monkeypatch.setattr(numbers, "LIKELIHOOD_IMAGES", (1000, 1200))  # digits are fewer
    monkeypatch.setattr(training, "marginal_likelihood", lambda model, shown: bound(model, shown))
    page = tmp_path / "page.md"
    page.write_text(PAGE, encoding="utf-8")
    folder = tmp_path / "study"
    words = ["study", "aevb", "--quick", "--samples", "1500", "--output", str(folder)]
    words += ["--page", str(page)]
    done = CliRunner().invoke(app, words, catch_exceptions=False)
    assert done.exit_code == 0
    files = {f.name: f.stat().st_mtime_ns for f in (folder / "cells").glob("*.json")}
    # Eight of the bound, six of the likelihood, three more of manifolds, four of starts.
    assert len(files) == 8 + 6 + 3 + 4
    for name in ("figure2.png", "figure3.png", "figure4.png", "figure5.png", "tables.md"):
        assert (folder / name).is_file()
    text = page.read_text(encoding="utf-8")
    assert "AEVB reaches a better solution" in text
    CliRunner().invoke(app, [*words, "--only", "figure2"], catch_exceptions=False)
    assert files == {f.name: f.stat().st_mtime_ns for f in (folder / "cells").glob("*.json")}
    assert page.read_text(encoding="utf-8") == text
    # Figures need no model: numbers and sheets are enough.
    shutil.rmtree(folder / "work")
    drawn = {name: (folder / name).read_bytes() for name in ("figure2.png", "figure4.png")}
    for name in drawn:
        (folder / name).unlink()
    CliRunner().invoke(app, [*words, "--report-only"], catch_exceptions=False)
    assert drawn == {name: (folder / name).read_bytes() for name in drawn}
