"""The two gradients of wake-sleep are what they are defined as, and its fixed point is exact."""

from typing import Any

import pytest
import torch
from linear_model import LENGTHS, linear_layer, linear_model, linear_vae
from torch import Tensor, nn

from vaekit.data import Observation, Statistics
from vaekit.models import VAE, VAESpec
from vaekit.networks import MLPSpec
from vaekit.numerics import generator_for
from vaekit.objectives import ELBOSpec, WakeSleepSpec, bound_notes

TRUTH = linear_model()
N = 40_000
# Of the gradients below, which are of order one: five standard errors of 40,000 draws of x and z
# whose gradients spread by about three.
TOLERANCE = 5 * 3 / N**0.5


def shifted() -> VAE:
    """A generator and a recognition network that do not fit each other."""
    model = TRUTH.vae(shift=0.3, stretch=1.4)
    with torch.no_grad():
        linear_layer(model.decoder).weight.mul_(1.3)
    return model


def gradients(model: VAE) -> dict[str, Tensor]:
    shown, objective = TRUTH.draw(N), WakeSleepSpec().build()
    model.zero_grad()
    torch.manual_seed(0)
    objective(model, shown, {}, generator=generator_for(1)).losses["model"].backward()
    found = {name: p.grad for name, p in model.named_parameters()}
    return {name: gradient for name, gradient in found.items() if gradient is not None}


def parts(model: VAE) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """W and b of x = W z + b; A and a of E_q[z] = A x + a."""
    into, latent = linear_layer(model.encoder), len(LENGTHS)
    weight = into.weight[:latent] / model.encoder.spread
    bias = into.bias[:latent] - weight @ model.encoder.mean
    out = model.decoder.output_bias[0]
    return linear_layer(model.decoder).weight, out, weight, bias


def log_scale(model: VAE) -> Tensor:
    posterior = model.posterior(model.encoder(Observation(torch.zeros(1, 6, dtype=torch.float64))))
    return posterior.base_dist.log_scale[0]


def test_wake_is_the_gradient_of_the_expected_joint_in_the_generator() -> None:
    """E_q[log p(x, z)] of the linear model in closed form, over moments of the same x."""
    model = shifted()
    found, x = gradients(model), TRUTH.draw(N).x
    weight, out, inward, bias = (part.detach() for part in parts(model))
    weight.requires_grad_()
    scale, mean = log_scale(model).detach().exp(), x @ inward.T + bias
    error = (x - mean @ weight.T - out).square().sum(1).mean()
    error = error + (weight.square().sum(0) * scale**2).sum()
    (error / (2 * TRUTH.sigma**2)).backward()
    assert weight.grad is not None
    torch.testing.assert_close(
        found["decoder.network.0.weight"], weight.grad, rtol=0, atol=4 * TOLERANCE
    )


def test_sleep_is_the_gradient_of_the_recognition_of_dreams() -> None:
    """E_p[log q(z | x)] of the linear model in closed form: its moments under p(x, z) are known."""
    model = shifted()
    found = gradients(model)
    weight, out, _, _ = (part.detach() for part in parts(model))
    into, latent = linear_layer(model.encoder), len(LENGTHS)
    model.zero_grad()
    inward, bias = parts(model)[2:]
    # z - A x - a = (1 - A W) z - A e - (A b + a), e of scale sigma.
    off = torch.eye(latent, dtype=torch.float64) - inward @ weight
    second = off.square().sum(1) + TRUTH.sigma**2 * inward.square().sum(1)
    second = second + (inward @ out + bias).square()
    scale = log_scale(model)
    (0.5 * second * (-2 * scale).exp() + scale).sum().backward()
    assert into.weight.grad is not None
    assert into.bias.grad is not None
    torch.testing.assert_close(
        found["encoder.network.1.bias"], into.bias.grad, rtol=0, atol=TOLERANCE
    )
    torch.testing.assert_close(
        found["encoder.network.1.weight"][:latent], into.weight.grad[:latent], rtol=0,
        atol=TOLERANCE,
    )  # fmt: skip


def test_neither_phase_reaches_the_other_network() -> None:
    """With data elsewhere the generator is pulled after it, and nothing else changes for q."""
    model, objective = TRUTH.vae(), WakeSleepSpec().build()

    def gradient_at(shift: float) -> dict[str, Tensor]:
        model.zero_grad()
        torch.manual_seed(0)
        shown = Observation(TRUTH.draw(64).x + shift)
        noise = (torch.zeros(1, 64, 3, dtype=torch.float64),)
        terms = objective(model, shown, {}, noise, generator=generator_for(1))
        terms.losses["model"].backward()
        return {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}

    here, there = gradient_at(0.0), gradient_at(1.0)
    for name, gradient in here.items():
        assert torch.equal(gradient, there[name]) == name.startswith("encoder"), name


