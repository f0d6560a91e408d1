"""What the trackers of a run get to see."""

from pathlib import Path

from torch import Tensor

from vaekit.data import Observation
from vaekit.recipes import Recipe
from vaekit.runs.assembly import Assembly
from vaekit.runs.shown import first_examples
from vaekit.trackers import Subject


def subject(recipe: Recipe, parts: Assembly, folder: Path) -> Subject:
    """The run of a recipe, as its trackers see it: with the split that it is validated on."""
    dataset = parts.dataset
    split = next(name for name in ("validation", "test", "train") if name in dataset.splits)

    def examples(most: int) -> tuple[Observation, Tensor | None]:
        labels = dataset.split(split).labels()
        shown = first_examples(dataset, split, parts.transform, recipe, most)
        return shown, None if labels is None else labels[:most]

    tree = recipe.model_dump(mode="json")
    return Subject(
        parts.model, parts.transform, dataset.schema, examples, tree, folder, recipe.seed
    )
