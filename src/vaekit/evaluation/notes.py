"""What a reader of the results should beware of: doubts, and what was left out and why."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from vaekit.evaluation.code_length import CROSS_ENTROPY_NOTE, is_cross_entropy
from vaekit.evaluation.sample_quality import why_not_sampled
from vaekit.evaluation.task import Task

FEW_EFFECTIVE_SAMPLES = 5
SEVERAL_LAYERS_NOTE = (
    "Left out, because they are measured for models of one stochastic layer: mutual information, "
    "KL of the aggregate posterior, amortization gap. Active units of a layer that is inferred "
    "given others also count what varies because those do: its KL says what it adds itself."
)
DISCRETE_NOTE = (
    "Codes are discrete: active units, mutual information and the amortization gap are not "
    "measured, because they are not defined here, or need gradients that such codes do not have."
)
CLASS_NOTE = (
    "The code is a class (layer 0) and a vector. Active units, mutual information and the "
    "amortization gap are not measured, because they are not defined here, or need gradients that "
    "draws of a class do not have. Labels serve to count the accuracy, and nothing else."
)
SINGLE_CODE_NOTE = (
    "Every example has a single code, found without noise: the ELBO is log p(x|z) + log p(z) of "
    "that code, and log p(x), over all codes, is not estimated."
)


def notes_on(task: Task, numbers: Mapping[str, Any], lost: list[str]) -> Iterator[str]:
    """Sentences about these numbers; `lost` names those that were not finite."""
    if is_cross_entropy(task.transform, task.value_likelihood()):
        yield CROSS_ENTROPY_NOTE
    size, k = numbers.get("effective_sample_size", math.inf), task.spec.num_samples
    if size < FEW_EFFECTIVE_SAMPLES < k:
        yield (
            f"Of {k:,} importance samples {size:.1f} were of use, on average: the NLL is an upper "
            "bound that may lie well above -log p(x). More samples"
            f"{'' if task.model.facts.latent == 'discrete' else ' or annealed importance sampling'}"
            " tell more."
        )
    yield from _left_out(task, numbers)
    if task.spec.sample_quality and (reason := why_not_sampled(task)) is not None:
        yield f"Sample quality was not measured: {reason}."
    yield from _of_codes(task, numbers)
    if lost:
        yield f"Left out, because they are not finite numbers: {', '.join(lost)}."


def _of_codes(task: Task, numbers: Mapping[str, Any]) -> Iterator[str]:
    """What is not measured, because of what codes are."""
    facts = task.model.facts
    if facts.latent_class:
        yield CLASS_NOTE
        return
    if len(numbers.get("kl_nats_per_layer", ())) > 1:
        yield SEVERAL_LAYERS_NOTE
    if facts.latent == "discrete":
        yield DISCRETE_NOTE
        if not facts.stochastic:
            yield SINGLE_CODE_NOTE


def _left_out(task: Task, numbers: Mapping[str, Any]) -> Iterator[str]:
    """What the posterior does not allow to be measured."""
    if not task.model.facts.has_density or task.model.facts.latent == "discrete":
        return
    if "active_units" not in numbers:
        yield (
            "Active units and mutual information are left out: the mean and standard deviation "
            "of this posterior have no closed form."
        )
    elif "mutual_information_nats" not in numbers and len(numbers["kl_nats_per_layer"]) == 1:
        yield "Mutual information is left out: the posterior is no diagonal Gaussian."
