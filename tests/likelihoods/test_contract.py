"""Promises that every likelihood keeps."""

import itertools
import math
from typing import Any

import mpmath
import pytest
import torch
from pydantic import TypeAdapter, ValidationError
from torch import Tensor, nn
from torch.distributions import Distribution, Independent

from vaekit.likelihoods import (
    DiscretizedLogistic,
    GaussianSpec,
    Likelihood,
    LikelihoodSpec,
)
from vaekit.likelihoods.gaussian import UnitMean
from vaekit.numerics import generator_for

SPECS: dict[str, dict[str, Any]] = {
    "bernoulli": {"kind": "bernoulli"},
    "gaussian_fixed": {"kind": "gaussian", "scale": 0.3},
    "gaussian_learned": {"kind": "gaussian", "scale": "learned"},
    "gaussian_optimal": {"kind": "gaussian", "scale": "optimal"},
    "gaussian_per_value": {"kind": "gaussian", "scale": "per_value"},
    "gaussian_unit_mean": {"kind": "gaussian", "scale": "per_value", "unit_mean": True},
    "logistic_of_bytes": {"kind": "discretized_logistic"},
    "logistic_of_bits": {"kind": "discretized_logistic", "levels": 2},
    "categorical": {"kind": "categorical", "levels": 8},
    "categorical_of_bits": {"kind": "categorical", "levels": 2},
}
EVENT = (2, 3)
parse = TypeAdapter(LikelihoodSpec).validate_python


def build(name: str, event_shape: tuple[int, ...] = EVENT) -> Likelihood:
    """As it is evaluated: an optimal scale ties a training batch together."""
    return parse(SPECS[name]).build(event_shape).eval()


@pytest.fixture(params=SPECS, ids=str)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def likelihood(name: str) -> Likelihood:
    return build(name)


