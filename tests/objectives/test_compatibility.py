"""Every model with every objective: it trains, or it is refused with a reason and a way out."""

import itertools
from typing import Any

import pytest
import torch
from pydantic import TypeAdapter

from vaekit.data import Observation, Statistics
from vaekit.errors import SpecError
from vaekit.models import Facts, ModelSpec
from vaekit.numerics import generator_for
from vaekit.objectives import ObjectiveSpec, check_pair

# Both lists are read off the unions, so that a new kind is walked without a new line here.
MODELS, OBJECTIVES = (
    TypeAdapter(union).json_schema()["discriminator"]["mapping"].keys()
    for union in (ModelSpec, ObjectiveSpec)
)
NORMALIZATIONS = ("none", "layer", "batch")
WHERE_BATCH = ("encoder", "decoder")
REFUSED = {
    # model, objective, batch normalisation
    ("autoencoder", "elbo", False),
    ("autoencoder", "elbo", True),
    ("autoencoder", "iwae", False),
    ("autoencoder", "iwae", True),
    ("vae", "iwae", True),
    ("categorical_vae", "iwae", False),
    ("categorical_vae", "iwae", True),
    ("vq_vae", "iwae", False),
    ("vq_vae", "iwae", True),
}
SIZES: dict[str, dict[str, Any]] = {
    "categorical_vae": {"variables": 2, "classes": 3},
    "vq_vae": {"positions": 2, "codebook": {"size": 4, "dim": 2}},
}
parse_model = TypeAdapter(ModelSpec).validate_python
parse_objective = TypeAdapter(ObjectiveSpec).validate_python


def model_spec(kind: str, encoder: str, decoder: str) -> ModelSpec:
    def network(normalization: str) -> dict[str, Any]:
        return {"kind": "mlp", "hidden": (8,), "normalization": normalization}

    parts = {"encoder": network(encoder), "decoder": network(decoder)}
    return parse_model({"kind": kind, **SIZES.get(kind, {"latent_dim": 2}), **parts})


def statistics() -> Statistics:
    return Statistics(torch.full((1, 3, 3), 0.3), torch.full((1, 3, 3), 0.4))


def every_case() -> list[tuple[str, str, str, str]]:
    return list(itertools.product(MODELS, OBJECTIVES, NORMALIZATIONS, NORMALIZATIONS))


@pytest.mark.parametrize(("model", "objective", "encoder", "decoder"), every_case())
def test_pair_trains_or_is_refused(model: str, objective: str, encoder: str, decoder: str) -> None:
    chosen, aim = model_spec(model, encoder, decoder), parse_objective({"kind": objective})
    batch = "batch" in (encoder, decoder)
    if (model, objective, batch) in REFUSED:
        with pytest.raises(SpecError) as raised:
            check_pair(chosen.facts, aim.needs, model, objective)
        message = str(raised.value)
        assert f"model.kind = {model!r} with objective.kind = {objective!r}" in message
        assert "\n  do: " in message
        return
    check_pair(chosen.facts, aim.needs, model, objective)
    built, maximised = chosen.build((1, 3, 3), statistics()), aim.build()
    optimizer = torch.optim.Adam(built.parameters(), lr=0.01)
    before = [parameter.detach().clone() for parameter in built.parameters()]
    for step in range(3):
        generator = generator_for(step)
        x = torch.bernoulli(torch.full((16, 1, 3, 3), 0.3), generator=generator)
        terms = maximised(built, Observation(x), maximised.schedule(step / 3), generator=generator)
        optimizer.zero_grad()
        terms.losses["model"].backward()
        optimizer.step()
        assert terms.losses["model"].isfinite()
    assert all(parameter.isfinite().all() for parameter in built.parameters())
    # Not every one: a bias in front of batch normalisation has no effect.
    moved = [not torch.equal(a, b) for a, b in zip(before, built.parameters(), strict=True)]
    assert moved[0]
    assert moved[-1]


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(
    ("encoder", "decoder"), [*itertools.product(NORMALIZATIONS, NORMALIZATIONS)]
)
def test_spec_declares_what_the_built_model_declares(
    model: str, encoder: str, decoder: str
) -> None:
    spec = model_spec(model, encoder, decoder)
    assert spec.facts == spec.build((1, 3, 3), statistics()).facts
    assert spec.facts.batch_statistics == ("batch" in (encoder, decoder))


@pytest.mark.parametrize("kind", ["conv", "residual_conv"])
@pytest.mark.parametrize("part", WHERE_BATCH)
def test_facts_see_batch_normalisation_in_convolutions(kind: str, part: str) -> None:
    small = {"kind": kind, "channels": (4,)}
    networks = {"encoder": small, "decoder": small, part: {**small, "normalization": "batch"}}
    spec = parse_model({"kind": "vae", **networks})
    assert spec.facts.batch_statistics
    assert spec.build((1, 3, 3), statistics()).facts == spec.facts


def test_way_out_of_batch_normalisation_is_one() -> None:
    aim = parse_objective({"kind": "iwae"})
    with pytest.raises(SpecError, match="normalization = 'layer' or 'group'"):
        check_pair(model_spec("vae", "batch", "none").facts, aim.needs, "vae", "iwae")
    for way_out in ("layer", "group"):
        check_pair(model_spec("vae", way_out, way_out).facts, aim.needs, "vae", "iwae")


def test_samples_without_gradient_are_refused_too() -> None:
    facts = Facts(has_density=True, reparameterized=False, batch_statistics=False)
    with pytest.raises(SpecError):
        check_pair(facts, parse_objective({"kind": "elbo"}).needs, "later", "elbo")
