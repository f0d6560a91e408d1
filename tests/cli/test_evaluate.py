"""`vaekit evaluate`, in process: own data, a file, JSON, and every mistake."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from artifacts.tampering import V1
from typer.testing import CliRunner

from vaekit.cli.main import app
from vaekit.errors import ArtifactError, DataError, SpecError, VaekitError
from vaekit.evaluation import EvaluationSpec, evaluate
from vaekit.export import load

MODEL = str(V1 / "artifact")
QUICK = ("--samples", 5, "--amortization", 0)


def run(*arguments: object) -> str:
    given = ["evaluate", *map(str, arguments)]
    result = CliRunner().invoke(app, given, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def as_json(*arguments: object) -> dict[str, Any]:
    return json.loads(run(*arguments, "--json"))


def test_json_is_what_evaluate_says() -> None:
    artifact = load(MODEL)
    spec = EvaluationSpec(num_samples=5, examples=30, seed=3, amortization_examples=0)
    expected = evaluate(artifact.model, artifact.dataset, artifact.transform, spec)
    found = as_json(MODEL, *QUICK, "--examples", 30, "--seed", 3)
    del found["evaluation_seconds"], expected["evaluation_seconds"]
    assert found == expected
    assert found["data_fingerprint"] == artifact.data["fingerprint"]


def test_without_choices_the_recipe_decides() -> None:
    evaluation = load(MODEL).recipe["evaluation"]
    found = as_json(MODEL)
    assert found["num_samples"] == evaluation["num_samples"]
    assert found["split"] == evaluation["split"]


def test_split_is_the_one_asked_for() -> None:
    assert as_json(MODEL, *QUICK, "--split", "validation")["split"] == "validation"


def test_a_file_is_measured_as_the_same_rows_are(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", load(MODEL).dataset.split("test").rows(0, 20).x.numpy())
    of_file = as_json(MODEL, tmp_path / "x.npy", *QUICK)
    own = as_json(MODEL, *QUICK, "--examples", 20)
    for key in ("nll_nats", "elbo_nats", "mse", "active_units"):
        assert of_file[key] == own[key]
    assert of_file["data"] == "x.npy"
    assert of_file["data_fingerprint"] != own["data_fingerprint"]
    assert "pca_mse" not in of_file  # nothing to fit it on


def test_annealed_importance_sampling_on_demand() -> None:
    found = as_json(MODEL, *QUICK, "--ais", 2)
    assert found["ais_examples"] == 2
    # A latent space of two dimensions: 500 temperatures leave little, 5 samples are a bound.
    assert found["ais_sandwich_nats"] < 1


def test_table_has_its_protocol() -> None:
    text = run(MODEL, *QUICK)
    assert "NLL, 5 importance samples" in text
    assert "test split of 1297/250/250" in text


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ([MODEL, "--samples", 0], SpecError, "--samples"),
        ([MODEL, "--amortization", -1], SpecError, "--amortization"),
        ([MODEL, "--ais", 0], SpecError, "--ais"),
        ([MODEL, "--split", "dev"], SpecError, "--split"),
        ([MODEL, "{folder}/empty.npy"], DataError, "no examples"),
        ([MODEL, "{folder}/shape.npy"], DataError, "shape"),
        ([MODEL, "{folder}/range.npy"], DataError, "outside its range"),
        ([MODEL, "{folder}/missing.npy"], DataError, "no such file"),
        (["{folder}"], ArtifactError, "no artifact here"),
        (["{folder}/training"], ArtifactError, "no artifact yet"),
    ],
)
def test_mistakes(
    arguments: list[object], error: type[VaekitError], message: str, tmp_path: Path
) -> None:
    np.save(tmp_path / "empty.npy", np.zeros((0, 1, 8, 8), np.uint8))
    np.save(tmp_path / "shape.npy", np.zeros((3, 1, 8, 9), np.uint8))
    np.save(tmp_path / "range.npy", np.full((3, 1, 8, 8), 99, np.uint8))
    (tmp_path / "training").mkdir()
    (tmp_path / "training" / "recipe.toml").touch()
    given = [str(argument).format(folder=tmp_path) for argument in arguments]
    with pytest.raises(error, match=message):
        run(*given)


def test_too_few_samples_to_compare_are_refused() -> None:
    with pytest.raises(SpecError, match="at least 100"):
        run(MODEL, *QUICK, "--sample-quality", 5)


def test_sample_quality_that_is_not_defined_is_said() -> None:
    found = as_json(MODEL, *QUICK, "--sample-quality", 100, "--examples", 20)
    assert any("Sample quality was not measured" in note for note in found["notes"])
