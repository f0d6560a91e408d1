"""A conditional recipe from training to samples of a class."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from runs.small_recipe import small_recipe
from torch.nn.functional import one_hot
from typer.testing import CliRunner

import vaekit
from vaekit.cli.main import app
from vaekit.errors import DataError, SpecError
from vaekit.recipes import load_recipe
from vaekit.runs import open_run, train

CONDITIONAL = ("transform.condition=['label']", "model.prior={kind='conditional_gaussian'}")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "conditional"
    longer = (
        "training.epochs=30",
        "model.decoder.hidden=[64]",
        "evaluation.ais={examples=2,temperatures=50}",
    )
    train(small_recipe(*CONDITIONAL, *longer), folder)
    return folder


def test_it_is_measured_and_drawn(finished: Path) -> None:
    results = open_run(finished).results
    assert results is not None
    assert np.isfinite(results["nll_nats"])
    assert np.isfinite(results["ais_nll_nats"])
    assert (finished / "report.html").is_file()
    assert {p.stem for p in (finished / "figures").glob("*.png")} >= {
        "samples", "interpolations", "traversals"
    }  # fmt: skip


def test_samples_are_of_the_class_that_was_asked_for(finished: Path) -> None:
    model = vaekit.load(finished)
    test = open_run(finished).dataset.split("train")
    rows = test.rows(0, len(test))
    assert rows.labels is not None
    weights = one_hot(rows.labels, 10).double()
    means = (weights.T @ rows.x.double().flatten(1)) / weights.sum(0)[:, None]
    right = 0
    for label in range(10):
        drawn = model.sample(20, seed=1, condition={"label": label}).reshape(20, -1)
        distance = torch.cdist(torch.from_numpy(drawn).double(), means)
        right += int((distance.argmin(1) == label).sum())
    assert right > 140  # of 200; chance gives 20


def test_verbs_need_the_condition(finished: Path) -> None:
    model = vaekit.load(finished)
    x = open_run(finished).dataset.split("test").rows(0, 3).x.numpy()
    with pytest.raises(SpecError, match="needs to know the label"):
        model.sample(2)
    with pytest.raises(SpecError, match="needs to know the label"):
        model.score(x)
    told = {"label": [1, 2, 3]}
    each = [model.encode(x[i], {"label": i + 1})[0] for i in range(3)]
    np.testing.assert_allclose(model.encode(x, told), each, rtol=1e-5, atol=1e-6)
    assert model.interpolate(x, x[::-1], 3, condition=told).shape[:2] == (3, 3)
    assert model.traverse(x, [0], steps=3, condition=told).shape[:3] == (3, 1, 3)
    scores = model.score(x, condition=told)
    assert np.isfinite(scores["elbo_nats"]).all()


def test_on_the_command_line(finished: Path, tmp_path: Path) -> None:
    run, out = CliRunner(), str(tmp_path / "x.npz")
    given = ["sample", str(finished), "-n", "3", "--condition", "label=7", "-o", out]
    done = run.invoke(app, given)
    assert done.exit_code == 0, done.output
    own = run.invoke(app, ["encode", str(finished), "--examples", "5", "-o", out])
    assert own.exit_code == 0, own.output  # labels of its own data are known
    for arguments, said in (
        (["sample", str(finished), "-o", out], "needs to know the label"),
        (["sample", str(finished), "--condition", "label=x", "-o", out], "cannot be understood"),
        (["sample", str(finished), "--condition", "label=10", "-o", out], "does not know"),
    ):
        refused = run.invoke(app, arguments)
        assert refused.exit_code != 0
        told = str(refused.exception) if refused.exception else refused.output
        assert said in told or said in refused.output, arguments


def test_a_file_is_measured_given_what_is_said_of_it(finished: Path, tmp_path: Path) -> None:
    test = open_run(finished).dataset.split("train")
    rows = test.rows(0, len(test))
    assert rows.labels is not None
    np.save(tmp_path / "threes.npy", rows.x[rows.labels == 3][:50].numpy())
    quick = ["--samples", "5", "--amortization", "0", "--json"]
    given = ["evaluate", str(finished), str(tmp_path / "threes.npy"), *quick]

    def nll(label: int) -> float:
        done = CliRunner().invoke(app, [*given, "--condition", f"label={label}"])
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)["nll_nats"]

    assert nll(3) < nll(1) - 1
    for arguments, said in (
        (given, "needs to know the label"),
        ([*given, "--condition", "label=10"], "does not know this label"),
        ([*given, "--condition", "size=1"], "not conditioned on 'size'"),
        (["evaluate", str(finished), *quick, "--condition", "label=3"], "own data says"),
    ):
        with pytest.raises(SpecError, match=said):
            CliRunner().invoke(app, arguments, catch_exceptions=False)


def test_data_without_labels_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros((40, 4), np.float32))
    recipe = load_recipe(
        "digits", [f"data={{kind='arrays', path='{tmp_path / 'x.npy'}'}}",
                   "transform={kind='standardize', condition=['label']}",
                   "model.likelihood={kind='gaussian'}"],
    )  # fmt: skip
    with pytest.raises(SpecError, match="no labels to condition on"):
        train(recipe, tmp_path / "run")


def test_rows_without_labels_are_refused(finished: Path) -> None:
    model, x = vaekit.load(finished), torch.zeros((1, 1, 8, 8), dtype=torch.uint8)
    with pytest.raises(DataError, match="label of an example"):
        model.observation(x.numpy())