def outputs(likelihood: Likelihood, *lead: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """What a decoder might say."""
    shape = (*lead, likelihood.params_per_value, *likelihood.event_shape)
    return torch.randn(shape, generator=generator_for(0), dtype=dtype)


def grid(likelihood: Likelihood) -> tuple[Tensor, float]:
    """Every value, or values so dense that a sum over them is an integral; and their distance."""
    if likelihood.values.high is None:
        # The narrowest density here has a scale of e^-3 or so: sums over steps of less than
        # half of that are exact. The widest has one of e^3.
        return torch.arange(-200.0, 200.0, 0.01, dtype=torch.float64), 0.01
    return torch.arange(likelihood.values.high + 1, dtype=torch.float64), 1.0


def central_moments(likelihood: Likelihood, p: Independent) -> tuple[Tensor, ...]:
    """Mass, mean, variance and fourth moment of every value, from its log-probabilities alone."""
    x, step = grid(likelihood)
    base: Distribution = p.base_dist
    x = x.reshape(-1, *(1 for _ in base.batch_shape))
    mass = base.log_prob(x.expand(-1, *base.batch_shape)).double().exp() * step
    mean = (mass * x).sum(0)
    squares = (x - mean).square()
    return mass.sum(0), mean, (mass * squares).sum(0), (mass * squares.square()).sum(0)


def observed(likelihood: Likelihood, *lead: int) -> Tensor:
    x = torch.rand((*lead, *likelihood.event_shape), generator=generator_for(1))
    return x if likelihood.values.high is None else (x * likelihood.values.high).round()


def test_spec_goes_there_and_back(name: str) -> None:
    spec = parse(SPECS[name])
    back = TypeAdapter(LikelihoodSpec).validate_json(spec.model_dump_json())
    assert back == spec
    assert type(back.build(EVENT)) is type(spec.build(EVENT))


def test_spec_refuses_what_it_does_not_know(name: str) -> None:
    with pytest.raises(ValidationError, match="colour"):
        parse({**SPECS[name], "colour": 1})


def test_total_mass_is_one(likelihood: Likelihood) -> None:
    likelihood.double()
    mass, *_ = central_moments(likelihood, likelihood(outputs(likelihood, 4, dtype=torch.float64)))
    # Hundreds of roundings of numbers up to one, in float64.
    torch.testing.assert_close(mass, torch.ones_like(mass), rtol=0, atol=1e-12)


@pytest.mark.parametrize("event", [(5,), (3, 4), (3, 4, 2)])
def test_one_log_probability_per_example(name: str, event: tuple[int, ...]) -> None:
    likelihood = build(name, event)
    p = likelihood(outputs(likelihood, 4, 3))
    x = observed(likelihood, 3)
    assert p.batch_shape == (4, 3)
    assert p.event_shape == event
    assert p.log_prob(x).shape == (4, 3)
    per_value = p.base_dist.log_prob(x)
    assert per_value.shape == (4, 3, *event)
    torch.testing.assert_close(p.log_prob(x), per_value.flatten(2).sum(-1))


def test_log_probabilities_are_summed_not_averaged(name: str) -> None:
    """PyTorch-VAE averages over pixels, so that its KL weighs as much as 784 of them."""
    one, two = build(name, (3,)), build(name, (6,))
    parameters, x = outputs(one, 4), observed(one, 4)
    twice = two(torch.cat([parameters] * 2, -1)).log_prob(torch.cat([x] * 2, -1))
    torch.testing.assert_close(twice, 2 * one(parameters).log_prob(x))


def test_examples_and_values_are_independent(likelihood: Likelihood) -> None:
    parameters, x = outputs(likelihood, 4), observed(likelihood, 4)
    parameters.requires_grad_()
    per_value = likelihood(parameters).base_dist.log_prob(x)
    (slope,) = torch.autograd.grad(per_value[2, 1, 0], parameters)
    assert slope[2, :, 1, 0].abs().max() > 0
    slope[2, :, 1, 0] = 0
    assert (slope == 0).all()


def corners(likelihood: Likelihood, size: float) -> Tensor:
    """Outputs of plus and minus `size`, of zero, and every mixture (of two parameters)."""
    count = likelihood.params_per_value
    if count <= 2:
        rows = list(itertools.product((-size, 0.0, size), repeat=count))
    else:
        rows = [[size * s * (-1) ** (i * a) for i in range(count)] for s in (-1, 1) for a in (0, 1)]
    return torch.tensor(rows).reshape(-1, count, 1, 1).expand(-1, -1, *EVENT).clone()


def check_that_all_is_finite(likelihood: Likelihood, size: float, share: float) -> None:
    parameters = corners(likelihood, size).requires_grad_()
    high = 1.0 if likelihood.values.high is None else likelihood.values.high
    log_prob = likelihood(parameters).log_prob(torch.full(EVENT, share * high).round())
    log_prob.sum().backward()
    assert log_prob.dtype == torch.float32
    assert log_prob.isfinite().all()
    for tensor in (parameters, *likelihood.parameters()):
        assert tensor.grad is not None
        assert tensor.grad.isfinite().all()


@pytest.mark.parametrize("size", [30.0, 1e4])
@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_extreme_outputs_have_finite_values_and_gradients(
    likelihood: Likelihood, size: float, share: float
) -> None:
    """A branch of torch.where that is not taken still sends back 0 * inf = NaN."""
    check_that_all_is_finite(likelihood, size, share)


@pytest.mark.parametrize(
    "extreme",
    [
        {"kind": "gaussian", "scale": 1e-12},
        {"kind": "gaussian", "scale": 1e12},
        {"kind": "gaussian", "scale": "learned", "min_scale": 1e-12},
        {"kind": "gaussian", "scale": "per_value", "min_scale": 1e-12},
        {"kind": "discretized_logistic", "min_log_scale": -20},
        {"kind": "discretized_logistic", "min_log_scale": 5},
        {"kind": "discretized_logistic", "levels": 65536},
    ],
    ids=str,
)
def test_so_have_the_most_extreme_specs(extreme: dict[str, Any]) -> None:
    likelihood = parse(extreme).build(EVENT)
    for raw_log_scale in likelihood.parameters():
        nn.init.constant_(raw_log_scale, -1e4)
    for share in (0.0, 0.5, 1.0):
        check_that_all_is_finite(likelihood, 1e4, share)


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "gaussian", "scale": 0},
        {"kind": "gaussian", "scale": -1},
        {"kind": "gaussian", "min_scale": 0},
        {"kind": "discretized_logistic", "levels": 1},
        {"kind": "discretized_logistic", "min_log_scale": -21},
        {"kind": "categorical", "levels": 1},
    ],
    ids=str,
)
def test_specs_beyond_those_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=list(wrong)[1]):
        parse(wrong)


