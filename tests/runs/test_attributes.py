"""A model told how bright and of which kind an example is, from arrays to samples on demand."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from artifacts.tampering import change_json
from typer.testing import CliRunner

import vaekit
from vaekit.artifacts import Serving
from vaekit.cli.main import app
from vaekit.errors import ArtifactError, SpecError
from vaekit.export import Artifact
from vaekit.recipes import load_recipe
from vaekit.runs import Run, open_run, train

RECIPE = """
[data]
kind = "arrays"
path = "{folder}/x.npz"
key = "x"
event = "image"
attributes = ["bright", "side"]
categorical = ["side"]
[transform]
kind = "grey"
condition = ["bright", "side"]
[model]
kind = "vae"
latent_dim = 2
encoder = {{ kind = "mlp", hidden = [16] }}
decoder = {{ kind = "mlp", hidden = [32] }}
prior = {{ kind = "conditional_gaussian", hidden = [8] }}
likelihood = {{ kind = "gaussian" }}
[objective]
kind = "elbo"
[training]
epochs = 30
batch_size = 32
threads = 1
optimizer = {{ kind = "adam", learning_rate = 5e-3 }}
[evaluation]
num_samples = 10
amortization_examples = 5
ais = {{ examples = 2, temperatures = 10 }}
"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Images whose left or right half has the brightness that is told, and noise elsewhere."""
    folder = tmp_path_factory.mktemp("attributes")
    source = np.random.default_rng(0)
    bright, side = source.uniform(60, 240, 400), source.integers(0, 2, 400)
    x = source.integers(0, 30, (400, 4, 4))
    for half in range(2):
        chosen = side == half
        x[chosen, :, 2 * half : 2 * half + 2] += bright[chosen, None, None].astype(int) - 15
    np.savez(folder / "x.npz", x=x.astype(np.uint8), bright=bright, side=side)
    (folder / "bright.toml").write_text(RECIPE.format(folder=folder))
    train(load_recipe(folder / "bright.toml"), folder / "run")
    return folder / "run"


@pytest.fixture(scope="module")
def model(finished: Path) -> Artifact:
    return vaekit.load(finished)


@pytest.fixture(scope="module")
def run(finished: Path) -> Run:
    return open_run(finished)


def test_samples_are_as_bright_as_was_asked(model: Artifact) -> None:
    asked = np.tile(np.linspace(80, 220, 8), 8)
    for side in range(2):
        drawn = model.sample(64, seed=1, condition={"bright": asked, "side": side})
        halves = drawn[:, 0].reshape(64, 4, 2, 2).mean((1, 3))
        # A step of eight is 20 levels; without a condition the error would be 45, by chance.
        assert np.abs(halves[:, side] - asked).mean() < 12
        assert np.abs(halves[:, 1 - side] - 15).mean() < 12


def test_it_is_measured_drawn_and_reported(finished: Path, run: Run) -> None:
    results = run.results
    assert results is not None
    assert np.isfinite([results["nll_nats"], results["ais_nll_nats"]]).all()
    assert results["mutual_information_nats"] >= 0
    assert "aggregate_kl_nats" not in results  # q(z) has no one prior to be compared with
    assert {p.stem for p in (finished / "figures").glob("*.png")} >= {"samples", "traversals"}
    page = (finished / "report.html").read_text()
    assert "bright (a number), side (2 classes)" in page
    assert "Each ten go through one condition" in page


def test_the_artifact_knows_its_conditions(model: Artifact, run: Run) -> None:
    assert model.serving.conditions == run.transform.conditions
    bright, side = model.serving.conditions
    train_rows = run.dataset.split("train").rows(0, len(run.dataset.split("train")))
    assert train_rows.attributes is not None
    seen = train_rows.attributes[:, 0].double()
    assert bright.mean == pytest.approx(seen.mean().item(), rel=1e-6)
    assert bright.std == pytest.approx(seen.std(correction=0).item(), rel=1e-6)
    assert (bright.low, bright.high) == (seen.min().item(), seen.max().item())
    assert (side.name, side.num_classes) == ("side", 2)
    assert "bright=" in model.card
    again = Serving.model_validate_json(model.serving.model_dump_json(by_alias=True))
    assert again == model.serving


