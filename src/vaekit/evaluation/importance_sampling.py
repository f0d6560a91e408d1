"""Log-likelihood by importance sampling, and the ELBO from the same samples.

    log p(x) ~ log 1/k sum_i w_i,    w_i = p(x, z_i) / q(z_i | x),    z_i ~ q(z | x)

In expectation the estimate is a lower bound that rises with k. Its effective sample size,
ESS = (sum w)^2 / sum w^2, says how much of k was of use, and its Monte Carlo error is
sqrt(1 / ESS - 1 / k), by the delta method. Every example is encoded once; the sum runs in
float64; and the noise of an example depends on its position in the split alone, so that no way
of cutting the work into chunks changes the answer.

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
from vaekit.evaluation.memory import chunks, rows_within
from vaekit.models import Encoding, Inference, Model, Noise
from vaekit.numerics import draw_noise, fast_float32_products, generator_for

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
        kl_per_dimension: KL of each latent dimension, averaged over examples, per layer; one
            number for a layer whose KL does not split.
        num_samples: Importance samples k.
        latent_dim: Latent dimensions, of all layers.
    """

    log_likelihood: Float64[Tensor, " examples"]
    expected_log_likelihood: Float64[Tensor, " examples"]
    kl: Float64[Tensor, " examples"]
    effective_sample_size: Float64[Tensor, " examples"]
    kl_per_dimension: tuple[Float64[Tensor, "..."], ...]
    num_samples: int
    latent_dim: int

    @property
    def elbo(self) -> Float64[Tensor, " examples"]:
        """E_q[log p(x | z)] - KL(q || p)."""
        return self.expected_log_likelihood - self.kl

    @property
    def monte_carlo_error(self) -> Float64[Tensor, " examples"]:
        """Standard deviation of `log_likelihood` over draws of its samples."""
        variance = 1 / self.effective_sample_size - 1 / self.num_samples
        return variance.clamp_min(0.0).sqrt()


