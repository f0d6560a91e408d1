"""Log-likelihood by importance sampling, and the ELBO from the same samples.

    log p(x) ~ log 1/k sum_i p(x, z_i) / q(z_i | x),    z_i ~ q(z | x)

In expectation the estimate is a lower bound that rises with k; its effective sample size,
(sum w)^2 / sum w^2, says how much of k was of use. The sum runs in float64, and the noise of
an example depends on its position in the split alone, so that no way of cutting the work
into chunks changes the answer.

Reference:
    Burda, Grosse and Salakhutdinov (2015), Importance Weighted Autoencoders, section 5,
    https://arxiv.org/abs/1509.00519
"""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float64
from torch import Tensor

from vaekit.data import Observation
from vaekit.errors import DataError, SpecError
from vaekit.models import Model, Noise
from vaekit.numerics import draw_noise, generator_for

SAMPLES_PER_BLOCK = 500
"""Samples drawn from one generator: part of the definition of an example's noise."""


@final
@dataclass(frozen=True)
class Estimate:
    """Per-example estimates, in nats.

    Args:
        log_likelihood: Importance-sampled log p(x).
        expected_log_likelihood: E_q[log p(x | z)], averaged over the same samples.
        kl: KL(q || p), exact where the model knows it, else averaged over the samples.
        effective_sample_size: Between 1 and the number of samples.
    """

    log_likelihood: Float64[Tensor, " examples"]
    expected_log_likelihood: Float64[Tensor, " examples"]
    kl: Float64[Tensor, " examples"]
    effective_sample_size: Float64[Tensor, " examples"]


@torch.no_grad()
def importance_sampling(
    model: Model,
    observations: Iterable[Observation],
    num_samples: int,
    seed: int,
    rows_per_chunk: int = 8192,
    progress: Callable[[int], None] = lambda examples: None,
) -> Estimate:
    """Estimates log p(x) and the ELBO for every example.

    Args:
        model: A model with a density.
        observations: The examples, in order.
        num_samples: Importance samples k per example.
        seed: Seed of the samples.
        rows_per_chunk: Decoded rows held in memory at a time, but one example's block of
            samples at least.
        progress: Told the number of examples that were finished.

    Raises:
        SpecError: k is below one, or the model has no density.
        DataError: There are no examples.
    """
    if num_samples < 1:
        raise SpecError("Importance sampling needs samples.", expected="k >= 1", found=num_samples)
    if not model.facts.has_density:
        raise SpecError(
            "This model has no density, so it has no likelihood to estimate.",
            remedy="choose model.kind = 'vae'",
        )
    examples_per_chunk = max(1, rows_per_chunk // min(num_samples, SAMPLES_PER_BLOCK))
    parts: list[Estimate] = []
    first = 0
    for observation in _chunks(observations, examples_per_chunk):
        parts.append(_estimate(model, observation, first, num_samples, seed))
        first += len(observation)
        progress(len(observation))
    if not parts:
        raise DataError(
            "There are no examples to estimate a likelihood of.", expected="one or more"
        )
    columns = ("log_likelihood", "expected_log_likelihood", "kl", "effective_sample_size")
    return Estimate(*(torch.cat([getattr(part, name) for part in parts]) for name in columns))


def _chunks(observations: Iterable[Observation], size: int) -> Iterator[Observation]:
    for observation in observations:
        for start in range(0, len(observation), size):
            yield observation[start : start + size]


def _estimate(
    model: Model, observation: Observation, first: int, num_samples: int, seed: int
) -> Estimate:
    """One chunk, whose first example is number `first` of the split."""
    n, device = len(observation), observation.x.device
    total = torch.full((n,), -math.inf, dtype=torch.float64, device=device)
    total_of_squares = total.clone()
    fit, kl = torch.zeros_like(total), torch.zeros_like(total)
    for block, start in enumerate(range(0, num_samples, SAMPLES_PER_BLOCK)):
        size = min(SAMPLES_PER_BLOCK, num_samples - start)
        noise = _noise(model, range(first, first + n), block, size, seed, observation.x)
        inference = model.infer(observation, size, noise)
        log_likelihood = inference.log_likelihood().double()
        log_weights = log_likelihood + inference.log_prior().double() - inference.log_q().double()
        total = torch.logaddexp(total, log_weights.logsumexp(0))
        total_of_squares = torch.logaddexp(total_of_squares, (2 * log_weights).logsumexp(0))
        fit += log_likelihood.sum(0)
        for layer in inference.kl:
            kl += size * layer.double().flatten(2).sum(-1).mean(0)
    return Estimate(
        log_likelihood=total - math.log(num_samples),
        expected_log_likelihood=fit / num_samples,
        kl=kl / num_samples,
        effective_sample_size=(2 * total - total_of_squares).exp(),
    )


def _noise(model: Model, examples: range, block: int, size: int, seed: int, like: Tensor) -> Noise:
    """Noise keyed by (seed, example, block), side by side along the batch."""
    spec = model.noise_spec(1, size)
    each = [
        draw_noise(
            spec,
            generator_for(seed, "importance", example, block, device=like.device),
            like.device,
            like.dtype,
        )
        for example in examples
    ]
    return tuple(torch.cat(layer, dim=1) for layer in zip(*each, strict=True))
