"""The report of a run: written whole, at the end, from the pictures that lie beside it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from runs.small_recipe import small_recipe, vector_recipe

from vaekit.errors import ArtifactError
from vaekit.evaluation import evaluate
from vaekit.runs import Run, open_run, train
from vaekit.runs.shown import Shown
from vaekit.runs.walks import STEPS, VALUES, interpolate, traverse

WITH_PRIOR = {
    *("loss_curves", "reconstructions", "worst_reconstructions", "samples", "interpolations"),
    *("traversals", "latent_map", "kl_bars"),
}
WITHOUT = WITH_PRIOR - {"samples", "kl_bars"}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "small"
    train(small_recipe(), folder)
    return folder


@pytest.fixture(scope="module")
def shown(finished: Path) -> Shown:
    run = open_run(finished)
    with torch.no_grad():
        return Shown(run.model, run.dataset, run.transform, run.recipe)


def digits_autoencoder(folder: Path) -> Run:
    settings = ("model.kind=autoencoder", "objective.kind=reconstruction")
    return train(small_recipe(*settings), folder / "r")


@pytest.mark.parametrize(
    ("make", "names"),
    [
        (digits_autoencoder, WITHOUT),
        (lambda folder: train(vector_recipe(folder), folder / "r"), WITH_PRIOR),
        (lambda folder: train(vector_recipe(folder, "autoencoder"), folder / "r"), WITHOUT),
    ],
    ids=["images, autoencoder", "vectors, vae", "vectors, autoencoder"],
)
def test_every_kind_of_run_has_a_report(
    make: Callable[[Path], Run], names: set[str], tmp_path: Path
) -> None:
    run = make(tmp_path)
    assert {p.stem for p in (run.folder / "figures").glob("*.png")} == names
    assert {p.stem for p in (run.folder / "figures").glob("*.svg")} == names
    html = (run.folder / "report.html").read_text(encoding="utf-8")
    for name in names:
        assert f'<figure id="{name}">' in html
    assert html.count("<img ") == len(names)
    assert ("Negative log-likelihood" in html) == (names == WITH_PRIOR)


def test_says_what_was_measured_and_on_what(finished: Path) -> None:
    run = open_run(finished)
    results, html = run.results, (finished / "report.html").read_text(encoding="utf-8")
    assert results is not None
    assert f"{float(results['nll_nats'] or 0):,.2f}" in html
    assert run.dataset.fingerprint in html
    assert "CC BY 4.0" in html  # the licence of the digits
    assert "latent_dim = 2" in html
    assert str(torch.__version__) in html
    assert not list(finished.rglob("*.partial"))


def test_a_finished_run_without_one_gets_it(finished: Path) -> None:
    file = finished / "report.html"
    before = file.read_bytes()
    file.unlink()
    assert not open_run(finished).has_report
    run = train(small_recipe(), finished)
    assert run.has_report
    assert file.read_bytes() == before


def test_is_whole_or_the_one_before(finished: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = finished / "report.html"
    before = file.read_bytes()

    def full(path: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(ArtifactError, match="No space left"):
        open_run(finished).report()
    assert file.read_bytes() == before
    assert not list(finished.rglob("*.partial"))


# -- what the pictures show --------------------------------------------------------------------


@torch.no_grad()
def test_interpolations_end_at_the_reconstructions_of_first_examples(shown: Shown) -> None:
    walk = interpolate(shown)
    assert walk is not None
    assert walk.labels == [f"{i} → {(i + 1) % 10}" for i in range(10)]
    assert walk.rows.shape == (10, STEPS, 1, 8, 8)
    assert shown.labels is not None
    first = np.array([int((shown.labels == i).argmax()) for i in range(10)])
    _, ends = shown.reconstructed(first)
    np.testing.assert_allclose(walk.rows[:, 0], ends, atol=1e-4)
    np.testing.assert_allclose(walk.rows[:, -1], np.roll(ends, -1, axis=0), atol=1e-4)


@torch.no_grad()
def test_traversals_move_one_dimension_of_the_first_example(shown: Shown) -> None:
    walk = traverse(shown)
    assert walk is not None
    assert walk.rows.shape == (2, len(VALUES), 1, 8, 8)
    (kl,) = shown.kl_per_dimension
    assert walk.dimensions == np.argsort(-kl).tolist()
    code = torch.from_numpy(shown.codes[:1]).clone()
    code[0, walk.dimensions[1]] = VALUES[2]
    np.testing.assert_allclose(walk.rows[1, 2], shown.decoded((code[None],))[0], atol=1e-4)


@torch.no_grad()
def test_the_terms_are_those_of_the_evaluation(finished: Path, shown: Shown) -> None:
    run = open_run(finished)
    with_all = run.recipe.evaluation.model_copy(update={"examples": None, "num_samples": 200})
    results = evaluate(run.model, run.dataset, run.transform, with_all)
    assert len(shown) == results["examples"] == 250
    assert sum(kl.sum() for kl in shown.kl_per_dimension) == pytest.approx(results["kl_nats"])
    expected = float(results["expected_log_likelihood_nats"] or 0)
    spread = float(shown.log_likelihood.std()) / len(shown) ** 0.5
    assert shown.log_likelihood.mean() == pytest.approx(expected, abs=spread)


@torch.no_grad()
def test_without_labels_examples_half_of_all_apart(tmp_path: Path) -> None:
    run = train(vector_recipe(tmp_path), tmp_path / "r")
    vectors = Shown(run.model, run.dataset, run.transform, run.recipe)
    walk = interpolate(vectors)
    assert walk is not None
    assert len(vectors) == 16
    assert walk.labels == [f"{i} → {i + 8}" for i in (0, 1, 2, 4, 5, 7)]
    original, _ = vectors.reconstructed(slice(None))
    assert np.isnan(original).any()  # what was not seen is not invented