@torch.no_grad()
@fast_float32_products()
def importance_sampling(
    model: Model,
    observations: Iterable[Observation],
    num_samples: int,
    seed: int,
    budget_bytes: int | None = None,
    progress: Callable[[int], None] = lambda examples: None,
) -> Estimate:
    """Estimates log p(x) and the ELBO for every example.

    Args:
        model: A model with a density.
        observations: The examples, in order.
        num_samples: Importance samples k per example.
        seed: Seed of the samples.
        budget_bytes: Memory for what is decoded at a time, one row at least; chosen if absent.
        progress: Told the number of examples that were finished.

    Raises:
        SpecError: k is below one, the model has no density, or it draws relaxed codes.
        DataError: There are no examples.
    """
    if num_samples < 1:
        raise SpecError("Importance sampling needs samples.", expected="k >= 1", found=num_samples)
    if not model.facts.has_density:
        raise SpecError(
            "This model has no density, so it has no likelihood to estimate.",
            remedy="choose model.kind = 'vae'",
        )
    check_hard(model)
    gathered = _Gathered()
    rows = first = 0
    for block in observations:
        if len(block) == 0:
            continue
        rows = rows or rows_within(model, block, budget_bytes)
        for observation in chunks(block, rows // min(num_samples, SAMPLES_PER_BLOCK)):
            gathered.add(_estimate(model, observation, first, num_samples, seed, rows))
            first += len(observation)
            progress(len(observation))
    return gathered.whole()


def check_hard(model: Model) -> None:
    """Refuses a model of discrete codes that draws relaxed ones.

    Raises:
        SpecError: It is in training mode.
    """
    if model.facts.latent == "discrete" and model.training:
        raise SpecError(
            "A model of discrete codes is measured on hard draws, and in training mode it relaxes "
            "them.",
            remedy="call model.eval() first",
        )


class _Gathered:
    """Estimates of chunks, put together.

    Numbers are kept in lists: a small tensor left behind by every chunk would lie in the memory
    that the large ones of the chunk before gave back, and the next would need new memory.
    """

    def __init__(self) -> None:
        self._columns: tuple[list[float], ...] = ([], [], [], [])
        self._kl: list[Tensor] = []
        self._newest: Estimate | None = None

    def add(self, part: Estimate) -> None:
        """Takes in the next chunk."""
        parts = (
            part.log_likelihood,
            part.expected_log_likelihood,
            part.kl,
            part.effective_sample_size,
        )
        for column, values in zip(self._columns, parts, strict=True):
            column.extend(values.tolist())
        sums = [len(part.kl) * layer for layer in part.kl_per_dimension]
        if self._newest is None:
            self._kl, self._newest = sums, part
        for total, more in zip(self._kl, sums, strict=True):
            if total is not more:
                total += more

    def whole(self) -> Estimate:
        """The estimates of all examples, in order.

        Raises:
            DataError: There are none.
        """
        if self._newest is None:
            raise DataError(
                "There are no examples to estimate a likelihood of.", expected="one or more"
            )
        device, newest = self._newest.kl.device, self._newest
        likelihood, fit, kl, size = (
            torch.tensor(column, dtype=torch.float64, device=device) for column in self._columns
        )
        layers = tuple(layer / len(kl) for layer in self._kl)
        return Estimate(likelihood, fit, kl, size, layers, newest.num_samples, newest.latent_dim)


def _estimate(
    model: Model, observation: Observation, first: int, num_samples: int, seed: int, rows: int
) -> Estimate:
    """One chunk, whose first example is number `first` of the split."""
    n, device = len(observation), observation.x.device
    total = torch.full((n,), -math.inf, dtype=torch.float64, device=device)
    total_of_squares, fit = total.clone(), torch.zeros_like(total)
    kl: list[Tensor] = []
    latent_dim = 0
    for inference in _inferences(model, observation, first, num_samples, seed, rows):
        log_likelihood = inference.log_likelihood().double()
        log_weights = log_likelihood + inference.log_prior().double() - inference.log_q().double()
        total = torch.logaddexp(total, log_weights.logsumexp(0))
        total_of_squares = torch.logaddexp(total_of_squares, (2 * log_weights).logsumexp(0))
        fit += log_likelihood.sum(0)
        latent_dim = sum(layer[0, 0].numel() for layer in inference.z)
        weight = len(log_weights) / num_samples
        layers = [weight * layer.double().mean(0) for layer in inference.kl]
        kl = [old + new for old, new in zip(kl, layers, strict=True)] if kl else layers
    return Estimate(
        log_likelihood=total - math.log(num_samples),
        expected_log_likelihood=fit / num_samples,
        kl=torch.stack([layer.flatten(1).sum(-1) for layer in kl]).sum(0),
        effective_sample_size=(2 * total - total_of_squares).exp(),
        kl_per_dimension=tuple(layer.mean(0) for layer in kl),
        num_samples=num_samples,
        latent_dim=latent_dim,
    )


def _inferences(
    model: Model, observation: Observation, first: int, num_samples: int, seed: int, rows: int
) -> Iterator[Inference]:
    """All samples of a chunk, so many at a time that they fit."""
    n, encoding = len(observation), model.encode(observation)
    most = max(1, rows // n)
    for block, start in enumerate(range(0, num_samples, SAMPLES_PER_BLOCK)):
        size = min(SAMPLES_PER_BLOCK, num_samples - start)
        noise = _noise(model, range(first, first + n), block, size, seed, encoding)
        for at in range(0, size, most):
            piece = tuple(layer[at : at + most] for layer in noise)
            yield model.infer(observation, min(most, size - at), piece, encoding=encoding)


def _noise(
    model: Model, examples: range, block: int, size: int, seed: int, encoding: Encoding
) -> Noise:
    """Noise keyed by (seed, example, block), side by side along the batch."""
    spec, like = model.noise_spec(1, size), encoding[0]
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
