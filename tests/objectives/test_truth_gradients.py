"""Gradient estimators of the encoder against IWAE's and the ELBO's, on the linear model."""

import subprocess
import sys
from collections.abc import Callable

import pytest
import torch
from linear_model import linear_layer, linear_model, sigma_points
from torch import Tensor, nn
from torch.distributions import Independent

from vaekit.data import Observation
from vaekit.models import VAE, Model, Noise
from vaekit.numerics import generator_for, log_mean_exp
from vaekit.objectives import DReGSpec, ELBOSpec, IWAESpec, Objective, STLSpec

TRUTH = linear_model()
SHOWN = TRUTH.draw(20)
DRAWS = 500
ROUNDING = 1e-12  # sums of some hundred float64 terms of about one

Loss = Callable[[Model, Noise], Tensor]


def loss_of(objective: Objective) -> Loss:
    schedule = objective.schedule(0.0)
    return lambda model, noise: objective(model, SHOWN, schedule, noise).losses["model"]


def with_one_share(model: Model, noise: Noise) -> Tensor:
    """What DReG would be without the second factor on the gradient of z."""
    inference = model.infer(SHOWN, len(noise[0]), noise)
    ratio = inference.log_prior() - inference.log_q(detach_parameters=True)
    return -log_mean_exp(inference.log_likelihood() + ratio).mean()


def draw(k: int, seed: int) -> Noise:
    source = generator_for(seed, "gradients")
    return (torch.randn(k, len(SHOWN), 3, generator=source, dtype=torch.float64),)


def gradient(loss: Loss, model: VAE, noise: Noise, part: str) -> Tensor:
    parameters = list(getattr(model, part).parameters())
    found = torch.autograd.grad(loss(model, noise), parameters)
    return torch.cat([each.flatten() for each in found])


def gradients(loss: Loss, model: VAE, k: int, draws: int = DRAWS) -> Tensor:
    """The encoder's gradient for many draws of the noise, one per row."""
    return torch.stack([gradient(loss, model, draw(k, n), "encoder") for n in range(draws)])


def standard_errors_from_zero(rows: Tensor) -> float:
    """How far the farthest mean of a column is from zero."""
    return float((rows.mean(0).abs() * len(rows) ** 0.5 / rows.std(0)).max())


class EncodedPrior(nn.Module):
    """p(z) = q(z | u) for a made-up example u: a prior that depends on the encoder."""

    def __init__(self, encoder: nn.Module, posterior: nn.Module) -> None:
        super().__init__()
        self.parts = (encoder, posterior)  # in a tuple, which registers nothing twice

    def forward(self, c: Tensor | None = None) -> Independent:
        encoder, posterior = self.parts
        factor = posterior(encoder(Observation(TRUTH.mean.unsqueeze(0) + 0.5)))
        return Independent(factor.base_dist, 1, validate_args=False)


def vae(kind: str, **changes: float) -> VAE:
    model = TRUTH.vae(**changes)
    if kind == "encoded prior":
        model.prior = EncodedPrior(model.encoder, model.posterior)
    return model


# -- DReG -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["plain", "encoded prior"])
def test_dreg_has_the_expectation_of_iwae(kind: str) -> None:
    model = vae(kind, shift=0.3, stretch=1.4)
    iwae = gradients(loss_of(IWAESpec(num_samples=4).build()), model, 4)
    dreg = gradients(loss_of(DReGSpec(num_samples=4).build()), model, 4)
    assert standard_errors_from_zero(dreg) > 12  # there is something to be equal to
    assert standard_errors_from_zero(dreg - iwae) < 6
    one_share = gradients(with_one_share, model, 4)
    assert standard_errors_from_zero(one_share - iwae) > 12


@pytest.mark.parametrize("part", ["decoder", "encoder"])
def test_dreg_is_iwae_in_the_decoder_and_not_in_the_encoder(part: str) -> None:
    model, noise = TRUTH.vae(shift=0.3, stretch=1.4), draw(5, 0)
    iwae = gradient(loss_of(IWAESpec(num_samples=5).build()), model, noise, part)
    dreg = gradient(loss_of(DReGSpec(num_samples=5).build()), model, noise, part)
    if part == "decoder":
        torch.testing.assert_close(dreg, iwae, rtol=ROUNDING, atol=ROUNDING)
    else:
        assert (dreg - iwae).norm() > 0.1 * iwae.norm()


