"""Over-fitting: the score of an example tells whether the model was trained on it.

    area = P(bound of a training example > bound of a held-out example)

over all pairs, 0.5 where a score tells nothing. The gap itself, in nats, is the evidence, with the
part of it that the encoder is to blame for: with q refined for each example alone, what is left is
the decoder's.

    gap = mean bound (train) - mean bound (held out)
    amortisation part = amortisation gap (held out) - amortisation gap (train)

References:
    Cremer, Li and Duvenaud (2018), Inference Suboptimality in Variational Autoencoders,
    section 5.3, https://arxiv.org/abs/1801.03558
    Wu, Burda, Salakhutdinov and Grosse (2017), On the Quantitative Analysis of Decoder-Based
    Generative Models, https://arxiv.org/abs/1611.04273
"""

from typing import Final, final

from torch import Tensor

from vaekit.diagnosis.blame import rarely_stopped, smaller_networks
from vaekit.diagnosis.finding import (
    Answer,
    Check,
    Finding,
    Healthy,
    NotApplicable,
    Statistic,
)
from vaekit.diagnosis.pictures import bounds_of_splits
from vaekit.diagnosis.subject import Subject
from vaekit.evaluation import amortization_gap

MOST: Final = 0.8
"""Healthy models of small data reach 0.6; at 0.8 a guess of membership is right in 4 of 5."""
REFINED: Final = 50
"""Examples of each split whose q is refined: ten seconds at most."""


@final
class Overfitting(Check):
    """Training examples are remembered."""

    name = "overfitting"
    title = "The model fits its training examples better than others"
    severity = "serious"
    symptom = "The bound of training examples rises while that of held-out ones falls."
    needs = "held-out examples"
    explains = ()
    reference = "Cremer, Li and Duvenaud (2018), https://arxiv.org/abs/1801.03558"

    def examine(self, subject: Subject) -> Answer:
        if subject.held_out_split is None:
            return NotApplicable("there are no held-out examples")
        train, held_out = subject.scores_in_training.bound, subject.scores.bound
        area = area_under_curve(train, held_out)
        statistic = Statistic("pairs in which the training example wins", area, MOST, "above")
        if not statistic.is_bad:
            return Healthy(statistic)
        gap = float(train.mean() - held_out.mean())
        recipe = subject.recipe
        has_validation = "validation" in subject.dataset.splits
        blame = rarely_stopped(recipe, has_validation) or smaller_networks(recipe)
        return Finding(
            symptom=f"Training examples score {gap:.2f} nats better than held-out ones, and more "
            f"than a held-out one in {area:.0%} of pairs.",
            statistic=statistic,
            cause=blame.cause,
            remedy=blame.remedy,
            evidence={"gap_nats": gap, **_amortisation_part(subject)},
            picture=bounds_of_splits(subject),
        )


def area_under_curve(larger: Tensor, smaller: Tensor) -> float:
    """P(a > b) + P(a = b) / 2 for a of the one and b of the other.

    Example:
        >>> import torch
        >>> area_under_curve(torch.tensor([2.0, 0.0]), torch.tensor([1.0]))
        0.5
    """
    from scipy.stats import mannwhitneyu

    found = mannwhitneyu(larger.numpy(), smaller.numpy())
    return float(found.statistic) / (len(larger) * len(smaller))


def _amortisation_part(subject: Subject) -> dict[str, float]:
    """What of the gap is the encoder's; empty where q cannot be refined."""
    facts = subject.facts
    if not facts.has_density or facts.latent == "discrete" or facts.nested_posterior:
        return {}
    train, held_out = (
        float(amortization_gap(subject.model, shown[:REFINED], subject.seed).mean())
        for shown in (subject.shown_in_training, subject.shown)
    )
    return {
        "amortization_gap_train_nats": train,
        "amortization_gap_held_out_nats": held_out,
        "amortization_part_nats": held_out - train,
    }
