"""A cell as vaekit's own parts: data, model and objective, started as the paper starts.

Encoder and decoder have one hidden layer of tanh. MNIST is binarised anew at every presentation,
and its decoder is Bernoulli; Frey Faces are shuffled before they are divided, made continuous by
uniform noise, and their decoder is a Gaussian with a mean in (0, 1) and a scale for each value.
All weights and biases are drawn from N(0, 0.01), a variance, and the encoder sees values as they
are: what vaekit does by default (centred inputs, an output bias at the mean of the data) is undone.

The prior N(0, I) of all weights adds theta / N to the gradient per example, N training images.
Adam has none: its decoupled decay would be another prior.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, final

import torch
from torch import nn

from vaekit.data import Batches, InMemorySplit, Observation, Split, Transform, present
from vaekit.models import VAE
from vaekit.numerics import derive_seed, generator_for
from vaekit.objectives import Objective
from vaekit.recipes import Recipe
from vaekit.runs import assemble
from vaekit.studies.aevb.cells import ADAM_RATE, BATCH_SIZE, Cell
from vaekit.training import resolve

MOST_SAMPLES: Final = 10**9
_FREY = {"kind": "gaussian", "scale": "per_value", "unit_mean": True}
_DATA: Final[dict[str, dict[str, Any]]] = {
    "mnist": {
        "data": {"kind": "mnist", "split": "60000/-/10000"},
        "transform": {"kind": "binarize", "protocol": "dynamic"},
    },
    "frey_faces": {
        "data": {"kind": "frey_faces", "order": "shuffled"},
        "transform": {"kind": "dequantize"},
    },
}


@final
@dataclass(frozen=True)
class Setting:
    """What a cell is trained with.

    Args:
        recipe: All of it, written down.
        model: As the paper starts it.
        objective: What is maximised.
        transform: What the model sees of an image.
        train: Training images.
        test: Images held out.
    """

    recipe: Recipe
    model: VAE
    objective: Objective
    transform: Transform
    train: InMemorySplit
    test: Split

    @property
    def batches(self) -> Batches:
        """Training batches."""
        return Batches(self.train, BATCH_SIZE, self.recipe.seed, self.recipe.training.device)

    def shown(self, split: Split, most: int) -> Observation:
        """The first images of a split, drawn once."""
        device = self.recipe.training.device
        return Observation.join(list(present(split, self.transform, 0, device, most)))

    def blocks(self, split: Split) -> Iterator[Observation]:
        """All images of a split, drawn once."""
        return present(split, self.transform, 0, self.recipe.training.device)


def setting(cell: Cell, step_size: float | None = None, threads: int = 1) -> Setting:
    """Builds a cell.

    Args:
        cell: What is trained.
        step_size: Of the optimiser; its smallest, or that of Adam, if absent.
        threads: CPU threads.
    """
    recipe = recipe_of(cell, step_size, threads)
    parts = assemble(recipe)
    whole = parts.dataset.split("train")
    rows = whole.rows(0, cell.images or len(whole))
    assert isinstance(parts.model, VAE)  # noqa: S101  # `recipe_of` says so
    start_as_published(parts.model, cell)
    train = InMemorySplit.of(rows)
    test = parts.dataset.split("test")
    return Setting(recipe, parts.model, parts.objective, parts.transform, train, test)


def recipe_of(cell: Cell, step_size: float | None = None, threads: int = 1) -> Recipe:
    """The recipe of a cell, with what the machine decides."""
    network = {"kind": "mlp", "hidden": [cell.units], "activation": "tanh"}
    frey = cell.data == "frey_faces"
    images = cell.images or (1565 if frey else 60_000)
    rate = step_size or (ADAM_RATE if cell.method == "adam" else 0.01)
    optimizer = {"kind": cell.method, "learning_rate": rate}
    if cell.method == "adagrad":
        optimizer["weight_decay"] = 1 / images
    epochs = MOST_SAMPLES // (images - images % BATCH_SIZE)
    recipe = Recipe.model_validate(
        {
            "name": cell.name,
            "seed": cell.seed,
            **_DATA[cell.data],
            "model": {
                "kind": "vae",
                "latent_dim": cell.latent,
                "encoder": network,
                "decoder": network,
                "likelihood": _FREY if frey else {"kind": "bernoulli"},
            },
            "objective": {"kind": "wake_sleep" if cell.algorithm == "wake_sleep" else "elbo"},
            "training": {
                "epochs": epochs,
                "batch_size": BATCH_SIZE,
                "optimizer": optimizer,
                "ema_decay": 0.0,
                "precision": "float32",
                "threads": threads,
                "log_every_steps": 1000,
                "evaluate_every_epochs": epochs,
                "checkpoint_every_seconds": 60.0,
            },
        }
    )
    return recipe.model_copy(update={"training": resolve(recipe.training)})


@torch.no_grad()
def start_as_published(model: VAE, cell: Cell) -> None:
    """Draws every parameter from a normal, and lets the encoder see values as they are."""
    source = generator_for(derive_seed(cell.seed, "start"))
    for parameter in model.parameters():
        drawn = torch.randn(parameter.shape, generator=source) * cell.start
        parameter.copy_(drawn.to(parameter))
    model.encoder.mean.zero_()
    model.encoder.spread.fill_(1.0)


def parameters(part: nn.Module) -> list[nn.Parameter]:
    """What of a part is trained."""
    return [parameter for parameter in part.parameters() if parameter.requires_grad]
