"""A recipe under every combination of settings: all, once, and only what is new."""

import csv
from pathlib import Path

import pytest
import torch
from runs.small_recipe import SETTINGS
from typer.testing import CliRunner

from vaekit.cli.main import app
from vaekit.data import Observation
from vaekit.errors import DivergenceError, SpecError
from vaekit.runs.sweep import combinations, folder_name, sweep

SHARED = [*SETTINGS, "training.epochs=2"]


def test_every_combination_the_last_fastest() -> None:
    assert combinations(["a=1,2", "b.c=x,y"]) == [
        {"a": "1", "b.c": "x"},
        {"a": "1", "b.c": "y"},
        {"a": "2", "b.c": "x"},
        {"a": "2", "b.c": "y"},
    ]
    assert combinations(["a=1,1, 2"]) == [{"a": "1"}, {"a": "2"}]
    assert combinations(["a=[1,2],[3]", 'b="x,y",z']) == [
        {"a": "[1,2]", "b": '"x,y"'},
        {"a": "[1,2]", "b": "z"},
        {"a": "[3]", "b": '"x,y"'},
        {"a": "[3]", "b": "z"},
    ]


@pytest.mark.parametrize("over", [[], ["a"], ["a="], ["a=1,,2"], ["=1"], ["a=1", "a=2"]])
def test_what_cannot_be_gone_over(over: list[str]) -> None:
    with pytest.raises(SpecError, match="sweep"):
        combinations(over)


def test_names_are_names_of_folders() -> None:
    assert folder_name({"a.b": "[1,2]", "c": "x/y"}) == "a.b=[1,2],c=x_y"


def test_it_goes_on_and_trains_only_what_is_new(tmp_path: Path) -> None:
    first = sweep("digits", ["model.latent_dim=1,2"], tmp_path / "s", SHARED)
    one = Observation(torch.zeros(1, 1, 8, 8))
    assert [point.settings for point in first] == [
        {"model.latent_dim": "1"}, {"model.latent_dim": "2"}
    ]  # fmt: skip
    models = [point.run.model for point in first if point.run]
    assert [model.embed(one).shape for model in models] == [(1, 1), (1, 2)]
    written = {p: p.stat().st_mtime_ns for p in (tmp_path / "s").glob("*/results.json")}
    told: list[str] = []
    again = sweep(
        "digits", ["model.latent_dim=1,2,3"], tmp_path / "s", SHARED,
        lambda chosen, number, count: told.append(f"{number + 1}/{count}") or (),
    )  # fmt: skip
    assert told == ["1/3", "2/3", "3/3"]
    assert len(again) == 3
    assert all(path.stat().st_mtime_ns == time for path, time in written.items())


def test_a_combination_that_makes_no_sense_stops_all(tmp_path: Path) -> None:
    with pytest.raises(SpecError):
        sweep("digits", ["model.latent_dim=1,-2"], tmp_path / "s", SHARED)
    assert not (tmp_path / "s").exists()


def test_a_run_that_leads_nowhere_does_not_stop_the_others(tmp_path: Path) -> None:
    arguments = ["sweep", "digits", "--over", "training.optimizer.learning_rate=1e30,1e-3"]
    arguments += [part for setting in SHARED for part in ("--set", setting)]
    done = CliRunner().invoke(app, [*arguments, "--output", str(tmp_path / "s")])
    assert isinstance(done.exception, DivergenceError)
    assert "1 of 2 runs failed" in done.output
    with (tmp_path / "s" / "sweep.csv").open() as file:
        bad, good = csv.DictReader(file)
    assert bad["problem"] == done.exception.problem
    assert bad["nll_nats"] == "" == good["problem"]
    assert float(good["nll_nats"]) > 0
    assert (tmp_path / "s" / "sweep.png").is_file()


def test_on_the_command_line(tmp_path: Path) -> None:
    shared = [part for setting in SHARED for part in ("--set", setting)]
    arguments = [
        "sweep",
        "digits",
        "--over",
        "objective.beta=0.5,2",
        "--output",
        str(tmp_path / "s"),
    ]
    done = CliRunner().invoke(app, [*arguments, *shared])
    assert done.exit_code == 0, done.output
    assert "run 2 of 2: objective.beta=2" in done.output
    with (tmp_path / "s" / "sweep.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["objective.beta"] for row in rows] == ["0.5", "2"]
    assert float(rows[0]["kl_nats"]) > float(rows[1]["kl_nats"])  # a cheaper KL is used more
    assert (tmp_path / "s" / "sweep.png").read_bytes()[1:4] == b"PNG"
