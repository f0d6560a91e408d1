"""Every model with every objective: it trains, or it is refused with a reason and a way out."""

import itertools
import re
from typing import Any

import pytest
import torch
from pydantic import TypeAdapter
from torch.distributions import Independent

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
NOT_NESTED = ("dreg", "stl", "beta_tcvae", "wake_sleep")
REFUSED = {
    # model, objective, batch normalisation
    *itertools.product(["autoencoder"], {*OBJECTIVES} - {"reconstruction"}, [False, True]),
    ("vae", "iwae", True),
    ("vae", "dreg", True),
    *itertools.product(["hierarchical_vae", "ladder_vae"], NOT_NESTED, [False, True]),
    *itertools.product({*MODELS} - {"semi_supervised_vae"}, ["m2"], [False, True]),
    *itertools.product(["semi_supervised_vae"], {*OBJECTIVES} - {"m2"}, [False, True]),
    ("hierarchical_vae", "iwae", True),
    ("ladder_vae", "iwae", True),
    *itertools.product(
        ["categorical_vae", "vq_vae"],
        ["iwae", "dreg", "stl", "beta_tcvae", "infovae", "capacity", "vae_gan", "wake_sleep"],
        [False, True],
    ),
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
    if kind == "hierarchical_vae":
        own = {"latent_dims": (3, 2), "between": parts["encoder"]}
        return parse_model({"kind": kind, **parts, **own})
    if kind == "ladder_vae":  # both paths are one choice
        chosen = "batch" if "batch" in (encoder, decoder) else encoder
        own = {"kind": "mlp", "width": 8, "latent_dims": (3, 2), "normalization": chosen}
        return parse_model({"kind": kind, "network": own})
    if kind == "semi_supervised_vae":
        parts = {**parts, "classifier": parts["encoder"], "features": 8}
    return parse_model({"kind": kind, **SIZES.get(kind, {"latent_dim": 2}), **parts})


def statistics(model: str = "") -> Statistics:
    classes = 3 if model == "semi_supervised_vae" else 0
    return Statistics(torch.full((1, 3, 3), 0.3), torch.full((1, 3, 3), 0.4), classes)


def every_case() -> list[tuple[str, str, str, str]]:
    return list(itertools.product(MODELS, OBJECTIVES, NORMALIZATIONS, NORMALIZATIONS))


def follow(remedy: str, model: str, objective: str) -> None:
    """A way out is one: what it names is accepted."""
    for named in re.findall(r"objective.kind = '(\w+)'(?: or '(\w+)')?", remedy):
        for kind in filter(None, named):
            aim = parse_objective({"kind": kind})
            check_pair(model_spec(model, "none", "none").facts, aim.needs, model, kind)
    for kind in re.findall(r"model.kind = '(\w+)'", remedy):
        aim = parse_objective({"kind": objective})
        check_pair(model_spec(kind, "none", "none").facts, aim.needs, kind, objective)
    assert "kind = " in remedy or "another objective" in remedy or "normalization = " in remedy


@pytest.mark.parametrize(("model", "objective", "encoder", "decoder"), every_case())
def test_pair_trains_or_is_refused(model: str, objective: str, encoder: str, decoder: str) -> None:
    chosen, aim = model_spec(model, encoder, decoder), parse_objective({"kind": objective})
    batch = "batch" in (encoder, decoder)
    if (model, objective, batch) in REFUSED:
        with pytest.raises(SpecError) as raised:
            check_pair(chosen.facts, aim.needs, model, objective)
        message = str(raised.value)
        assert f"model.kind = {model!r} with objective.kind = {objective!r}" in message
        follow(message.partition("\n  do: ")[2], model, objective)
        return
    check_pair(chosen.facts, aim.needs, model, objective)
    seen = statistics(model)
    built, maximised = chosen.build((1, 3, 3), seen), aim.build(seen)
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
    assert spec.facts == spec.build((1, 3, 3), statistics(model)).facts
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


@pytest.mark.parametrize("model", MODELS)
def test_facts_see_how_the_posterior_is_made(model: str) -> None:
    built = model_spec(model, "none", "none").build((1, 3, 3), statistics(model))
    factors = built.infer(Observation(torch.ones(4, 1, 3, 3)), 2).posterior
    # What depends on another layer's z has parameters for every sample of it.
    assert built.facts.nested_posterior == any(len(q.batch_shape) > 1 for q in factors)
    split = all(isinstance(q, Independent) for q in factors)
    assert built.facts.independent_dimensions == split


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_nested_posterior_is_refused_where_it_would_be_wrong(objective: str) -> None:
    needs = parse_objective({"kind": objective}).needs
    facts = Facts(True, True, False, nested_posterior=True, latent_class=needs.latent_class)
    if objective in NOT_NESTED:
        with pytest.raises(SpecError, match=r"drawn in another layer[\s\S]*do: +choose"):
            check_pair(facts, needs, "ladder", objective)
    else:
        check_pair(facts, needs, "ladder", objective)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_total_correlation_needs_dimensions(objective: str) -> None:
    needs = parse_objective({"kind": objective}).needs
    facts = Facts(True, True, False, independent_dimensions=False, latent_class=needs.latent_class)
    if objective == "beta_tcvae":
        with pytest.raises(SpecError, match=r"splits over the dimensions[\s\S]*do: +choose"):
            check_pair(facts, needs, "vae", objective)
    else:
        check_pair(facts, needs, "vae", objective)


def test_samples_without_gradient_are_refused_too() -> None:
    facts = Facts(has_density=True, reparameterized=False, batch_statistics=False)
    with pytest.raises(SpecError):
        check_pair(facts, parse_objective({"kind": "elbo"}).needs, "later", "elbo")


@pytest.mark.parametrize("objective", ["iwae", "dreg"])
def test_a_scale_of_the_batch_is_refused_where_examples_count_by_themselves(objective: str) -> None:
    chosen = parse_model({"kind": "vae", "likelihood": {"kind": "gaussian", "scale": "optimal"}})
    aim = parse_objective({"kind": objective})
    assert chosen.facts.batch_statistics
    with pytest.raises(SpecError, match=objective):
        check_pair(chosen.facts, aim.needs, "vae", objective)


def test_wake_sleep_needs_two_networks() -> None:
    aim, plain = parse_objective({"kind": "wake_sleep"}), {"kind": "vae", "latent_dim": 2}
    check_pair(parse_model(plain).facts, aim.needs, "vae", "wake_sleep")
    for shared in ({**plain, "prior": {"kind": "vamp"}}, {"kind": "ladder_vae"}):
        facts = parse_model(shared).facts
        assert facts.shared_weights
        with pytest.raises(SpecError, match=r"[\s\S]*do: +choose"):
            check_pair(facts, aim.needs, shared["kind"], "wake_sleep")
