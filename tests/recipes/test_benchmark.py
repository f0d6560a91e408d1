"""Benchmarks: what they commit to exists, and mistakes in them are explained."""

from pathlib import Path

import pytest

from vaekit.errors import SpecError
from vaekit.recipes import benchmark_names, entry_recipe, load_benchmark, recipe_names

SMALL = """
[[entries]]
recipe = "digits"
must = 90
"""


@pytest.mark.parametrize("name", benchmark_names())
def test_every_recipe_of_a_benchmark_is_there(name: str) -> None:
    for entry in load_benchmark(name).entries:
        assert entry.recipe in recipe_names()
        recipe = entry_recipe(entry, 3)
        assert (recipe.name, recipe.seed) == (entry.recipe, 3)


@pytest.mark.parametrize("name", benchmark_names())
def test_limits_are_in_order_and_sources_are_named(name: str) -> None:
    for entry in load_benchmark(name).entries:
        assert entry.published is not None
        assert entry.published.source
        if entry.must is not None and entry.aim is not None:
            assert entry.aim < entry.must


def test_a_file_is_named_after_itself_and_its_recipes_lie_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('[[entries]]\nrecipe = "own.toml"\n' + SMALL)
    read = load_benchmark(str(file))
    assert read.name == "mine"
    assert [entry.recipe for entry in read.entries] == [str(tmp_path / "own.toml"), "digits"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (SMALL + 'mesure = "nll_nats"', r"entries\[0\].mesure(.|\n)*mean measure"),
        (SMALL + 'measure = "mse"', r"entries\[0\].measure cannot be used"),
        (SMALL + "seeds = []", r"entries\[0\].seeds"),
        (SMALL + SMALL, "digits has two entries"),
        ("entries = []", "entries"),
        ("entries = [", "not valid TOML"),
    ],
)
def test_mistakes(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "wrong.toml"
    file.write_text(text)
    with pytest.raises(SpecError, match=message):
        load_benchmark(file)


@pytest.mark.parametrize("source", ["mnits", "nowhere/mine.toml"])
def test_there_is_none(source: str) -> None:
    with pytest.raises(SpecError, match="mnist"):
        load_benchmark(source)
