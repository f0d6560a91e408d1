"""A benchmark of tiny recipes: runs, what is read again, the row and its files."""

import csv
import json
import signal
from pathlib import Path
from statistics import stdev

import pytest
from runs.small_recipe import small_recipe
from typer.testing import CliRunner

from vaekit.cli.main import app
from vaekit.errors import ArtifactError, Interrupted, SpecError
from vaekit.recipes import Benchmark, load_benchmark, to_toml
from vaekit.runs import Run, fit, prepare
from vaekit.runs.benchmark import carry_out, expected_minutes, made, plan
from vaekit.runs.benchmark_page import benchmark_markdown, write_benchmark
from vaekit.runs.benchmark_rows import Row, rows
from vaekit.training import Listener

ENTRIES = """
[protocol]
train_examples = 1297
num_samples = 20
[[entries]]
recipe = "first.toml"
seeds = [0, 1]
must = 500.0
aim = 1.0
published = { value = 80.0, model = "a | b", source = "a table" }
[[entries]]
recipe = "second.toml"
measure = "elbo_nats"
aim = 500.0
expected_minutes = 7
"""


def written(folder: Path, entries: str = ENTRIES) -> Path:
    """A benchmark of two recipes of about a second."""
    for name, size in (("first", 1), ("second", 2)):
        recipe = small_recipe(f"name={name}", f"model.latent_dim={size}", "training.epochs=2")
        (folder / f"{name}.toml").write_text(to_toml(recipe))
    file = folder / "tiny.toml"
    file.write_text(entries)
    return file


def measure_only(patch: pytest.MonkeyPatch) -> None:
    """Runs without pictures, artifact and report, which take longest."""
    patch.setattr(Run, "finish", lambda run, progress=None: run.evaluate())


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Benchmark, Path]:
    """A benchmark, and the folder of its runs."""
    home = tmp_path_factory.mktemp("benchmark")
    benchmark, folder = load_benchmark(written(home)), home / "out"
    with pytest.MonkeyPatch.context() as patch:
        measure_only(patch)
        for one in plan(benchmark, folder):
            carry_out(one)
    return benchmark, folder


def found_rows(done: tuple[Benchmark, Path]) -> list[Row]:
    found, refused = made(*done)
    assert refused == []
    return rows(done[0], found)


def test_every_seed_is_an_ordinary_run(done: tuple[Benchmark, Path], tmp_path: Path) -> None:
    benchmark, folder = done
    planned = plan(benchmark, folder)
    assert [one.folder.relative_to(folder).as_posix() for one in planned] == [
        "first/seed0", "first/seed1", "second/seed0"
    ]  # fmt: skip
    assert {one.state for one in planned} == {"finished"}
    alone = fit(*prepare(planned[1].recipe, tmp_path / "alone")).evaluate()
    results = json.loads((folder / "first/seed1/results.json").read_text())
    assert alone["nll_nats"] == results["nll_nats"]


def test_rows_are_mean_and_spread_as_losses(done: tuple[Benchmark, Path]) -> None:
    _, folder = done
    first, second = found_rows(done)
    results = [json.loads((folder / f"first/seed{n}/results.json").read_text()) for n in (0, 1)]
    nll = [result["nll_nats"] for result in results]
    assert first.mean == pytest.approx(sum(nll) / 2)
    assert first.spread == pytest.approx(stdev(nll))
    assert first.spread_in_words == "standard deviation over 2 seeds"
    assert nll[0] != nll[1]
    other = json.loads((folder / "second/seed0/results.json").read_text())
    assert second.mean == -other["elbo_nats"] > 0
    assert second.spread == other["elbo_standard_error_nats"]
    assert "one seed" in second.spread_in_words
    assert (first.verdict, second.verdict) == ("must", "aim")


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        ("", "must"),
        ("must = 500.0", "-"),
        ("must = 500.0>must = 2.0", "missed"),
        ("aim = 1.0>aim = 450.0", "aim"),
        ("seeds = [0, 1]>most_training_minutes = 1e-6", "too slow"),
        ("train_examples = 1297>train_examples = 60000", "other protocol"),
        ("num_samples = 20>num_samples = 5000", "other protocol"),
    ],
)
def test_verdicts(done: tuple[Benchmark, Path], tmp_path: Path, change: str, verdict: str) -> None:
    old, _, new = change.partition(">")
    text = ENTRIES.replace(old, new) if old else ENTRIES
    if verdict == "-":
        text = text.replace("aim = 1.0", "")
    benchmark = load_benchmark(written(tmp_path, text))
    row, other = rows(benchmark, made(benchmark, done[1])[0])
    assert row.verdict == verdict
    if "num_samples" in change:
        assert row.deviations[0] == "num_samples is 20 and not 5000 (seed 0)"
        assert other.deviations == []  # of a bound, k does not matter


