"""What a tracker gets to see of a run."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias, final

from torch import Tensor

from vaekit.data import Observation, Transform
from vaekit.models import Model
from vaekit.schema import Schema

Examples: TypeAlias = Callable[[int], tuple[Observation, Tensor | None]]


@final
@dataclass(frozen=True)
class Subject:
    """A run, as its trackers see it.

    Args:
        model: What is trained.
        transform: How raw values became observations, and back.
        schema: The form of raw values.
        examples: The first held-out examples, at most so many, and their classes if any.
        recipe: Everything that was chosen, as a tree.
        folder: Of the run.
        seed: Of the recipe.
    """

    model: Model
    transform: Transform
    schema: Schema
    examples: Examples
    recipe: Mapping[str, Any]
    folder: Path
    seed: int

    @property
    def name(self) -> str:
        """What the run is called."""
        return str(self.recipe["name"])
