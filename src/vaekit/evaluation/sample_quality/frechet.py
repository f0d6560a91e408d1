"""Frechet distance of two sets of features, each taken as a Gaussian.

    d^2 = |m1 - m2|^2 + tr(S1 + S2 - 2 (S1^1/2 S2 S1^1/2)^1/2)

m and S are means and covariances (by 1/(n - 1)). The form under the root is symmetric, so that
eigenvalues in float64 suffice: no square root of an asymmetric matrix, whose imaginary parts
would have to be thrown away. Small sets give too large a distance: compare numbers of as many
examples.

References:
    Dowson and Landau (1982), The Frechet distance between multivariate normal distributions
    Heusel et al. (2017), GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash
    Equilibrium, eq. 6, https://arxiv.org/abs/1706.08500 (FID: in features of Inception)
"""

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from vaekit.errors import DataError


def frechet_distance(a: Float[Tensor, "m features"], b: Float[Tensor, "n features"]) -> float:
    """The squared distance of the Gaussians fitted to two sets, as FID is.

    Example:
        >>> a = torch.tensor([[0.0], [2.0]])
        >>> frechet_distance(a, a + 3)
        9.0
    """
    if min(len(a), len(b)) < 2:
        raise DataError(
            "A covariance needs two examples.", expected="at least two in each set", found=len(a)
        )
    return frechet_distance_of_gaussians(*_moments(a), *_moments(b))


def frechet_distance_of_gaussians(
    mean_a: Float64[Tensor, " features"],
    covariance_a: Float64[Tensor, "features features"],
    mean_b: Float64[Tensor, " features"],
    covariance_b: Float64[Tensor, "features features"],
) -> float:
    """The squared distance of two Gaussians; never below zero."""
    values, vectors = torch.linalg.eigh(covariance_a)
    root = (vectors * values.clamp(min=0).sqrt()) @ vectors.T
    between = torch.linalg.eigvalsh(root @ covariance_b @ root).clamp(min=0).sqrt().sum()
    spread = covariance_a.trace() + covariance_b.trace() - 2 * between
    return max(0.0, ((mean_a - mean_b).square().sum() + spread).item())


def _moments(
    x: Float[Tensor, "n features"],
) -> tuple[Float64[Tensor, " features"], Float64[Tensor, "features features"]]:
    x = x.double()
    mean = x.mean(0)
    return mean, (x - mean).T @ (x - mean) / (len(x) - 1)
