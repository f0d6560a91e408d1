"""What docs/training.md says of recipes and parts is true, and leaves none out."""

import re
import shlex
from pathlib import Path

import pytest

from vaekit.recipes import load_recipe, parts, recipe_names

TEXT = (Path(__file__).parents[2] / "docs" / "training.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^vaekit train (\S+) (--set .*)$", TEXT, flags=re.MULTILINE)
ROOMS = ("model", "model.prior", "model.posterior", "model.likelihood", "model.encoder")


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_command_is_accepted(command: tuple[str, str]) -> None:
    recipe, settings = command
    load_recipe(recipe, [word for word in shlex.split(settings) if word != "--set"])


def test_every_recipe_is_there() -> None:
    assert len(COMMANDS) > 10
    assert [name for name in recipe_names() if f"`{name}`" not in TEXT] == []


def test_every_part_is_there() -> None:
    known = {
        part.kind
        for settings, choices in parts().items()
        for part in choices
        if {"objective", *ROOMS} & set(settings.split(", "))
    }
    assert len(known) > 30
    assert [kind for kind in sorted(known) if f"`{kind}`" not in TEXT] == []
