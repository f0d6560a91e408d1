"""How good a model is on a split, with the protocol that makes the number comparable."""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor

from vaekit.data import Dataset, Transform
from vaekit.evaluation.aggregate_posterior import (
    ACTIVE,
    THRESHOLDS,
    Moments,
    active_units,
    mutual_information,
    pooled_code,
    posterior_moments,
)
from vaekit.evaluation.amortization_gap import amortization_gap
from vaekit.evaluation.annealed_importance_sampling import (
    AISSpec,
    annealed_importance_sampling,
    sandwich,
)
from vaekit.evaluation.classification import classified
from vaekit.evaluation.code_length import bits_per_dim
from vaekit.evaluation.code_usage import code_usage, perplexity
from vaekit.evaluation.disentanglement import disentanglement
from vaekit.evaluation.importance_sampling import Estimate, importance_sampling
from vaekit.evaluation.memory import chunks, rows_within
from vaekit.evaluation.notes import notes_on
from vaekit.evaluation.pca import pca_mse
from vaekit.evaluation.pixels import ReconstructionError, sample_sharpness
from vaekit.evaluation.sample_quality import sample_quality, why_not_sampled
from vaekit.evaluation.sparsity import hoyer_sparsity
from vaekit.evaluation.task import FEWEST_COMPARED, EvaluationSpec, Progress, Task, check_measurable
from vaekit.models import Model
from vaekit.numerics import fast_float32_products, generator_for

Results: TypeAlias = dict[str, Any]
"""A JSON tree: numbers whose keys carry their unit, and the protocol."""
SHARP_SAMPLES = 1000


def evaluate(
    model: Model,
    dataset: Dataset,
    transform: Transform,
    spec: EvaluationSpec,
    device: torch.device | str = "cpu",
    progress: Progress = lambda measure, share: None,
) -> Results:
    """Measures `model` on one split.

    Returns:
        Numbers whose keys carry their unit, and the protocol they were measured under. What
        is not defined for a model or its data is absent.

    Raises:
        SpecError: Something was asked for that the model cannot have.
    """
    start = time.perf_counter()
    check_measurable(model.facts, spec, type(model).__name__)
    task = Task(model, dataset, transform, spec, device, progress)
    with _evaluating(model), fast_float32_products():
        numbers = _with_density(task) if model.facts.has_density else _without_density(task)
        numbers |= _pixels(task) | _disentanglement(task)
        if spec.sample_quality and why_not_sampled(task) is None:
            numbers |= sample_quality(task)
        lost = [name for name, value in numbers.items() if not _is_finite(value)]
        notes = list(notes_on(task, numbers, lost))
    return {
        **{name: value for name, value in numbers.items() if name not in lost},
        "split": spec.split,
        "examples": task.examples,
        "binarization": transform.protocol,
        "seed": spec.seed,
        "data": dataset.name,
        "data_split": dataset.split_name,
        "data_fingerprint": dataset.fingerprint,
        "evaluation_seconds": time.perf_counter() - start,
        "notes": notes,
    }


def _is_finite(value: Any) -> bool:
    """Whether a number, or every number of a tree, is one that JSON knows."""
    if isinstance(value, list | tuple):
        return all(map(_is_finite, value))
    return not isinstance(value, float) or math.isfinite(value)


def _with_density(task: Task) -> Results:
    numbers = _likelihood(task)
    if task.model.facts.latent == "discrete":
        return numbers | _codes(task) | _classes(task)
    moments = posterior_moments(task.model, task.shown())
    numbers |= _latents(moments, numbers["kl_nats"], task.spec.seed)
    if "aggregate_kl_nats" in numbers and not task.has_one_prior:
        del numbers["aggregate_kl_nats"]  # the KL splits up in this way for one prior alone
    if task.spec.amortization_examples and not task.model.facts.nested_posterior:
        numbers |= _amortization(task)
    if task.spec.ais is not None:
        numbers |= _annealed(task, task.spec.ais)
    return numbers


# -- likelihood ----------------------------------------------------------------------------------

