"""The manifold that a decoder of two latent dimensions has learned.

Even steps on the unit square become codes by the inverse of the Gaussian distribution function,
so that every code stands for an equal share of the prior.

Reference:
    Kingma and Welling (2013), Auto-Encoding Variational Bayes, appendix A,
    https://arxiv.org/abs/1312.6114
"""

import numpy as np
import torch
from jaxtyping import Float
from scipy.special import ndtri

from vaekit.models import VAE
from vaekit.numerics import generator_for


def unit_square(side: int) -> Float[np.ndarray, "cells 2"]:
    """Codes at the middles of equal cells of the unit square, row by row from the upper left.

    Example:
        >>> unit_square(1).tolist()
        [[0.0, 0.0]]
    """
    along = ndtri((np.arange(side) + 0.5) / side)
    down, right = np.meshgrid(along[::-1], along, indexing="ij")
    return np.stack([right.ravel(), down.ravel()], axis=1)


@torch.no_grad()
def manifold(model: VAE, side: int) -> Float[np.ndarray, "cells channels height width"]:
    """Means of p(x | z) on the unit square."""
    like = next(model.parameters())
    codes = torch.as_tensor(unit_square(side)).to(like)
    return model.decode((codes.unsqueeze(0),)).mean[0].cpu().numpy()


@torch.no_grad()
def drawn(model: VAE, number: int, seed: int = 0) -> Float[np.ndarray, "n channels height width"]:
    """Means of p(x | z) for z drawn from the prior."""
    like = next(model.parameters())
    source = generator_for(seed, "samples", device=like.device)
    return model.sample(number, generator=source).mean.cpu().numpy()
