"""Comparing runs example by example.

Two models are measured on the same examples, binarised the same way. Their difference then has
a much smaller error than either number alone, because what makes an example hard is hard for
both:

    difference = mean_n (a_n - b_n),    standard error = std_n (a_n - b_n) / sqrt(N)
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float64
from torch import Tensor

from vaekit.data import present
from vaekit.errors import SpecError
from vaekit.evaluation import importance_sampling
from vaekit.runs.run import Run


@final
@dataclass(frozen=True)
class Difference:
    """How a run differs from the first one in one measure, in nats per example.

    Args:
        measure: Key of the measure, such as "nll_nats".
        first: Mean of the first run.
        other: Mean of the other run.
        difference: other - first.
        standard_error: Of the difference, over examples.
    """

    measure: str
    first: float
    other: float
    difference: float
    standard_error: float


def compare(
    first: Run,
    others: Sequence[Run],
    split: str = "test",
    examples: int = 1000,
    num_samples: int = 100,
    seed: int = 0,
    progress: Callable[[int], None] = lambda examples: None,
) -> list[list[Difference]]:
    """Paired differences of every other run from the first.

    Args:
        first: What the others are compared with.
        others: At least one run.
        split: Which examples.
        examples: The first so many of them.
        num_samples: Importance samples k per example.
        seed: Seed of the binarisation and of the samples.
        progress: Told how many more examples are done, of one run.

    Raises:
        SpecError: The runs were not trained on the same data, presented the same way.
    """
    for other in others:
        _check_comparable(first, other)
    measured = [
        _per_example(run, split, examples, num_samples, seed, progress) for run in (first, *others)
    ]
    return [_differences(measured[0], other) for other in measured[1:]]


def _check_comparable(first: Run, other: Run) -> None:
    alike = {
        "data": (first.dataset.fingerprint, other.dataset.fingerprint),
        "transform": (first.recipe.transform, other.recipe.transform),
    }
    for what, (here, there) in alike.items():
        if here != there:
            raise SpecError(
                f"Runs with different {what} have no examples in common to be compared on.",
                where=f"{first.folder} and {other.folder}",
                expected=str(here),
                found=str(there),
                remedy="compare runs of the same [data] and [transform]",
            )


@torch.no_grad()
def _per_example(
    run: Run,
    split: str,
    examples: int,
    num_samples: int,
    seed: int,
    progress: Callable[[int], None],
) -> dict[str, Float64[Tensor, " examples"]]:
    device = run.recipe.training.device
    shown = list(present(run.dataset.split(split), run.transform, seed, device, examples))
    if not run.model.facts.has_density:
        fits = [run.model.infer(block).log_likelihood().double().mean(0) for block in shown]
        return {"expected_log_likelihood_nats": torch.cat(fits).cpu()}
    draws = run.model.facts.stochastic
    k = num_samples if draws else 1
    estimate = importance_sampling(run.model, shown, k, seed, progress=progress)
    likelihood = {"nll_nats": -estimate.log_likelihood.cpu()} if draws else {}
    return {
        **likelihood,
        "elbo_nats": estimate.elbo.cpu(),
        "expected_log_likelihood_nats": estimate.expected_log_likelihood.cpu(),
        "kl_nats": estimate.kl.cpu(),
    }


def _differences(first: dict[str, Tensor], other: dict[str, Tensor]) -> list[Difference]:
    found = []
    for measure in first.keys() & other.keys():
        gap = other[measure] - first[measure]
        error = gap.std().item() / math.sqrt(len(gap)) if len(gap) > 1 else math.nan
        found.append(
            Difference(
                measure,
                first[measure].mean().item(),
                other[measure].mean().item(),
                gap.mean().item(),
                error,
            )
        )
    return sorted(found, key=lambda difference: list(first).index(difference.measure))