def test_dreg_reports_the_same_bound_as_iwae() -> None:
    model, noise = TRUTH.vae(shift=0.3, stretch=1.4), draw(5, 0)
    iwae = IWAESpec(num_samples=5).build()(model, SHOWN, {}, noise)
    dreg = DReGSpec(num_samples=5).build()(model, SHOWN, {}, noise)
    assert torch.equal(dreg.losses["model"], iwae.losses["model"])
    assert dreg.reported == iwae.reported


@pytest.mark.parametrize("k", [4, 32])
def test_dreg_has_less_variance_near_the_optimum(k: int) -> None:
    model = TRUTH.vae(shift=0.02, stretch=1.02)
    iwae, dreg = (
        gradients(loss_of(spec(num_samples=k).build()), model, k, 200).var(0).sum()
        for spec in (IWAESpec, DReGSpec)
    )
    assert dreg < 0.02 * iwae


def test_dreg_does_without_a_gradient() -> None:
    with torch.no_grad():
        terms = DReGSpec().build()(TRUTH.vae(), SHOWN, {}, draw(5, 0))
    assert terms.reported["iwae_nats"].isfinite()


TRACED = """
import torch
from vaekit.data import Observation, Statistics
from vaekit.models import VAESpec
from vaekit.networks import MLPSpec
from vaekit.objectives import DReGSpec, IWAESpec

net = MLPSpec(hidden=(7,))
spec = VAESpec(latent_dim=3, encoder=net, decoder=net)
model = spec.build((6,), Statistics(torch.full((6,), 0.5), torch.full((6,), 0.5))).double()
shown = Observation(torch.bernoulli(torch.full((20, 6), 0.5)).double())
noise = (torch.randn(5, 20, 3, dtype=torch.float64),)

def gradient(objective):
    model.zero_grad()
    objective(model, shown, {}, noise).losses["model"].backward()
    return torch.cat([parameter.grad.flatten() for parameter in model.parameters()])

dreg = DReGSpec().build()
traced = torch.compile(dreg, backend="aot_eager", fullgraph=dreg.in_one_piece)
print(float((gradient(traced) - gradient(dreg)).abs().max()))
print(float((gradient(IWAESpec().build()) - gradient(dreg)).abs().max()))
"""


@pytest.mark.slow
def test_dreg_is_the_same_where_the_step_is_traced() -> None:
    # Elsewhere, since checked annotations cannot be traced. What is compiled after the tracing
    # knows nothing of hooks.
    done = subprocess.run([sys.executable, "-c", TRACED], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    apart, from_iwae = map(float, done.stdout.split())
    assert apart < ROUNDING
    assert from_iwae > 1e-3


# -- STL ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("k", [1, 3])
def test_stl_has_no_gradient_at_the_exact_posterior_in_any_draw(k: int) -> None:
    model, plain = TRUTH.vae(), ELBOSpec(num_samples=k).build()
    for seed in range(5):
        noise = draw(k, seed)
        stuck = gradient(loss_of(STLSpec(num_samples=k).build()), model, noise, "encoder")
        assert stuck.abs().max() < ROUNDING
        assert gradient(loss_of(plain), model, noise, "encoder").abs().max() > 0.01


@pytest.mark.parametrize("part", ["encoder", "decoder"])
@pytest.mark.parametrize("beta", [1.0, 0.3])
def test_stl_has_the_expectation_of_the_elbo(part: str, beta: float) -> None:
    # Every term is quadratic in the noise, so that sigma points give the expectation itself.
    model, noise = TRUTH.vae(shift=0.3, stretch=1.4), sigma_points(3, len(SHOWN))
    choices = {"num_samples": 6, "beta": beta}
    elbo, stl = (
        gradient(loss_of(spec.model_validate(choices).build()), model, noise, part)
        for spec in (ELBOSpec, STLSpec)
    )
    assert elbo.norm() > 0.1
    torch.testing.assert_close(stl, elbo, rtol=ROUNDING, atol=ROUNDING)


def test_stl_is_right_with_a_prior_that_depends_on_the_encoder() -> None:
    model, noise = vae("encoded prior", shift=0.3, stretch=1.4), sigma_points(3, len(SHOWN))
    elbo, stl = (
        gradient(loss_of(spec(num_samples=6).build()), model, noise, "encoder")
        for spec in (ELBOSpec, STLSpec)
    )
    torch.testing.assert_close(stl, elbo, rtol=ROUNDING, atol=ROUNDING)


def test_linear_layer_is_what_is_differentiated() -> None:
    parameters = list(TRUTH.vae().encoder.parameters())
    assert len(parameters) == len(list(linear_layer(TRUTH.vae().encoder).parameters())) == 2
