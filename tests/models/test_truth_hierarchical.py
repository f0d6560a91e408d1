"""Two layers of which everything is known: linear Gaussians on top of each other.

    z_2 ~ N(0, 1),    z_1 | z_2 ~ N(a z_2 + b, s^2),    x | z_1 ~ N(w z_1 + m, sigma^2 I)

Every posterior is Gaussian: with the exact ones, each log-weight is log p(x).
"""

import math

import pytest
import torch
from linear_model import linear_layer
from torch import Tensor
from torch.distributions import MultivariateNormal

from vaekit.data import Observation, Statistics
from vaekit.evaluation import (
    AISSpec,
    annealed_importance_sampling,
    importance_sampling,
    posterior_moments,
)
from vaekit.likelihoods import GaussianSpec
from vaekit.models import HierarchicalVAE, HierarchicalVAESpec
from vaekit.networks import MLPSpec
from vaekit.numerics import draw_noise, generator_for, inverse_smooth_bound
from vaekit.objectives import ELBOSpec

A, B, S, SIGMA = 0.8, 0.3, 0.6, 0.7
W = torch.tensor([1.0, -0.5, 2.0], dtype=torch.float64)
M = torch.tensor([0.2, 0.1, -1.0], dtype=torch.float64)
OF_BOTTOM = A**2 + S**2
"""Variance of z_1."""
OF_X = W.outer(W) * OF_BOTTOM + SIGMA**2 * torch.eye(3, dtype=torch.float64)
P_OF_X = MultivariateNormal(M + W * B, OF_X)
SHOWN = Observation(P_OF_X.mean + torch.randn(
    30, 3, generator=generator_for(3), dtype=torch.float64
) @ torch.linalg.cholesky(OF_X).T)  # fmt: skip
LINEAR = MLPSpec(hidden=())


def raw(scale: float) -> float:
    """What the network says for a posterior of this scale."""
    limit = torch.tensor(2.0 if scale > 1 else 7.0, dtype=torch.float64)
    return inverse_smooth_bound(torch.tensor(math.log(scale), dtype=torch.float64), limit).item()


def two_layers(shift: float = 0.0, stretch: float = 1.0) -> HierarchicalVAE:
    """The model, with q exact but for a shift of z_1's mean and a stretch of both scales."""
    spec = HierarchicalVAESpec(
        latent_dims=(1, 1),
        encoder=LINEAR,
        decoder=LINEAR,
        between=LINEAR,
        likelihood=GaussianSpec(scale=SIGMA),
    )
    model = spec.build((3,), Statistics(torch.zeros(3), torch.ones(3))).double()
    of_bottom = 1 / (1 / OF_BOTTOM + W.square().sum().item() / SIGMA**2)  # given x
    of_top = 1 / (1 + A**2 / S**2)  # given z_1
    with torch.no_grad():
        model.encoder.mean.copy_(M)
        model.decoder.output_bias.copy_(M.unsqueeze(0))
        linear_layer(model.decoder).weight.copy_(W.unsqueeze(1))
        into = linear_layer(model.encoder)
        into.weight.copy_(torch.stack([of_bottom * W / SIGMA**2, torch.zeros(3)]))
        fill(into.bias, of_bottom * B / OF_BOTTOM + shift, raw(stretch * of_bottom**0.5))
        down, up = linear_layer(model.downwards[0]), linear_layer(model.upwards[0])
        fill(down.weight, A, 0.0)
        fill(down.bias, B, raw(S))
        fill(up.weight, of_top * A / S**2, 0.0)
        fill(up.bias, -of_top * A * B / S**2, raw(stretch * of_top**0.5))
    return model


def fill(parameter: Tensor, *values: float) -> None:
    parameter.copy_(torch.tensor(values, dtype=parameter.dtype).reshape(parameter.shape))


def test_with_the_exact_posterior_every_log_weight_is_log_p() -> None:
    noise = draw_noise(two_layers().noise_spec(30, 9), generator_for(0), dtype=torch.float64)
    weights = two_layers().infer(SHOWN, 9, noise).log_weights()
    # A dozen float64 terms of order ten.
    torch.testing.assert_close(weights, P_OF_X.log_prob(SHOWN.x).expand(9, 30), rtol=0, atol=1e-12)


