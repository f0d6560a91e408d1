"""A ladder is what it says: a plain VAE at one layer, one density whichever way it is asked for."""

import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from pydantic import TypeAdapter
from torch import Tensor, nn

from vaekit.data import Observation, Statistics
from vaekit.evaluation import importance_sampling
from vaekit.models import LadderVAESpec, Model, ModelSpec, VAESpec
from vaekit.networks import LadderConvSpec, LadderMLPSpec, MLPSpec
from vaekit.numerics import draw_noise, generator_for
from vaekit.objectives import ELBOSpec
from vaekit.training import AdamSpec

EVENT = (1, 3, 3)
MOMENTS = Statistics(torch.linspace(0.1, 0.9, 9).reshape(EVENT), torch.full(EVENT, 0.4))
SHOWN = Observation(
    torch.bernoulli(torch.full((6, *EVENT), 0.5), generator=generator_for(0)).double()
)
parse = TypeAdapter(ModelSpec).validate_python


def linears(part: nn.Module | Tensor) -> list[nn.Linear]:
    assert isinstance(part, nn.Module)
    return [module for module in part.modules() if isinstance(module, nn.Linear)]


@pytest.mark.parametrize("activation", ["silu", "tanh"])
def test_one_layer_is_the_plain_vae_of_the_same_weights(activation: Any) -> None:
    """Residual blocks start as the identity; what is left is one hidden layer on either side."""
    network = LadderMLPSpec(latent_dims=(3,), width=8, activation=activation)
    hidden = MLPSpec(hidden=(8,), activation=activation)
    ladder = LadderVAESpec(network=network).build(EVENT, MOMENTS).double()
    plain = VAESpec(latent_dim=3, encoder=hidden, decoder=hidden).build(EVENT, MOMENTS).double()
    (top,) = ladder.rungs
    with torch.no_grad():
        ladder.start.normal_()  # the bias of the decoder's hidden layer
        for ours, theirs in (
            (linears(plain.encoder)[0], linears(ladder.encoder)[0]),
            (linears(plain.encoder)[1], linears(top.posterior)[0]),
            (linears(plain.decoder)[0], linears(top.into)[0]),
            (linears(plain.decoder)[1], linears(ladder.decoder)[0]),
        ):
            ours.weight.copy_(theirs.weight)
            if ours.bias is not None:
                ours.bias.copy_(theirs.bias)
        linears(plain.decoder)[0].bias.add_(ladder.start)
    noise = draw_noise(plain.noise_spec(6, 4), generator_for(1), dtype=torch.float64)
    assert plain.noise_spec(6, 4) == ladder.noise_spec(6, 4)
    one, other = (model.infer(SHOWN, 4, noise) for model in (plain, ladder))
    # float64 sums of a few terms of order one, in another order.
    for a, b in (
        (one.log_weights(), other.log_weights()),
        (one.kl[0], other.kl[0]),
        (one.z[0], other.z[0]),
        (plain.embed(SHOWN), ladder.embed(SHOWN)),
        (plain.sample(4, noise=draw(noise)).mean, ladder.sample(4, noise=draw(noise)).mean),
    ):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-12)
    assert ladder.facts == replace(plain.facts, conditional=False)  # a ladder cannot be told c


def draw(noise: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return tuple(layer[:1, :4] for layer in noise)


TINY: dict[str, dict[str, Any]] = {
    "hierarchical": {
        "kind": "hierarchical_vae",
        "latent_dims": (1, 1),
        "encoder": {"kind": "mlp", "hidden": (6,), "activation": "tanh"},
        "decoder": {"kind": "mlp", "hidden": (6,), "activation": "tanh"},
        "between": {"hidden": (5,), "activation": "tanh"},
    },
    "ladder": {
        "kind": "ladder_vae",
        "network": {"kind": "mlp", "latent_dims": (1, 1), "width": 6, "activation": "silu"},
    },
    "conv ladder": {
        "kind": "ladder_vae",
        "network": {
            "kind": "conv", "channels": (3, 3), "layers": (0, 2), "latent_channels": 1,
            "attention": True, "activation": "silu",
        },
    },
}  # fmt: skip


def shaken(kind: str) -> Model:
    """A model whose weights are all off their start, with a q that is rather too wide."""
    torch.manual_seed(0)
    model = parse(TINY[kind]).build(EVENT, MOMENTS).double().eval()
    source = generator_for(7)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=source, dtype=torch.float64)
            infers = any(part in name for part in ("encoder", "upwards", "posterior"))
            parameter += (0.05 if infers else 0.4 if "ladder" in kind else 0.15) * noise
            if infers and parameter.shape == (2,):  # location and log-scale of one number
                parameter[1] += 0.5
    return model


