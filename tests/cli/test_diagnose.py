"""`vaekit diagnose`, in process: a run, an artifact alone, JSON, exit codes, every mistake."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from runs.small_recipe import vector_recipe
from typer.testing import CliRunner

from vaekit.cli.diagnose import WIDTH
from vaekit.cli.main import app
from vaekit.diagnosis import CHECKS
from vaekit.errors import ArtifactError, DivergenceError, SpecError, VaekitError
from vaekit.recipes import load_recipe
from vaekit.runs import fit, prepare


def invoked(*arguments: object) -> Any:
    given = ["diagnose", *map(str, arguments)]
    return CliRunner().invoke(app, given, catch_exceptions=False)


WARMUP = 'objective.beta={ kind = "linear", warmup_epochs = 90 }'


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose warm-up is longer than its training; without labels, so without a classifier."""
    folder = tmp_path_factory.mktemp("runs")
    recipe = load_recipe(vector_recipe(folder), [WARMUP])
    fit(*prepare(recipe, folder / "short")).export()
    return folder / "short"


def test_findings_are_read_at_eighty_columns(run: Path, tmp_path: Path) -> None:
    result = invoked(run, "--output", tmp_path / "d")
    assert result.exit_code == 0
    text = result.stdout
    assert "CRITICAL: Warm-up is longer than training" in text
    assert "--set objective.beta.warmup_epochs=1" in text
    prose = [line for line in text.splitlines() if str(tmp_path) not in line]
    assert all(len(line) <= WIDTH for line in prose if not line.startswith("    "))
    assert "Not looked for:" in text
    assert (tmp_path / "d" / "index.html").is_file()
    assert (tmp_path / "d" / "warmup.png").is_file()


def test_the_command_that_is_printed_can_be_run(run: Path, tmp_path: Path) -> None:
    text = invoked(run, "--json", "--output", tmp_path / "d").stdout
    (first, *_) = json.loads(text)["findings"]
    assert first["check"] == "warmup"
    assert first["remedy"]["command"].startswith(f"vaekit train {run}/recipe.toml --set ")
    mended = load_recipe(run / "recipe.toml", first["remedy"]["settings"])
    assert mended.objective.model_dump()["beta"]["warmup_epochs"] == 1


def test_files_lie_in_the_run_by_default(run: Path) -> None:
    assert invoked(run, "--json").exit_code == 0
    assert (run / "diagnosis" / "findings.json").is_file()


def test_findings_fail_where_that_is_asked_for(run: Path, tmp_path: Path) -> None:
    assert invoked(run, "--fail-on-findings", "--output", tmp_path).exit_code == 1


def test_every_check_is_in_the_answer(run: Path, tmp_path: Path) -> None:
    tree = json.loads(invoked(run, "--json", "--output", tmp_path).stdout)
    kinds = ("findings", "explained", "healthy", "not_checked")
    assert sorted(item["check"] for kind in kinds for item in tree[kind]) == sorted(
        check.name for check in CHECKS
    )


def test_an_artifact_alone_has_no_log(run: Path, tmp_path: Path) -> None:
    artifact = tmp_path / "model"
    shutil.copytree(run / "artifact", artifact)
    before = sorted(path.name for path in artifact.iterdir())
    text = " ".join(invoked(artifact).stdout.split())
    assert "there is no log of training (metrics.jsonl)" in text
    assert "Warm-up is longer than training" in text  # the recipe says so
    written = load_recipe(tmp_path / "model-diagnosis" / "recipe.toml")
    assert written.model == load_recipe(run / "recipe.toml").model
    # Nothing was written into what is verified as a whole.
    assert sorted(path.name for path in artifact.iterdir()) == before


def no_model(folder: Path, run: Path) -> list[str]:
    shutil.copytree(run, folder / "r")
    for name in ("checkpoint", "artifact"):
        shutil.rmtree(folder / "r" / name)
    return [str(folder / "r")]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (lambda folder, run: [], SpecError, "nothing to diagnose"),
        (lambda folder, run: [folder], ArtifactError, ""),
        (lambda folder, run: [folder / "absent"], ArtifactError, ""),
        (no_model, ArtifactError, "artifact/ or checkpoint/"),
        (lambda folder, run: ["--prove", "--only", "nonsense"], SpecError, "no such case"),
    ],
)
def test_mistakes(arguments, error: type[VaekitError], message: str, tmp_path, run) -> None:
    with pytest.raises(error) as found:
        invoked(*arguments(tmp_path, run))
    assert message in str(found.value)


def test_a_run_that_diverged_is_opened(tmp_path: Path) -> None:
    settings = ["training.optimizer.learning_rate=1e9", "training.epochs=20"]
    recipe = load_recipe(vector_recipe(tmp_path), settings)
    with pytest.raises(DivergenceError):
        fit(*prepare(recipe, tmp_path / "r"))
    tree = json.loads(invoked(tmp_path / "r", "--json").stdout)
    assert tree["findings"][0]["check"] == "diverged"
    assert tree["findings"][0]["statistic"]["value"] is None
