"""Promises that every posterior keeps."""

import itertools
import math
from typing import Any

import pytest
import torch
from pydantic import TypeAdapter, ValidationError
from torch import Tensor, nn
from torch.distributions import Independent

from vaekit.distributions import (
    Flow,
    Gaussian,
    detached,
    from_noise,
    kl_per_dimension,
    log_prob,
    moments,
)
from vaekit.errors import SpecError
from vaekit.numerics import generator_for
from vaekit.posteriors import PosteriorSpec

SPECS: dict[str, dict[str, Any]] = {
    "diagonal_gaussian": {"kind": "diagonal_gaussian"},
    "tightly_bounded": {"kind": "diagonal_gaussian", "min_log_scale": -0.5, "max_log_scale": 0.25},
    "hardly_bounded": {"kind": "diagonal_gaussian", "min_log_scale": -40, "max_log_scale": 40},
    "full_covariance": {"kind": "full_covariance"},
    "inverse_autoregressive_flow": {
        "kind": "inverse_autoregressive_flow",
        "layers": 2,
        "hidden": (6,),
        "context": 2,
    },
}
LATENT, BATCH = 2, 3
DRAWS = 50_000
parse = TypeAdapter(PosteriorSpec).validate_python


@pytest.fixture(params=SPECS, ids=str)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def posterior(name: str) -> nn.Module:
    return moved(parse(SPECS[name]).build(LATENT)).double()


def moved(posterior: Any) -> Any:
    """Away from where its own parameters start, if it has any."""
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in posterior.parameters():
            parameter += 0.3 * torch.randn_like(parameter)
    return posterior


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
    if isinstance(q, Independent):
        torch.testing.assert_close(q.log_prob(z), q.base_dist.log_prob(z).sum(-1))
    torch.testing.assert_close(q.log_prob(z[2]), q.log_prob(z)[2])
    assert log_prob(posterior(outputs(posterior)[:0]), z[:, :0]).shape == (5, 0)


def test_own_draws_have_the_density_of_any_other_z(posterior: nn.Module) -> None:
    q = posterior(outputs(posterior))
    z = q.rsample(torch.Size([5]))
    torch.testing.assert_close(q.log_prob(z), q.log_prob(z.clone()), rtol=0, atol=1e-10)


def test_detached_is_equal_and_constant(posterior: nn.Module) -> None:
    """The gradient through z alone, which DReG and STL need."""
    h = outputs(posterior).requires_grad_()
    q = posterior(h)
    z = from_noise(q, torch.ones(4, BATCH, LATENT, dtype=torch.float64))
    constant, held = detached(q), z.detach()
    torch.testing.assert_close(constant.log_prob(z), q.log_prob(z))
    assert not constant.log_prob(held).requires_grad
    held.requires_grad_()
    mine, theirs = (torch.autograd.grad(p.log_prob(held).sum(), held)[0] for p in (constant, q))
    torch.testing.assert_close(mine, theirs)
    # Through z into h, and the other way, through the parameters into h: together the whole.
    whole, through_z = (
        torch.autograd.grad(p.log_prob(z).sum(), h, retain_graph=True)[0] for p in (q, constant)
    )
    (rest,) = torch.autograd.grad(q.log_prob(held.detach()).sum(), h)
    torch.testing.assert_close(whole, through_z + rest)


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
        return z, q.log_prob(z), q.log_prob(z.clone()), kl

    assert torch.autograd.gradcheck(elbo_terms, (outputs(posterior).requires_grad_(),))


def test_mean_is_what_zero_noise_becomes_or_absent(posterior: nn.Module) -> None:
    q = posterior(outputs(posterior))
    if isinstance(q, Flow):
        assert moments(q) is None
        return
    assert torch.equal(q.mean, from_noise(q, torch.zeros(BATCH, LATENT, dtype=torch.float64)))


def test_half_precision_is_raised_first(posterior: nn.Module) -> None:
    h, noise = outputs(posterior, torch.bfloat16), torch.ones(BATCH, LATENT)
    z, same = (from_noise(posterior.float()(some), noise) for some in (h, h.float()))
    assert z.dtype == torch.float32
    assert torch.equal(z, same)


@pytest.mark.parametrize("size", [30.0, 1e4, 1e15, 1e30])
def test_extreme_outputs_stay_finite(posterior: nn.Module, size: float) -> None:
    """Unbounded log-variances are the NaN of most other libraries."""
    count = int(posterior.num_parameters)  # pyright: ignore[reportArgumentType]
    h = torch.tensor(list(itertools.product((-size, 0.0, size), repeat=count)))
    h.requires_grad_()
    q = posterior.float()(h)
    z = from_noise(q, torch.randn(len(h), LATENT, generator=generator_for(0)))
    finite = [z, q.log_prob(z)]
    if moments(q) is not None:
        finite += [q.mean, q.stddev, q.entropy()]
    if size < 1e18:  # the square of a mean is part of the divergence, and 1e60 no float32
        finite += [kl_per_dimension(q, standard_normal(torch.float32), z.unsqueeze(0))[0]]
    for tensor in finite:
        assert tensor.isfinite().all()
        (slope,) = torch.autograd.grad(tensor.sum(), h, retain_graph=True)
        assert slope.isfinite().all()


@pytest.mark.gpu
def test_draws_on_its_device(posterior: nn.Module) -> None:
    q = posterior.to("cuda")(outputs(posterior).to("cuda"))
    z = q.rsample()
    assert z.is_cuda
    assert q.log_prob(z.clone()).is_cuda


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


