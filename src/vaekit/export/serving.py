"""What a model and its transform look like from outside."""

from dataclasses import asdict
from importlib.metadata import version
from typing import Any

import torch

from vaekit.artifacts import (
    FORMAT_VERSION,
    Document,
    NoiseShape,
    Port,
    ScoreProtocol,
    Serving,
    TransformFacts,
)
from vaekit.data import Observation, Transform
from vaekit.models import Model
from vaekit.numerics import NoiseSpec
from vaekit.schema import Schema

WITH_DENSITY = (
    "elbo_nats",
    "expected_log_likelihood_nats",
    "kl_nats",
    "log_likelihood_nats",
    "mse",
)
WITHOUT_DENSITY = ("expected_log_likelihood_nats", "mse")


def describe(recipe: Document, schema: Schema, model: Model, transform: Transform) -> Serving:
    """Everything that goes into `serving.json`.

    Args:
        recipe: The resolved recipe.
        schema: What one raw example looks like.
        model: The trained model.
        transform: The fitted transform.
    """
    scores = WITH_DENSITY if model.facts.has_density else WITHOUT_DENSITY
    latent_dim = _latent_dim(model, schema, transform.num_conditions)
    noise, sample_noise = map(_noise, (model.noise_spec(1), model.sample_noise_spec(1)))
    return Serving(
        format_version=FORMAT_VERSION,
        vaekit=version("vaekit"),
        name=recipe["name"],
        description=recipe["description"],
        form=schema,
        inputs={
            "x": Port(shape=("examples", *schema.event_shape), dtype=schema.dtype),
            "z": Port(shape=("examples", latent_dim), dtype="float32"),
        },
        outputs=_outputs(schema, latent_dim, scores, model.facts.has_density),
        latent_dim=latent_dim,
        transform=_transform_facts(recipe["transform"], transform),
        conditions=tuple(
            condition.model_copy(update={"optional": model.facts.latent_class})
            for condition in transform.conditions
        ),
        model_kind=recipe["model"]["kind"],
        parameters=sum(weight.numel() for weight in model.parameters()),
        facts=asdict(model.facts),
        noise=noise,
        sample_noise=None if sample_noise == noise else sample_noise,
        scores=scores,
        score_protocol=ScoreProtocol(),
    )


def _outputs(
    schema: Schema, latent_dim: int, scores: tuple[str, ...], has_density: bool
) -> dict[str, dict[str, Port]]:
    values = {"x": Port(shape=("examples", *schema.event_shape), dtype="float32")}
    outputs = {
        "encode": {"z": Port(shape=("examples", latent_dim), dtype="float32")},
        "decode": values,
        "reconstruct": values,
        "score": {name: Port(shape=("examples",), dtype="float64") for name in scores},
    }
    return {**outputs, "sample": values} if has_density else outputs


def _transform_facts(choices: dict[str, Any], transform: Transform) -> TransformFacts:
    return TransformFacts(
        kind=choices["kind"],
        protocol=transform.protocol,
        is_random=transform.is_random,
        choices={name: value for name, value in choices.items() if name != "kind"},
        constants={name: tensor.tolist() for name, tensor in transform.state_dict().items()},
    )


def _noise(specs: tuple[NoiseSpec, ...]) -> tuple[NoiseShape, ...]:
    return tuple(NoiseShape(name=spec.name, shape=spec.shape[2:], kind=spec.kind) for spec in specs)


@torch.no_grad()
def _latent_dim(model: Model, schema: Schema, conditions: int) -> int:
    """Width of what `embed` gives, found out by asking for it."""
    some = next(model.parameters())
    blank = torch.zeros((1, *schema.event_shape), device=some.device, dtype=some.dtype)
    c = torch.zeros((1, conditions), device=some.device, dtype=some.dtype) if conditions else None
    return model.eval().embed(Observation(blank, c)).shape[1]