_OF_SAMPLES = (
    "nll_nats",
    "nll_standard_error_nats",
    "nll_monte_carlo_error_nats",
    "effective_sample_size",
    "num_samples",
)


def _likelihood(task: Task) -> Results:
    spec, done = task.spec, 0
    draws = task.model.facts.stochastic
    k = spec.num_samples if draws else 1

    def told(examples: int) -> None:
        nonlocal done
        done += examples
        measure = f"{k} importance samples" if draws else "likelihood"
        task.progress(measure, done / task.examples)

    estimate = importance_sampling(task.model, task.shown(), k, spec.seed, progress=told)
    numbers = _of_estimate(estimate, task.model.facts.latent == "discrete")
    if not draws:
        numbers = {name: value for name, value in numbers.items() if name not in _OF_SAMPLES}
    per_dim = bits_per_dim(
        numbers.get("nll_nats", -numbers["elbo_nats"]),
        math.prod(task.model.event_shape),
        task.transform,
        task.value_likelihood(),
    )
    if per_dim is not None and task.dataset.schema.missing == "forbid":
        numbers["bits_per_dim"] = per_dim
    return numbers


def _of_estimate(estimate: Estimate, is_discrete: bool) -> Results:
    layers = [layer.flatten() for layer in estimate.kl_per_dimension]
    n = len(estimate.kl)
    numbers: Results = {
        "elbo_nats": estimate.elbo.mean().item(),
        "elbo_standard_error_nats": _standard_error(estimate.elbo),
        "expected_log_likelihood_nats": estimate.expected_log_likelihood.mean().item(),
        "kl_nats": estimate.kl.mean().item(),
        "nll_nats": -estimate.log_likelihood.mean().item(),
        "nll_standard_error_nats": _standard_error(estimate.log_likelihood),
        "nll_monte_carlo_error_nats": estimate.monte_carlo_error.norm().item() / n,
        "effective_sample_size": estimate.effective_sample_size.mean().item(),
        "num_samples": estimate.num_samples,
        "kl_nats_per_layer": [layer.sum().item() for layer in layers],
        # Of discrete codes: variables, each of several numbers.
        "latent_dim": sum(map(len, layers)) if is_discrete else estimate.latent_dim,
    }
    # A KL that does not split over dimensions is one number for its layer.
    if sum(map(len, layers)) == numbers["latent_dim"]:
        numbers["kl_nats_per_dimension"] = [layer.tolist() for layer in layers]
    return numbers


def _standard_error(values: Float64[Tensor, " examples"]) -> float | None:
    # One example has no spread; a NaN would not be JSON.
    return values.std().item() / math.sqrt(len(values)) if len(values) > 1 else None


def _annealed(task: Task, spec: AISSpec) -> Results:
    shown = task.first(spec.examples)
    seed, name = task.spec.seed, "annealed importance sampling"
    found = annealed_importance_sampling(
        task.model, shown, spec, seed, lambda share: task.progress(name, share)
    )
    same = importance_sampling(task.model, [shown], task.spec.num_samples, seed)
    lower, upper = sandwich(task.model, len(shown), spec, seed, shown.c)
    return {
        "ais_nll_nats": -found.log_likelihood.mean().item(),
        "ais_nll_standard_error_nats": _standard_error(found.log_likelihood),
        "ais_examples": len(shown),
        "ais_chains": spec.chains,
        "ais_temperatures": spec.temperatures,
        "ais_acceptance_rate": found.acceptance_rate.mean().item(),
        "ais_importance_sampled_nll_nats": -same.log_likelihood.mean().item(),
        "ais_sandwich_nats": (upper - lower).mean().item(),
    }


# -- latent space --------------------------------------------------------------------------------


