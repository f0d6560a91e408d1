"""The VampPrior is the mixture of what the encoder says of its pseudo-inputs."""

from typing import Any

import pytest
import torch
from pydantic import TypeAdapter, ValidationError
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

from vaekit.data import Observation, Statistics
from vaekit.errors import SpecError
from vaekit.models import VAE, ModelSpec
from vaekit.numerics import draw_noise, generator_for
from vaekit.objectives import ELBOSpec
from vaekit.priors import VampPrior

EVENT, LATENT, COMPONENTS = (1, 4, 4), 3, 5
MLP: dict[str, Any] = {"kind": "mlp", "hidden": (16,)}
SPEC: dict[str, Any] = {
    "kind": "vae", "latent_dim": LATENT, "encoder": MLP, "decoder": MLP,
    "prior": {"kind": "vamp", "components": COMPONENTS},
}  # fmt: skip
EXAMPLES = torch.rand(9, *EVENT, generator=generator_for(3))
parse = TypeAdapter(ModelSpec).validate_python


def build(conditions: int = 0, examples: torch.Tensor | None = EXAMPLES, **changes: Any) -> VAE:
    torch.manual_seed(0)
    moments = Statistics(torch.full(EVENT, 0.5), torch.full(EVENT, 0.4), conditions, examples)
    model = parse({**SPEC, **changes}).build(EVENT, moments)
    assert isinstance(model, VAE)
    return model.double()


def pseudo_inputs(model: VAE) -> torch.Tensor:
    assert isinstance(model.prior, VampPrior)
    return model.prior.pseudo_inputs


def shown(n: int) -> Observation:
    return Observation(torch.bernoulli(torch.full((n, *EVENT), 0.4)).double())


def test_it_is_the_mixture_of_the_encoded_pseudo_inputs() -> None:
    model = build()
    inference = model.infer(shown(4), 6, generator=generator_for(0))
    (prior,), (z,) = inference.prior, inference.z
    q = model.posterior(model.encoder(Observation(pseudo_inputs(model))))
    normals = Independent(Normal(q.mean, q.stddev), 1)
    expected = MixtureSameFamily(Categorical(torch.ones(COMPONENTS).double()), normals)
    # Float64, written out otherwise.
    torch.testing.assert_close(prior.log_prob(z), expected.log_prob(z), rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(prior.mean, expected.mean)
    torch.testing.assert_close(prior.stddev, expected.stddev)


def test_pseudo_inputs_start_as_training_examples() -> None:
    starts = pseudo_inputs(build())
    assert torch.equal(starts, EXAMPLES[[0, 2, 4, 6, 8]].double())


def test_samples_come_from_it() -> None:
    """Their moments are the mixture's, by the law of large numbers."""
    model, n = build(), 40_000
    noise = draw_noise(model.sample_noise_spec(n), generator_for(1), dtype=torch.float64)
    assert noise[0].shape == (1, n, LATENT + 1)
    prior = model.infer(shown(1)).prior[0]
    z = prior.from_noise(noise[0][0])  # pyright: ignore[reportAttributeAccessIssue]
    assert (z.mean(0) - prior.mean).abs().max() < 6 * prior.stddev.max() / n**0.5
    assert model.sample(7, noise=tuple(layer[:, :7] for layer in noise)).mean.shape == (7, *EVENT)


def test_the_bound_moves_pseudo_inputs_and_kl_is_one_number() -> None:
    model = build()
    inference = model.infer(shown(4), 2, generator=generator_for(0))
    assert inference.kl[0].shape == (2, 4, 1)
    assert inference.kl_is_analytic == (False,)
    terms = ELBOSpec().build()(model, shown(4), {"beta": 1.0}, generator=generator_for(0))
    terms.losses["model"].backward()
    gradient = pseudo_inputs(model).grad
    assert isinstance(gradient, torch.Tensor)
    assert gradient.abs().sum() > 0


def test_more_pseudo_inputs_than_examples_are_refused() -> None:
    with pytest.raises(SpecError, match="more pseudo-inputs than there are examples"):
        build(prior={"kind": "vamp", "components": 10})


def test_conditions_are_refused() -> None:
    with pytest.raises(SpecError, match="no place for conditions"):
        build(conditions=3)


def test_other_posteriors_are_refused() -> None:
    batch = {**MLP, "normalization": "batch"}
    with pytest.raises(ValidationError, match="average over both"):
        parse({**SPEC, "encoder": batch})
    with pytest.raises(ValidationError, match="diagonal_gaussian"):
        parse({**SPEC, "posterior": {"kind": "full_covariance"}})


def test_it_can_be_built_to_be_filled() -> None:
    trained, blank = build(), build(examples=None)
    blank.load_state_dict(trained.state_dict())
    assert torch.equal(pseudo_inputs(blank), pseudo_inputs(trained))
