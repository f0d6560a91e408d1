"""A linear decoder whose columns are not orthogonal, and its exact posterior.

    z ~ N(0, I),    x | z ~ N(W z + mean, sigma^2 I)
    p(z | x) = N(C W' (x - mean) / sigma^2, C),    C = (I + W'W / sigma^2)^-1

C is not diagonal: no diagonal Gaussian is exact here, and one with full covariance is.
"""

import math

import pytest
import torch
from linear_model import linear_layer
from torch import Tensor
from torch.distributions import Independent, MultivariateNormal, kl_divergence

from vaekit.data import Observation, Statistics
from vaekit.distributions import Gaussian
from vaekit.models import VAE, VAESpec
from vaekit.numerics import generator_for, inverse_smooth_bound

VALUES, LATENT, SIGMA = 6, 3, 0.7


def drawn(*shape: int, seed: int) -> Tensor:
    return torch.randn(shape, generator=generator_for(seed, "full"), dtype=torch.float64)


COLUMNS, MEAN = drawn(VALUES, LATENT, seed=0), drawn(VALUES, seed=1)
COVARIANCE = torch.linalg.inv(torch.eye(LATENT) + COLUMNS.T @ COLUMNS / SIGMA**2)
TO_MEAN = COVARIANCE @ COLUMNS.T / SIGMA**2
P = MultivariateNormal(
    MEAN, COLUMNS @ COLUMNS.T + SIGMA**2 * torch.eye(VALUES, dtype=torch.float64)
)
SHOWN = Observation(
    drawn(50, LATENT, seed=2) @ COLUMNS.T + MEAN + SIGMA * drawn(50, VALUES, seed=3)
)
# Log-densities of about ten nats from a dozen float64 terms, each off by 1e-16 of itself.
ROUNDING = 1e-12


def exact_vae(kind: str) -> VAE:
    """With q(z | x) = p(z | x), or the diagonal Gaussian of the same mean and precisions."""
    linear = {"kind": "mlp", "hidden": ()}
    spec = VAESpec.model_validate(
        {
            "latent_dim": LATENT,
            "encoder": linear,
            "decoder": linear,
            "posterior": {"kind": kind},
            "likelihood": {"kind": "gaussian", "scale": SIGMA},
        }
    )
    statistics = Statistics(torch.zeros(VALUES), torch.ones(VALUES))
    model = spec.build((VALUES,), statistics).double()
    into, out = linear_layer(model.encoder), linear_layer(model.decoder)
    with torch.no_grad():
        model.encoder.mean.copy_(MEAN)
        into.weight.zero_()
        into.weight[:LATENT] = TO_MEAN
        into.bias.copy_(torch.cat([torch.zeros(LATENT), *encoded(kind)]))
        out.weight.copy_(COLUMNS)
        model.decoder.output_bias.copy_(MEAN.unsqueeze(0))
    return model


def encoded(kind: str) -> list[Tensor]:
    """What the encoder has to say for the posterior to have its scales."""
    if kind == "diagonal_gaussian":
        log_scale = -0.5 * torch.linalg.inv(COVARIANCE).diagonal().log()
        return [inverse_smooth_bound(log_scale, 7.0)]
    factor = torch.linalg.cholesky(COVARIANCE)
    below = factor[torch.tril_indices(LATENT, LATENT, offset=-1).unbind()]
    return [
        inverse_smooth_bound(factor.diagonal().log(), 7.0),
        inverse_smooth_bound(below, math.exp(2.0)),
    ]


def test_every_log_weight_is_log_p_under_the_exact_posterior() -> None:
    model = exact_vae("full_covariance")
    inference = model.infer(SHOWN, 20, generator=generator_for(0))
    exact = P.log_prob(SHOWN.x)
    torch.testing.assert_close(inference.log_weights(), exact.expand(20, -1), rtol=0, atol=ROUNDING)
    # Also by way of the density of any other z.
    foreign = tuple(z.clone() for z in inference.z)
    (q,) = inference.posterior
    torch.testing.assert_close(q.log_prob(foreign[0]), inference.log_q(), rtol=0, atol=ROUNDING)


def test_elbo_is_log_p_under_the_exact_posterior() -> None:
    model = exact_vae("full_covariance")
    axes = LATENT**0.5 * torch.eye(LATENT, dtype=torch.float64)
    noise = torch.cat([axes, -axes]).unsqueeze(1).expand(-1, 50, -1)  # exact for quadratics
    inference = model.infer(SHOWN, 2 * LATENT, (noise,))
    assert inference.kl_is_analytic == (True,)
    elbo = inference.log_likelihood().mean(0) - inference.kl[0].sum((0, 2))
    torch.testing.assert_close(elbo, P.log_prob(SHOWN.x), rtol=0, atol=ROUNDING)


def test_diagonal_gaussian_leaves_a_gap_of_its_divergence() -> None:
    """The mean-field optimum has the precisions of the posterior on its diagonal."""
    inference = exact_vae("diagonal_gaussian").infer(SHOWN, 2000, generator=generator_for(1))
    elbo = inference.log_weights().mean(0)
    (q,) = inference.posterior
    assert isinstance(q, Independent)
    assert isinstance(q.base_dist, Gaussian)
    mean = (SHOWN.x - MEAN) @ TO_MEAN.T
    gap = kl_divergence(
        MultivariateNormal(q.mean, torch.diag_embed(q.variance)),
        MultivariateNormal(mean, COVARIANCE),
    )
    assert gap.min() > 0.05
    error = inference.log_weights().std(0) / 2000**0.5
    assert ((P.log_prob(SHOWN.x) - elbo - gap).abs() < 6 * error).all()


@pytest.mark.parametrize("kind", ["diagonal_gaussian", "full_covariance"])
def test_embedding_is_the_exact_mean(kind: str) -> None:
    expected = (SHOWN.x - MEAN) @ TO_MEAN.T
    torch.testing.assert_close(exact_vae(kind).embed(SHOWN), expected, rtol=0, atol=ROUNDING)
