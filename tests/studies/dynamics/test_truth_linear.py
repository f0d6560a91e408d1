"""The linear VAE: what is known exactly, and what the model and the instruments say of it."""

import math

import numpy as np
import pytest
import torch

from vaekit.numerics import generator_for
from vaekit.studies.dynamics.instruments import (
    Codes,
    Probe,
    codes_of,
    curvature,
    kl_half,
    reconstruction_half,
)
from vaekit.studies.dynamics.linear import (
    LENGTHS,
    PARAMETERS,
    SIGMA,
    Parameter,
    deviation,
    exact_half,
    linear_vae,
    logistic,
    loss,
    trajectory,
)


@pytest.mark.parametrize("beta", [0.0, 1.0])
@pytest.mark.parametrize("start", [0.0, -3.0])
@pytest.mark.parametrize("parameter", PARAMETERS)
def test_descent_follows_the_logistic_solution(
    beta: float, start: float, parameter: Parameter
) -> None:
    """To 0.04 in log variance, an error of the first order in the step size."""
    model, shown = linear_vae()
    pace = 1.0 if parameter == "log variance" else 4.0
    coarse, fine = (
        deviation(
            *trajectory(model, shown[:4], beta, start, h / pace, 0.8 / pace, parameter),
            beta,
            start,
            parameter,
        )
        for h in (0.04, 0.02)
    )
    assert coarse < 0.04
    # Halving the step halves the error; terms of the second order are what 15 % allow for.
    assert fine == pytest.approx(coarse / 2, rel=0.15)


def test_the_solution_ends_where_the_gradient_is_zero() -> None:
    model, shown = linear_vae()
    for beta in (0.5, 3.0):
        ends = [logistic(np.array([1e4]), width, beta, -2.0)[0] for width in LENGTHS]
        log_v = torch.tensor(ends, dtype=torch.float64, requires_grad=True)
        (slope,) = torch.autograd.grad(loss(model, shown, log_v, beta), log_v)
        assert slope.abs().max().item() < 1e-12  # rounding of float64


def test_the_solution_without_kl_is_the_limit_of_small_beta() -> None:
    time = np.linspace(0, 5, 6)
    assert logistic(time, 1.0, 1e-7, -1.0) == pytest.approx(
        logistic(time, 1.0, 0.0, -1.0), abs=1e-6
    )


def test_halves_of_the_gradient() -> None:
    """Within five standard errors of the draws: noise^2 has mean 1 and variance 2."""
    model, shown = linear_vae()
    few, pairs, log_v = shown[:10], 400, -1.0
    half = torch.randn(
        pairs, 10, len(LENGTHS), generator=generator_for(1, "test"), dtype=torch.float64
    )
    noise = torch.cat([half, -half])
    codes = Codes(few.x[:, :3].clone(), torch.full_like(noise[0], log_v))
    measured = reconstruction_half(model, few, codes, noise).mean(0)
    tolerance = 5 * math.sqrt(2 / (pairs * 10)) * 1.2  # columns share draws through no term
    assert measured.tolist() == pytest.approx(exact_half(log_v), rel=tolerance)
    assert kl_half(codes, 3.0)[0].tolist() == pytest.approx([1.5 * math.expm1(log_v)] * 3)


def test_halves_are_the_derivative_of_the_loss() -> None:
    model, shown = linear_vae()
    log_v = torch.tensor([-1.0, -2.0, 0.5], dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(loss(model, shown, log_v, 2.0), log_v)
    with torch.no_grad():
        codes = Codes(torch.zeros(1, 3, dtype=torch.float64), log_v[None])
        exact = [w**2 * v / (2 * SIGMA**2) for w, v in zip(LENGTHS, log_v.exp(), strict=True)]
        together = torch.stack(exact) + kl_half(codes, 2.0)[0]
    assert torch.allclose(slope, together, rtol=1e-10)


def test_jacobian_and_curvature_of_a_linear_decoder() -> None:
    model, _ = linear_vae()
    norm, bends = curvature(model, torch.randn(5, 3, dtype=torch.float64))
    assert norm.tolist() == pytest.approx([math.hypot(*LENGTHS)] * 5)
    assert bends[0].tolist() == pytest.approx([w**2 / SIGMA**2 for w in LENGTHS])


def test_readings_of_a_probe() -> None:
    """What is in closed form: KL, shares, and the balance of a variance in equilibrium."""
    model, shown = linear_vae()
    probe, balance = Probe(shown, beta=1.0), [SIGMA**2 / (w**2 + SIGMA**2) for w in LENGTHS]
    layer = next(m for m in model.encoder.modules() if isinstance(m, torch.nn.Linear))
    with torch.no_grad():
        layer.weight.zero_()
        layer.bias.zero_()
        layer.bias[3:] = 0.5 * torch.tensor(balance).log()
    read = probe(model)
    log_v = codes_of(model, shown).log_variance[0]
    # The posterior's bound at forty moves a log-scale of -1 by a part in 5000.
    assert read["variance"] == pytest.approx(balance, rel=1e-3)
    assert read["kl"] == pytest.approx((0.5 * (log_v.exp() - log_v - 1)).tolist(), rel=1e-9)
    assert read["spread"] == [0.0, 0.0, 0.0]
    assert read["share"] == [1.0, 1.0, 1.0]
    # 96 examples with 12 pairs: sqrt(2 / 1152) = 0.04, and four of that.
    assert [-half for half in read["kl_half"]] == pytest.approx(
        read["reconstruction_half"], rel=0.17
    )
