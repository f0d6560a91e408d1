"""Objectives against the exact numbers of the linear model (tests/linear_model.py)."""

import math

import pytest
import torch
from linear_model import linear_layer, linear_model, linear_vae, sigma_points
from torch import Tensor
from torch.distributions import Independent, Normal, kl_divergence

from vaekit.data import Observation
from vaekit.models import VAE
from vaekit.numerics import generator_for, log_mean_exp
from vaekit.objectives import ELBOSpec, IWAESpec

TRUTH = linear_model()
SHOWN = TRUTH.draw(50)
EXACT = TRUTH.log_prob(SHOWN.x)
# Log-densities of about -10 nats, from sums of a dozen float64 terms of that size, each off by
# 1e-16 of itself: 1e-14. Two routes to one number may differ by a few of those.
ROUNDING = 1e-12


def elbo_of(model: VAE, shown: Observation, beta: float = 1.0) -> tuple[Tensor, dict[str, Tensor]]:
    """The loss and what is reported, free of sampling error."""
    objective = ELBOSpec.model_validate({"beta": beta, "num_samples": 6}).build()
    noise = sigma_points(3, len(shown))
    terms = objective(model, shown, objective.schedule(0.0), noise)
    return terms.losses["model"], terms.reported


def test_every_log_weight_is_log_p_under_the_exact_posterior() -> None:
    weights = TRUTH.vae().infer(SHOWN, 20, generator=generator_for(0)).log_weights()
    assert weights.shape == (20, 50)
    torch.testing.assert_close(weights, EXACT.expand(20, -1), rtol=0, atol=ROUNDING)


def test_a_wrong_posterior_has_unequal_log_weights() -> None:
    weights = TRUTH.vae(stretch=1.2).infer(SHOWN, 20, generator=generator_for(0)).log_weights()
    assert (weights.std(0) > 0.05).all()


def test_elbo_is_log_p_under_the_exact_posterior() -> None:
    loss, reported = elbo_of(TRUTH.vae(), SHOWN)
    assert -loss.item() == pytest.approx(EXACT.mean().item(), abs=ROUNDING)
    assert reported["elbo_nats"].item() == pytest.approx(EXACT.mean().item(), abs=ROUNDING)


@pytest.mark.parametrize(("shift", "stretch"), [(0.3, 1.0), (0.0, 1.5), (-0.2, 0.4)])
def test_gap_is_the_kl_to_the_exact_posterior(shift: float, stretch: float) -> None:
    model = TRUTH.vae(shift, stretch)
    at, scale = TRUTH.posterior_mean(SHOWN.x), TRUTH.posterior_scale
    q = Independent(Normal(at + shift, stretch * scale), 1)
    gap = kl_divergence(q, Independent(Normal(at, scale), 1))
    assert gap.mean() > 0.1
    reported = elbo_of(model, SHOWN)[1]
    found = EXACT.mean() - reported["elbo_nats"]
    assert found.item() == pytest.approx(gap.mean().item(), abs=ROUNDING)


def test_iwae_grows_with_k_from_the_elbo_to_log_p() -> None:
    # The average over groups of k of one pool of samples: by Jensen's inequality it can only
    # grow when groups are merged, whatever was drawn.
    model = TRUTH.vae(shift=0.2, stretch=1.5)
    pool = torch.randn(256, 50, 3, generator=generator_for(1), dtype=torch.float64)
    bounds = []
    for k in (1, 4, 16, 64, 256):
        objective = IWAESpec(num_samples=k).build()
        terms = [objective(model, SHOWN, {}, (group,)) for group in pool.split(k)]
        bounds.append(torch.stack([t.reported["iwae_nats"] for t in terms]).mean().item())
    assert bounds == sorted(bounds)
    elbo = elbo_of(model, SHOWN)[1]["elbo_nats"].item()
    # 12,800 log-weights with a standard deviation of about 1.5 nats: 0.013 nats, times four.
    assert bounds[0] == pytest.approx(elbo, abs=0.055)
    assert bounds[1] > elbo + 0.1
    # At k = 256 what is missing is about var(w) / (2 k E[w]^2), under 0.02 nats, and the spread
    # of the estimate is smaller still: sqrt(2 * 0.02 / 50) = 0.03, times four.
    assert bounds[-1] == pytest.approx(EXACT.mean().item(), abs=0.12)


def test_iwae_is_log_p_for_any_k_under_the_exact_posterior() -> None:
    for k in (1, 2, 7):
        terms = IWAESpec(num_samples=k).build()(TRUTH.vae(), SHOWN, {}, generator=generator_for(k))
        assert -terms.losses["model"].item() == pytest.approx(EXACT.mean().item(), abs=ROUNDING)


