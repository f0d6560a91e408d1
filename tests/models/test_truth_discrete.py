"""The categorical VAE against sums over all of its codes."""

import math

import pytest
import torch
from models.enumerated import SHOWN, categorical, every_sequence, exact_of_categorical

from vaekit.errors import SpecError
from vaekit.evaluation import amortization_gap, importance_sampling
from vaekit.models import RelaxationSpec
from vaekit.numerics import draw_noise, generator_for
from vaekit.objectives import ELBOSpec

EXACT = exact_of_categorical(categorical(), SHOWN.x)


def test_importance_sampling_finds_log_p() -> None:
    estimate = importance_sampling(categorical(), [SHOWN], 4000, seed=0)
    # Five standard errors, by the delta method.
    assert ((estimate.log_likelihood - EXACT).abs() < 5 * estimate.monte_carlo_error).all()
    assert estimate.monte_carlo_error.max() < 0.2  # or the line above would let everything pass


def test_elbo_is_the_sum_over_codes_and_below_log_p() -> None:
    model = categorical()
    q = model.infer(SHOWN).posterior[0]
    codes = torch.eye(4, dtype=torch.float64)[every_sequence(4, 3)].unsqueeze(1)
    log_q = q.log_prob(codes)
    fit = model.decode((codes,)).log_prob(SHOWN.x)
    log_prior = -3 * math.log(4)
    elbo = (log_q.exp() * (fit + log_prior - log_q)).sum(0)
    assert (elbo < EXACT).all()
    estimate = importance_sampling(model, [SHOWN], 20_000, seed=0)
    kl = (log_q.exp() * (log_q - log_prior)).sum(0)
    torch.testing.assert_close(estimate.kl, kl)
    # A draw of log p(x | z) has a standard deviation below 5 nats: five standard errors.
    assert ((estimate.elbo - elbo).abs() < 5 * 5 / 20_000**0.5).all()


def test_exact_posterior_makes_every_weight_log_p() -> None:
    # With one variable, q is free to be the posterior: logits log p(x | z).
    model = categorical(variables=1)
    codes = torch.eye(4, dtype=torch.float64).reshape(4, 1, 1, 4)
    fit = model.decode((codes,)).log_prob(SHOWN.x)
    inference = model.infer(SHOWN, 7, generator=generator_for(0), encoding=(fit.T,))
    exact = fit.logsumexp(0) - math.log(4)
    torch.testing.assert_close(inference.log_weights(), exact.expand(7, -1))


def test_draws_are_relaxed_in_training_and_hard_elsewhere() -> None:
    model = categorical()
    noise = draw_noise(model.noise_spec(8, 3), generator_for(0), dtype=torch.float64)
    hard = model.infer(SHOWN, 3, noise).z[0]
    assert set(hard.unique().tolist()) == {0.0, 1.0}
    assert (hard.sum(-1) == 1).all()
    relaxed = model.train().infer(SHOWN, 3, noise).z[0]
    assert ((relaxed > 0) & (relaxed < 1)).any()
    torch.testing.assert_close(relaxed.sum(-1), torch.ones(3, 8, 3, dtype=torch.float64))
    model.follow({"temperature": 1e-4})
    torch.testing.assert_close(model.infer(SHOWN, 3, noise).z[0], hard)


def test_straight_through_trains_on_codes() -> None:
    model = categorical(relaxation={"straight_through": True}).train()
    z = model.infer(SHOWN, 3, generator=generator_for(0)).z[0]
    assert set(z.unique().tolist()) == {0.0, 1.0}
    assert z.requires_grad


def test_temperature_is_a_function_of_the_epoch() -> None:
    spec = RelaxationSpec(start=2.0, end=0.5, epochs=4)
    found = [spec.temperature(epoch) for epoch in (0, 2, 4, 9, math.inf)]
    assert found == pytest.approx([2.0, 1.0, 0.5, 0.5, 0.5])
    model = categorical(relaxation=spec.model_dump())
    assert model.schedule(2) == {"temperature": pytest.approx(1.0)}
    assert not any("temperature" in name for name in model.state_dict())


def test_samples_have_the_probabilities_of_the_model() -> None:
    model, n = categorical(), 40_000
    mean = model.sample(n, generator=generator_for(1)).mean
    every = torch.eye(4, dtype=torch.float64)[every_sequence(4, 3)].unsqueeze(1)
    exact = model.decode((every,)).mean.mean((0, 1))
    assert ((mean.mean(0) - exact).abs() < 5 * mean.std(0) / n**0.5).all()


def test_training_improves_the_bound_of_the_discrete_model() -> None:
    model, objective = categorical(), ELBOSpec(num_samples=4).build()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)

    def bound() -> float:
        return importance_sampling(model.eval(), [SHOWN], 500, seed=0).elbo.mean().item()

    before = bound()
    model.train()
    for step in range(200):
        model.follow(model.schedule(step / 10))
        terms = objective(model, SHOWN, {"beta": 1.0}, generator=generator_for(step))
        optimizer.zero_grad()
        terms.losses["model"].backward()
        optimizer.step()
    assert bound() > before + 1
    assert bound() < exact_of_categorical(model, SHOWN.x).mean().item()


def test_what_needs_hard_draws_or_a_continuum_refuses() -> None:
    with pytest.raises(SpecError, match=r"model\.eval\(\)"):
        importance_sampling(categorical().train(), [SHOWN], 5, 0)
    with pytest.raises(SpecError, match="amortization_examples at 0"):
        amortization_gap(categorical(), SHOWN, 0)
