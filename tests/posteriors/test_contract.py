"""Promises that every posterior keeps."""

import itertools
from typing import Any

import pytest
import torch
from pydantic import TypeAdapter, ValidationError
from torch import Tensor, nn
from torch.distributions import Independent

from vaekit.distributions import Gaussian, from_noise, kl_per_dimension
from vaekit.numerics import generator_for
from vaekit.posteriors import PosteriorSpec

SPECS: dict[str, dict[str, Any]] = {
    "diagonal_gaussian": {"kind": "diagonal_gaussian"},
    "tightly_bounded": {"kind": "diagonal_gaussian", "min_log_scale": -0.5, "max_log_scale": 0.25},
    "hardly_bounded": {"kind": "diagonal_gaussian", "min_log_scale": -40, "max_log_scale": 40},
}
LATENT, BATCH = 2, 3
DRAWS = 50_000
parse = TypeAdapter(PosteriorSpec).validate_python


@pytest.fixture(params=SPECS, ids=str)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def posterior(name: str) -> nn.Module:
    return parse(SPECS[name]).build(LATENT)


def outputs(posterior: nn.Module, dtype: torch.dtype = torch.float64) -> Tensor:
    """What an encoder might say."""
    shape = (BATCH, int(posterior.num_parameters))  # pyright: ignore[reportArgumentType]
    return torch.randn(shape, generator=generator_for(0), dtype=torch.float64).to(dtype)


def standard_normal(dtype: torch.dtype = torch.float64) -> Independent:
    zeros = torch.zeros(LATENT, dtype=dtype)
    return Independent(Gaussian(zeros, zeros), 1, validate_args=False)


def test_spec_goes_there_and_back(name: str) -> None:
    spec = parse(SPECS[name])
    assert TypeAdapter(PosteriorSpec).validate_json(spec.model_dump_json()) == spec


@pytest.mark.parametrize(
    "wrong",
    [
        {"colour": 1},
        {"min_log_scale": 0},
        {"min_log_scale": -41},
        {"max_log_scale": 0},
        {"max_log_scale": 41},
    ],
)
def test_spec_refuses_what_cannot_work(name: str, wrong: dict[str, float]) -> None:
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        parse({**SPECS[name], **wrong})


def test_one_log_probability_per_sample_and_example(posterior: nn.Module) -> None:
    q = posterior(outputs(posterior))
    assert (q.batch_shape, q.event_shape) == ((BATCH,), (LATENT,))
    z = q.rsample(torch.Size([5]))
    assert q.log_prob(z).shape == (5, BATCH)
    torch.testing.assert_close(q.log_prob(z), q.base_dist.log_prob(z).sum(-1))


def test_examples_are_independent(posterior: nn.Module) -> None:
    h = outputs(posterior).requires_grad_()
    noise = torch.ones(BATCH, LATENT, dtype=torch.float64)
    (slope,) = torch.autograd.grad(from_noise(posterior(h), noise)[1].sum(), h)
    assert (slope[1] != 0).all()
    assert (slope[[0, 2]] == 0).all()


def test_draws_agree_with_the_density(posterior: nn.Module) -> None:
    """E_q[r(z) / q(z)] = 1 for a density r: q has the right mass where r looks."""
    torch.manual_seed(0)
    q = posterior(outputs(posterior))
    z = q.rsample(torch.Size([DRAWS]))
    for shift in (-0.6, 0.0, 0.6):
        loc, log_scale = z.mean(0) + shift * z.std(0), (0.6 * z.std(0)).log()
        r = Independent(Gaussian(loc, log_scale), 1)
        ratio = torch.exp(r.log_prob(z) - q.log_prob(z))
        standard_error = ratio.std(0) / DRAWS**0.5
        assert standard_error.max() < 0.02  # or the next line would let everything pass
        assert ((ratio.mean(0) - 1).abs() < 6 * standard_error).all()


def test_divergence_is_exact_or_unbiased_and_not_negative(posterior: nn.Module) -> None:
    torch.manual_seed(0)
    q, p = posterior(outputs(posterior)), standard_normal()
    z = q.rsample(torch.Size([DRAWS]))
    kl = kl_per_dimension(q, p, z)[0].sum(-1).mean(0)
    estimates = q.log_prob(z) - p.log_prob(z)
    assert (kl >= 0).all()
    assert ((kl - estimates.mean(0)).abs() < 6 * estimates.std(0) / DRAWS**0.5).all()


