"""The same questions put to models without a single Gaussian layer.

A categorical VAE has no variance; how undecided q(z | x) is, its entropy says:

    share of the entropy = mean over variables of H(q(z_d | x)) / log K        1 at the prior

Of a hierarchy, every layer has variances of its own. A factor given a layer below is read where
that layer was drawn.
"""

import math
from typing import Any, Final, cast, final

import torch
from torch.distributions import Independent

from vaekit.data import Observation
from vaekit.distributions import Gaussian, OneHot
from vaekit.models import CategoricalVAE, HierarchicalVAE, Inference, Model
from vaekit.numerics import generator_for
from vaekit.studies.dynamics.calibration import calibrated

DRAWS: Final = 4


@final
class EntropyProbe:
    """Reads a categorical VAE.

    Args:
        observation: Held-out examples.
        seed: Seed of the noise.
    """

    def __init__(self, observation: Observation, seed: int = 0) -> None:
        self.observation, self.seed = observation, seed

    def __call__(self, model: CategoricalVAE) -> dict[str, Any]:
        """The entropy of every variable as a share of log K, KL in nats, expected fit."""
        with calibrated(model, self.observation), torch.no_grad():
            inference = _drawn(model, self.observation, self.seed)
        q = cast(OneHot, cast(Independent, inference.posterior[0]).base_dist)
        entropy = -(q.logits.exp() * q.logits).sum(-1)
        shares = entropy.mean(0) / math.log(q.logits.shape[-1])
        return {
            "entropy_share": shares.tolist(),
            "log_entropy_share": entropy.mean(0).div(math.log(q.logits.shape[-1])).log().tolist(),
            "kl": inference.kl[0].mean((0, 1)).flatten().tolist(),
            "expected_log_likelihood": inference.log_likelihood().mean().item(),
        }


@final
class LayerProbe:
    """Reads a VAE with several Gaussian layers.

    Args:
        observation: Held-out examples.
        seed: Seed of the noise.
    """

    def __init__(self, observation: Observation, seed: int = 0) -> None:
        self.observation, self.seed = observation, seed

    def __call__(self, model: HierarchicalVAE) -> dict[str, Any]:
        """A number for every layer, the top first."""
        with calibrated(model, self.observation), torch.no_grad():
            inference = _drawn(model, self.observation, self.seed)
        factors = [
            cast(Gaussian, cast(Independent, factor).base_dist) for factor in inference.posterior
        ]
        return {
            "log_variance": [2 * factor.log_scale.mean().item() for factor in factors],
            "variance": [factor.variance.mean().item() for factor in factors],
            "kl": [layer.mean((0, 1)).sum().item() for layer in inference.kl],
            "expected_log_likelihood": inference.log_likelihood().mean().item(),
        }


def _drawn(model: Model, observation: Observation, seed: int) -> Inference:
    return model.infer(observation, DRAWS, generator=generator_for(seed, "probe", "draws"))
