"""The first look at a run: loss curves, reconstructions, samples and a map of the codes."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vaekit.data import Dataset, Observation, Transform, present
from vaekit.figures import latent_map, loss_curves, reconstructions, samples, save
from vaekit.models import Model
from vaekit.numerics import draw_noise, generator_for
from vaekit.recipes import Recipe
from vaekit.training import Record

RECONSTRUCTIONS, SAMPLES, CODES = 30, 100, 10_000


@torch.no_grad()
def draw(
    model: Model,
    dataset: Dataset,
    transform: Transform,
    recipe: Recipe,
    log: Sequence[Record],
    folder: Path,
) -> list[Path]:
    """Draws what the model allows into `folder`; returns the files."""
    split = next(name for name in ("test", "validation", "train") if name in dataset.splits)
    shown = first_examples(dataset, split, transform, recipe, CODES)
    artist = _Artist(dataset, transform, folder)
    files = [save(loss_curves(log), folder / "loss_curves.png")]
    files.append(artist.reconstructions(model, shown[:RECONSTRUCTIONS], split))
    if model.facts.has_density:
        files.append(artist.samples(model, recipe.seed))
    files.append(artist.latent_map(model, shown, split))
    return files


class _Artist:
    """Draws in raw units."""

    def __init__(self, dataset: Dataset, transform: Transform, folder: Path) -> None:
        self.dataset, self.transform, self.folder = dataset, transform, folder

    def reconstructions(self, model: Model, shown: Observation, split: str) -> Path:
        noise = tuple(torch.zeros_like(n) for n in draw_noise(model.noise_spec(len(shown))))
        likelihood = model.infer(shown, noise=tuple(n.to(shown.x.device) for n in noise)).likelihood
        original = shown.x if shown.mask is None else shown.x.where(shown.mask, torch.nan)
        pair = self._raw(original), self._raw(likelihood.mean[0])
        title = f"First {len(shown)} {split} examples and their reconstruction from E[z|x]"
        figure = reconstructions(*pair, title, **self._range(*pair))
        return save(figure, self.folder / "reconstructions.png")

    def samples(self, model: Model, seed: int) -> Path:
        device = next(model.parameters()).device
        generator = generator_for(seed, "samples", device=device)
        drawn = self._raw(model.sample(SAMPLES, generator=generator).mean)
        return save(samples(drawn, seed, **self._range(drawn)), self.folder / "samples.png")

    def latent_map(self, model: Model, shown: Observation, split: str) -> Path:
        codes = model.embed(shown).flatten(1).cpu().numpy()
        labels = self.dataset.split(split).labels()
        chosen = None if labels is None else labels[: len(shown)].numpy()
        return save(
            latent_map(codes, chosen, prior=model.facts.has_density),
            self.folder / "latent_map.png",
        )

    def _raw(self, x: Tensor) -> np.ndarray:
        raw = self.transform.inverse(x).cpu().numpy()
        drawable = raw.ndim == 4 and raw.shape[1] in (1, 3)
        return raw if drawable else raw.reshape(len(raw), -1)

    def _range(self, *drawn: np.ndarray) -> dict[str, float]:
        """What is black and what is white."""
        low, high = self.dataset.schema.low, self.dataset.schema.high
        return {
            "low": float(min(map(np.nanmin, drawn))) if low is None else low,
            "high": float(max(map(np.nanmax, drawn))) if high is None else high,
        }


def first_examples(
    dataset: Dataset, split: str, transform: Transform, recipe: Recipe, most: int
) -> Observation:
    """The first examples of a split, at most so many, as evaluation sees them."""
    blocks, count = [], 0
    seed, device = recipe.evaluation.seed, recipe.training.device
    for block in present(dataset.split(split), transform, seed, device):
        blocks.append(block)
        count += len(block)
        if count >= most:
            break
    masks = [block.mask for block in blocks if block.mask is not None]
    return Observation(
        torch.cat([block.x for block in blocks]), mask=torch.cat(masks) if masks else None
    )[:most]
