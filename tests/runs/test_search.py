"""A search: what it tries, what it leaves, how it goes on, and what it refuses."""

import csv
import json
import signal
import sys
from pathlib import Path

import pytest
from runs.small_recipe import SETTINGS
from typer.testing import CliRunner

from vaekit.cli.main import app
from vaekit.errors import ArtifactError, Interrupted, MissingExtraError, SpecError
from vaekit.recipes import load_recipe
from vaekit.runs import Run, open_run
from vaekit.runs.question import Question
from vaekit.runs.search import best_of, search
from vaekit.training import Listener

SHARED = [*SETTINGS, "training.epochs=2", "training.evaluate_every_epochs=1"]
PATH = "training.optimizer.learning_rate"
RATE = f"{PATH}=1e-4..1e-1:log"
OVER = [RATE, "model.latent_dim=1..3", "model.encoder.activation=gelu,tanh"]


@pytest.fixture
def measured_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trials without pictures, artifact and report, which take longest."""
    monkeypatch.setattr(Run, "finish", lambda run: run.evaluate())


def question(*settings: str, over: list[str] | None = None, **choices) -> Question:
    return Question("digits", over or OVER, settings=[*SHARED, *settings], **choices)


def test_the_best_of_ordinary_runs(tmp_path: Path, measured_only: None) -> None:
    pytest.importorskip("optuna")
    asked = question()
    tried = search(asked, tmp_path / "s", 3)
    assert [one.state for one in tried] == ["complete"] * 3
    runs = [open_run(tmp_path / "s" / f"trial{one.number:03d}") for one in tried]
    for one, run in zip(tried, runs, strict=True):
        results = run.results
        assert results is not None
        assert results["split"] == "validation"
        assert results["elbo_nats"] == one.value
        assert run.recipe.training.optimizer.learning_rate == float(
            one.settings[RATE.split("=")[0]]
        )
    best = best_of(asked, tried)
    assert best is not None
    assert best.value == max(one.value or 0.0 for one in tried)
    recipe = load_recipe(tmp_path / "s" / "best.toml")
    assert recipe.evaluation.split == "test"
    assert recipe.name == "digits_best"
    assert recipe.model == runs[best.number].recipe.model
    with (tmp_path / "s" / "search.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [float(row["elbo_nats"]) for row in rows] == [one.value for one in tried]


def test_one_that_was_stopped_ends_like_one_that_was_not(
    tmp_path: Path, measured_only: None
) -> None:
    pytest.importorskip("optuna")

    class Stop(Listener):
        def stepped(self, step: int, reported: object) -> None:
            if step == 15:
                signal.raise_signal(signal.SIGINT)

    whole = search(question(), tmp_path / "whole", 3)
    stop = lambda number, *_: [Stop()] if number == 1 else []  # noqa: E731
    with pytest.raises(Interrupted, match="the same command goes on"):
        search(question(), tmp_path / "stopped", 3, stop)
    told: list[int] = []
    again = search(
        question(), tmp_path / "stopped", 3, lambda number, *_: told.append(number) or ()
    )
    assert told == [1, 2]
    assert again == whole
    other = search(question(seed=1), tmp_path / "other", 1)
    assert other[0].settings != whole[0].settings


def test_more_trials_go_further(tmp_path: Path, measured_only: None) -> None:
    pytest.importorskip("optuna")
    asked = question(over=["model.latent_dim=1,2"])
    first = search(asked, tmp_path / "s", 1)
    assert search(asked, tmp_path / "s", 2)[:1] == first
    assert len(search(asked, tmp_path / "s", 1)) == 2


def test_a_trial_below_the_median_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, measured_only: None
) -> None:
    pytest.importorskip("optuna")
    monkeypatch.setattr("vaekit.runs.study.FIRST_WITHOUT_PRUNING", 1)
    over = ["training.optimizer.learning_rate=1e-6..1e-1:log"]
    tried = search(question(over=over), tmp_path / "s", 6)
    pruned = [one for one in tried if one.state == "pruned"]
    assert pruned
    for one in pruned:
        run = open_run(tmp_path / "s" / f"trial{one.number:03d}")
        assert run.results is None
        assert run.log[-1]["elbo_nats"] == one.last_bound
        (last,) = {record["epoch"] for record in run.log if record["kind"] == "validation"}
        earlier = [
            float(record["elbo_nats"])
            for other in tried[: one.number]
            for record in open_run(tmp_path / "s" / f"trial{other.number:03d}").log
            if record["kind"] == "validation" and record["epoch"] == last
        ]
        assert sum(value > (one.last_bound or 0.0) for value in earlier) >= len(earlier) / 2
    kept = search(question(over=over, prune=False), tmp_path / "kept", 6)
    assert {one.state for one in kept} == {"complete"}


def test_a_combination_that_cannot_be_is_an_answer(tmp_path: Path) -> None:
    pytest.importorskip("optuna")
    over = ["model.posterior.kind=full_covariance", "model.latent_dim=65..400"]
    tried = search(question(over=over), tmp_path / "s", 2)
    assert {one.state for one in tried} == {"failed"}
    assert all(one.reason for one in tried)
    assert not (tmp_path / "s" / "best.toml").exists()


def test_another_question_in_the_folder_is_refused(tmp_path: Path, measured_only: None) -> None:
    pytest.importorskip("optuna")
    over = ["model.latent_dim=1,2"]
    search(question(over=over), tmp_path / "s", 1)
    with pytest.raises(ArtifactError, match=r"over\.model\.latent_dim: \"1,2\" in the folder"):
        search(question(over=["model.latent_dim=1,3"]), tmp_path / "s", 1)
    with pytest.raises(ArtifactError, match=r"recipe\.training\.epochs"):
        search(question("training.epochs=3", over=over), tmp_path / "s", 1)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "letter.txt").write_text("dear")
    with pytest.raises(ArtifactError, match="something else"):
        search(question(over=over), tmp_path / "other", 1)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (question("evaluation.split=test"), "never on another"),
        (question(over=["evaluation.num_samples=1,2"]), "could not be compared"),
        (question(over=["data.seed=1,2"]), "could not be compared"),
        (question(over=["model.latent_dmi=1,2"]), "did you mean latent_dim"),
        (question(over=["model.latent_dim=0..4"]), "latent_dim"),
        (question(objective="loss"), "one of elbo_nats, nll_nats"),
        (question("model.kind=autoencoder", "objective.kind=reconstruction"), "no likelihood"),
    ],
)
def test_what_is_refused_before_anything_is_trained(
    tmp_path: Path, asked: Question, message: str
) -> None:
    pytest.importorskip("optuna")
    with pytest.raises(SpecError, match=message):
        search(asked, tmp_path / "s", 1)
    assert not (tmp_path / "s").exists()


def test_without_a_validation_split(tmp_path: Path) -> None:
    pytest.importorskip("optuna")
    import numpy as np

    np.save(tmp_path / "x.npy", np.zeros((20, 3), dtype=np.float32))
    file = tmp_path / "plain.toml"
    file.write_text(
        f'[data]\nkind = "arrays"\npath = "{tmp_path / "x.npy"}"\nvalidation = 0\ntest = 0.2\n'
        '[transform]\nkind = "standardize"\n[model]\nlikelihood = { kind = "gaussian" }\n'
    )
    with pytest.raises(SpecError, match=r"there is none(.|\n)*data\.validation=0\.1"):
        search(Question(file, ["model.latent_dim=1,2"]), tmp_path / "s", 1)


def test_without_optuna(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(MissingExtraError, match=r"vaekit\[search\]"):
        search(question(), tmp_path / "s", 1)
    assert not (tmp_path / "s").exists()


def test_on_the_command_line(tmp_path: Path) -> None:
    pytest.importorskip("optuna")
    parts = [part for setting in SHARED for part in ("--set", setting)]
    over = [part for text in OVER for part in ("--over", text)]
    command = ["search", "digits", *over, "--trials", "2", "--output", str(tmp_path / "s"), *parts]
    done = CliRunner().invoke(app, [*command, "--objective", "nll_nats"])
    assert done.exit_code == 0, done.output
    assert "trial 1, 2 of 2: training.optimizer.learning_rate=" in done.output
    assert "best.toml: trial" in done.output
    assert open_run(tmp_path / "s" / "trial001").has_report
    assert (tmp_path / "s" / "search.png").read_bytes()[1:4] == b"PNG"
    assert json.loads((tmp_path / "s" / "search.json").read_text())["objective"] == "nll_nats"
