"""A semi-supervised recipe, from hidden labels to samples of a class."""

from pathlib import Path

import numpy as np
import pytest
import torch
from runs.small_recipe import small_recipe
from torch.nn.functional import one_hot
from typer.testing import CliRunner

import vaekit
from vaekit.cli.main import app
from vaekit.errors import DataError, Interrupted, SpecError
from vaekit.recipes import Recipe, load_recipe, recipe_names
from vaekit.runs import open_run, train
from vaekit.training import Listener, Record

SEMI = (
    "transform.condition=['label']",
    "model.kind=semi_supervised_vae",
    "model.features=32",
    "model.classifier={hidden=[32]}",
    "objective={kind='m2', labeled=100, classification_weight=5.0}",
    "training.batch_size=64",
)


def recipe(*settings: str) -> Recipe:
    return small_recipe(*SEMI, *settings)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "semi_supervised"
    train(recipe("training.epochs=40", "model.decoder.hidden=[64]"), folder)
    return folder


def test_it_is_measured_and_drawn(finished: Path) -> None:
    run = open_run(finished)
    results = run.results
    assert results is not None
    assert 0.5 < results["accuracy"] <= 1  # chance is 0.1
    n = results["examples"]
    expected = (results["accuracy"] * (1 - results["accuracy"]) / n) ** 0.5
    assert results["accuracy_standard_error"] == pytest.approx(expected)
    assert -results["nll_nats"] >= results["elbo_nats"]
    assert len(results["kl_nats_per_layer"]) == 2
    assert any("class (layer 0)" in note for note in results["notes"])
    assert "Accuracy of the class" in (finished / "report.html").read_text()
    assert "class is found, label unseen" in run.artifact.card
    assert any("accuracy" in record for record in run.log if record["kind"] == "validation")


def test_labels_of_the_evaluated_split_change_the_accuracy_and_nothing_else(
    finished: Path,
) -> None:
    from vaekit.data import Dataset, InMemorySplit
    from vaekit.evaluation import evaluate

    run = open_run(finished)
    split = run.dataset.split("test")
    rows = split.rows(0, len(split))
    assert rows.labels is not None
    found = {}
    for name, labels in {"true": rows.labels, "wrong": (rows.labels + 1) % 10}.items():
        dataset = Dataset(
            "digits", run.dataset.schema, {"test": InMemorySplit(rows.x, labels)}, "", ""
        )
        found[name] = evaluate(run.model, dataset, run.transform, run.recipe.evaluation)
    assert found["wrong"]["accuracy"] < 0.3 < found["true"]["accuracy"]
    for key in ("nll_nats", "elbo_nats", "kl_nats", "mse", "code_perplexity"):
        assert found["true"][key] == found["wrong"][key]


def test_samples_are_of_the_class_that_was_asked_for(finished: Path) -> None:
    model = vaekit.load(finished)
    train_split = open_run(finished).dataset.split("train")
    rows = train_split.rows(0, len(train_split))
    assert rows.labels is not None
    weights = one_hot(rows.labels, 10).double()
    means = (weights.T @ rows.x.double().flatten(1)) / weights.sum(0)[:, None]
    right = 0
    for label in range(10):
        drawn = model.sample(20, seed=1, condition={"label": label}).reshape(20, -1)
        distance = torch.cdist(torch.from_numpy(drawn).double(), means)
        right += int((distance.argmin(1) == label).sum())
    assert right > 100  # of 200; chance gives 20


def test_verbs_do_without_a_condition(finished: Path) -> None:
    model = vaekit.load(finished)
    x = open_run(finished).dataset.split("test").rows(0, 3).x.numpy()
    assert not model.serving.needs_conditions
    assert np.isfinite(model.score(x)["elbo_nats"]).all()
    codes = model.encode(x)
    assert (codes[:, :10].sum(1) == 1).all()
    np.testing.assert_allclose(model.decode(codes), model.reconstruct(x), rtol=1e-5, atol=1e-5)
    own = codes[:, :10].argmax(1)
    told = model.decode(codes, {"label": own})
    np.testing.assert_allclose(told, model.decode(codes), rtol=1e-5, atol=1e-5)
    assert not np.allclose(model.decode(codes, {"label": (own + 1) % 10}), told)
    assert len(model.sample(4, seed=0)) == 4
    for verb in (model.encode, model.reconstruct, model.score):
        with pytest.raises(SpecError, match="finds out the label"):
            verb(x, condition={"label": 3})
    with pytest.raises(SpecError, match="not conditioned on 'size'"):
        model.sample(2, condition={"size": 3})


def test_on_the_command_line(finished: Path, tmp_path: Path) -> None:
    run, out, last = CliRunner(), str(tmp_path / "x.npz"), ""
    x = open_run(finished).dataset.split("test").rows(0, 12).x.numpy()
    np.save(tmp_path / "x.npy", x)
    for arguments, said in (
        (["sample", str(finished), "-n", "3", "--condition", "label=7", "-o", out], ""),
        (["sample", str(finished), "-n", "3", "-o", out], ""),
        (["encode", str(finished), "--examples", "5", "-o", out], ""),
        (["evaluate", str(finished), "--samples", "3"], "accuracy of the class, label unseen"),
        (["evaluate", str(finished), str(tmp_path / "x.npy"), "--samples", "3"], "-ELBO"),
    ):
        done = run.invoke(app, arguments)
        assert done.exit_code == 0, (arguments, done.output, done.exception)
        assert said in done.output
        last = done.output
    assert "accuracy of the class" not in last  # a file says no labels


class Stop(Listener):
    """Interrupts a run after some updates."""

    def stepped(self, step: int, newest: Record) -> None:
        if step == 17:
            raise Interrupted("stopped")


def test_a_stopped_run_ends_with_the_same_bytes(tmp_path: Path) -> None:
    from vaekit.runs.train import fit, prepare

    chosen, _ = prepare(recipe("training.checkpoint_every_seconds=0"), tmp_path / "whole")
    whole = fit(chosen, tmp_path / "whole")
    with pytest.raises(Interrupted):
        fit(chosen, tmp_path / "parts", [Stop()])
    parts = fit(chosen, tmp_path / "parts")
    ours, theirs = whole.model.state_dict(), parts.model.state_dict()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (("transform.condition=[]",), r"transform\.condition = \['label'\]"),
        (("objective.labeled_share=0.3",), "no whole number of a batch"),
        (("objective={kind='elbo'}",), "the classifier would not learn"),
        (("evaluation.ais={examples=2}",), "discrete codes"),
    ],
)
def test_recipes_that_cannot_work_are_refused(settings: tuple[str, ...], said: str) -> None:
    with pytest.raises(SpecError, match=said):
        recipe(*settings)


def test_the_objective_is_refused_for_another_model() -> None:
    with pytest.raises(SpecError, match="sums over classes"):
        small_recipe("objective={kind='m2'}")


@pytest.mark.parametrize("labeled", [5, 1436, 100_000])
def test_labels_that_are_not_there_are_refused(labeled: int, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="as many of every class"):
        train(recipe(f"objective.labeled={labeled}"), tmp_path / "run")


def test_recipes_differ_in_their_labels_alone() -> None:
    names = [name for name in recipe_names() if name.startswith("mnist_m2")]
    assert names == ["mnist_m2_100", "mnist_m2_1000"]
    few, many = (load_recipe(name) for name in names)
    assert few.model == many.model
    assert few.training == many.training
