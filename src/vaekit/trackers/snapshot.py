"""What a model looks like at one moment of its training: pictures, codes, their distribution.

Looking changes nothing: it draws noise from generators of its own, follows no gradient, and
leaves every module in the mode it was in.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Final, final

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.distributions import Independent

from vaekit.data import Observation
from vaekit.distributions import Gaussian
from vaekit.models import Inference, Model
from vaekit.numerics import generator_for
from vaekit.trackers.pictures import Pictures, Sheet
from vaekit.trackers.subject import Subject

ROWS_AT_ONCE: Final = 500


@final
@dataclass(frozen=True)
class Snapshot:
    """A model at one moment.

    Args:
        pictures: "reconstructions" and "samples", where the data are images.
        histograms: Posterior means and log-variances of the examples, by name.
        codes: The embedding of each example, where codes were asked for.
        labels: Their classes.
        thumbnails: The examples themselves with values from 0 to 1, where they are images.
    """

    pictures: dict[str, Sheet]
    histograms: dict[str, Float[Tensor, " values"]]
    codes: Float[Tensor, "examples features"] | None = None
    labels: Int64[Tensor, " examples"] | None = None
    thumbnails: Float[np.ndarray, "examples channels height width"] | None = None


@final
class Camera:
    """Takes snapshots of a run's model, always of the same examples with the same noise.

    Args:
        subject: The run.
        images: How many reconstructions and samples are shown.
        examples: How many examples are encoded.
    """

    def __init__(self, subject: Subject, images: int, examples: int) -> None:
        self._subject, self._images, self._examples = subject, images, examples
        self._pictures = Pictures(subject.transform, subject.schema)

    @torch.no_grad()
    def snapshot(self) -> Snapshot:
        with posing(self._subject.model):
            pictures = self._drawn() if self._images else {}
            if not self._examples:
                return Snapshot(pictures, {})
            seen, labels = self._shown
            seen, labels = seen[: self._examples], None if labels is None else labels.cpu()
            return Snapshot(
                pictures,
                self._histograms(seen),
                torch.cat([self._subject.model.embed(x).flatten(1) for x in _blocks(seen)]).cpu(),
                None if labels is None else labels[: self._examples],
                self._pictures.unit(seen.x),
            )

    @cached_property
    def _shown(self) -> tuple[Observation, Tensor | None]:
        return self._subject.examples(max(self._images, self._examples))

    def _drawn(self) -> dict[str, Sheet]:
        model, shown = self._subject.model, self._shown[0][: self._images]
        original = shown.x if shown.mask is None else shown.x.where(shown.mask, torch.nan)
        reconstructed = model.infer_at_mean(shown).likelihood.mean[0]
        drawn = {"reconstructions": self._pictures.pairs(original, reconstructed)}
        if model.facts.has_density:
            source = generator_for(self._subject.seed, "tracked samples", device=shown.x.device)
            c = self._subject.transform.every_condition(self._images)
            c = None if c is None else c.to(shown.x)
            sampled = model.sample(self._images, c, generator=source).mean
            drawn["samples"] = self._pictures.sheet(sampled)
        return {name: sheet for name, sheet in drawn.items() if sheet is not None}

    def _histograms(self, seen: Observation) -> dict[str, Tensor]:
        blocks = [_moments(self._subject.model.infer_at_mean(x)) for x in _blocks(seen)]
        return {name: torch.cat([block[name] for block in blocks]).cpu() for name in blocks[0]}


@contextmanager
def posing(model: Model) -> Iterator[None]:
    """Evaluation mode inside the block, and every module's own mode after it."""
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        yield
    finally:
        for module, mode in modes.items():
            module.training = mode


def _blocks(seen: Observation) -> Iterator[Observation]:
    for start in range(0, len(seen), ROWS_AT_ONCE):
        yield seen[start : start + ROWS_AT_ONCE]


def _moments(inference: Inference) -> dict[str, Tensor]:
    """Means and log-variances of every Gaussian layer of the posterior."""
    several = len(inference.posterior) > 1
    found: dict[str, Tensor] = {}
    for number, factor in enumerate(inference.posterior):
        normals = factor.base_dist if isinstance(factor, Independent) else None
        if isinstance(normals, Gaussian):
            where = f"posterior/layer_{number}" if several else "posterior"
            found[f"{where}/mean"] = normals.loc.flatten()
            found[f"{where}/log_variance"] = 2 * normals.log_scale.flatten()
    return found
