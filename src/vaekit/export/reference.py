"""Scores and codes of held-out data, as a running model gives them."""

from typing import Any, NamedTuple, final

import numpy as np
import torch

from vaekit.artifacts import LatentMoments, Reference
from vaekit.condition import encoded
from vaekit.data import Dataset
from vaekit.distributions import moments
from vaekit.export.artifact import Artifact
from vaekit.runtime import Conditions, Runtime

MOST_EXAMPLES = 10_000


@final
class HeldOut(NamedTuple):
    """Examples that were not trained on, where there are such."""

    split: str
    x: np.ndarray
    condition: dict[str, Any] | None

    def first(self, n: int) -> "HeldOut":
        """The first n of them."""
        told = self.condition
        few = None if told is None else {name: values[:n] for name, values in told.items()}
        return HeldOut(self.split, self.x[:n], few)


def held_out(artifact: Artifact, dataset: Dataset, most: int = MOST_EXAMPLES) -> HeldOut:
    """The first examples of the validation split.

    Of the test split where there is none; and where there is neither, of the training split,
    which flatters the model. Which one it was is stated.
    """
    split = reference_split(dataset)
    rows = dataset.split(split).rows(0, min(len(dataset.split(split)), most))
    return HeldOut(split, rows.x.cpu().numpy(), artifact.conditions_of(rows))


def held_out_reference(artifact: Artifact, dataset: Dataset) -> Reference:
    """What monitors and thresholds compare with."""
    held = held_out(artifact, dataset)
    serving = artifact.serving
    c = encoded(serving.conditions, held.condition, len(held.x), serving.name)
    return reference_of(artifact, held, _posterior_variance(artifact, held.x, c))


def reference_of(
    runtime: Runtime,
    held: HeldOut,
    posterior_variance: tuple[float, ...] | None,
    scores: dict[str, np.ndarray] | None = None,
) -> Reference:
    """How a runtime sees held-out examples.

    Args:
        runtime: Any.
        held: The examples.
        posterior_variance: Of q(z | x), mean over them.
        scores: What it gave them, where they were scored already.
    """
    protocol = runtime.serving.score_protocol
    codes = runtime.encode(held.x, held.condition).astype(np.float64)
    if scores is None:
        scores = runtime.score(held.x, seed=protocol.seed, condition=held.condition)
    return Reference(
        split=held.split,
        examples=len(held.x),
        seed=protocol.seed,
        num_samples=protocol.num_samples,
        scores=Reference.distributions(scores),
        latent=LatentMoments(
            mean=tuple(codes.mean(0).tolist()),
            std=tuple(codes.std(0).tolist()),
            posterior_variance=posterior_variance,
        ),
    )


def reference_split(dataset: Dataset) -> str:
    """Which split is held out: of validation, test and train the first that there is."""
    return next(name for name in ("validation", "test", "train") if name in dataset.splits)


@torch.no_grad()
def _posterior_variance(
    artifact: Artifact, x: np.ndarray, c: Conditions
) -> tuple[float, ...] | None:
    """Mean over examples of the variance of q(z | x), all layers side by side.

    None where there is no posterior, or one whose variance has no closed form.
    """
    if not artifact.model.facts.has_density:
        return None
    total, at_a_time = 0.0, 1000
    for start in range(0, len(x), at_a_time):
        here = slice(start, start + at_a_time)
        shown = artifact.observation(x[here], None if c is None else c[here])
        posterior = artifact.model.infer_at_mean(shown).posterior
        # A layer that depends on another has a sample dimension, of one.
        n, found = len(shown), [moments(factor) for factor in posterior]
        layers = [layer[1].double().square().reshape(n, -1).sum(0) for layer in found if layer]
        if len(layers) < len(found):
            return None
        total = total + torch.cat(layers)
    return tuple((torch.as_tensor(total) / len(x)).tolist())
