"""`vaekit list` and `vaekit compare` in process."""

from pathlib import Path

import pytest
from runs.small_recipe import small_recipe
from typer.testing import CliRunner

from vaekit.cli.main import app
from vaekit.errors import ArtifactError, SpecError
from vaekit.recipes import recipe_names
from vaekit.runs import train

WIDE = {"COLUMNS": "160"}


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, arguments, env=WIDE, catch_exceptions=False)
    assert result.exit_code == 0
    return result.output


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    for name, seed in (("a", 0), ("b", 1)):
        train(small_recipe(f"seed={seed}"), folder / name)
    return folder


def test_list_shows_everything(trained: Path) -> None:
    output = run("list", "--folder", str(trained))
    for text in (*recipe_names(), "fashion_mnist", "discretized_logistic", "warm_restarts"):
        assert text in output
    assert "digits: finished, NLL" in output


def test_list_one_section(tmp_path: Path) -> None:
    assert "no runs here" in run("list", "runs", "--folder", str(tmp_path))
    assert "mlp" not in run("list", "recipes")


def test_a_damaged_run_does_not_stop_the_list(tmp_path: Path) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "recipe.toml").write_text("[data")
    assert "cannot be read" in run("list", "runs", "--folder", str(tmp_path))


def test_compare_prints_paired_differences_and_draws(trained: Path, tmp_path: Path) -> None:
    picture = tmp_path / "both.svg"
    sizes = ("--examples", "40", "--samples", "9", "--output", str(picture))
    output = run("compare", str(trained / "a"), str(trained / "b"), *sizes)
    assert "-ELBO" in output
    assert "NLL" in output
    assert "±" in output
    assert "first 40 examples, k = 9, values integers, seed 0" in output
    assert "<svg" in picture.read_text()


def test_compare_refuses(trained: Path) -> None:
    with pytest.raises(SpecError, match="two folders or more"):
        run("compare", str(trained / "a"))
    with pytest.raises(ArtifactError, match="no run in this folder"):
        run("compare", str(trained / "a"), str(trained / "nothing"))
