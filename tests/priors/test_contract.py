"""Promises that every prior keeps."""

import math
from typing import Any

import pytest
import torch
from pydantic import TypeAdapter, ValidationError
from torch import Tensor, nn
from torch.distributions import Independent, kl_divergence

from vaekit.distributions import (
    Gaussian,
    detached,
    from_noise,
    kl_per_dimension,
    log_prob,
    moments,
    noise_size,
)
from vaekit.errors import SpecError
from vaekit.numerics import generator_for
from vaekit.priors import PriorSpec

SPECS: dict[str, dict[str, Any]] = {
    "standard_normal": {"kind": "standard_normal"},
    "laplace": {"kind": "laplace", "stddev": 0.8},
    "spike_and_slab": {
        "kind": "spike_and_slab",
        "spike_probability": 0.5,
        "spike_scale": 0.3,
    },
    "mixture": {"kind": "mixture", "components": 20},
    "real_nvp": {"kind": "real_nvp", "layers": 3, "hidden": (8,)},
}
LATENT = 2
DRAWS = 50_000
parse = TypeAdapter(PriorSpec).validate_python


@pytest.fixture(params=SPECS, ids=str)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def prior(name: str) -> nn.Module:
    return build(name)


def build(name: str) -> nn.Module:
    """A prior as training might leave it: not where it starts."""
    torch.manual_seed(0)
    return _moved(parse(SPECS[name]).build(LATENT))


def posterior(seed: int) -> Independent:
    """One q(z | x) for each of three examples, within reach of the prior."""
    shape = (2, 3, LATENT)
    loc, log_scale = 0.5 * torch.randn(shape, generator=generator_for(seed), dtype=torch.float64)
    return Independent(Gaussian(loc, log_scale), 1, validate_args=False)


def test_spec_goes_there_and_back(name: str) -> None:
    spec = parse(SPECS[name])
    assert TypeAdapter(PriorSpec).validate_json(spec.model_dump_json()) == spec


def test_spec_refuses_what_it_does_not_know(name: str) -> None:
    with pytest.raises(ValidationError, match="colour"):
        parse({**SPECS[name], "colour": 1})


def test_one_log_probability_per_sample_and_example(prior: nn.Module) -> None:
    p = prior()
    assert p.event_shape == (LATENT,)
    z = torch.randn(5, 3, LATENT, generator=generator_for(0), dtype=torch.float64)
    assert p.log_prob(z).shape == (5, 3)
    if isinstance(p, Independent):
        torch.testing.assert_close(p.log_prob(z), p.base_dist.log_prob(z).sum(-1))
    torch.testing.assert_close(p.log_prob(z)[2, 1], p.log_prob(z[2, 1]))
    assert log_prob(p, z[:, :0]).shape == (5, 0)


def test_density_has_finite_gradients_to_everything(prior: nn.Module) -> None:
    z = 10 * torch.randn(5, 3, LATENT, generator=generator_for(0), dtype=torch.float64)
    z.requires_grad_()
    inputs = [z, *prior.parameters()]
    for slope in torch.autograd.grad(prior().log_prob(z).sum(), inputs):
        assert slope.isfinite().all()
        assert slope.any()


def test_same_noise_gives_the_same_sample(prior: nn.Module) -> None:
    size = getattr(prior, "noise_size", LATENT)
    assert size == noise_size(prior())
    noise = torch.randn(5, 3, size, generator=generator_for(0), dtype=torch.float64)
    z = from_noise(prior(), noise)
    assert z.shape == (5, 3, LATENT)
    # Products of fewer rows may be summed in another order: some units in the last place.
    torch.testing.assert_close(z[2], from_noise(prior(), noise[2]), rtol=1e-12, atol=1e-12)
    assert torch.equal(z, from_noise(prior(), noise, temperature=1.0))


