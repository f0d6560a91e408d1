"""The KL term taken apart, and led to a capacity, against exact numbers."""

import itertools
import math

import pytest
import torch
from linear_model import linear_layer, linear_model, sigma_points
from torch import Tensor

from vaekit.data import Observation, Statistics
from vaekit.models import VAE, Inference
from vaekit.numerics import generator_for
from vaekit.objectives import BetaTCVAESpec, CapacitySpec, ELBOSpec, kl_parts

TRUTH = linear_model()
ROUNDING = 1e-12  # sums of some hundred float64 terms of about ten


def sheared(model: VAE) -> VAE:
    """The model with codes that depend on each other."""
    shear = torch.tensor([[1.0, 0.0, 0.0], [1.5, 1.0, 0.0], [-1.0, 1.0, 1.0]]).double()
    layer = linear_layer(model.encoder)
    with torch.no_grad():
        layer.weight[:3] = shear @ layer.weight[:3]
    return model


def drawn(n: int, k: int = 1) -> tuple[VAE, Observation, tuple[Tensor]]:
    noise = torch.randn(k, n, 3, generator=generator_for(2), dtype=torch.float64)
    return TRUTH.vae(shift=0.3, stretch=0.8), TRUTH.draw(n), (noise,)


def test_total_correlation_of_a_gaussian() -> None:
    # x is centred and z's second moments under sigma points are those of q(z), so that the
    # average of a quadratic function, as a Gaussian's log-density is, has no sampling error.
    x = TRUTH.draw(600).x
    shown = Observation(x - x.mean(0) + TRUTH.mean)
    inference = sheared(TRUTH.vae()).infer(shown, 6, sigma_points(3, 600))
    (q,) = inference.posterior
    means = q.mean.detach()
    covariance = means.T @ means / 600 + torch.diag(q.stddev[0].detach().square())
    exact = 0.5 * (covariance.diagonal().log().sum() - torch.logdet(covariance)).item()
    found = kl_parts(inference, 600).total_correlation.mean().item()
    assert exact > 0.5
    # 600 components with widths of 0.3 to 0.8 are not quite one Gaussian: each code's own
    # component adds (volume of q(z) / its own) / N = 7 / 600 to the density there.
    assert found == pytest.approx(exact, abs=0.03)


def test_independent_codes_have_no_total_correlation() -> None:
    # Of the exact posterior, q(z) is the prior: dimensions are independent and standard normal.
    inference = TRUTH.vae().infer(TRUTH.draw(600), 6, sigma_points(3, 600))
    information, correlation, apart = (part.mean().item() for part in kl_parts(inference, 600))
    # As above, and 3 correlations of 600 examples that are 1 / sqrt(600) from zero.
    assert correlation == pytest.approx(0.0, abs=0.03)
    assert apart == pytest.approx(0.0, abs=0.03)
    exact = 0.5 * (TRUTH.eigenvalues / TRUTH.sigma**2).log().sum().item()
    assert information == pytest.approx(exact, abs=0.05)


def examples(number: int) -> Statistics:
    """Of so many training examples."""
    return Statistics(torch.zeros(1), torch.ones(1), num_examples=number)


@pytest.mark.parametrize("known", [None, examples(16), examples(5000)])
def test_parts_add_up_whatever_is_known_of_the_aggregate(known: Statistics | None) -> None:
    model, shown, noise = drawn(16, 3)
    objective = BetaTCVAESpec(beta=1.0, num_samples=3).build(known)
    terms = objective(model, shown, {}, noise)
    inference = model.infer(shown, 3, noise)
    assert -terms.losses["model"].item() == pytest.approx(
        inference.log_weights().mean().item(), abs=ROUNDING
    )


def test_with_all_weights_at_one_it_is_the_elbo() -> None:
    # log q - log p is quadratic in the noise: sigma points give the expectation itself.
    model, shown = TRUTH.vae(shift=0.3, stretch=0.8), TRUTH.draw(16)
    noise = sigma_points(3, 16)
    parts = BetaTCVAESpec(beta=1.0, num_samples=6).build()(model, shown, {}, noise)
    elbo = ELBOSpec(num_samples=6).build()(model, shown, {"beta": 1.0}, noise)
    for name, value in elbo.reported.items():
        assert parts.reported[name].item() == pytest.approx(value.item(), abs=ROUNDING)
    assert parts.losses["model"].item() == pytest.approx(elbo.losses["model"].item(), abs=ROUNDING)