def test_importance_sampling_finds_log_p_with_another_posterior() -> None:
    estimate = importance_sampling(two_layers(0.1, 1.4), [SHOWN], 4000, seed=0)
    error = (estimate.log_likelihood - P_OF_X.log_prob(SHOWN.x)) / estimate.monte_carlo_error
    assert error.abs().max() < 5
    assert estimate.monte_carlo_error.max() < 0.03
    assert (estimate.elbo < estimate.log_likelihood).all()


@pytest.mark.parametrize(("shift", "stretch"), [(0.0, 1.0), (0.2, 1.4)])
def test_kl_of_the_layers_is_log_q_over_p_in_expectation(shift: float, stretch: float) -> None:
    # A closed form for the bottom layer, given the top, would be wrong: the top was drawn from it.
    inference = two_layers(shift, stretch).infer(SHOWN, 20_000, generator=generator_for(1))
    assert inference.kl_is_analytic == (True, False)
    kl = torch.cat(inference.kl, dim=-1).sum(-1)
    ratio = inference.log_q() - inference.log_prior()
    error = (kl - ratio).std(0) / 20_000**0.5
    assert ((kl - ratio).mean(0).abs() < 5 * error).all()
    # Against the exact value: KL = E_q[log p(x | z)] - ELBO, where q is exact.
    if shift == 0.0:
        exact = inference.log_likelihood().mean(0) - P_OF_X.log_prob(SHOWN.x)
        spread = (inference.log_likelihood() - kl).std(0) / 20_000**0.5
        assert ((kl.mean(0) - exact).abs() < 5 * spread).all()


def test_elbo_is_below_log_p_and_reaches_it_at_the_exact_posterior() -> None:
    exact = P_OF_X.log_prob(SHOWN.x).mean().item()
    found = []
    for shift, stretch in ((0.0, 1.0), (0.3, 1.0), (0.0, 2.0)):
        objective = ELBOSpec(num_samples=4000).build()
        model = two_layers(shift, stretch)
        terms = objective(model, SHOWN, {"beta": 1.0}, generator=generator_for(2))
        found.append(terms.reported["elbo_nats"].item())
    # An error of 1 / sqrt(4000 * 30) for what of the fit is sampled, about one nat; times five.
    assert found[0] == pytest.approx(exact, abs=0.015)
    assert max(found[1:]) < exact - 0.05


def test_annealed_importance_sampling_moves_all_layers() -> None:
    spec = AISSpec(chains=32, temperatures=60, leapfrog_steps=5)
    found = annealed_importance_sampling(two_layers(1.0, 2.0), SHOWN[:8], spec, seed=0)
    # Thirty-two chains of a weight that varies by a few tenths.
    expected = P_OF_X.log_prob(SHOWN.x[:8])
    torch.testing.assert_close(found.log_likelihood, expected, rtol=0, atol=0.5)
    assert found.acceptance_rate.mean() > 0.5


def test_moments_are_those_of_the_means() -> None:
    top, bottom = posterior_moments(two_layers(), [SHOWN])
    codes = two_layers().embed(SHOWN)
    assert torch.equal(codes, torch.cat([top.mean, bottom.mean], dim=1))
    of_bottom = 1 / (1 / OF_BOTTOM + W.square().sum().item() / SIGMA**2)
    assert bottom.stddev.square().mean().item() == pytest.approx(of_bottom, rel=1e-12)


def test_sampling_draws_from_p() -> None:
    x = two_layers().sample(40_000, generator=generator_for(5)).mean
    # Means of p(x | z): their spread is that of W z_1.
    expected = W.outer(W) * OF_BOTTOM
    torch.testing.assert_close(torch.cov(x.T), expected, rtol=0.05, atol=0.0)
    cold = two_layers().sample(3, temperature=0.0).mean
    torch.testing.assert_close(cold, (M + W * B).expand(3, 3), rtol=0, atol=1e-12)