def _latents(moments: list[Moments], kl_nats: float, seed: int) -> Results:
    if not moments:
        return {}
    mean, stddev = pooled_code(moments)
    numbers: Results = {
        "latent_mean": mean,
        "latent_stddev": stddev,
        "active_units": active_units(moments, ACTIVE),
        "active_units_by_threshold": {f"{t:g}": active_units(moments, t) for t in THRESHOLDS},
    }
    sparsity = hoyer_sparsity(torch.cat([layer.mean for layer in moments], dim=1), ACTIVE)
    if sparsity is not None:
        numbers["hoyer_sparsity"] = sparsity
    if len(moments) > 1:
        numbers["active_units_per_layer"] = [active_units([layer], ACTIVE) for layer in moments]
    elif moments[0].is_diagonal_gaussian:
        n, information = len(moments[0].mean), mutual_information(moments[0], seed)
        numbers |= {
            "mutual_information_nats": information,
            "aggregate_kl_nats": kl_nats - information,
            "mutual_information_examples": n,
            "mutual_information_cap_nats": math.log(n),
        }
    return numbers


def _codes(task: Task) -> Results:
    usage = code_usage(task.model, task.shown())
    return {"code_perplexity": perplexity(usage).mean().item(), "code_classes": usage.shape[1]}


def _classes(task: Task) -> Results:
    """The accuracy of q(y | x), where there are classes and labels."""
    labels = [rows.labels for rows in task.raw() if rows.labels is not None]
    if not task.model.facts.latent_class or not labels:
        return {}
    right = classified(task.model, task.shown(), torch.cat(labels)).double()
    if not len(right):
        return {}
    accuracy = right.mean().item()
    error = math.sqrt(accuracy * (1 - accuracy) / len(right))
    return {"accuracy": accuracy, "accuracy_standard_error": error}


def _amortization(task: Task) -> Results:
    gaps = amortization_gap(
        task.model,
        task.first(task.spec.amortization_examples),
        task.spec.seed,
        lambda share: task.progress("amortization gap", share),
    )
    return {
        "amortization_gap_nats": gaps.mean().item(),
        "amortization_gap_standard_error_nats": _standard_error(gaps),
        "amortization_gap_examples": len(gaps),
    }


# -- values --------------------------------------------------------------------------------------


@torch.no_grad()
def _without_density(task: Task) -> Results:
    total, done = 0.0, 0
    for block in task.shown():
        for part in chunks(block, rows_within(task.model, block)):
            total += task.model.infer(part).log_likelihood().double().sum().item()
            done += len(part)
            task.progress("likelihood", done / task.examples)
    return {"expected_log_likelihood_nats": total / task.examples}


def _pixels(task: Task) -> Results:
    schema = task.dataset.schema
    error = ReconstructionError(task.model, task.transform, schema)
    for rows in task.raw():
        error.update(rows)
    numbers: Results = dict(error.compute())
    if task.model.facts.latent == "continuous":
        numbers["compression_ratio"] = math.prod(task.model.event_shape) / task.latent_dim
    if "train" in task.dataset.splits and task.model.facts.latent == "continuous":
        train, components = task.dataset.split("train"), task.latent_dim
        linear = pca_mse(train.blocks(4096), task.raw(), components, schema)
        if linear is not None:
            numbers |= {"pca_mse": linear, "pca_components": components}
    if task.model.facts.has_density:
        source = generator_for(task.spec.seed, "sharpness", device=task.device)
        c = task.conditions(SHARP_SAMPLES)
        sharp = sample_sharpness(task.model, task.transform, schema, SHARP_SAMPLES, source, c)
        if sharp is not None:
            numbers["sharpness_samples"] = sharp
    return numbers


# -- known factors -------------------------------------------------------------------------------


@torch.no_grad()
def _disentanglement(task: Task) -> Results:
    """Scores of the codes, where the data knows its factors and there are examples enough."""
    factors = task.dataset.factors.get(task.spec.split)
    if factors is None or not task.spec.disentanglement or task.examples < FEWEST_COMPARED:
        return {}
    task.progress("disentanglement", 0.0)
    parts = [
        task.model.embed(part).flatten(1)
        for block in task.shown()
        for part in chunks(block, rows_within(task.model, block))
    ]
    codes = torch.cat(parts).double().cpu().numpy()
    known = factors[: len(codes)]
    if not np.isfinite(codes).all() or bool((known.values == known.values[0]).all(0).any()):
        return {}
    return {**disentanglement(codes, known, task.spec.seed), "factors": list(known.names)}


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
