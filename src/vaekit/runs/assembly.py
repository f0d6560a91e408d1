"""From a recipe to the things it names: data set, transform, model, objective."""

from dataclasses import dataclass
from itertools import islice
from typing import final

import torch

from vaekit.data import (
    MOST_EXAMPLES,
    Dataset,
    Observation,
    Rows,
    Transform,
    present,
    statistics,
)
from vaekit.errors import SpecError
from vaekit.likelihoods import ValueRange
from vaekit.models import Model
from vaekit.numerics import derive_seed
from vaekit.objectives import Objective
from vaekit.priors import VampSpec
from vaekit.recipes import Recipe


@final
@dataclass(frozen=True)
class Assembly:
    """What a recipe stands for."""

    dataset: Dataset
    transform: Transform
    model: Model
    objective: Objective


def assemble(recipe: Recipe) -> Assembly:
    """Loads the data, fits the transform, builds model and objective, untrained, on their device.

    Raises:
        DataError: The data cannot be read, or is not what it should be.
        SpecError: Parts of the recipe do not fit each other or the data.
    """
    dataset = recipe.data.load()
    dataset.split(recipe.evaluation.split)  # complains now, not after hours of training
    transform = recipe.transform.build(dataset)
    values = recipe.model.likelihood.build(dataset.schema.event_shape).values
    for observation in _probes(dataset, transform):
        _check_scorable(observation, values, recipe)
    train = transform.prepare(dataset.split("train"))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive_seed(recipe.seed, "weights"))
        seen = statistics(train, transform, max(MOST_EXAMPLES, _examples_for(recipe)))
        model = recipe.model.build(dataset.schema.event_shape, seen)
        objective = recipe.objective.build(seen)
    device = recipe.training.device
    return Assembly(dataset, transform.to(device), model.to(device), objective.to(device))


def _examples_for(recipe: Recipe) -> int:
    """How many training examples the model wants to start at."""
    prior = getattr(recipe.model, "prior", None)
    return prior.components if isinstance(prior, VampSpec) else 0


def _probes(dataset: Dataset, transform: Transform) -> list[Observation]:
    """The beginning of every split, and the extremes that the schema allows."""
    shown = [
        observation
        for split in dataset.splits.values()
        for observation in islice(present(split, transform, 0, "cpu"), 1)
    ]
    schema = dataset.schema
    bounds = [bound for bound in (schema.low, schema.high) if bound is not None]
    dtype = getattr(torch, schema.dtype)
    extremes = [torch.full((1, *schema.event_shape), bound, dtype=dtype) for bound in bounds]
    return shown + [Observation(transform.expectation(Rows(x).x)) for x in extremes]


def _check_scorable(observation: Observation, values: ValueRange, recipe: Recipe) -> None:
    x = observation.x if observation.mask is None else observation.x[observation.mask]
    if x.numel() == 0 or values.contains(x):
        return
    raise SpecError(
        f"The likelihood {recipe.model.likelihood.kind!r} cannot score what the transform "
        f"{recipe.transform.kind!r} makes of the data.",
        where="model.likelihood and transform",
        expected=str(values),
        found=f"values from {x.min():g} to {x.max():g}",
        remedy="binarize goes with bernoulli, integers with categorical or discretized_logistic "
        "(of as many levels), standardize and dequantize with gaussian",
    )
