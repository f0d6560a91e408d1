"""The cells of the study: one training each, named by what distinguishes it.

A cell is a committed recipe (vae.toml is the published set-up) with a beta, a seed, a kind of data,
a latent size and a width of the decoder. The decoder's output bias starts at zero and the encoder
sees pixels as they are, as published: vaekit would start the bias at the data's mean and centre
the pixels.

Reference:
    Hu (2025), Understanding the Dynamic Balance in Variational Autoencoders
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias, cast, final

import torch

from vaekit.models import VAE, CategoricalVAE, HierarchicalVAE, Model
from vaekit.recipes import Recipe, load_recipe
from vaekit.runs import Assembly, assemble
from vaekit.runs.train import prepare

Family: TypeAlias = Literal["vae", "categorical", "hierarchical"]
Data: TypeAlias = Literal["grey", "binary"]

BETAS: Final = (0.0, 0.1, 0.5, 1.0, 2.0, 5.0, 10.0)
WIDTHS: Final = (1 / 32, 1 / 8, 1 / 2, 2.0)
HIDDEN: Final = (256, 512)
"""Units of the published decoder."""


@final
@dataclass(frozen=True)
class Cell:
    """One training under observation.

    Args:
        beta: Weight of the KL.
        seed: Seed of everything random.
        data: Grey pixels, or pixels binarised anew at every presentation.
        latent_dim: Size of z; of the other families, what their recipe says.
        epochs: How long.
        width: Factor on the published decoder's hidden units.
        family: Which recipe.
    """

    beta: float = 1.0
    seed: int = 0
    data: Data = "grey"
    latent_dim: int = 2
    epochs: int = 200
    width: float = 1.0
    family: Family = "vae"

    @property
    def name(self) -> str:
        """What its file is called; the length of the training is no part of it.

        Example:
            >>> Cell(beta=0.5, seed=1).name
            'vae-grey-z2-beta0.5-seed1'
        """
        size = f"-z{self.latent_dim}" if self.family == "vae" else ""
        width = "" if self.width == 1.0 else f"-width{self.width:g}"
        return f"{self.family}-{self.data}{size}-beta{self.beta:g}{width}-seed{self.seed}"

    @property
    def settings(self) -> dict[str, Any]:
        """What decides its numbers."""
        return asdict(self)

    def recipe(self) -> Recipe:
        """The resolved recipe."""
        hidden = [max(1, round(units * self.width)) for units in HIDDEN]
        settings = [
            f"objective.beta={self.beta}",
            f"seed={self.seed}",
            f"training.epochs={self.epochs}",
            f"model.decoder.hidden={hidden}",
        ]
        if self.family == "vae":
            settings.append(f"model.latent_dim={self.latent_dim}")
        if self.data == "binary":
            settings.append('transform={kind="binarize", protocol="dynamic"}')
        source = Path(__file__).with_name(f"{self.family}.toml")
        recipe, _ = prepare(load_recipe(source, settings), Path("no", "such", "folder"))
        return recipe


def grid(
    betas: Sequence[float], seeds: Sequence[int], data: Sequence[str], sizes: Sequence[int]
) -> list[Cell]:
    """Every combination; a seed is finished before the next begins.

    Example:
        >>> [cell.beta for cell in grid([0, 1], [0], ["grey"], [2])]
        [0, 1]
    """
    return [
        Cell(beta, seed, cast("Data", kind), size)
        for seed, kind, size, beta in product(seeds, data, sizes, betas)
    ]


def assembled(recipe: Recipe) -> Assembly:
    """Data, model and objective, started as published."""
    parts = assemble(recipe)
    start_as_published(parts.model)
    return parts


@torch.no_grad()
def start_as_published(model: Model) -> None:
    """Takes back what vaekit knows of the data before the first step."""
    if isinstance(model, VAE | CategoricalVAE | HierarchicalVAE):
        model.decoder.output_bias.zero_()
        model.encoder.mean.zero_()
        model.encoder.spread.fill_(1.0)
