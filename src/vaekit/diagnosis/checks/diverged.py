"""Training that ran away, or jumps.

What counts is the reconstruction term of the log, in records whose weight of the KL term has
reached its end: before that it may get worse for a good reason.

    fall = largest distance of a record below the best so far, in nats per value of an example

0 where the term only gets better. One nat for each value is what a model loses that knows nothing
of it any more. A run that the loop stopped with an error counts as fallen without end.

The norms of the gradient say more of it, and decide nothing: those that training logged, and those
at the weights that were kept. Where the largest is many times the median, single updates are thrown
far; where they only grow, the weights are on their way out.

Reference:
    Goodfellow, Bengio and Courville (2016), Deep Learning, section 8.2 (cliffs and exploding
    gradients)
"""

import math
from collections.abc import Mapping, Sequence
from typing import Final, final

import torch

from vaekit.diagnosis.blame import USUAL_RATE, Blame, high_rate
from vaekit.diagnosis.finding import (
    Answer,
    Check,
    Finding,
    Healthy,
    NotApplicable,
    Remedy,
    Statistic,
    in_digits,
)
from vaekit.diagnosis.pictures import course
from vaekit.diagnosis.subject import Subject
from vaekit.recipes import Recipe
from vaekit.training import Record

MOST: Final = 0.5
"""Half a nat per value; the noise between records of a sound run is a hundredth of one."""
BATCHES: Final = 20
TERM: Final = "expected_log_likelihood_nats"


@final
class Diverged(Check):
    """Numerical instability of training."""

    name = "diverged"
    title = "Training is unstable"
    severity = "critical"
    symptom = "The loss jumps, runs away or stops being a number."
    needs = "the log of the run"
    explains = (
        "constant_encoder",
        "unused_codes",
        "posterior_collapse",
        "collapsed_layer",
        "collapsed_dimensions",
        "saturated_scales",
        "overfitting",
        "codes_leave_prior",
        "memorisation",
        "missing_modes",
        "blur",
        "warmup",
    )
    reference = "Goodfellow, Bengio and Courville (2016), Deep Learning, section 8.2"

    def examine(self, subject: Subject) -> Answer:
        if subject.log is None:
            return NotApplicable("there is no log of training (metrics.jsonl)")
        training = [record for record in subject.log if record["kind"] == "training"]
        stopped = [record for record in subject.log if record["kind"] == "divergence"]
        if not stopped and not any(TERM in record for record in training):
            return NotApplicable("the log holds no reconstruction term")
        values = math.prod(subject.model.event_shape)
        fall = largest_fall(training, warm_up_epochs(subject.recipe)) / values
        fall = math.inf if stopped else fall
        statistic = Statistic("largest fall in the log, in nats per value", fall, MOST, "above")
        if not statistic.is_bad:
            return Healthy(statistic)
        blame = self._blame(subject.recipe)
        seen = f"The reconstruction term falls by {fall * values:,.0f} nats below its best."
        if stopped:
            seen = f"Training was stopped: {stopped[-1]['problem']}"
        logged = logged_norms(training)
        return Finding(
            symptom=f"{seen} {_in_words(logged)}".rstrip(),
            statistic=statistic,
            cause=blame.cause,
            remedy=blame.remedy,
            evidence={
                "training_records": float(len(training)),
                **logged,
                **gradient_lengths(subject),
            },
            picture=course(subject) if training else None,
        )

    def _blame(self, recipe: Recipe) -> Blame:
        found = high_rate(recipe)
        if found is not None:
            return found
        rate = recipe.training.optimizer.learning_rate / 10
        settings = [f"training.optimizer.learning_rate={min(rate, USUAL_RATE):g}"]
        if recipe.training.gradient.clip_norm is None:
            settings.append("training.gradient.clip_norm=100")
        return Blame(
            "Some updates are larger than the loss surface is smooth for.",
            Remedy(tuple(settings), "Take smaller steps, and cut the rare long gradient short."),
        )


def largest_fall(records: Sequence[Record], after: float) -> float:
    """How far the reconstruction term falls below its best so far, in nats.

    Args:
        records: In order.
        after: Epoch before which nothing counts.

    Example:
        >>> log = [{"epoch": e, TERM: v} for e, v in enumerate([-100.0, -20.0, -60.0, -20.0])]
        >>> largest_fall(log, after=0), largest_fall(log, after=2)
        (40.0, 0.0)
    """
    best, fall = -math.inf, 0.0
    for record in records:
        if TERM in record and float(record["epoch"]) >= after:
            value = float(record[TERM])
            best = max(best, value)
            fall = max(fall, best - value)
    return fall


def warm_up_epochs(recipe: Recipe) -> float:
    """Until when the weight of the KL term changes."""
    beta = getattr(recipe.objective, "beta", None)
    if getattr(beta, "kind", None) == "cyclical":
        return float(beta.cycles * beta.cycle_epochs)  # pyright: ignore[reportOptionalMemberAccess]
    return float(getattr(beta, "warmup_epochs", 0.0))


def logged_norms(training: Sequence[Record]) -> dict[str, float]:
    """Median and largest norm of the gradient in the log; nothing where it has none.

    Example:
        >>> logged_norms([{"gradient_norm": norm} for norm in (2.0, 80.0, 4.0)])
        {'gradient_norm_in_log_median': 4.0, 'gradient_norm_in_log_largest': 80.0}
    """
    norms = [float(record["gradient_norm"]) for record in training if "gradient_norm" in record]
    if not norms:
        return {}
    return {
        "gradient_norm_in_log_median": sorted(norms)[len(norms) // 2],
        "gradient_norm_in_log_largest": max(norms),
    }


def _in_words(norms: Mapping[str, float]) -> str:
    if not norms:
        return ""
    median, largest = norms.values()
    reached = f"reached {in_digits(largest)}; its median is {in_digits(median)}"
    return f"The norm of the gradient {reached}."


def gradient_lengths(subject: Subject) -> dict[str, float]:
    """Median and largest norm of the gradient of the bound at the weights that were kept.

    Over batches of training examples.
    """
    model, shown = subject.model, subject.shown_in_training
    size = max(1, len(shown) // BATCHES)
    lengths = []
    for start in range(0, size * BATCHES, size):
        piece = shown[start : start + size]
        if len(piece) == 0:
            break
        model.zero_grad(set_to_none=True)
        with torch.enable_grad():
            found = model.infer(piece, generator=torch.Generator().manual_seed(start))
            loss = -found.log_likelihood().mean()
            if subject.facts.has_density:
                loss = loss + torch.stack([kl.mean((0, 1)).sum() for kl in found.kl]).sum()
            loss.backward()
        gradients = [p.grad.flatten() for p in model.parameters() if p.grad is not None]
        lengths.append(float(torch.cat(gradients).norm()))
    model.zero_grad(set_to_none=True)
    lengths.sort()
    return {
        "gradient_norm_of_kept_weights_median": lengths[len(lengths) // 2],
        "gradient_norm_of_kept_weights_largest": lengths[-1],
    }