def test_the_artifact_answers_as_the_model(model: Artifact, run: Run) -> None:
    rows = run.dataset.split("test").rows(0, 6)
    told = model.conditions_of(rows)
    shown = run.transform.expected(rows)
    with torch.no_grad():
        expected = run.model.embed(shown).numpy()
    # The same sums, of other batches, in float32.
    np.testing.assert_allclose(model.encode(rows.x, told), expected, rtol=1e-4, atol=1e-5)
    other = {"bright": 70.0, "side": told["side"] if told else 0}
    assert not np.allclose(model.encode(rows.x, other), expected, atol=1e-3)
    x = rows.x.numpy()
    assert np.isfinite(model.score(x, 5, condition=told)["elbo_nats"]).all()
    assert model.interpolate(x, x[::-1], 3, told).shape == (6, 3, 1, 4, 4)
    assert model.traverse(x, [0], steps=3, condition=told).shape == (6, 1, 3, 1, 4, 4)


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (None, "needs to know the bright"),
        ({"bright": 100}, "needs to know the side"),
        ({"bright": 100, "side": 0, "label": 1}, "not conditioned on 'label'"),
        ({"bright": float("nan"), "side": 0}, "does not know this bright"),
        ({"bright": "very", "side": 0}, "does not know this bright"),
        ({"bright": 100, "side": 2}, "from 0 to 1"),
    ],
)
def test_what_is_missing_or_unknown_is_refused(
    model: Artifact, told: dict[str, object] | None, said: str
) -> None:
    with pytest.raises(SpecError, match=said):
        model.sample(2, condition=told)


def _called(*arguments: object) -> str:
    result = CliRunner().invoke(app, list(map(str, arguments)), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_on_the_command_line(finished: Path, model: Artifact, tmp_path: Path) -> None:
    both = ("--condition", "bright=200.5", "--condition", "side=1")
    _called("sample", finished, "-n", 3, "--seed", 2, *both, "-o", tmp_path / "x.npz")
    expected = model.sample(3, 2, condition={"bright": 200.5, "side": 1})
    np.testing.assert_array_equal(np.load(tmp_path / "x.npz")["x"], expected)
    _called("encode", finished, "--examples", 5, "-o", tmp_path / "own.npz")
    rows = model.dataset.split("test").rows(0, 5)
    known = model.conditions_of(rows)
    assert known is not None
    codes = model.encode(rows.x, known)
    np.testing.assert_array_equal(np.load(tmp_path / "own.npz")["z"], codes)
    # What is not said of the model's own data is known.
    _called(
        "encode", finished, "--examples", 5, "--condition", "bright=90", "-o", tmp_path / "one.npz"
    )
    codes = model.encode(rows.x, {**known, "bright": 90})
    np.testing.assert_array_equal(np.load(tmp_path / "one.npz")["z"], codes)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["bright=1"], "needs to know the side"),
        (["bright=nan", "side=1"], "finite numbers"),
        (["bright=bright", "side=1"], "cannot be understood"),
        (["bright"], "no '='"),
        (["bright=1", "bright=2", "side=0"], "said twice"),
        (["bright=1", "side=0.5"], "does not know this side"),
    ],
)
def test_the_command_line_refuses(
    finished: Path, tmp_path: Path, options: list[str], said: str
) -> None:
    told = [part for option in options for part in ("--condition", option)]
    with pytest.raises(SpecError, match=said):
        _called("sample", finished, *told, "-o", tmp_path / "x.npz")
    assert not list(tmp_path.iterdir())


def test_serving_that_says_other_moments_is_refused(finished: Path, tmp_path: Path) -> None:
    """What a caller says is encoded as the model was trained, or not at all."""
    copy = tmp_path / "copy"
    shutil.copytree(finished / "artifact", copy)
    change_json(copy, "serving.json", _shift_the_mean)
    with pytest.raises(ArtifactError, match="key conditions"):
        vaekit.load(copy)


def _shift_the_mean(serving: dict[str, Any]) -> None:
    serving["conditions"][0]["mean"] += 1
