"""Scores and codes of held-out data, as a running model gives them."""

import numpy as np
import torch

from vaekit.artifacts import LatentMoments, Reference
from vaekit.data import Dataset
from vaekit.export.artifact import Artifact

MOST_EXAMPLES = 10_000


def held_out_reference(artifact: Artifact, dataset: Dataset) -> Reference:
    """What monitors and thresholds compare with.

    Computed on the validation split; on the test split where there is none; and where there is
    neither, on the training split, which flatters the model. Which one it was is stated.
    """
    split = next(name for name in ("validation", "test", "train") if name in dataset.splits)
    examples = min(len(dataset.split(split)), MOST_EXAMPLES)
    x = dataset.split(split).rows(0, examples).x.cpu().numpy()
    protocol = artifact.serving.score_protocol
    codes = artifact.encode(x).astype(np.float64)
    return Reference(
        split=split,
        examples=examples,
        seed=protocol.seed,
        num_samples=protocol.num_samples,
        scores=Reference.distributions(artifact.score(x, seed=protocol.seed)),
        latent=LatentMoments(
            mean=tuple(codes.mean(0).tolist()),
            std=tuple(codes.std(0).tolist()),
            posterior_variance=_posterior_variance(artifact, x),
        ),
    )


@torch.no_grad()
def _posterior_variance(artifact: Artifact, x: np.ndarray) -> tuple[float, ...] | None:
    """Mean over examples of the variance of q(z | x), all layers side by side."""
    if not artifact.model.facts.has_density:
        return None
    total, rows = 0.0, 1000
    for start in range(0, len(x), rows):
        shown = artifact.observation(x[start : start + rows])
        posterior = artifact.model.infer_at_mean(shown).posterior
        # A layer that depends on another has a sample dimension, of one.
        n = len(shown)
        layers = [factor.variance.double().reshape(n, -1).sum(0) for factor in posterior]
        total = total + torch.cat(layers)
    return tuple((torch.as_tensor(total) / len(x)).tolist())
