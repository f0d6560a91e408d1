"""The pictures that go with findings.

Each function gives a function that draws, so that nothing is drawn unless somebody looks at it.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
import torch
from jaxtyping import Float, Int64
from matplotlib.figure import Figure
from torch import Tensor

from vaekit.diagnosis.subject import Subject
from vaekit.figures import (
    Picture,
    histograms,
    kl_bars,
    kl_by_layer,
    latent_map,
    loss_curves,
    reconstructions,
    schedule_curve,
    sheet,
    sorted_bars,
)
from vaekit.objectives import BetaSpec

Drawn = Callable[[], Picture]
SHOWN: Final = 30
MOST_DIMENSIONS: Final = 400


def course(subject: Subject) -> Drawn | None:
    """The terms of the bound in the course of training."""
    log = [r for r in subject.log or () if r["kind"] in ("training", "validation")]
    if not log:
        return None
    return lambda: Picture(
        name="course",
        title="Course of training",
        caption="The loss in nats per example; lower is better.",
        alt=f"Curves of {len(log)} records of the log.",
        figure=loss_curves(log),
    )


def schedules(path: str, schedule: BetaSpec, epochs: float) -> Drawn:
    """A schedule, and how much of it training has seen."""

    def draw() -> Picture:
        at = np.linspace(0.0, max(_length_of(schedule), epochs), 200)
        values = np.array([schedule.at(float(epoch)) for epoch in at])
        return Picture(
            name="schedule",
            title="Schedule and training",
            caption=f"{path} over the epochs of its schedule, and how far training went.",
            alt=f"{path} reaches {schedule.at(epochs):.3g} of {schedule.final:g}.",
            figure=schedule_curve(at, values, path, epochs),
        )

    return draw


def values_shown(subject: Subject, low: float, high: float) -> Drawn:
    """What values the model is shown, beside what its likelihood expects."""
    x = subject.shown_in_training.x.flatten().double().numpy()
    return lambda: Picture(
        name="values",
        title="Values of the data, and the range of the likelihood",
        caption="All values of the training examples that were looked at.",
        alt=f"Values from {x.min():g} to {x.max():g}; the range goes from {low:g} to {high:g}.",
        figure=histograms(
            {"values": x}, "value", "Values that the model is shown", {"low": low, "high": high}
        ),
    )


def spread_of_encodings(subject: Subject) -> Drawn:
    """How much each number of the encoder varies over examples."""
    spread = subject.encodings.std(0).numpy()[:MOST_DIMENSIONS]
    return lambda: Picture(
        name="encoder_spread",
        title="Spread of the encoder's output",
        caption="Standard deviation of each number over held-out examples; all near zero means "
        "that the encoder ignores its input.",
        alt=f"{len(spread)} bars, none above {spread.max():.2g}.",
        figure=sorted_bars(
            spread, "Spread of the encoder's output", ("output of the encoder", "deviation")
        ),
    )


def kl_of_dimensions(subject: Subject, collapsed: float) -> Drawn | None:
    """The KL of each dimension."""
    layers = [kl.mean(0).numpy() for kl in subject.scores.kl]
    if not 1 <= len(layers) <= 6 or sum(map(len, layers)) > MOST_DIMENSIONS:
        return None
    silent = int(sum((kl < collapsed).sum() for kl in layers))
    return lambda: Picture(
        name="kl_bars",
        title="KL by dimension",
        caption="What each dimension carries, in nats, averaged over held-out examples.",
        alt=f"{silent} of {sum(map(len, layers))} dimensions are below {collapsed:g} nats.",
        figure=kl_bars(layers, collapsed),
    )


def kl_of_layers(kl: Sequence[float]) -> Drawn:
    """The KL of each stochastic layer."""
    return lambda: Picture(
        name="kl_by_layer",
        title="KL by layer",
        caption="What each layer carries, in nats; layer 0 is the top.",
        alt=", ".join(f"{nats:.2f}" for nats in kl) + " nats from the top down.",
        figure=kl_by_layer(list(kl)),
    )


def usage_of_codes(usage: Float[np.ndarray, " classes"]) -> Drawn:
    """How often each code is used; of very many, the most used."""
    shown = usage if len(usage) <= MOST_DIMENSIONS else np.sort(usage)[::-1][:MOST_DIMENSIONS]
    return lambda: Picture(
        name="code_usage",
        title="Use of each code",
        caption="Share of every code over held-out examples; the line is an even share.",
        alt=f"Shares of {len(usage)} codes, from {usage.max():.2g} down to {usage.min():.2g}.",
        figure=sorted_bars(shown, "Use of each code", ("code", "share"), line=1 / len(usage)),
    )


def log_scales(scales: Tensor, what: str) -> Drawn:
    """Where log-scales lie."""
    values = scales.double().numpy()
    return lambda: Picture(
        name="log_scales",
        title=f"Log-scales of the {what}",
        caption="Natural logarithms of standard deviations; a peak at an end is a limit.",
        alt=f"From {values.min():.2f} to {values.max():.2f}, median {np.median(values):.2f}.",
        figure=histograms({what: values}, "log-scale", f"Log-scales of the {what}"),
    )


def bounds_of_splits(subject: Subject) -> Drawn:
    """Bounds of training and held-out examples."""
    train, held_out = subject.scores_in_training.bound, subject.scores.bound
    return lambda: Picture(
        name="bounds",
        title="Bound of training and of held-out examples",
        caption="The bound of each example in nats, averaged over a few draws of z. Where the "
        "two part, the model remembers what it was trained on.",
        alt=f"Means {train.mean():.2f} and {held_out.mean():.2f} nats.",
        figure=histograms(
            {"training": train.numpy(), "held out": held_out.numpy()},
            "bound in nats",
            "Bound of single examples",
        ),
    )


def codes_and_prior(subject: Subject) -> Drawn:
    """Codes of the data beside draws of the prior."""
    codes, prior = subject.scores.codes, subject.scores.prior_codes
    return lambda: Picture(
        name="codes_and_prior",
        title="Codes of the data, and draws of the prior",
        caption="Draws of q(z | x) for held-out examples and as many of p(z), along their "
        "principal directions where there are more than two dimensions.",
        alt=f"Deviation of codes {codes.std():.2f}, of the prior {prior.std():.2f}.",
        figure=latent_map(
            torch.cat([codes, prior]).float().numpy(),
            np.repeat([0, 1], [len(codes), len(prior)]),
            ["codes of the data", "draws of the prior"],
            prior=False,
        ),
    )


def neighbours(subject: Subject, nearest: Int64[Tensor, " samples"]) -> Drawn:
    """Samples, and the training examples that they are nearest to."""

    def draw() -> Picture:
        sampled = subject.samples[:SHOWN]
        rows = subject.rows("train", int(nearest[:SHOWN].max()) + 1).x[nearest[:SHOWN]]
        return Picture(
            name="neighbours",
            title="Samples and their nearest training examples",
            caption=f"The first {len(sampled)} samples, not picked, and of the training examples "
            "the one at the smallest distance.",
            alt=f"{len(sampled)} samples beside their neighbours.",
            figure=_pairs(subject, {"sample": sampled, "its neighbour": rows}),
        )

    return draw


def shares_of_classes(subject: Subject, shares: Sequence[float]) -> Drawn:
    """How many samples are of each class."""
    values = np.array(shares, dtype=float)
    return lambda: Picture(
        name="class_shares",
        title="Classes of samples",
        caption=f"The class that a classifier of {subject.dataset.name} sees in each sample; the "
        "line is an even share.",
        alt=f"Shares from {values.max():.3f} down to {values.min():.3f}.",
        figure=sorted_bars(values, "Classes of samples", ("class", "share"), line=1 / len(values)),
    )


def originals_and_reconstructions(subject: Subject) -> Drawn:
    """Held-out examples above their reconstructions."""

    def draw() -> Picture:
        original = subject.rows(subject.split, SHOWN).x.double().numpy()
        answer = subject.reconstructions[:SHOWN].double().numpy()
        return Picture(
            name="reconstructions",
            title="Reconstructions",
            caption=f"The first {len(original)} examples of the {subject.split} split above the "
            "means of p(x | z) at the mean of q(z | x).",
            alt=f"{len(original)} originals above their reconstructions.",
            figure=reconstructions(original, answer, None, **_limits(subject, original, answer)),
        )

    return draw


def _pairs(subject: Subject, series: dict[str, Tensor]) -> Figure:
    arrays = {name: part.double().numpy() for name, part in series.items()}
    if not subject.is_image:
        arrays = {name: part.reshape(len(part), -1) for name, part in arrays.items()}
    return sheet(arrays, None, **_limits(subject, *arrays.values()))


def _limits(subject: Subject, *drawn: np.ndarray) -> dict[str, Any]:
    """What is black and what is white."""
    low, high = subject.dataset.schema.low, subject.dataset.schema.high
    return {
        "low": float(min(part.min() for part in drawn)) if low is None else low,
        "high": float(max(part.max() for part in drawn)) if high is None else high,
    }


def _length_of(schedule: BetaSpec) -> float:
    if schedule.kind == "cyclical":
        return schedule.cycles * schedule.cycle_epochs
    return schedule.warmup_epochs if schedule.kind == "linear" else 0.0