def test_temperature_narrows_the_spread(prior: nn.Module) -> None:
    size = getattr(prior, "noise_size", LATENT)
    noise = torch.randn(5, 3, size, generator=generator_for(0), dtype=torch.float64)
    scaled = noise.clone()
    scaled[..., :LATENT] *= 0.25
    base: Any = getattr(prior(), "base_dist", prior())
    narrow = from_noise(prior(), noise, 0.25)
    if hasattr(base, "tempered"):  # a factor on the noise would be none on the spread
        assert torch.equal(narrow, base.tempered(0.25).from_noise(noise))
    else:
        assert torch.equal(narrow, from_noise(prior(), scaled))


def test_detached_is_equal_and_constant(prior: nn.Module) -> None:
    z = torch.randn(5, 3, LATENT, generator=generator_for(0), dtype=torch.float64)
    constant = detached(prior())
    torch.testing.assert_close(constant.log_prob(z), prior().log_prob(z))
    assert not constant.log_prob(z).requires_grad
    z.requires_grad_()
    mine, theirs = (torch.autograd.grad(p.log_prob(z).sum(), z)[0] for p in (constant, prior()))
    torch.testing.assert_close(mine, theirs)


def test_moments_are_those_of_the_draws_or_absent(prior: nn.Module) -> None:
    torch.manual_seed(1)
    found, z = moments(prior()), prior().sample(torch.Size([DRAWS]))
    assert (found is None) == (prior().__class__.__name__ == "Flow")
    if found is not None:
        mean, stddev = found
        assert ((z.mean(0) - mean).abs() < 6 * stddev / DRAWS**0.5).all()
        # The standard error of a variance, for tails no heavier than twice a normal one's.
        assert ((z.var(0) / stddev.square() - 1).abs() < 6 * (4 / DRAWS) ** 0.5).all()


@pytest.mark.parametrize("seed", range(5))
@torch.no_grad()
def test_draws_agree_with_the_density(prior: nn.Module, seed: int) -> None:
    """E_p[r(z) / p(z)] = 1 for a density r: p has the right mass where r looks."""
    torch.manual_seed(seed)
    p = prior()
    z = p.sample(torch.Size([DRAWS]))
    shift = 0.5 * torch.randn(LATENT, generator=generator_for(seed), dtype=torch.float64)
    width = torch.full_like(shift, 0.6).log()
    r = Independent(Gaussian(z.mean(0) + shift * z.std(0), width + z.std(0).log()), 1)
    ratio = torch.exp(r.log_prob(z) - p.log_prob(z))
    standard_error = float(ratio.std()) / DRAWS**0.5
    assert standard_error < 0.02  # or the next line would let everything pass
    assert abs(float(ratio.mean()) - 1) < 6 * standard_error


def test_divergence_is_not_negative(prior: nn.Module) -> None:
    torch.manual_seed(0)
    for seed in range(20):
        q = posterior(seed)
        z = q.rsample(torch.Size([2000]))
        kl, exact = kl_per_dimension(q, prior(), z)
        total = kl.sum(-1)
        # Where it is an estimate, six standard errors of it may lie below zero.
        allowed = 0 if exact else 6 * total.std(0) / 2000**0.5
        assert (total.mean(0) >= -allowed).all()


def test_closed_form_agrees_with_monte_carlo(prior: nn.Module) -> None:
    torch.manual_seed(0)
    q, p = posterior(1), prior()
    z = q.rsample(torch.Size([DRAWS]))
    estimates = q.log_prob(z) - p.log_prob(z)
    kl, _ = kl_per_dimension(q, p, z)
    standard_error = estimates.std(0) / DRAWS**0.5
    assert ((kl.sum(-1).mean(0) - estimates.mean(0)).abs() < 6 * standard_error).all()


