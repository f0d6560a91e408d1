"""Cells of about a second: the committed recipes on small digits, with small networks."""

from typing import Any

import pytest

from vaekit.recipes import Recipe
from vaekit.studies.dynamics.cells import Cell

committed = Cell.recipe


def small_recipe(cell: Cell) -> Recipe:
    """The recipe of a cell on 8 x 8 digits."""
    tree: dict[str, Any] = committed(cell).model_dump(mode="json")
    tree["data"] = {"kind": "digits"}
    tree["training"] |= {"batch_size": 128, "precision": "float32"}
    for part in ("encoder", "decoder", "between"):
        if part in tree["model"]:
            tree["model"][part]["hidden"] = [16, 16]
    return Recipe.model_validate(tree)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets every cell be a small one."""
    monkeypatch.setattr(Cell, "recipe", small_recipe)