def test_gradients_agree_with_finite_differences(likelihood: Likelihood) -> None:
    likelihood.double()
    x = observed(likelihood, 2).double()
    at = outputs(likelihood, 2, dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(lambda parameters: likelihood(parameters).log_prob(x), (at,))


def test_mean_is_the_mean_of_the_masses(likelihood: Likelihood) -> None:
    likelihood.double()
    p = likelihood(outputs(likelihood, 4, dtype=torch.float64))
    _, mean, *_ = central_moments(likelihood, p)
    torch.testing.assert_close(p.mean, mean)


def test_draws_agree_with_the_masses(likelihood: Likelihood) -> None:
    torch.manual_seed(0)
    p = likelihood(outputs(likelihood, 4))
    _, mean, variance, fourth = central_moments(likelihood, p)
    draws = p.sample(torch.Size([5000]))
    assert draws.shape == (5000, 4, *EVENT)
    assert draws.dtype == torch.float32
    assert likelihood.values.contains(draws)
    # Six standard errors, of a mean and of a mean of squares; and draws that are float32.
    squares = (draws.double() - mean).square()
    assert ((draws.double().mean(0) - mean).abs() < 6 * (variance / 5000).sqrt() + 1e-6).all()
    error = ((fourth - variance.square()).clamp_min(0) / 5000).sqrt()
    assert ((squares.mean(0) - variance).abs() < 6 * error + 1e-6).all()


@pytest.mark.parametrize("half", [torch.bfloat16, torch.float16])
def test_half_precision_is_raised_first(likelihood: Likelihood, half: torch.dtype) -> None:
    rounded = outputs(likelihood, 4).to(half)
    x = observed(likelihood, 4)
    assert torch.equal(likelihood(rounded).log_prob(x), likelihood(rounded.float()).log_prob(x))


def data_moments(likelihood: Likelihood) -> tuple[Tensor, Tensor]:
    """Moments that data could have, well inside the range of values."""
    share = torch.tensor([[0.35, 0.4, 0.45], [0.5, 0.55, 0.6]])
    if isinstance(likelihood, UnitMean):
        return share, share.square()
    if likelihood.values.high is None:
        return 10 * share, share.square()
    high = likelihood.values.high
    # Two levels have one standard deviation only; more of them a little over a binomial's.
    widest = high * (share * (1 - share)).sqrt()
    return high * share, {1: 1.0, 7: 0.45}.get(int(high), 0.25) * widest


def test_starts_with_the_moments_of_the_data(likelihood: Likelihood, name: str) -> None:
    mean, std = data_moments(likelihood)
    parameters = likelihood.initial_parameters(mean, std)
    assert parameters.shape == (likelihood.params_per_value, *EVENT)
    p = likelihood(parameters.unsqueeze(0))
    mass, mean_then, variance_then, _ = (m[0] for m in central_moments(likelihood, p))
    torch.testing.assert_close(mass, torch.ones_like(mass), rtol=0, atol=1e-5)
    if name == "logistic_of_bits":
        # Bits have less spread than the narrowest start, so the outer bins draw in the mean.
        assert ((mean_then - 0.5).abs() <= (mean - 0.5).abs() + 1e-6).all()
        return
    # The tails that the outer bins of a byte draw in are e^-5 of the spread on the short side.
    torch.testing.assert_close(mean_then.float(), mean, rtol=1e-2, atol=1e-5)
    if name == "gaussian_fixed":
        std = torch.full(EVENT, SPECS[name]["scale"])
    elif name in ("gaussian_learned", "gaussian_optimal"):
        std = std.square().mean().sqrt().expand(EVENT)
    # The same tails, and for a floor of 1e-3 under a scale of 0.12 another 0.8 %.
    torch.testing.assert_close(variance_then.sqrt().float(), std, rtol=3e-2, atol=0)


def test_levels_start_as_a_beta_binomial() -> None:
    """Differences of logarithms as large as log 255! = 1163, of which float32 keeps 1e-4."""
    mean, std = 100.0, 40.0
    with mpmath.workdps(50):
        p = mpmath.mpf(mean) / 255
        rho = (mpmath.mpf(std) ** 2 / (255 * p * (1 - p)) - 1) / 254
        alpha, beta = p * (1 / rho - 1), (1 - p) * (1 / rho - 1)
        masses = [
            mpmath.binomial(255, k) * mpmath.beta(k + alpha, 255 - k + beta) for k in range(256)
        ]
        logits = torch.tensor([float(mpmath.log(m / max(masses))) for m in masses])
    likelihood = parse({"kind": "categorical"}).build((1,))
    start = likelihood.initial_parameters(torch.tensor([mean]), torch.tensor([std]))
    # One rounding to float32 of numbers down to -15.
    torch.testing.assert_close(start[:, 0], logits.clamp_min(-15), rtol=1e-6, atol=1e-6)


def test_constant_data_start_finite(likelihood: Likelihood) -> None:
    for value in (0.0, float(likelihood.values.high or 1)):
        mean = torch.full(EVENT, value)
        parameters = likelihood.initial_parameters(mean, torch.zeros(EVENT))
        assert parameters.isfinite().all()
        p = likelihood(parameters.unsqueeze(0))
        assert p.log_prob(mean).isfinite().all()
        # And what never was in training is possible later.
        assert p.log_prob(torch.full(EVENT, float(value == 0))).isfinite().all()


def test_range_holds_what_can_be_scored(likelihood: Likelihood) -> None:
    values = likelihood.values
    assert values.contains(observed(likelihood, 3))
    assert not values.contains(torch.tensor([torch.nan]))
    assert not values.contains(torch.tensor([torch.inf]))
    assert values.contains(torch.tensor([0.5])) != values.whole
    assert values.contains(torch.tensor([-1.0])) == (values.low is None)
    assert values.contains(torch.tensor([1e6])) == (values.high is None)


def test_logits_are_never_clamped() -> None:
    """pythae scores clamped probabilities, so that no pixel can cost more than 16 nats."""
    p = build("bernoulli", (1,))(torch.full((1, 1, 1), 100.0))
    assert float(p.log_prob(torch.zeros(1, 1))) == -100.0
    assert -1e-40 < float(p.log_prob(torch.ones(1, 1))) <= 0.0
    levels = torch.tensor([100.0, 0.0]).reshape(1, 2, 1)
    assert float(build("categorical_of_bits", (1,))(levels).log_prob(torch.ones(1, 1))) == -100.0


def test_two_levels_are_a_coin() -> None:
    """A logistic over two bins has the edge at 1/2: its mass of one is sigmoid(loc - 1/2)."""
    coin, logistic = build("bernoulli"), build("logistic_of_bits")
    parameters = outputs(logistic, 4, dtype=torch.float64)
    x = observed(logistic, 4).double()
    p = logistic(parameters)
    logits = (p.base_dist.loc - 0.5) * torch.exp(-p.base_dist.log_scale)
    torch.testing.assert_close(p.log_prob(x), coin(logits.unsqueeze(1)).log_prob(x))


@pytest.mark.parametrize("loc", [-300.0, 3.0, 3.49, 100.0, 700.0])
@pytest.mark.parametrize("log_scale", [-7.0, -3.0, 0.0, 5.0, 12.0])
def test_logistic_masses_have_all_their_digits(loc: float, log_scale: float) -> None:
    values = [0, 1, 3, 4, 200, 254, 255]
    pixel = DiscretizedLogistic(torch.tensor(loc), torch.tensor(log_scale), levels=256)

    def exact(value: int) -> float:
        with mpmath.workdps(2500):  # the smaller of two masses may be e^-1000000 / 2.2
            at = (mpmath.mpf(value) - mpmath.mpf(float(pixel.loc))) * mpmath.exp(-log_scale)
            half = mpmath.exp(-log_scale) / 2

            def log_sigmoid(t: Any) -> Any:
                return -mpmath.log1p(mpmath.exp(-t)) if t > 0 else t - mpmath.log1p(mpmath.exp(t))

            if value == 0:
                return float(log_sigmoid(at + half))
            if value == 255:
                return float(log_sigmoid(half - at))
            inner = mpmath.log(-mpmath.expm1(-2 * half))
            return float(log_sigmoid(at + half) + log_sigmoid(half - at) + inner)

    expected = torch.tensor([exact(value) for value in values])
    # Of an argument t = (x - loc) / scale rounded to float32 five times, and so 5 eps |t|.
    torch.testing.assert_close(
        pixel.log_prob(torch.tensor(values, dtype=torch.float32)), expected, rtol=6e-7, atol=2e-6
    )


def test_a_learned_scale_learns() -> None:
    """With the mean right, the best scale is the root mean square of the residuals."""
    likelihood = GaussianSpec().build((1,))
    (raw,) = likelihood.parameters()
    x = 0.2 * torch.randn(4000, 1, generator=generator_for(0))
    start = likelihood.initial_parameters(x.mean(0), x.std(0))
    p = likelihood(start.expand(4000, 1, 1))
    (slope,) = torch.autograd.grad(p.log_prob(x).mean(), raw)
    # Divided by n - 1, not n: 1 / 4000 is the slope that is left.
    assert abs(float(slope)) < 3e-4
    assert math.isclose(float(p.stddev[0, 0].detach()), float(x.std()), rel_tol=1e-5)
