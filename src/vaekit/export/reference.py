"""Scores and codes of held-out data, as a running model gives them."""

import numpy as np
import torch

from vaekit.artifacts import LatentMoments, Reference
from vaekit.condition import encoded
from vaekit.data import Dataset
from vaekit.distributions import moments
from vaekit.export.artifact import Artifact
from vaekit.runtime import Conditions

MOST_EXAMPLES = 10_000


def held_out_reference(artifact: Artifact, dataset: Dataset) -> Reference:
    """What monitors and thresholds compare with.

    Computed on the validation split; on the test split where there is none; and where there is
    neither, on the training split, which flatters the model. Which one it was is stated.
    """
    split = reference_split(dataset)
    examples = min(len(dataset.split(split)), MOST_EXAMPLES)
    rows = dataset.split(split).rows(0, examples)
    x, condition = rows.x.cpu().numpy(), artifact.conditions_of(rows)
    protocol = artifact.serving.score_protocol
    c = encoded(artifact.serving.conditions, condition, len(x), artifact.serving.name)
    codes = artifact.encode(x, condition).astype(np.float64)
    return Reference(
        split=split,
        examples=examples,
        seed=protocol.seed,
        num_samples=protocol.num_samples,
        scores=Reference.distributions(artifact.score(x, seed=protocol.seed, condition=condition)),
        latent=LatentMoments(
            mean=tuple(codes.mean(0).tolist()),
            std=tuple(codes.std(0).tolist()),
            posterior_variance=_posterior_variance(artifact, x, c),
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
