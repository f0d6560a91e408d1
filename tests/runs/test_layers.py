"""Models of several stochastic layers, through everything that a run does."""

import numpy as np
import pytest
from runs.small_recipe import small_recipe

import vaekit
from vaekit.recipes import Recipe
from vaekit.runs import Run, train

KINDS = {
    "hierarchical": (
        "model.kind=hierarchical_vae",
        "model.latent_dims=[4, 3]",
        "model.between.hidden=[8]",
    ),
    "ladder": (
        "model.kind=ladder_vae",
        'model.network={kind="conv", channels=[4, 4], layers=[1, 1], latent_channels=1}',
    ),
}
SIZES = {"hierarchical": [3, 4], "ladder": [4, 16]}


def recipe(kind: str) -> Recipe:
    # Those of the plain VAE, such as model.latent_dim, are unknown to these models.
    return small_recipe(*KINDS[kind], without="model.")


@pytest.fixture(scope="module", params=KINDS)
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Run:
    kind = str(request.param)
    return train(recipe(kind), tmp_path_factory.mktemp(kind) / "run")


def test_results_are_by_layer_and_say_what_is_left_out(run: Run) -> None:
    results, sizes = run.results, SIZES[_kind(run)]
    assert results is not None
    assert [len(kl) for kl in results["kl_nats_per_dimension"]] == sizes
    assert sum(results["kl_nats_per_layer"]) == pytest.approx(results["kl_nats"], rel=1e-6)
    assert sum(results["active_units_per_layer"]) == results["active_units"]
    assert results["latent_dim"] == sum(sizes)
    assert not {"mutual_information_nats", "amortization_gap_nats"} & set(results)
    assert any("one stochastic layer" in note for note in results["notes"])
    assert results["elbo_nats"] < -results["nll_nats"]


def test_report_and_pictures_know_layers(run: Run) -> None:
    page = (run.folder / "report.html").read_text(encoding="utf-8")
    assert "KL by stochastic layer" in page
    active = (run.results or {})["active_units_per_layer"]
    assert f"0, {active[0]} active units" in page
    drawn = {file.stem for file in (run.folder / "figures").glob("*.png")}
    assert {"kl_by_layer", "interpolations", "samples", "latent_map"} <= drawn
    assert "traversals" not in drawn


def test_artifact_answers_every_verb(run: Run) -> None:
    artifact, sizes = vaekit.load(run.folder), SIZES[_kind(run)]
    x = artifact.dataset.split("test").rows(0, 6).x.numpy()
    codes = artifact.encode(x)
    assert codes.shape == (6, sum(sizes))
    assert np.array_equal(artifact.decode(codes), artifact.reconstruct(x))
    assert len(artifact.reference.latent.posterior_variance or ()) == sum(sizes)
    assert artifact.interpolate(x[:2], x[2:4], 3).shape == (2, 3, *x.shape[1:])
    assert artifact.traverse(x[:1], [0, sum(sizes) - 1]).shape[:2] == (1, 2)
    scores = artifact.score(x, 40)
    assert (scores["elbo_nats"] <= scores["log_likelihood_nats"] + 1e-3).all()
    assert len({noise.name for noise in artifact.serving.noise}) == len(sizes)
    drawn = artifact.sample(5, seed=1)
    # A batch of another size is multiplied by another kernel: float32 roundings.
    np.testing.assert_allclose(drawn[:2], artifact.sample(2, seed=1), rtol=1e-4, atol=1e-4)
    assert drawn.std() > 0


def _kind(run: Run) -> str:
    return run.recipe.model.kind.removesuffix("_vae")
