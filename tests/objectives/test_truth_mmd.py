"""The maximum mean discrepancy against pairs counted one by one, and Gaussians' closed form."""

import pytest
import torch
from linear_model import linear_model
from torch import Tensor

from vaekit.data import Observation, Statistics
from vaekit.models import VAESpec
from vaekit.numerics import generator_for
from vaekit.objectives import ELBOSpec, InfoVAESpec, Kernel, mmd_squared

TRUTH = linear_model()
ROUNDING = 1e-12  # sums of some hundred float64 terms of about one


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=generator_for(seed, "mmd"), dtype=torch.float64)


@pytest.mark.parametrize("kernel", ["imq", "rbf"])
def test_is_what_pairs_say_one_by_one(kernel: Kernel) -> None:
    z, y, bandwidth = normal(4, 3), normal(4, 3, seed=1) + 1, 0.7

    def alike(a: Tensor, b: Tensor) -> float:
        apart = (a - b).square().sum() / (2 * 3 * bandwidth**2)
        return float(torch.exp(-apart) if kernel == "rbf" else 1 / (1 + apart))

    others = [(i, j) for i in range(4) for j in range(4) if i != j]
    within = sum(alike(z[i], z[j]) + alike(y[i], y[j]) for i, j in others) / 12
    between = sum(alike(a, b) for a in z for b in y) / 16
    found = mmd_squared(z, y, kernel, bandwidth).item()
    assert found == pytest.approx(within - 2 * between, abs=ROUNDING)


def mean_and_error(values: Tensor) -> tuple[float, float]:
    return values.mean().item(), values.std().item() / len(values) ** 0.5


@pytest.mark.parametrize(("shift", "scale"), [(0.0, 1.0), (0.5, 1.0), (0.0, 1.6)])
def test_rbf_is_unbiased_for_gaussians(shift: float, scale: float) -> None:
    # The sum of normal variables is normal, and E exp(-r^2 / 2 l^2) of N(m, v) in one dimension
    # is exp(-m^2 / 2 (l^2 + v)) / sqrt(1 + v / l^2).
    d, squared_length = 3, 3 * 0.8**2

    def alike(mean: float, variance: float) -> float:
        ratio = torch.tensor(1 + variance / squared_length).double() ** (-d / 2)
        away = torch.tensor(-d * mean**2 / (2 * (squared_length + variance))).double()
        return float(ratio * away.exp())

    exact = alike(0, 2 * scale**2) + alike(0, 2) - 2 * alike(shift, 1 + scale**2)
    # Batches of five, where the pairs of a point with itself would weigh a fifth.
    values = mmd_squared(
        shift + scale * normal(20000, 5, d), normal(20000, 5, d, seed=1), "rbf", 0.8
    )
    mean, error = mean_and_error(values)
    assert abs(mean - exact) < 6 * error
    assert (exact > 12 * error) == ((shift, scale) != (0.0, 1.0))
    assert values.min() < 0  # as an unbiased estimate of what is near zero must be


@pytest.mark.parametrize("kernel", ["imq", "rbf"])
def test_equal_distributions_come_together_and_others_do_not(kernel: Kernel) -> None:
    sizes = (20, 200, 1000)
    equal = [
        mmd_squared(normal(n, 2), normal(n, 2, seed=1), kernel, 1.0).abs().item() for n in sizes
    ]
    # The spread of the estimate under equality is about 1 / n for kernels of at most one.
    assert all(value < 4 / n for value, n in zip(equal, sizes, strict=True))
    stretched = mmd_squared(2 * normal(1000, 2), normal(1000, 2, seed=1), kernel, 1.0).item()
    assert stretched > 0.02


def test_one_example_says_nothing() -> None:
    z = normal(3, 1, 2).requires_grad_()
    found = mmd_squared(z, normal(3, 1, 2, seed=1), "imq", 1.0)
    assert found.tolist() == [0.0, 0.0, 0.0]
    shown = TRUTH.draw(1)
    terms = InfoVAESpec().build()(TRUTH.vae(), shown, {}, generator=generator_for(0))
    assert terms.losses["model"].isfinite()


# -- the objective --------------------------------------------------------------------------------


@pytest.mark.parametrize("k", [1, 3])
def test_without_mmd_it_is_the_elbo(k: int) -> None:
    model, shown, noise = TRUTH.vae(shift=0.3), TRUTH.draw(16), normal(k + 2, 16, 3)
    info = InfoVAESpec(mmd_weight=0.0, num_samples=k).build()(model, shown, {}, (noise,))
    elbo = ELBOSpec(num_samples=k).build()(model, shown, {"beta": 1.0}, (noise[:k],))
    assert info.losses["model"].item() == elbo.losses["model"].item()
    assert {name: info.reported[name] for name in elbo.reported} == elbo.reported


def test_loss_is_the_sum_of_its_parts() -> None:
    model, shown, noise = TRUTH.vae(shift=0.3), TRUTH.draw(16), (normal(4, 16, 3),)
    spec = InfoVAESpec(kl_weight=0.3, mmd_weight=50.0, num_samples=2)
    terms = spec.build()(model, shown, {}, noise)
    fit, kl = (terms.reported[f"{name}_nats"] for name in ("expected_log_likelihood", "kl"))
    z = model.infer(shown, 2, (noise[0][:2],)).z[0]
    mmd = mmd_squared(z, noise[0][2:3].expand_as(z), "imq", 1.0).mean()
    assert terms.reported["mmd_squared"].item() == pytest.approx(mmd.item(), abs=ROUNDING)
    expected = 0.3 * kl + 50 * mmd - fit
    assert terms.losses["model"].item() == pytest.approx(expected.item(), abs=1e-10)


@pytest.mark.parametrize("kind", ["mixture", "spike_and_slab", "vamp"])
def test_priors_whose_draws_take_more_noise(kind: str) -> None:
    """A draw of a mixture takes one number more than there are dimensions; there may be one."""
    for latent in (1, 3):
        prior = {"kind": kind, **({} if kind == "spike_and_slab" else {"components": 4})}
        spec = VAESpec.model_validate({"latent_dim": latent, "prior": prior})
        x = torch.rand(6, 5, generator=generator_for(0))
        model = spec.build((5,), Statistics(x.mean(0), x.std(0), examples=x))
        terms = InfoVAESpec().build()(model, Observation(x), {}, generator=generator_for(0))
        assert terms.losses["model"].isfinite()
        assert terms.reported["mmd_squared"] != 0


@pytest.mark.parametrize("changed", [{}, {"shift": 0.3}, {"stretch": 1.5}])
def test_codes_are_the_priors_under_the_exact_posterior_alone(changed: dict[str, float]) -> None:
    model, objective = TRUTH.vae(**changed), InfoVAESpec().build()
    values = torch.stack(
        [
            objective(model, TRUTH.draw(64, seed), {}, generator=generator_for(seed)).reported[
                "mmd_squared"
            ]
            for seed in range(200)
        ]
    )
    mean, error = mean_and_error(values)
    assert (abs(mean) < 6 * error) == (not changed)
    if changed:
        assert mean > 6 * error