def test_iwae_reports_the_log_of_the_mean_weight() -> None:
    model = TRUTH.vae(shift=0.5, stretch=1.5)
    noise = (torch.randn(5, 50, 3, generator=generator_for(2), dtype=torch.float64),)
    log_weights = model.infer(SHOWN, 5, noise).log_weights()
    by_hand = log_weights.exp().mean(0).log().mean().item()
    # What pythae reports instead: normalised weights times log-weights, which is no bound.
    imitation = (log_weights.softmax(0) * log_weights).sum(0).mean().item()
    assert imitation > by_hand + 0.1
    terms = IWAESpec(num_samples=5).build()(model, SHOWN, {}, noise)
    assert terms.reported["iwae_nats"].item() == pytest.approx(by_hand, abs=ROUNDING)
    assert -terms.losses["model"].item() == pytest.approx(by_hand, abs=ROUNDING)
    assert log_mean_exp(log_weights).mean().item() == pytest.approx(by_hand, abs=ROUNDING)


# -- what training finds ----------------------------------------------------------------------


def data_with_covariance(eigenvalues: list[float], n: int = 40) -> Observation:
    """Centred examples whose covariance, by 1/n, has exactly these eigenvalues."""
    values = len(eigenvalues)
    generator = generator_for(3, "covariance")
    raw = torch.randn(n, values, generator=generator, dtype=torch.float64)
    white = torch.linalg.qr(raw - raw.mean(0)).Q * math.sqrt(n)  # columns: mean 0, variance 1
    turn = torch.linalg.qr(torch.randn(values, values, generator=generator).double()).Q
    return Observation(white * torch.tensor(eigenvalues).double().sqrt() @ turn)


def trained(shown: Observation, scale: float | str, beta: float = 1.0) -> VAE:
    """A linear VAE with three latent dimensions at its optimum: no sampling error, full batch."""
    torch.manual_seed(0)
    model = linear_vae(shown.x.shape[1], 3, scale)
    optimizer = torch.optim.LBFGS(
        model.parameters(),
        max_iter=2000,
        tolerance_grad=1e-9,
        tolerance_change=1e-14,
        line_search_fn="strong_wolfe",
    )

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = elbo_of(model, shown, beta)[0]
        loss.backward()
        return loss

    optimizer.step(closure)
    return model


@pytest.mark.parametrize("scale", ["learned", "optimal"])
def test_trained_linear_vae_reaches_ppca(scale: str) -> None:
    eigenvalues = [4.0, 2.5, 1.5, 0.6, 0.3, 0.15]
    shown = data_with_covariance(eigenvalues)
    model = trained(shown, scale)
    # Tipping and Bishop (1999), Probabilistic Principal Component Analysis, eqs. 8 and 9.
    noise = sum(eigenvalues[3:]) / 3
    variances = [*eigenvalues[:3], noise, noise, noise]
    exact = -0.5 * sum(math.log(2 * math.pi * variance) + 1 for variance in variances)
    # Second order in a gradient of 1e-9; the line search stops at about 1e-8 nats.
    assert elbo_of(model, shown)[1]["elbo_nats"].item() == pytest.approx(exact, abs=1e-6)
    if scale == "optimal":  # what the optimum itself is remembered by, and not the way to it
        model.likelihood.get_buffer("batches").zero_()
        elbo_of(model, shown)
        model.eval()
        assert elbo_of(model, shown)[1]["elbo_nats"].item() == pytest.approx(exact, abs=1e-6)
    found = model.infer(shown).likelihood.base_dist.variance.mean().item()
    assert found == pytest.approx(noise, rel=1e-3)  # first order, where the bound is second


@pytest.mark.parametrize(("beta", "active"), [(0.5, 3), (1.0, 3), (2.0, 2), (4.0, 1), (10.0, 0)])
def test_dimension_collapses_exactly_when_its_variance_is_below_beta_sigma2(
    beta: float, active: int
) -> None:
    eigenvalues, sigma2 = [4.0, 1.5, 0.8, 0.2, 0.1], 0.5
    shown = data_with_covariance(eigenvalues)
    model = trained(shown, math.sqrt(sigma2), beta)
    (kl,) = model.infer(shown).kl
    found = kl.mean((0, 1)).sort(descending=True).values
    expected = [0.5 * math.log(max(1.0, value / (beta * sigma2))) for value in eigenvalues[:3]]
    assert sum(value > 0 for value in expected) == active
    # First order in what the optimiser leaves: half the digits of the 1e-10 it leaves in nats.
    torch.testing.assert_close(found, torch.tensor(expected).double(), rtol=0, atol=1e-4)
    lengths = linear_layer(model.decoder).weight.square().sum(0).sort(descending=True).values
    squares = [max(0.0, value - beta * sigma2) for value in eigenvalues[:3]]
    torch.testing.assert_close(lengths, torch.tensor(squares).double(), rtol=0, atol=1e-3)
