"""What the trackers of a run get to see."""

from pathlib import Path

from torch import Tensor

from vaekit.data import Observation, present
from vaekit.recipes import Recipe
from vaekit.runs.assembly import Assembly
from vaekit.trackers import Subject


def subject(recipe: Recipe, parts: Assembly, folder: Path) -> Subject:
    """The run of a recipe, as its trackers see it: with the split that it is validated on."""
    dataset = parts.dataset
    split = next(name for name in ("validation", "test", "train") if name in dataset.splits)

    def examples(most: int) -> tuple[Observation, Tensor | None]:
        held_out = dataset.split(split)
        labels, seed = held_out.labels(), recipe.evaluation.seed
        blocks = present(held_out, parts.transform, seed, recipe.training.device, most)
        return Observation.join(list(blocks)), None if labels is None else labels[:most]

    tree = recipe.model_dump(mode="json")
    return Subject(
        parts.model, parts.transform, dataset.schema, examples, tree, folder, recipe.seed
    )