def test_moves_and_saves_as_a_module(prior: nn.Module, name: str) -> None:
    restored = parse(SPECS[name]).build(LATENT).double()
    restored.load_state_dict(prior.state_dict())
    z = torch.randn(4, LATENT, generator=generator_for(0), dtype=torch.float64)
    assert restored().log_prob(z).dtype == torch.float64
    assert torch.equal(restored().log_prob(z), prior().log_prob(z))


@pytest.mark.gpu
def test_draws_on_its_device(prior: nn.Module) -> None:
    assert prior.to("cuda")().sample().is_cuda


class TestStandardNormal:
    @pytest.fixture
    def prior(self) -> nn.Module:
        return parse(SPECS["standard_normal"]).build(LATENT)

    def test_is_zero_mean_and_unit_variance(self, prior: nn.Module) -> None:
        assert torch.equal(prior().mean, torch.zeros(LATENT))
        assert torch.equal(prior().variance, torch.ones(LATENT))
        # -log(2 pi) at the mode, for two dimensions.
        assert float(prior().log_prob(torch.zeros(LATENT))) == pytest.approx(-1.8378770664)

    def test_ignores_the_condition(self, prior: nn.Module) -> None:
        z = torch.randn(3, LATENT, generator=generator_for(0))
        assert torch.equal(prior(torch.ones(3, 4)).log_prob(z), prior(None).log_prob(z))

    def test_has_nothing_to_learn_or_to_save(self, prior: nn.Module) -> None:
        assert not list(prior.parameters())
        assert not prior.state_dict()

    def test_divergence_from_itself_is_zero(self, prior: nn.Module) -> None:
        kl: Tensor = kl_divergence(prior(), prior())
        assert float(kl) == 0.0


class TestSparse:
    @pytest.mark.parametrize("kind", ["laplace", "spike_and_slab"])
    def test_has_nothing_to_learn_or_to_save(self, kind: str) -> None:
        prior = parse({"kind": kind}).build(LATENT)
        assert not list(prior.parameters())
        assert not prior.state_dict()

    @pytest.mark.parametrize("stddev", [1.0, 0.3])
    def test_laplace_has_the_variance_that_was_asked_for(self, stddev: float) -> None:
        p = parse({"kind": "laplace", "stddev": stddev}).build(LATENT).double()()
        assert p.stddev.tolist() == pytest.approx([stddev] * LATENT, rel=1e-12)
        # The density at the mode is 1 / (stddev sqrt(2)), for each of two dimensions.
        at_mode = float(p.log_prob(torch.zeros(LATENT, dtype=torch.float64)))
        assert at_mode == pytest.approx(-LATENT * math.log(stddev * math.sqrt(2)), abs=1e-12)

    def test_divergence_from_laplace_is_exact_per_dimension(self) -> None:
        q, p = posterior(0), parse({"kind": "laplace"}).build(LATENT).double()()
        kl, exact = kl_per_dimension(q, p, q.rsample(torch.Size([5])))
        assert exact
        assert kl.shape == (1, 3, LATENT)

    def test_divergence_from_spike_and_slab_is_estimated_per_dimension(self) -> None:
        q, p = posterior(0), parse({"kind": "spike_and_slab"}).build(LATENT).double()()
        kl, exact = kl_per_dimension(q, p, q.rsample(torch.Size([5])))
        assert not exact
        assert kl.shape == (5, 3, LATENT)

    def test_spike_is_narrower_than_the_slab(self) -> None:
        with pytest.raises(ValidationError, match=r"scale 2, is not narrower.* scale 1"):
            parse({"kind": "spike_and_slab", "spike_scale": 2.0})