def test_the_files_hold_everything(done: tuple[Benchmark, Path], tmp_path: Path) -> None:
    found = found_rows(done)
    whole, table, page = write_benchmark(done[0], found, tmp_path / "out")
    tree = json.loads(whole.read_text())
    one, other = tree["entries"][0]["runs"]
    assert one["results"]["nll_nats"] == one["value"] == found[0].values[0]
    assert one["provenance"]["cores"] >= 1
    assert {"processor", "torch", "threads"} <= one["provenance"]["environment"].keys()
    assert "git" in one["provenance"]
    assert one["recipe_digest"] == other["recipe_digest"]
    assert one["recipe_digest"] != tree["entries"][1]["runs"][0]["recipe_digest"]
    with table.open() as file:
        lines = list(csv.DictReader(file))
    assert [line["recipe"] for line in lines] == ["first", "second"]
    assert float(lines[0]["ours"]) == found[0].mean
    assert r"80.00: a \| b; a table" in page.read_text()
    assert page.read_text().strip() == benchmark_markdown(found)


def test_entries_without_a_run_keep_their_row(tmp_path: Path) -> None:
    benchmark = load_benchmark(written(tmp_path))
    found = rows(benchmark, made(benchmark, tmp_path / "none")[0])
    assert [row.mean for row in found] == [None, None]
    assert "not run" in benchmark_markdown(found)
    assert not (tmp_path / "none").exists()


def test_a_run_of_another_recipe_is_refused_with_the_difference(
    done: tuple[Benchmark, Path], tmp_path: Path
) -> None:
    benchmark = load_benchmark(written(tmp_path))
    (tmp_path / "first.toml").write_text(
        to_toml(small_recipe("name=first", "model.latent_dim=1", "training.epochs=3"))
    )
    with pytest.raises(ArtifactError, match=r"training\.epochs: 2 in the folder, 3 asked for"):
        plan(benchmark, done[1])
    found, refused = made(benchmark, done[1])
    assert [one.recipe.name for one in found] == ["second"]
    assert len(refused) == 2


def test_it_goes_on_where_it_was_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measure_only(monkeypatch)

    class Stop(Listener):
        def stepped(self, step: int, reported: object) -> None:
            if step == 5:
                signal.raise_signal(signal.SIGINT)

    benchmark = load_benchmark(written(tmp_path))
    (one,) = plan(benchmark, tmp_path / "out", ["second"])
    assert one.state == "new"
    assert expected_minutes(one, []).minutes == 7
    with pytest.raises(Interrupted, match="the same command goes on"):
        carry_out(one, [Stop()])
    assert one.state == "begun"
    assert made(benchmark, tmp_path / "out") == ([], [])
    carry_out(one)
    assert one.state == "finished"
    (other,) = plan(benchmark, tmp_path / "out", ["second"], [4])
    assert "as seed 0 took" in expected_minutes(other, [one]).text


def test_what_cannot_be_planned(tmp_path: Path) -> None:
    benchmark = load_benchmark(written(tmp_path))
    with pytest.raises(SpecError, match="first, second"):
        plan(benchmark, tmp_path, ["third"])
    missing = load_benchmark(written(tmp_path, '[[entries]]\nrecipe = "no_such_recipe"'))
    with pytest.raises(SpecError, match="no recipe 'no_such_recipe'"):
        plan(missing, tmp_path / "out")
    (tmp_path / "second.toml").write_text((tmp_path / "first.toml").read_text())
    with pytest.raises(SpecError, match="same name"):
        plan(benchmark, tmp_path / "out")


def test_a_model_without_likelihood_is_refused(tmp_path: Path) -> None:
    file = written(tmp_path, '[[entries]]\nrecipe = "mnist_autoencoder"')
    with pytest.raises(SpecError, match="'autoencoder' cannot be measured"):
        plan(load_benchmark(file), tmp_path / "out")


def test_on_the_command_line(tmp_path: Path) -> None:
    file, out = str(written(tmp_path)), str(tmp_path / "out")
    base = ["benchmark", file, "--output", out]
    dry = CliRunner().invoke(app, [*base, "--dry-run"])
    assert dry.exit_code == 0, dry.output
    assert "unknown" in dry.output
    assert not (tmp_path / "out").exists()
    whole = tmp_path / "kept" / "whole.json"
    arguments = [*base, "--only", "second", "--seeds", "5", "--json", str(whole)]
    ran = CliRunner().invoke(app, arguments)
    assert ran.exit_code == 0, ran.output
    assert "run 1 of 1: second, seed 5" in ran.output
    assert "standard error over images" in ran.output
    assert [len(entry["runs"]) for entry in json.loads(whole.read_text())["entries"]] == [0, 1]
    listed = CliRunner().invoke(app, [*base, "--list"])
    assert listed.exit_code == 0, listed.output
    assert "published 80.00: a | b; a table" in listed.output
    wrong = CliRunner().invoke(app, [*base, "--seeds", "x"])
    assert isinstance(wrong.exception, SpecError)
