"""Walks through the latent space of a trained model, decoded step by step."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from vaekit.distributions import moments
from vaekit.models import Inference
from vaekit.runs.shown import Shown
from vaekit.runtime import straight_lines

STEPS, PAIRS, DIMENSIONS = 9, 10, 8
UNLABELLED = 6
VALUES = (-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0)


class Interpolations(NamedTuple):
    """Walks between pairs of examples."""

    rows: np.ndarray
    """Shape (pairs, steps, *event)."""
    labels: list[str]
    """The classes at both ends, or the numbers of the examples."""


class Traversals(NamedTuple):
    """Walks along single dimensions, around the code of the first example."""

    rows: np.ndarray
    """Shape (dimensions, steps, *event)."""
    dimensions: list[int]
    unit_of: str
    """Whose standard deviation is one step: "the prior" or "the codes"."""
    measure: str
    """What the dimensions are largest in: "KL" or "variance"."""


class Scale(NamedTuple):
    """Where walks have their middle, and how long a step is."""

    centre: Tensor
    spread: Tensor
    of: str


def interpolate(shown: Shown) -> Interpolations | None:
    """Straight lines between posterior means; None where there is no pair of examples."""
    pairs, labels = _pairs(shown)
    if not pairs:
        return None
    index = np.array(pairs)
    begin, end = (shown.at(index[:, side]) for side in (0, 1))
    starts, ends = (shown.model.infer_at_mean(there).z for there in (begin, end))
    z = tuple(_lines(a[0], b[0]) for a, b in zip(starts, ends, strict=True))
    # What is known of an example is on the way from one to the other as well.
    c = None if begin.c is None or end.c is None else _lines(begin.c, end.c)[0]
    decoded = shown.decoded(z, c)
    return Interpolations(decoded.reshape(len(pairs), STEPS, *decoded.shape[1:]), labels)


def traverse(shown: Shown) -> Traversals | None:
    """Moves the dimensions that matter most; None for models of several layers.

    Those are the ones of largest KL, or of largest variance where there is none of single
    dimensions. The unit is the standard deviation of the prior, or that of the codes where the
    prior has none in closed form.
    """
    first = shown.at(slice(1))
    inference = shown.model.infer_at_mean(first)
    if len(inference.z) != 1:
        return None
    base = inference.z[0][0, 0]
    scale = _scale(inference, shown, base)
    splits = bool(inference.prior) and shown.kl_splits
    weight = shown.kl_per_dimension[0] if splits else shown.codes.var(axis=0)
    chosen = np.argsort(-weight, kind="stable")[:DIMENSIONS].tolist()
    z = base.flatten().repeat(len(chosen), len(VALUES), 1)
    for row, dimension in enumerate(chosen):
        steps = torch.tensor(VALUES).to(base) * scale.spread.flatten()[dimension]
        z[row, :, dimension] = scale.centre.flatten()[dimension] + steps
    z = z.reshape(1, -1, *base.shape)
    decoded = shown.decoded((z,), None if first.c is None else first.c.expand(z.shape[1], -1))
    rows = decoded.reshape(len(chosen), len(VALUES), *decoded.shape[1:])
    return Traversals(rows, chosen, scale.of, "KL" if splits else "variance")


def _scale(inference: Inference, shown: Shown, base: Tensor) -> Scale:
    found = moments(inference.prior[0]) if inference.prior else None
    if found is not None:
        centre, spread = (_of_one(part, base) for part in found)
        return Scale(centre, spread, "the prior")
    codes = torch.as_tensor(shown.codes).to(base)
    centre, spread = (part.reshape(base.shape) for part in (codes.mean(0), codes.std(0)))
    return Scale(centre, spread, "the codes")


def _pairs(shown: Shown) -> tuple[list[tuple[int, int]], list[str]]:
    """The first example of each class with that of the next.

    Without labels, examples that lie half of all apart: neighbours in a file are often alike.
    """
    if shown.labels is not None:
        classes, first = np.unique(shown.labels, return_index=True)
        if len(classes) > 1:
            count = min(len(classes) if len(classes) > 2 else 1, PAIRS)
            names = [str(name) for name in classes.tolist()]
            ends = [(i, (i + 1) % len(classes)) for i in range(count)]
            pairs = [(int(first[a]), int(first[b])) for a, b in ends]
            return pairs, [f"{names[a]} → {names[b]}" for a, b in ends]
    half = len(shown) // 2
    starts = sorted({int(place) for place in np.linspace(0, half - 1, UNLABELLED)} if half else ())
    pairs = [(start, start + half) for start in starts]
    return pairs, [f"{a:,} → {b:,}" for a, b in pairs]


def _lines(a: Tensor, b: Tensor) -> Tensor:
    """From (pairs, *latent) and (pairs, *latent) to (1, pairs * steps, *latent)."""
    start, end = (codes.flatten(1).cpu().numpy() for codes in (a, b))
    points = torch.from_numpy(straight_lines(start, end, STEPS))
    return points.to(a).reshape(1, -1, *a.shape[1:])


def _of_one(part: Tensor, like: Tensor) -> Tensor:
    """A parameter of the prior for one example, which may or may not have a batch."""
    return part.reshape(-1, *like.shape)[0]
