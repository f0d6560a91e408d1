"""How good a model is on a split, with the protocol that makes the number comparable."""

import math
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Literal, TypeAlias

import torch
from pydantic import Field, PositiveInt

from vaekit.data import Dataset, Observation, Transform, present
from vaekit.evaluation.importance_sampling import importance_sampling
from vaekit.models import Model
from vaekit.spec import Spec

Results: TypeAlias = dict[str, float | int | str | None]
Progress: TypeAlias = Callable[[int], None]


class EvaluationSpec(Spec):
    """Choices of the final evaluation."""

    split: Literal["test", "validation", "train"] = "test"
    num_samples: PositiveInt = Field(default=500, description="Importance samples k per example.")
    examples: PositiveInt | None = Field(
        default=None, description="The first so many; all if absent."
    )
    seed: int = Field(default=0, description="Seed of the binarisation and of the samples.")


def evaluate(
    model: Model,
    dataset: Dataset,
    transform: Transform,
    spec: EvaluationSpec,
    device: torch.device | str = "cpu",
    progress: Progress = lambda examples: None,
) -> Results:
    """Measures `model` on one split.

    Returns:
        Numbers whose keys carry their unit, and the protocol they were measured under.
    """
    start = time.perf_counter()
    split = dataset.split(spec.split)
    wanted = min(spec.examples or len(split), len(split))
    shown = _first(present(split, transform, spec.seed, device), wanted)
    measure = _with_density if model.facts.has_density else _without_density
    with _evaluating(model):
        numbers = measure(model, shown, spec, progress)
    return {
        **numbers,
        "split": spec.split,
        "examples": wanted,
        "binarization": transform.protocol,
        "seed": spec.seed,
        "data": dataset.name,
        "data_split": dataset.split_name,
        "data_fingerprint": dataset.fingerprint,
        "evaluation_seconds": time.perf_counter() - start,
    }


def _with_density(
    model: Model, observations: Iterable[Observation], spec: EvaluationSpec, progress: Progress
) -> Results:
    k, seed = spec.num_samples, spec.seed
    estimate = importance_sampling(model, observations, k, seed, progress=progress)
    n = len(estimate.log_likelihood)
    elbo = estimate.expected_log_likelihood - estimate.kl
    # One example has no spread; a NaN would not be JSON.
    error = estimate.log_likelihood.std().item() / math.sqrt(n) if n > 1 else None
    return {
        "elbo_nats": elbo.mean().item(),
        "expected_log_likelihood_nats": estimate.expected_log_likelihood.mean().item(),
        "kl_nats": estimate.kl.mean().item(),
        "nll_nats": -estimate.log_likelihood.mean().item(),
        "nll_standard_error_nats": error,
        "effective_sample_size": estimate.effective_sample_size.mean().item(),
        "num_samples": k,
    }


@torch.no_grad()
def _without_density(
    model: Model, observations: Iterable[Observation], _: EvaluationSpec, progress: Progress
) -> Results:
    total, n = 0.0, 0
    for observation in observations:
        total += model.infer(observation).log_likelihood().double().sum().item()
        n += len(observation)
        progress(len(observation))
    return {"expected_log_likelihood_nats": total / n}


@contextmanager
def _evaluating(model: Model) -> Iterator[None]:
    """The region in which dropout and batch statistics rest; each part's mode comes back."""
    training = [module for module in model.modules() if module.training]
    model.eval()
    try:
        yield
    finally:
        for module in training:
            module.training = True


def _first(observations: Iterable[Observation], wanted: int) -> Iterator[Observation]:
    for observation in observations:
        yield observation[:wanted]
        wanted -= len(observation)
        if wanted <= 0:
            return  # before the next block is read