@pytest.mark.parametrize("weight", ["alpha", "beta", "gamma"])
def test_every_part_has_its_weight(weight: str) -> None:
    model, shown, noise = drawn(16)
    plain, changed = (
        BetaTCVAESpec.model_validate({"beta": 1.0, weight: value}).build(examples(16))(
            model, shown, {}, noise
        )
        for value in (1.0, 3.0)
    )
    names = {"alpha": "mutual_information", "beta": "total_correlation"}
    part = plain.reported[f"{names.get(weight, 'dimension_wise_kl')}_nats"].item()
    difference = (changed.losses["model"] - plain.losses["model"]).item()
    assert difference == pytest.approx(2 * part, abs=ROUNDING)
    assert abs(part) > 0.01


def aggregate(inference: Inference, examples: int) -> Tensor:
    """The estimate of q(z_i) that is behind the parts."""
    return (inference.log_q() - kl_parts(inference, examples).mutual_information).exp()[0]


def test_aggregate_of_a_batch_is_unbiased() -> None:
    """Over all batches of three that a code's example is in, out of six examples."""
    model, shown, (noise,) = drawn(6)
    exact = aggregate(model.infer(shown, 1, (noise,)), 6)
    (q,) = model.infer(shown).posterior
    by_hand = q.log_prob(
        noise.new_zeros(6, 1, 3) + model.infer(shown, 1, (noise,)).z[0][0][:, None]
    )
    torch.testing.assert_close(exact, by_hand.exp().mean(1), rtol=1e-10, atol=ROUNDING)
    found: list[list[Tensor]] = [[] for _ in range(6)]
    for chosen in itertools.combinations(range(6), 3):
        rows = list(chosen)
        estimate = aggregate(model.infer(Observation(shown.x[rows]), 1, (noise[:, rows],)), 6)
        for row, value in zip(rows, estimate, strict=True):
            found[row].append(value)
    means = torch.stack([torch.stack(values).mean() for values in found])
    torch.testing.assert_close(means, exact, rtol=1e-10, atol=ROUNDING)


def test_a_batch_of_one_tells_nothing_of_its_example() -> None:
    model, shown, noise = drawn(1)
    information, correlation, apart = kl_parts(model.infer(shown, 1, noise), 100)
    assert information.item() == pytest.approx(0.0, abs=ROUNDING)
    assert correlation.item() == pytest.approx(0.0, abs=ROUNDING)
    assert apart.isfinite().all()


# -- capacity -------------------------------------------------------------------------------------


def test_at_its_capacity_the_loss_is_the_reconstruction() -> None:
    model, shown, noise = drawn(16)
    reported = ELBOSpec().build()(model, shown, {"beta": 1.0}, noise).reported
    kl, fit = (reported[f"{name}_nats"].item() for name in ("kl", "expected_log_likelihood"))
    for capacity, distance in ((kl, 0.0), (kl + 2.0, 2.0), (kl - 1.5, 1.5)):
        objective = CapacitySpec.model_validate({"capacity": capacity, "gamma": 7.0}).build()
        terms = objective(model, shown, objective.schedule(0.0), noise)
        expected = 7.0 * distance - fit
        assert terms.losses["model"].item() == pytest.approx(expected, abs=ROUNDING)
        assert terms.reported == reported


def test_capacity_follows_its_schedule() -> None:
    growing = {"kind": "linear", "end": 25.0, "warmup_epochs": 10}
    objective = CapacitySpec.model_validate({"capacity": growing}).build()
    assert objective.schedule(4.0) == {"capacity_nats": 10.0}
    assert objective.schedule(math.inf) == {"capacity_nats": 25.0}


def test_the_kl_is_pulled_towards_the_capacity_from_both_sides() -> None:
    model, shown, noise = drawn(16)
    bias = linear_layer(model.encoder).bias

    def slope(capacity: float) -> Tensor:
        choices = {"capacity": capacity, "gamma": 3.0}
        objective = CapacitySpec.model_validate(choices).build()
        loss = objective(model, shown, objective.schedule(0.0), noise).losses["model"]
        return torch.autograd.grad(loss, bias)[0]

    above, below = slope(0.0), slope(100.0)
    plain = ELBOSpec.model_validate({"beta": 3.0}).build()
    loss = plain(model, shown, plain.schedule(0.0), noise).losses["model"]
    (weighed,) = torch.autograd.grad(loss, bias)
    torch.testing.assert_close(above, weighed, rtol=ROUNDING, atol=ROUNDING)
    fit = ELBOSpec.model_validate({"beta": 0.0}).build()
    loss = fit(model, shown, fit.schedule(0.0), noise).losses["model"]
    (without,) = torch.autograd.grad(loss, bias)
    torch.testing.assert_close(above + below, 2 * without, rtol=1e-10, atol=ROUNDING)
