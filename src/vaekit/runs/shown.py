"""The examples that a run's pictures show, and what the model makes of them.

They are the first of the evaluated split, as evaluation sees them. Everything here is worked
out once, in pieces that fit in memory, and is given as arrays in raw units.
"""

from collections.abc import Iterator
from functools import cached_property
from typing import final

import numpy as np
import torch
from torch import Tensor
from torch.distributions import Distribution, Independent

from vaekit.data import Dataset, Observation, Transform, present
from vaekit.distributions import Gaussian
from vaekit.models import Inference, Latents, Model
from vaekit.numerics import generator_for
from vaekit.recipes import Recipe

EXAMPLES, PIECE, DRAWS = 10_000, 500, 4


@final
class Shown:
    """A model, and the first examples of the evaluated split.

    Args:
        model: In evaluation mode.
        dataset: What it was trained on.
        transform: How that is presented.
        recipe: Which split, and under which seeds.
    """

    def __init__(
        self, model: Model, dataset: Dataset, transform: Transform, recipe: Recipe
    ) -> None:
        self.model, self.seed = model, recipe.seed
        self.split = recipe.evaluation.split
        self._schema, self._transform = dataset.schema, transform
        split = dataset.split(self.split)
        seed, device = recipe.evaluation.seed, recipe.training.device
        self.observation = Observation.join(list(present(split, transform, seed, device, EXAMPLES)))
        labels = split.labels()
        self.labels = None if labels is None else labels[: len(self.observation)].numpy()

    def __len__(self) -> int:
        return len(self.observation)

    @property
    def is_image(self) -> bool:
        """Whether examples are drawn as images; others are vectors."""
        return self._schema.kind == "image" and self._schema.event_shape[0] in (1, 3)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of a vector's features, where they have any."""
        return self._schema.columns or ()

    @cached_property
    def codes(self) -> np.ndarray:
        """The embedding of each example, shape (examples, features)."""
        codes = [self.model.embed(piece).flatten(1) for piece in self._pieces()]
        return torch.cat(codes).float().cpu().numpy()

    @cached_property
    def kl_per_dimension(self) -> list[np.ndarray]:
        """KL(q(z_i|x) || p(z_i)) in nats, averaged over the examples; an array per layer."""
        return self._scores[1]

    @cached_property
    def kl_splits(self) -> bool:
        """Whether every layer's KL is a sum over its dimensions."""
        sizes = [layer[0, 0].numel() for layer in self._first.z]
        return sizes == [len(layer) for layer in self.kl_per_dimension]

    @property
    def prior_is_standard_normal(self) -> bool:
        """Whether the codes are to be compared with N(0, I)."""
        return bool(self._first.prior) and all(map(_is_standard_normal, self._first.prior))

    @cached_property
    def _first(self) -> Inference:
        with torch.no_grad():
            return self.model.infer_at_mean(self.at(slice(1)))

    @cached_property
    def log_likelihood(self) -> np.ndarray:
        """E_q[log p(x|z)] in nats of each example, over a few draws of z."""
        return self._scores[0]

    def reconstructed(self, index: slice | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Examples in raw units, NaN where nothing was seen, and their reconstructions."""
        chosen = self.at(index)
        original = chosen.x if chosen.mask is None else chosen.x.where(chosen.mask, torch.nan)
        answer = self.model.infer_at_mean(chosen).likelihood.mean[0]
        return self.raw(original), self.raw(answer)

    def at(self, index: slice | np.ndarray) -> Observation:
        """Some of the examples."""
        rows = index if isinstance(index, slice) else torch.as_tensor(index)
        x, c, mask = self.observation.x, self.observation.c, self.observation.mask
        return Observation(
            x[rows], None if c is None else c[rows], None if mask is None else mask[rows]
        )

    def decoded(self, z: Latents, c: Tensor | None = None) -> np.ndarray:
        """Means of p(x|z, c) in raw units, one for each code of the only sample."""
        return self.raw(self.model.decode(z, c).mean[0])

    def sampled(self, n: int) -> np.ndarray:
        """Means of p(x|z) in raw units, for z drawn from the prior under the recipe's seed.

        Under conditions, all of them in turn, as `conditions_in_words` says.
        """
        like = self.observation.x
        generator = generator_for(self.seed, "samples", device=like.device)
        c = self._transform.every_condition(n)
        c = None if c is None else c.to(like)
        return self.raw(self.model.sample(n, c, generator=generator).mean)

    @property
    def conditions_in_words(self) -> str:
        """What the samples were made under; empty where there is nothing to say."""
        return self._transform.conditioning.in_turn_in_words

    def raw(self, x: Tensor) -> np.ndarray:
        """Values in raw units; what is no image with 1 or 3 channels is a vector."""
        raw = self._transform.inverse(x).float().cpu().numpy()
        return raw if self.is_image else raw.reshape(len(raw), -1)

    def limits(self, *drawn: np.ndarray) -> dict[str, float]:
        """What is black and what is white."""
        low, high = self._schema.low, self._schema.high
        return {
            "low": float(min(map(np.nanmin, drawn))) if low is None else low,
            "high": float(max(map(np.nanmax, drawn))) if high is None else high,
        }

    @cached_property
    def _scores(self) -> tuple[np.ndarray, list[np.ndarray]]:
        """Log-likelihood by example, and KL by layer and dimension."""
        fits: list[Tensor] = []
        kls: list[list[Tensor]] = []
        draws = DRAWS if self.model.facts.has_density else 1
        for index, piece in enumerate(self._pieces()):
            generator = generator_for(self.seed, "pictures", index, device=piece.x.device)
            inference = self.model.infer(piece, draws, generator=generator)
            fits.append(inference.log_likelihood().double().mean(0))
            if self.model.facts.has_density:
                layers = [kl.double().mean(0).flatten(1).sum(0) for kl in inference.kl]
                kls.append(layers)
        totals = [torch.stack(layer).sum(0) / len(self) for layer in zip(*kls, strict=True)]
        return torch.cat(fits).cpu().numpy(), [total.cpu().numpy() for total in totals]

    def _pieces(self) -> Iterator[Observation]:
        for start in range(0, len(self), PIECE):
            yield self.observation[start : start + PIECE]


def _is_standard_normal(factor: Distribution) -> bool:
    normal = factor.base_dist if isinstance(factor, Independent) else factor
    if not isinstance(normal, Gaussian):
        return False
    return not bool(normal.loc.any()) and not bool(normal.log_scale.any())
