"""Reconstructions and samples, looked at as values and pictures rather than as probabilities.

    MSE = mean over examples and values of (reconstruction - original)^2
    PSNR = -10 log10 MSE

The original is the raw value, scaled so that the range of the schema has length 1 (grey pixels
in [0, 1]), and not its binarization. The model is shown what a served model is shown, the
transform's expectation, and reconstructs by the mean of p(x | z) at the mean of q(z | x). PSNR
is that of the average MSE: the average of PSNRs over images would be larger.

Sharpness is the variance of an image's response to a Laplace filter, averaged over images; blur
lowers it. Only its ratio to that of the data means something.

Reference for sharpness:
    Tolstikhin, Bousquet, Gelly and Schoelkopf (2018), Wasserstein Auto-Encoders, appendix,
    https://arxiv.org/abs/1711.01558
"""

import math
from collections.abc import Iterator
from typing import final

import torch
from jaxtyping import Float, Float64
from torch import Tensor
from torch.nn import functional as F

from vaekit.data import Observation, Rows, Transform
from vaekit.evaluation.memory import chunks, rows_within
from vaekit.models import Model
from vaekit.numerics import draw_noise
from vaekit.schema import Schema


@final
class ReconstructionError:
    """Squared error per value and sharpness, gathered over blocks of examples.

    Args:
        model: What reconstructs.
        transform: How raw values become what the model is shown, and back.
        schema: The form of raw values.
    """

    def __init__(self, model: Model, transform: Transform, schema: Schema) -> None:
        self.model, self.transform, self.scale = model, transform, UnitScale(schema)
        self._squares, self._values = 0.0, 0
        self._sharpness: dict[str, list[Tensor]] = {"data": [], "reconstructions": []}

    @torch.no_grad()
    def update(self, rows: Rows) -> None:
        """Takes raw examples in."""
        device = next(self.model.parameters()).device
        shown = self.transform.expected(rows.to(device))
        original = self.scale(rows.x.to(device))
        answer = self.scale(self.transform.inverse(reconstruction(self.model, shown)))
        seen = original.isfinite()
        squares = (answer - original).square().where(seen, 0.0)
        self._squares += squares.sum().item()
        self._values += int(seen.sum().item())
        if can_be_sharp(original) and bool(seen.all()):
            self._sharpness["data"].append(sharpness(original))
            self._sharpness["reconstructions"].append(sharpness(answer))

    def compute(self) -> dict[str, float]:
        """`mse`, and where it is defined `psnr_db` and sharpness; nothing where nothing was seen.

        Values without a range have an MSE in their own units, and no PSNR.
        """
        if self._values == 0:
            return {}
        mse = self._squares / self._values
        numbers = {"mse": mse}
        if self.scale.has_range and mse > 0:
            numbers["psnr_db"] = -10 * math.log10(mse)
        for what, parts in self._sharpness.items():
            if parts:
                numbers[f"sharpness_{what}"] = torch.cat(parts).mean().item()
        return numbers


@final
class UnitScale:
    """Maps the range of raw values to [0, 1]; leaves values without a range as they are."""

    def __init__(self, schema: Schema) -> None:
        self.has_range = schema.low is not None and schema.high is not None
        self.low = schema.low if self.has_range and schema.low is not None else 0.0
        high = schema.high if self.has_range and schema.high is not None else 1.0
        self.width = high - self.low

    def __call__(self, raw: Tensor) -> Float64[Tensor, "..."]:
        return (raw.double() - self.low) / self.width


def reconstruction(model: Model, observation: Observation) -> Float[Tensor, "batch *event"]:
    """The mean of p(x | z) at the mean of q(z | x)."""
    parts = [
        model.infer_at_mean(part).likelihood.mean[0]
        for part in chunks(observation, rows_within(model, observation))
    ]
    return torch.cat(parts)


def can_be_sharp(x: Tensor) -> bool:
    """Whether these are images that the filter fits into."""
    return x.ndim == 4 and min(x.shape[2:]) >= 3


def sharpness(images: Float[Tensor, "n channels height width"]) -> Float[Tensor, " n"]:
    """Variance of each image's response to the Laplace filter; colours count as grey.

    Example:
        >>> flat, dot = torch.zeros(1, 1, 5, 5), torch.zeros(1, 1, 5, 5)
        >>> dot[0, 0, 2, 2] = 1.0
        >>> sharpness(flat).item(), sharpness(dot).item() > 0
        (0.0, True)
    """
    kernel = torch.tensor([[0, 1, 0], [1, -4, 1], [0, 1, 0]], dtype=images.dtype)
    grey = images.mean(1, keepdim=True)
    response = F.conv2d(grey, kernel[None, None].to(images.device))
    return response.flatten(1).var(1, correction=0)


def sample_sharpness(
    model: Model,
    transform: Transform,
    schema: Schema,
    n: int,
    generator: torch.Generator,
    c: Float[Tensor, "n conditions"] | None = None,
) -> float | None:
    """Sharpness of the means of p(x | z) for fresh z; None where there is no image.

    Args:
        model: A model with a prior.
        transform: From the model's values back to raw ones.
        schema: The form of raw values.
        n: Number of samples.
        generator: Source of noise, on the model's device.
        c: What the samples are conditioned on.
    """
    found, scale = [], UnitScale(schema)
    for means in sample_means(model, transform, n, generator, c):
        images = scale(means)
        if not can_be_sharp(images):
            return None
        found.append(sharpness(images))
    return torch.cat(found).mean().item()


def sample_means(
    model: Model,
    transform: Transform,
    n: int,
    generator: torch.Generator,
    c: Float[Tensor, "n conditions"] | None = None,
) -> Iterator[Float[Tensor, "some *event"]]:
    """The means of p(x | z) for n fresh z, as raw values; as many at a time as fit.

    Args:
        model: A model with a prior.
        transform: From the model's values back to raw ones.
        n: Number of samples.
        generator: Source of noise, on the model's device.
        c: What the samples are conditioned on.
    """
    like = next(model.parameters())
    noise = draw_noise(model.sample_noise_spec(n), generator, like.device, like.dtype)
    c = None if c is None else c.to(like.device, like.dtype)
    x = torch.zeros((1, *model.event_shape), device=like.device, dtype=like.dtype)
    rows = rows_within(model, Observation(x, None if c is None else c[:1]))
    for start in range(0, n, rows):
        piece = tuple(layer[:, start : start + rows] for layer in noise)
        with torch.no_grad():
            told = None if c is None else c[start : start + rows]
            means = model.sample(min(rows, n - start), told, noise=piece).mean
        yield transform.inverse(means)