def test_reparameterised_gradients_agree_with_finite_differences(posterior: nn.Module) -> None:
    noise = torch.randn(4, BATCH, LATENT, generator=generator_for(1), dtype=torch.float64)

    def elbo_terms(h: Tensor) -> tuple[Tensor, ...]:
        q = posterior(h)
        z = from_noise(q, noise)
        kl, _ = kl_per_dimension(q, standard_normal(), z)
        return z, q.log_prob(z), q.base_dist.log_prob(z), kl

    assert torch.autograd.gradcheck(elbo_terms, (outputs(posterior).requires_grad_(),))


def test_mean_is_what_zero_noise_becomes(posterior: nn.Module) -> None:
    q = posterior(outputs(posterior))
    assert torch.equal(q.mean, from_noise(q, torch.zeros(BATCH, LATENT, dtype=torch.float64)))


def test_half_precision_is_raised_first(posterior: nn.Module) -> None:
    h = outputs(posterior, torch.bfloat16)
    assert posterior(h).mean.dtype == torch.float32
    assert torch.equal(posterior(h).stddev, posterior(h.float()).stddev)


@pytest.mark.parametrize("size", [30.0, 1e4, 1e15, 1e30])
def test_extreme_outputs_stay_finite(posterior: nn.Module, size: float) -> None:
    """Unbounded log-variances are the NaN of most other libraries."""
    count = int(posterior.num_parameters)  # pyright: ignore[reportArgumentType]
    h = torch.tensor(list(itertools.product((-size, 0.0, size), repeat=count)))
    h.requires_grad_()
    q = posterior(h)
    z = from_noise(q, torch.randn(len(h), LATENT, generator=generator_for(0)))
    finite = [z, q.mean, q.stddev, q.log_prob(z), q.entropy()]
    if size < 1e18:  # the square of a mean is part of the divergence, and 1e60 no float32
        finite += [kl_per_dimension(q, standard_normal(torch.float32), z.unsqueeze(0))[0]]
    for tensor in finite:
        assert tensor.isfinite().all()
        (slope,) = torch.autograd.grad(tensor.sum(), h, retain_graph=True)
        assert slope.isfinite().all()


class TestDiagonalGaussian:
    @pytest.mark.parametrize(("raw", "limit"), [(0.01, 2.0), (-0.01, 7.0), (0.0, 1.0)])
    def test_is_what_the_encoder_said_near_zero(self, raw: float, limit: float) -> None:
        h = torch.tensor([[3.0, raw]], dtype=torch.float64, requires_grad=True)
        q = parse(SPECS["diagonal_gaussian"]).build(1)(h)
        assert float(q.mean.detach()) == 3.0
        # limit tanh(raw / limit) = raw - raw^3 / (3 limit^2) + ..., its slope 1 - (raw / limit)^2.
        log_scale = q.base_dist.log_scale
        assert float(log_scale.detach()) == pytest.approx(raw - raw**3 / (3 * limit**2), abs=1e-10)
        (slope,) = torch.autograd.grad(log_scale.sum(), h)
        assert float(slope[0, 1]) == pytest.approx(1 - (raw / limit) ** 2, abs=1e-9)

    def test_bounds_its_log_scale(self) -> None:
        h = torch.tensor([[0.0, 1e9], [0.0, -1e9]])
        q = parse(SPECS["tightly_bounded"]).build(1)(h)
        assert q.base_dist.log_scale.flatten().tolist() == [0.25, -0.5]

    def test_divergence_is_not_capped(self) -> None:
        """PyOD clamps its KL to zero, and trains an autoencoder without noticing."""
        h = torch.tensor([[2.0, 0.0]], requires_grad=True)
        q = parse(SPECS["diagonal_gaussian"]).build(1)(h)
        zeros = torch.zeros(1)
        p = Independent(Gaussian(zeros, zeros), 1)
        kl, exact = kl_per_dimension(q, p, torch.zeros(1, 1, 1))
        assert exact
        assert float(kl.detach()) == 2.0
        (slope,) = torch.autograd.grad(kl.sum(), h)
        assert torch.equal(slope, torch.tensor([[2.0, 0.0]]))
