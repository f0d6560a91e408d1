"""A VAE with each prior and each posterior: trained, measured, exported, run and reported."""

import math
from pathlib import Path

import numpy as np
import pytest
from pydantic import TypeAdapter
from runs.small_recipe import small_recipe
from typer.testing import CliRunner

import vaekit
from vaekit.cli.main import app
from vaekit.posteriors import PosteriorSpec
from vaekit.priors import PriorSpec
from vaekit.runs import Run, train

# Read off the unions, so that a new kind is walked without a new line here.
PRIORS, POSTERIORS = (
    TypeAdapter(union).json_schema()["discriminator"]["mapping"]
    for union in (PriorSpec, PosteriorSpec)
)
PARTS = [
    (part, kind)
    for part, kinds in (("prior", PRIORS), ("posterior", POSTERIORS))
    for kind in kinds
    # tests/runs/test_conditional.py walks the conditional one, which needs a condition.
    if kind not in ("standard_normal", "diagonal_gaussian", "conditional_gaussian")
]
MEASURED = (
    "evaluation.amortization_examples=3",
    "evaluation.ais.examples=3",
    "evaluation.ais.chains=2",
    "evaluation.ais.temperatures=5",
    "evaluation.ais.leapfrog_steps=2",
    "training.epochs=3",
    "training.precision=bfloat16",
)
SMALLER = {
    "mixture": ("components=5",),
    "real_nvp": ("layers=2", "hidden=[8]"),
    "vamp": ("components=20",),
}


@pytest.fixture(scope="module", params=PARTS, ids=lambda chosen: chosen[1])
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Run:
    part, kind = request.param
    settings = [f"model.{part}.kind={kind}"]
    settings += [f"model.{part}.{setting}" for setting in SMALLER.get(kind, ())]
    folder = tmp_path_factory.mktemp("runs") / kind
    return train(small_recipe(*settings, *MEASURED), folder)


def vaekit_cli(*arguments: object) -> str:
    result = CliRunner().invoke(app, list(map(str, arguments)), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_what_is_measured_is_finite(run: Run) -> None:
    results = run.results
    assert results is not None
    for key in ("elbo_nats", "nll_nats", "kl_nats", "amortization_gap_nats", "ais_nll_nats"):
        assert math.isfinite(results[key]), key
    assert not any("not finite" in note for note in results["notes"])
    assert results["elbo_nats"] < -results["nll_nats"]
    assert results["latent_dim"] == 2
    assert len(results["kl_nats_per_layer"]) == 1
    assert "sharpness_samples" in results


def test_what_is_not_defined_is_left_out_and_said(run: Run) -> None:
    results, choices = run.results or {}, run.recipe.model_dump()["model"]
    of_flow = choices["posterior"]["kind"] == "inverse_autoregressive_flow"
    is_diagonal = choices["posterior"]["kind"] == "diagonal_gaussian"
    assert ("active_units" in results) != of_flow
    assert ("mutual_information_nats" in results) == is_diagonal
    assert any("left out" in note for note in results["notes"]) != is_diagonal
    # With one number for the layer there is nothing to tell of single dimensions.
    splits = is_diagonal and choices["prior"]["kind"] in ("laplace", "spike_and_slab")
    assert ("kl_nats_per_dimension" in results) == splits
    assert ("hoyer_sparsity" in results) == (results.get("active_units", 0) > 1)
    drawn = {file.stem for file in (run.folder / "figures").glob("*.png")}
    assert {"samples", "reconstructions", "traversals", "latent_map"} <= drawn
    assert ("kl_bars" in drawn) == splits
    variance = run.artifact.reference.latent.posterior_variance
    assert (variance is None) == of_flow


def test_the_artifact_answers_as_the_run_does(run: Run) -> None:
    artifact = vaekit.load(run.folder / "artifact")
    x = run.dataset.split("test").rows(0, 5).x.numpy()
    assert np.array_equal(artifact.encode(x), run.artifact.encode(x))
    scores = artifact.score(x, num_samples=4)
    assert all(np.isfinite(values).all() for values in scores.values())
    first = artifact.score(x[:2], num_samples=4)["elbo_nats"]
    assert np.allclose(scores["elbo_nats"][:2], first, rtol=1e-4, atol=1e-4)
    many, few = artifact.sample(20, seed=3), artifact.sample(4, seed=3)
    assert np.allclose(many[:4], few, rtol=1e-4, atol=1e-4)
    assert np.isfinite(many).all()
    assert many.std(0).max() > 0


def test_every_verb_works(run: Run, tmp_path: Path) -> None:
    shown = ("--examples", 4)
    for verb in ("encode", "reconstruct", "score"):
        vaekit_cli(verb, run.folder, *shown, "--output", tmp_path / f"{verb}.npz")
    vaekit_cli("decode", run.folder, tmp_path / "encode.npz", "--output", tmp_path / "x.npz")
    vaekit_cli("sample", run.folder, "-n", 4, "--output", tmp_path / "sample.npz")
    with np.load(tmp_path / "score.npz") as scores:
        assert all(np.isfinite(scores[name]).all() for name in scores.files)
    few = ("--samples", 5, "--amortization", 0)
    assert "nll_nats" in vaekit_cli("evaluate", run.folder, "--json", *few, *shown)
    vaekit_cli("interpolate", run.folder, *shown, "--output", tmp_path / "lines.npz")
    vaekit_cli("traverse", run.folder, "--output", tmp_path / "walk.npz")
    assert run.has_report
    kind = run.recipe.model_dump()["model"]
    card = run.artifact.card
    assert kind["prior"]["kind"].replace("_", " ") in card
    assert kind["posterior"]["kind"].replace("_", " ") in card
