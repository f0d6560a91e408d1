"""Promises that every prior keeps."""

from typing import Any

import pytest
import torch
from pydantic import TypeAdapter, ValidationError
from torch import Tensor, nn
from torch.distributions import Independent, kl_divergence

from vaekit.distributions import Gaussian, kl_per_dimension
from vaekit.numerics import generator_for
from vaekit.priors import PriorSpec

SPECS: dict[str, dict[str, Any]] = {"standard_normal": {"kind": "standard_normal"}}
LATENT = 2
DRAWS = 50_000
parse = TypeAdapter(PriorSpec).validate_python


@pytest.fixture(params=SPECS, ids=str)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def prior(name: str) -> nn.Module:
    return parse(SPECS[name]).build(LATENT).double()


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
    torch.testing.assert_close(p.log_prob(z), p.base_dist.log_prob(z).sum(-1))


@pytest.mark.parametrize("seed", range(5))
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