class TestFullCovariance:
    def test_near_zero_is_what_the_encoder_said(self) -> None:
        h = torch.tensor([[1.0, 2.0, 3.0, 0.0, 0.0, 0.0, 0.1, 0.2, 0.3]], dtype=torch.float64)
        q = parse(SPECS["full_covariance"]).build(3)(h)
        assert torch.equal(q.mean, h[:, :3])
        expected = torch.tensor([[1, 0, 0], [0.1, 1, 0], [0.2, 0.3, 1]]).double()
        # limit tanh(v / limit) = v - v^3 / (3 limit^2): 0.3^3 / 3 / e^4 = 2e-4.
        torch.testing.assert_close(q.scale_tril[0], expected, rtol=0, atol=2e-4)

    def test_bounds_its_factor(self) -> None:
        spec = {"kind": "full_covariance", "min_log_scale": -1, "max_log_scale": 1}
        q = parse(spec).build(2)(torch.tensor([[0.0, 0.0, 1e9, -1e9, -1e9]]))
        expected = torch.tensor([[math.e, 0], [-math.e, 1 / math.e]])
        torch.testing.assert_close(q.scale_tril[0], expected)

    def test_large_sizes_are_refused(self) -> None:
        assert parse(SPECS["full_covariance"]).build(64).num_parameters == 64 + 64 * 65 // 2
        with pytest.raises(SpecError, match=r"2,145 outputs[\s\S]*64 or less[\s\S]*do: "):
            parse(SPECS["full_covariance"]).build(65)


class TestInverseAutoregressiveFlow:
    @staticmethod
    def flow(layers: int = 2, latent: int = 4) -> tuple[Any, Tensor]:
        spec = {
            "kind": "inverse_autoregressive_flow",
            "layers": layers,
            "hidden": (12, 12),
            "context": 3,
        }
        posterior = moved(parse(spec).build(latent)).double()
        return posterior, torch.randn(1, 3, generator=generator_for(0), dtype=torch.float64)

    @pytest.mark.parametrize("latent", [1, 2, 5])
    def test_both_ways_agree_to_double_precision(self, latent: int) -> None:
        posterior, context = self.flow(3, latent)
        u = torch.randn(50, latent, generator=generator_for(1), dtype=torch.float64)
        z, log_det = posterior.bijection(u, context)
        back, same = posterior.bijection.inverse(z, context)
        assert (z - u).abs().mean() > 0.1
        torch.testing.assert_close(back, u, rtol=0, atol=1e-10)
        torch.testing.assert_close(same, log_det, rtol=0, atol=1e-10)

    def test_one_layer_is_autoregressive(self) -> None:
        posterior, context = self.flow(layers=1)
        u = torch.randn(4, generator=generator_for(1), dtype=torch.float64)
        jacobian = torch.func.jacrev(lambda at: posterior.bijection(at, context[0])[0])(u)
        assert torch.equal(jacobian.triu(1), torch.zeros_like(jacobian))
        assert (jacobian.tril()[torch.tril_indices(4, 4).unbind()] != 0).all()

    def test_layers_take_turns(self) -> None:
        posterior, context = self.flow(layers=2)
        second = posterior.bijection.parts[1]
        u = torch.randn(4, generator=generator_for(1), dtype=torch.float64)
        jacobian = torch.func.jacrev(lambda at: second(at, context[0])[0])(u)
        assert torch.equal(jacobian.tril(-1), torch.zeros_like(jacobian))
        assert jacobian.triu(1).any()

    def test_log_determinant_is_that_of_the_jacobian(self) -> None:
        posterior, context = self.flow(layers=3)
        u = torch.randn(4, generator=generator_for(1), dtype=torch.float64)
        jacobian = torch.func.jacrev(lambda at: posterior.bijection(at, context[0])[0])(u)
        log_det = posterior.bijection(u, context[0])[1]
        torch.testing.assert_close(log_det, torch.linalg.slogdet(jacobian)[1])

    def test_context_reaches_every_dimension(self) -> None:
        posterior, context = self.flow(layers=1)
        slopes = torch.func.jacrev(lambda c: posterior.bijection(torch.zeros(4).double(), c)[0])(
            context[0]
        )
        assert (slopes != 0).any(dim=1).all()

    @torch.no_grad()
    def test_density_integrates_to_one(self) -> None:
        posterior, _ = self.flow(layers=2, latent=2)
        q = posterior(outputs(posterior)[:1])
        # Smooth in t, z = sinh(t), so that the sum over a grid is exact but for what lies
        # beyond it: |z| > 200.
        t = torch.linspace(-6, 6, 601, dtype=torch.float64)
        z = torch.cartesian_prod(t.sinh(), t.sinh())
        mass = q.log_prob(z) + torch.cartesian_prod(t, t).cosh().log().sum(-1)
        assert mass.logsumexp(0).exp().item() * 0.02**2 == pytest.approx(1, abs=1e-6)

    def test_starts_near_the_diagonal_gaussian(self) -> None:
        posterior: Any = parse({"kind": "inverse_autoregressive_flow", "layers": 1}).build(3)
        u = torch.randn(5, 3, generator=generator_for(0))
        z, _ = posterior.bijection(u, torch.ones(5, 64))
        # One open gate: sigmoid of 5 tanh(2 / 5).
        torch.testing.assert_close(z, u / (1 + math.exp(-5 * math.tanh(0.4))))