def small(**choices: Any) -> VAE:
    torch.manual_seed(0)
    mlp = {"kind": "mlp", "hidden": (4,)}
    spec = VAESpec.model_validate({"latent_dim": 2, "encoder": mlp, "decoder": mlp, **choices})
    return spec.build((5,), Statistics(torch.full((5,), 0.5), torch.full((5,), 0.5)))


def linear_layers(part: nn.Module) -> list[nn.Linear]:
    return [module for module in part.modules() if isinstance(module, nn.Linear)]


def test_dreams_have_the_gaps_of_data() -> None:
    model, mask = small(), torch.ones(8, 5, dtype=torch.bool)
    mask[:, 0] = False
    shown = Observation(torch.ones(8, 5), mask=mask)
    terms = WakeSleepSpec(num_samples=3).build()(model, shown, {}, generator=generator_for(0))
    assert {"elbo_nats", "wake_nats", "sleep_nats"} <= terms.reported.keys()
    terms.losses["model"].backward()
    first = linear_layers(model.encoder)[0].weight.grad
    assert first is not None
    assert torch.equal(first[:, 0], torch.zeros(4))
    assert first[:, 1:].any()


def test_dreams_are_dreamt_under_the_conditions_of_data() -> None:
    statistics = Statistics(torch.full((5,), 0.5), torch.full((5,), 0.5), 3)
    model = VAESpec(latent_dim=2, decoder=MLPSpec(hidden=())).build((5,), statistics)
    with torch.no_grad():
        (out,) = linear_layers(model.decoder)
        out.weight.zero_()
        out.weight[:, 2] = 100.0  # of the first class every value is on, of the others off
        model.decoder.output_bias.fill_(-50.0)
    seen: list[Observation] = []
    model.encoder.register_forward_pre_hook(lambda _, shown: seen.append(shown[0]))
    shown = Observation(torch.ones(9, 5), torch.eye(3)[torch.arange(9) % 3])
    WakeSleepSpec().build()(model, shown, {}, generator=generator_for(0))
    assert shown.c is not None
    torch.testing.assert_close(seen[1].x, shown.c[:, :1].expand(9, 5))


def test_a_posterior_with_weights_of_its_own_learns_asleep_alone() -> None:
    flow = {"kind": "inverse_autoregressive_flow"}
    model = small(posterior=flow, prior={"kind": "real_nvp"})
    shown = Observation(torch.bernoulli(torch.full((16, 5), 0.5), generator=generator_for(0)))
    terms = WakeSleepSpec().build()(model, shown, {}, generator=generator_for(0))
    terms.losses["model"].backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name


def test_it_reports_the_bound_and_says_that_it_is_none() -> None:
    model, shown = TRUTH.vae(shift=0.2), TRUTH.draw(64)
    noise = (torch.randn(1, 64, 3, dtype=torch.float64, generator=generator_for(0)),)
    mine = WakeSleepSpec().build()(model, shown, {}, noise, generator_for(1)).reported
    theirs = ELBOSpec().build()(model, shown, {"beta": 1.0}, noise).reported
    for name, value in theirs.items():
        torch.testing.assert_close(mine[name], value)
    assert not WakeSleepSpec().is_bound
    assert bound_notes(WakeSleepSpec())


@pytest.mark.slow
def test_fixed_point_is_the_exact_posterior() -> None:
    """On data of a linear model, both networks find what is exact."""
    torch.manual_seed(0)
    model, shown = linear_vae(6, 3, scale="learned"), TRUTH.draw(4000)
    objective = WakeSleepSpec().build()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    steps = 4000
    decay = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for step in range(steps):
        optimizer.zero_grad()
        terms = objective(model, shown, {}, generator=generator_for(step))
        terms.losses["model"].backward()
        optimizer.step()
        decay.step()
    covariance = torch.cov(shown.x.T, correction=0)
    values = torch.linalg.eigvalsh(covariance).flip(0)
    discarded = values[3:].mean()
    # The likelihood of pPCA at its optimum: sigma^2 is the mean of the discarded eigenvalues.
    spectrum = torch.cat([values[:3], discarded.expand(3)])
    best = -0.5 * (6 * torch.log(torch.tensor(2 * torch.pi)) + spectrum.log().sum() + 6).item()
    inference = model.infer(shown, 8, generator=generator_for(0))
    bound = (inference.log_likelihood().mean() - inference.kl[0].sum(-1).mean()).item()
    # The error of 32,000 draws is 0.01; the posterior of a dream-taught network is as good.
    assert bound == pytest.approx(best, abs=0.03)
    spread = inference.log_weights().std(0).mean()
    assert spread < 0.1  # zero for an exact posterior