def log_p(model: Model, shown: Observation) -> Tensor:
    """log p(x) by the trapezoidal rule over the two numbers that `sample` turns into x."""
    line = torch.linspace(-8, 8, 161, dtype=torch.float64)
    grid = torch.cartesian_prod(line, line)
    noise = tuple(grid[None, :, index : index + 1] for index in (0, 1))
    with torch.no_grad():
        likelihood = model.sample(len(grid), noise=noise)
        fit = likelihood.expand((len(shown), len(grid))).log_prob(shown.x.unsqueeze(1))
    log_density = -0.5 * grid.square().sum(1) - math.log(2 * math.pi)
    return (fit + log_density).logsumexp(1) + 2 * math.log(0.1)


@pytest.mark.parametrize("name", TINY)
def test_importance_sampling_finds_the_integral(name: str) -> None:
    """What is inferred with and what is sampled from are one density."""
    model = shaken(name)
    exact = log_p(model, SHOWN)
    estimate = importance_sampling(model, [SHOWN], 8000, seed=0)
    error = (estimate.log_likelihood - exact) / estimate.monte_carlo_error
    assert error.abs().max() < 5
    assert estimate.monte_carlo_error.max() < 0.1
    assert (estimate.elbo < exact).all()


@pytest.mark.parametrize("name", TINY)
def test_kl_of_the_layers_is_log_q_over_p_in_expectation(name: str) -> None:
    model = shaken(name)
    inference = model.infer(SHOWN, 8000, generator=generator_for(1))
    kl = sum((layer.sum(-1) for layer in inference.kl), torch.zeros(()))
    gap = kl - (inference.log_q() - inference.log_prior())
    assert (gap.mean(0).abs() < 5 * gap.std(0) / 8000**0.5).all()
    assert gap.std() > 0.01
    if "ladder" in name:
        assert inference.kl_is_analytic == (True, True)


def test_q_is_relative_to_p() -> None:
    model = shaken("ladder")
    inference = model.infer(SHOWN, 3, generator=generator_for(2))
    (q, p) = (factors[1] for factors in (inference.posterior, inference.prior))
    moved = (q.mean - p.mean) / p.stddev
    ratio = q.stddev / p.stddev
    expected = 0.5 * (moved.square() + ratio.square() - 1) - ratio.log()
    torch.testing.assert_close(inference.kl[1], expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    "network",
    [
        LadderMLPSpec(latent_dims=(4,) * 12, width=24, activation="silu"),
        LadderConvSpec(channels=(6, 8), layers=(6, 6), latent_channels=1, activation="silu"),
    ],
    ids=["mlp", "conv"],
)
def test_twelve_layers_start_calmly(network: Any) -> None:
    """At the start p is the standard normal and the state of order one, whatever the depth."""
    torch.manual_seed(0)
    model = LadderVAESpec(network=network).build((1, 8, 8), statistics_of(8))
    x = torch.bernoulli(torch.full((32, 1, 8, 8), 0.3), generator=generator_for(0))
    inference = model.infer(Observation(x), generator=generator_for(1))
    assert len(inference.z) == 12
    for p in inference.prior:
        assert (p.mean == 0).all()
        assert (p.stddev == 1).all()
    kl = torch.stack([layer.flatten(2).sum(-1).mean() for layer in inference.kl])
    assert kl.sum() < 64
    assert inference.log_likelihood().mean() > -3 * 64 * math.log(2)


@pytest.mark.parametrize(
    "network",
    [
        pytest.param(LadderMLPSpec(latent_dims=(2,) * 12, width=16, blocks=0), id="mlp"),
        pytest.param(
            LadderConvSpec(channels=(4, 4), layers=(6, 6), latent_channels=1),
            marks=pytest.mark.slow,
            id="conv",
        ),
    ],
)
def test_twelve_layers_train_without_a_number_that_is_not_finite(network: Any) -> None:
    torch.manual_seed(0)
    model = LadderVAESpec(network=network).build((1, 6, 6), statistics_of(6))
    objective = ELBOSpec().build()
    optimizer = AdamSpec(learning_rate=3e-3).build(model.parameters())
    elbos = []
    for step in range(500):
        source = generator_for("step", step)
        angle = 2 * math.pi * torch.rand(8, 1, 1, 1, generator=source)
        row, column = torch.meshgrid(torch.arange(6), torch.arange(6), indexing="ij")
        stripes = torch.cos(row * angle.cos() + column * angle.sin()) > 0  # one number each
        observation = Observation(stripes.float())
        terms = objective(model, observation, {"beta": min(1.0, step / 200)}, generator=source)
        optimizer.forget_gradients()
        terms.losses["model"].backward()
        assert terms.losses["model"].isfinite()
        optimizer.step()
        elbos.append(terms.reported["elbo_nats"].item())
    assert all(parameter.isfinite().all() for parameter in model.parameters())
    assert sum(elbos[-50:]) / 50 > sum(elbos[:5]) / 5 + 5


def statistics_of(side: int) -> Statistics:
    return Statistics(torch.full((1, side, side), 0.3), torch.full((1, side, side), 0.45))