class TestMixture:
    def test_starts_with_mean_zero_and_variance_one(self) -> None:
        torch.manual_seed(0)
        p = parse({"kind": "mixture", "components": 2000}).build(3)()
        # Averages over 2000 means of variance one half: five standard errors.
        assert p.mean.abs().max() < 5 * (0.5 / 2000) ** 0.5
        assert (p.variance - 1).abs().max() < 5 * 0.5 * (2 / 2000) ** 0.5

    def test_log_scales_are_bounded(self) -> None:
        prior: Any = parse({"kind": "mixture", "components": 2, "min_log_scale": -3}).build(1)
        with torch.no_grad():
            prior.raw_log_scale.copy_(torch.tensor([[-1e9], [1e9]]))
        assert prior().log_scale.flatten().tolist() == [-3.0, 2.0]

    def test_no_component_loses_all_its_weight(self) -> None:
        prior: Any = parse({"kind": "mixture", "components": 2}).build(1)
        with torch.no_grad():
            prior.logits.copy_(torch.tensor([-1e9, 1e9]))
        assert prior().weights[0].item() == pytest.approx(math.exp(-20), rel=1e-5)


class TestRealNVP:
    def test_starts_as_the_standard_normal(self) -> None:
        p = parse({"kind": "real_nvp"}).build(5)()
        z = torch.randn(4, 5, generator=generator_for(0))
        standard = parse({"kind": "standard_normal"}).build(5)()
        assert torch.equal(p.log_prob(z), standard.log_prob(z))

    @pytest.mark.parametrize("latent", [2, 3, 8])
    def test_both_ways_agree_to_double_precision(self, latent: int) -> None:
        bijection = _moved(parse({"kind": "real_nvp", "hidden": (16,)}).build(latent)).bijection
        u = torch.randn(50, latent, generator=generator_for(0), dtype=torch.float64)
        z, log_det = bijection(u)
        back, same = bijection.inverse(z)
        assert (z - u).abs().mean() > 0.1
        torch.testing.assert_close(back, u, rtol=0, atol=1e-10)
        torch.testing.assert_close(same, log_det, rtol=0, atol=1e-10)

    def test_log_determinant_is_that_of_the_jacobian(self) -> None:
        bijection = _moved(parse({"kind": "real_nvp", "hidden": (16,)}).build(3)).bijection
        u = torch.randn(3, generator=generator_for(0), dtype=torch.float64)
        jacobian = torch.func.jacrev(lambda at: bijection(at)[0])(u)
        torch.testing.assert_close(bijection(u)[1], torch.linalg.slogdet(jacobian)[1])

    @torch.no_grad()
    def test_density_integrates_to_one(self) -> None:
        p = _moved(parse({"kind": "real_nvp", "layers": 4, "hidden": (8,)}).build(2))()
        # Smooth in t, z = sinh(t), so that the sum over a grid is exact but for what lies
        # beyond it: |z| > 200.
        t = torch.linspace(-6, 6, 601, dtype=torch.float64)
        z = torch.cartesian_prod(t.sinh(), t.sinh())
        mass = p.log_prob(z) + torch.cartesian_prod(t, t).cosh().log().sum(-1)
        assert mass.logsumexp(0).exp().item() * 0.02**2 == pytest.approx(1, abs=1e-6)

    @pytest.mark.parametrize("size", [1e4, 1e15])
    def test_log_scales_are_bounded(self, size: float) -> None:
        prior: Any = parse({"kind": "real_nvp", "layers": 2, "hidden": (8,)}).build(2)
        u = size * torch.tensor([[1.0, -1.0], [0.0, 1.0]])
        with torch.no_grad():
            prior.bijection.parts[0].network[-1].weight.fill_(size)
        z, log_det = prior.bijection(u)
        assert z.isfinite().all()
        assert log_det.abs().max() <= 2 * 2.0

    def test_needs_two_dimensions(self) -> None:
        with pytest.raises(SpecError, match=r"two dimensions[\s\S]*2 or more[\s\S]*found: +1"):
            parse({"kind": "real_nvp"}).build(1)


def _moved(prior: Any) -> Any:
    """In double precision, away from where it starts."""
    torch.manual_seed(0)
    prior = prior.double()
    with torch.no_grad():
        for parameter in prior.parameters():
            parameter += 0.3 * torch.randn_like(parameter)
    return prior
