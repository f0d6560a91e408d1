"""A conditional model is the plain one, plus what it is told."""

from typing import Any

import pytest
import torch
from models.test_contract import CONV, EVENT, MLP, SMALL, binary, parse
from torch import Tensor

from vaekit.data import Observation, Statistics
from vaekit.errors import SpecError
from vaekit.models import VAE, Autoencoder, Model
from vaekit.numerics import draw_noise, generator_for
from vaekit.objectives import ELBOSpec

CLASSES = 3
KINDS: dict[str, dict[str, Any]] = {
    "vae": {"kind": "vae", **SMALL},
    "conv": {"kind": "vae", **SMALL, "encoder": CONV, "decoder": CONV},
    "prior": {"kind": "vae", **SMALL, "prior": {"kind": "conditional_gaussian"}},
    "autoencoder": {"kind": "autoencoder", "latent_dim": 3, "encoder": MLP, "decoder": MLP},
}


def build(name: str, conditions: int = CLASSES) -> VAE | Autoencoder:
    torch.manual_seed(0)
    moments = Statistics(
        torch.linspace(0.1, 0.9, 16).reshape(EVENT), torch.full(EVENT, 0.4), conditions
    )
    model = parse.validate_python(KINDS[name]).build(EVENT, moments).eval()
    assert isinstance(model, VAE | Autoencoder)
    return model


def told(*labels: int) -> Tensor:
    return torch.eye(CLASSES)[list(labels)]


SHOWN = Observation(binary(4), told(0, 1, 2, 0))


def without_its_conditions(model: VAE | Autoencoder) -> dict[str, Tensor]:
    """The weights of a plain model, inside a conditional one whose condition weights are zero."""
    weights = dict(model.state_dict())
    weights.pop("encoder.condition.weight").zero_()
    first = next(n for n in weights if n.startswith("decoder.network.") and n.endswith("weight"))
    weights[first][:, -CLASSES:] = 0
    return {**weights, first: weights[first][:, :-CLASSES]}


@pytest.mark.parametrize("name", ["vae", "conv", "autoencoder"])
def test_with_condition_weights_at_zero_it_is_the_plain_model(name: str) -> None:
    conditional, plain = build(name), build(name, 0)
    plain.load_state_dict(without_its_conditions(conditional))
    noise = draw_noise(plain.noise_spec(4, 2), generator_for(1))
    ours = conditional.infer(SHOWN, 2, noise)
    theirs = plain.infer(Observation(SHOWN.x), 2, noise)
    # The same sums with some zeros among them, in float32.
    torch.testing.assert_close(ours.z, theirs.z, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(ours.log_likelihood(), theirs.log_likelihood(), rtol=1e-5, atol=1e-5)


def test_a_conditional_prior_starts_as_the_standard_normal() -> None:
    prior = build("prior").infer(SHOWN).prior[0]
    assert torch.equal(prior.mean, torch.zeros(4, 3))
    assert torch.equal(prior.stddev, torch.ones(4, 3))


def test_each_part_listens() -> None:
    """The encoder, the decoder and the prior each answer otherwise for another condition."""
    model = build("prior")
    assert isinstance(model, VAE)
    with torch.no_grad():
        for weight in model.prior.parameters():
            weight.normal_()
    other = Observation(SHOWN.x, told(1, 2, 0, 1))
    assert not torch.allclose(model.embed(SHOWN), model.embed(other))
    z = (torch.zeros(1, 4, 3),)
    assert not torch.allclose(model.decode(z, SHOWN.c).mean, model.decode(z, other.c).mean)
    assert not torch.allclose(model.prior(SHOWN.c).mean, model.prior(other.c).mean)


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("c", [None, torch.zeros(4, CLASSES + 1)])
def test_a_missing_condition_is_refused(name: str, c: Tensor | None) -> None:
    model = build(name)
    with pytest.raises(SpecError, match="condition"):
        model.infer(Observation(SHOWN.x, c))
    with pytest.raises(SpecError, match="condition"):
        model.decode((torch.zeros(1, 4, 3),), c)


def test_a_conditional_prior_needs_a_condition() -> None:
    with pytest.raises(SpecError, match="something to depend on"):
        build("prior", 0)


def test_the_bound_teaches_all_parts() -> None:
    model: Model = build("prior").train()
    terms = ELBOSpec().build()(model, SHOWN, {"beta": 1.0}, generator=generator_for(0))
    terms.losses["model"].backward()
    for part in ("encoder.condition.weight", "decoder.network.0.weight", "prior.network.2.bias"):
        gradient = model.get_parameter(part).grad
        assert gradient is not None
        assert gradient.abs().sum() > 0, part


@pytest.mark.parametrize("kind", ["hierarchical_vae", "ladder_vae", "categorical_vae", "vq_vae"])
def test_models_that_do_not_listen_refuse(kind: str) -> None:
    moments = Statistics(torch.full(EVENT, 0.5), torch.full(EVENT, 0.4), CLASSES)
    with pytest.raises(SpecError, match="no place for a condition"):
        parse.validate_python({"kind": kind}).build(EVENT, moments)
