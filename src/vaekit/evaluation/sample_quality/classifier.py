"""A small convolutional classifier, trained on the labels of the training split.

It is not there to classify: what comes before its last layer is the space in which pictures are
compared. Two convolutions that halve the image, and 64 features; 1,500 steps of Adam on
128 examples whatever the data, so that it takes a minute at most on two cores.
"""

import math
from collections.abc import Callable
from typing import Final, final

import torch
from jaxtyping import Float, Int64, Shaped
from torch import Tensor, nn
from torch.nn import functional as F

from vaekit.data import Batches, Dataset
from vaekit.errors import DataError
from vaekit.evaluation.pixels import UnitScale
from vaekit.numerics import derive_seed
from vaekit.schema import Schema

VERSION: Final = 1
"""Raised with every change that leads to other features: numbers of other versions differ."""
FEATURES: Final = 64
_CHANNELS: Final = (16, 32)
_STEPS, _BATCH_SIZE, _LEARNING_RATE, _SEED = 1500, 128, 2e-3, 0


@final
class Classifier(nn.Module):
    """From raw images to features, and to a logit for every class.

    Args:
        schema: The form of the images, which have a range and classes.
    """

    def __init__(self, schema: Schema) -> None:
        super().__init__()
        self._scale = UnitScale(schema)
        body, (channels, height, width) = nn.Sequential(), schema.event_shape
        for wider in _CHANNELS:
            body.extend([nn.Conv2d(channels, wider, 5, stride=2, padding=2), nn.SiLU()])
            channels, height, width = wider, math.ceil(height / 2), math.ceil(width / 2)
        body.extend([nn.Flatten(), nn.Linear(channels * height * width, FEATURES), nn.SiLU()])
        self.body, self.head = body, nn.Linear(FEATURES, schema.num_classes or 1)

    def features(self, images: Shaped[Tensor, "n ..."]) -> Float[Tensor, "n 64"]:
        """What the classes are read off from, for raw values."""
        return self.body(2 * self._scale(images).float() - 1)

    def forward(self, images: Shaped[Tensor, "n ..."]) -> Float[Tensor, "n classes"]:
        return self.head(self.features(images))


def train_classifier(
    dataset: Dataset,
    device: torch.device | str,
    progress: Callable[[float], None] = lambda share: None,
    steps: int = _STEPS,
) -> Classifier:
    """Trains from a fixed seed; the same data gives the same classifier, on the same machine.

    Args:
        dataset: Images with a range, whose training split has labels.
        device: Where it is trained.
        progress: Told which share is done.
        steps: Updates.
    """
    split = dataset.split("train")
    batches = Batches(split, min(_BATCH_SIZE, len(split)), _SEED, device)
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        torch.manual_seed(derive_seed(_SEED, "classifier"))
        classifier = Classifier(dataset.schema).to(device)
        optimizer = torch.optim.Adam(classifier.parameters(), _LEARNING_RATE, weight_decay=1e-5)
        decay = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
        for step in range(steps):
            rows = batches(*divmod(step, batches.steps_per_epoch))
            loss = F.cross_entropy(classifier(rows.x), _labels(rows.labels, dataset.name))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            decay.step()
            progress((step + 1) / steps)
    return classifier.eval().requires_grad_(False)


def _labels(labels: Tensor | None, where: str) -> Int64[Tensor, " n"]:
    if labels is None:
        raise DataError("There are no labels to learn from.", where=where, expected="labels")
    return labels
