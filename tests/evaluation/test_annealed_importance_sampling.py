"""Annealed importance sampling against the exact log p(x) of the linear model."""

import pytest
import torch
from linear_model import linear_model

from vaekit.data import Observation, Statistics
from vaekit.errors import SpecError
from vaekit.evaluation import AISSpec, annealed_importance_sampling, sandwich
from vaekit.evaluation.annealed_importance_sampling import _Sampler
from vaekit.evaluation.hamiltonian_monte_carlo import Chains
from vaekit.models import AutoencoderSpec
from vaekit.numerics import generator_for

TRUTH = linear_model()
SHOWN = TRUTH.draw(25)
EXACT = TRUTH.log_prob(SHOWN.x)
SPEC = AISSpec(chains=16, temperatures=60, leapfrog_steps=4)


def test_finds_log_p() -> None:
    told: list[float] = []
    found = annealed_importance_sampling(TRUTH.vae(), SHOWN, SPEC, 0, told.append)
    # The deviation of a log-weight is about 0.6 here: 0.15 for the mean of 16 chains, times five.
    assert (found.log_likelihood - EXACT).abs().max() < 0.75
    assert (found.log_likelihood - EXACT).mean().item() == pytest.approx(0, abs=0.12)
    assert told == sorted(told)
    assert told[-1] == pytest.approx(1)
    assert ((found.acceptance_rate > 0.4) & (found.acceptance_rate < 0.95)).all()


def test_needs_no_encoder() -> None:
    good, bad = (
        annealed_importance_sampling(model, SHOWN[:3], SPEC, 0).log_likelihood
        for model in (TRUTH.vae(), TRUTH.vae(shift=3.0, stretch=0.1))
    )
    assert torch.equal(good, bad)


def test_more_temperatures_come_closer_from_below() -> None:
    errors = []
    for temperatures in (2, 8, 64):
        spec = AISSpec(chains=2, temperatures=temperatures, leapfrog_steps=4)
        found = annealed_importance_sampling(TRUTH.vae(), SHOWN, spec, 0).log_likelihood
        errors.append((found - EXACT).mean().item())
    assert errors[0] < errors[1] < errors[2] < 0.15


def test_gaps_in_an_example_are_integrated_out() -> None:
    mask = torch.ones_like(SHOWN.x, dtype=torch.bool)
    mask[:, :2] = False
    seen = type(TRUTH)(TRUTH.columns[2:], TRUTH.mean[2:], TRUTH.sigma)
    shown = Observation(SHOWN.x.where(mask, torch.nan), mask=mask)
    found = annealed_importance_sampling(TRUTH.vae(), shown, SPEC, 0).log_likelihood
    # MultivariateNormal of the seen values; columns that are no longer orthogonal do not matter.
    exact = seen.log_prob(SHOWN.x[:, 2:])
    assert (found - exact).mean().item() == pytest.approx(0, abs=0.12)


def test_forward_and_backward_close_in_on_the_truth() -> None:
    widths = []
    for temperatures in (4, 80):
        spec = AISSpec(chains=8, temperatures=temperatures, leapfrog_steps=4)
        lower, upper = sandwich(TRUTH.vae(), 20, spec, seed=0)
        widths.append((upper - lower).mean().item())
    assert 0 <= widths[1] < 0.25
    assert widths[0] > 2 * widths[1]


def test_sandwich_is_about_the_data_that_it_drew(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[Observation] = []
    plain = Chains.__init__

    def watched(chains: Chains, model: object, observation: Observation, *rest: object) -> None:
        drawn.append(observation)
        plain(chains, model, observation, *rest)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(Chains, "__init__", watched)
    model = TRUTH.vae()
    state = torch.get_rng_state()
    lower, upper = sandwich(model, 20, SPEC, seed=1)
    assert torch.equal(torch.get_rng_state(), state)
    exact = TRUTH.log_prob(drawn[0].x)
    assert (lower - exact).mean().item() == pytest.approx(0, abs=0.15)
    assert (upper - exact).mean().item() == pytest.approx(0, abs=0.15)


def test_transitions_leave_the_posterior_as_it_is() -> None:
    shown = SHOWN[:1]
    source = generator_for(0)
    chains = Chains(TRUTH.vae(), shown, 4000, 5, source)
    mean, scale = TRUTH.posterior_mean(shown.x), TRUTH.posterior_scale
    position = mean + scale * chains.normal()
    for _ in range(5):
        position, _ = chains.transition(position, 1.0, torch.tensor([0.45], dtype=torch.float64))
    # Errors of a mean and of a deviation over 4000 chains: 1.6 % and 1.1 % of the scale, times 4.
    assert ((position.mean(0) - mean[0]) / scale).abs().max() < 0.065
    assert (position.std(0) / scale - 1).abs().max() < 0.045


def test_wide_steps_are_refused_and_not_believed() -> None:
    chains = Chains(TRUTH.vae(), SHOWN[:2], 3, 5, generator_for(0))
    position = chains.normal()
    there, took = chains.transition(position, 1.0, torch.full((2,), 1e200, dtype=torch.float64))
    assert not took.any()
    assert torch.equal(there, position)


def test_model_without_a_prior_is_refused() -> None:
    model = AutoencoderSpec(latent_dim=2).build((6,), Statistics(torch.zeros(6), torch.ones(6)))
    with pytest.raises(SpecError, match="needs a prior"):
        annealed_importance_sampling(model, SHOWN, SPEC, 0)


@pytest.mark.parametrize("temperatures", [12, 25])
def test_weights_are_unbiased_in_both_directions(temperatures: int) -> None:
    n, shown = 3000, Observation(SHOWN.x[:1].expand(3000, -1))
    spec = AISSpec(chains=1, temperatures=temperatures, leapfrog_steps=4)
    sampler = _Sampler(TRUTH.vae(), shown, spec, (0, "unbiased"))
    forward = sampler.forward().log_likelihood - EXACT[0]
    normal = torch.randn(1, n, 3, generator=generator_for(1), dtype=torch.float64)
    draws = TRUTH.posterior_mean(shown.x[:1]) + TRUTH.posterior_scale * normal
    backward = EXACT[0] - sampler.backward(draws[0])
    for log_ratio in (forward, backward):
        ratio = log_ratio.exp()  # of w to p(x), and of 1/w to 1/p(x): one on average
        error = (ratio.std() / n**0.5).item()
        assert error < 0.15
        assert ratio.mean().item() == pytest.approx(1, abs=5 * error)
