"""The pictures of a run, with what is said of them: one list, for files and for the report."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from vaekit.data import Dataset, Transform
from vaekit.figures import (
    Picture,
    interpolations,
    kl_bars,
    kl_by_layer,
    latent_map,
    loss_curves,
    reconstructions,
    samples,
    save,
    traversals,
    worst_reconstructions,
)
from vaekit.models import Model
from vaekit.recipes import Recipe
from vaekit.runs.shown import DRAWS, Shown
from vaekit.runs.walks import VALUES, interpolate, traverse
from vaekit.training import Record

RECONSTRUCTIONS, SAMPLES = 30, 100
WORST_IMAGES, WORST_VECTORS = 20, 12
MOST_NAMES = 30
COLLAPSED_NATS = 0.01
MOST_LAYERS, MOST_DIMENSIONS = 6, 2000
"""More have a bar for every layer, and none for every dimension."""


@torch.no_grad()
def pictures(
    model: Model, dataset: Dataset, transform: Transform, recipe: Recipe, log: Sequence[Record]
) -> list[Picture]:
    """Everything that can be drawn of a trained model, in the order of a report."""
    shown = Shown(model, dataset, transform, recipe)
    drawn = [_loss_curves(log), _reconstructions(shown), _worst(shown)]
    if model.facts.has_density:
        drawn += [_samples(shown)]
    if model.facts.latent == "continuous":
        drawn += [_interpolations(shown), _traversals(shown)]
    drawn += [_latent_map(shown)]
    if model.facts.has_density:
        drawn += [_kl_by_layer(shown)]
        drawn += [_kl_bars(shown)] if shown.kl_splits else []
    return [picture for picture in drawn if picture is not None]


def save_pictures(drawn: Sequence[Picture], folder: Path) -> list[Path]:
    """Writes each picture as PNG and SVG; returns the PNG files."""
    files = []
    for picture in drawn:
        files.append(save(picture.figure, folder / f"{picture.name}.png"))
        save(picture.figure, folder / f"{picture.name}.svg")
    return files


def _loss_curves(log: Sequence[Record]) -> Picture:
    terms = {
        "elbo_nats": ("minus ELBO", -1),
        "expected_log_likelihood_nats": ("reconstruction", -1),
        "kl_nats": ("KL", 1),
    }
    ends = []
    apart = "Its terms are drawn apart, because one can get better at the cost of another. "
    apart = apart if any("elbo_nats" in record for record in log) else ""
    for kind in ("training", "validation"):
        records = [record for record in log if record["kind"] == kind]
        said = [
            f"{name} {sign * float(records[0][key]):.2f} to {sign * float(records[-1][key]):.2f}"
            for key, (name, sign) in terms.items()
            if records and key in records[0] and key in records[-1]
        ]
        if said:
            ends.append(f"{kind}, from the first record to the last: {', '.join(said)}")
    return Picture(
        name="loss_curves",
        title="Course of training",
        caption="The loss in nats per example; lower is better. "
        f"{apart}Validation is on examples that the model was not trained on.",
        alt=f"Curves over epochs in nats per example. {'; '.join(ends).capitalize()}.",
        figure=loss_curves(log),
    )


def _reconstructions(shown: Shown) -> Picture:
    pair = shown.reconstructed(slice(RECONSTRUCTIONS))
    count = len(pair[0])
    code = "E[z|x]" if _has_density_in_space(shown) else "their code"
    title = f"First {count} {shown.split} examples and their reconstruction from {code}"
    error = float(np.nanmean((pair[0] - pair[1]) ** 2))
    return Picture(
        name="reconstructions",
        title="Reconstructions",
        caption=f"The first {count} examples of the {shown.split} split, as the model saw them, "
        f"{_beside(shown)} the means of p(x|z) at {code}. Not picked.{_features(shown)}",
        alt=f"{count} originals above their reconstructions; mean squared error of these in "
        f"raw units {error:.4g}.",
        figure=reconstructions(*pair, title, **shown.limits(*pair)),
    )


def _beside(shown: Shown) -> str:
    """Where an original is, seen from its reconstruction: vectors share their panel."""
    return "above" if shown.is_image else "with"


def _has_density_in_space(shown: Shown) -> bool:
    """Whether p(z) and q(z | x) are densities over continuous codes."""
    return shown.model.facts.has_density and shown.model.facts.latent == "continuous"


def _features(shown: Shown) -> str:
    """The names of a vector's features, where they are few enough to be looked up."""
    if not 0 < len(shown.columns) <= MOST_NAMES:
        return ""
    names = (f"{index} {name}" for index, name in enumerate(shown.columns))
    return f" Features: {', '.join(names)}."


def _worst(shown: Shown) -> Picture:
    order = np.argsort(shown.log_likelihood, kind="stable")
    chosen = order[: WORST_IMAGES if shown.is_image else WORST_VECTORS]
    nats, pair = shown.log_likelihood[chosen], shown.reconstructed(chosen)
    title = f"Worst {len(chosen)} of {len(shown):,} {shown.split} examples: log p(x|z) in nats"
    drawn_from = f"averaged over {DRAWS} draws of z" if shown.model.facts.has_density else ""
    typical = float(np.median(shown.log_likelihood))
    return Picture(
        name="worst_reconstructions",
        title="Worst reconstructions",
        caption=f"Of the first {len(shown):,} {shown.split} examples, those with the lowest "
        f"log p(x|z){', ' if drawn_from else ''}{drawn_from}, in nats at each; the median of "
        f"all is {_signed(typical)}. Odd examples, wrong labels and blind spots show here first.",
        alt=f"{len(chosen)} originals above their reconstructions, from {_signed(nats[0])} nats, "
        f"the worst, to {_signed(nats[-1])}; the median of all {len(shown):,} is "
        f"{_signed(typical)}.",
        figure=worst_reconstructions(*pair, nats, title, **shown.limits(*pair)),
    )


def _samples(shown: Shown) -> Picture:
    drawn = shown.sampled(SAMPLES)
    told = f" {shown.conditions_in_words}" if shown.conditions_in_words else ""
    return Picture(
        name="samples",
        title="Samples",
        caption=f"What the model makes up: means of p(x|z) for {SAMPLES} draws of z from the "
        f"prior under seed {shown.seed}. Not picked.{told}",
        alt=f"{SAMPLES} samples from the prior, seed {shown.seed}, in the order of the draw.{told}",
        figure=samples(drawn, shown.seed, **shown.limits(drawn)),
    )


def _interpolations(shown: Shown) -> Picture | None:
    walk = interpolate(shown)
    if walk is None:
        return None
    row = "row" if shown.is_image else "panel"
    is_numbered = shown.labels is None
    ends = "examples, counted from 0" if is_numbered else "the first examples of two classes"
    title = f"From the reconstruction of one {shown.split} example to that of another"
    return Picture(
        name="interpolations",
        title="Interpolations",
        caption=f"Each {row} leads from the reconstruction of one {shown.split} example to that "
        f"of another, along the straight line between their codes. The ends are {ends}; in "
        "between, a good code passes through what could be examples.",
        alt=f"{len(walk.labels)} rows of {walk.rows.shape[1]} steps: {', '.join(walk.labels)}.",
        figure=interpolations(walk.rows, walk.labels, title, **shown.limits(walk.rows)),
    )


def _traversals(shown: Shown) -> Picture | None:
    walk = traverse(shown)
    if walk is None:
        return None
    unit = f"standard deviations of {walk.unit_of}"
    rows = "rows" if shown.is_image else "panels"
    title = f"One dimension of z set to each value, in {unit}"
    names = ", ".join(map(str, walk.dimensions))
    return Picture(
        name="traversals",
        title="Traversals",
        caption=f"The code of the first {shown.split} example, with one dimension set to values "
        f"from {VALUES[0]:g} to {VALUES[-1]:g} {unit}; the {rows} are the dimensions of largest "
        f"{walk.measure}, counted from 0.".replace("-", "\N{MINUS SIGN}"),
        alt=f"{len(walk.dimensions)} rows of {len(VALUES)} steps, for the dimensions {names}.",
        figure=traversals(walk.rows, walk.dimensions, VALUES, title, **shown.limits(walk.rows)),
    )


def _latent_map(shown: Shown) -> Picture | None:
    if len(shown) < 2:
        return None
    figure = latent_map(shown.codes, shown.labels, prior=shown.prior_is_standard_normal)
    ax = figure.axes[0]
    size = shown.codes.shape[1]
    how = "as they are" if size <= 2 else f"of {size} dimensions, along their principal directions"
    colored = "" if shown.labels is None else " Colours are the labels."
    axes = f"{ax.get_xlabel()} against {ax.get_ylabel()}"
    return Picture(
        name="latent_map",
        title="Map of the codes",
        caption=f"The codes of the first {len(shown):,} {shown.split} examples, {how}.{colored}",
        alt=f"{len(shown):,} codes: {axes}.",
        figure=figure,
    )


def _kl_by_layer(shown: Shown) -> Picture | None:
    layers = [float(kl.sum()) for kl in shown.kl_per_dimension]
    if len(layers) < 2:
        return None
    said = ", ".join(f"{kl:.2f}" for kl in layers)
    return Picture(
        name="kl_by_layer",
        title="KL by layer",
        caption="What each stochastic layer carries, in nats, averaged over the first "
        f"{len(shown):,} {shown.split} examples; layer 0 is the top, the first to be generated. "
        "A layer of no KL is the prior whatever the example.",
        alt=f"{len(layers)} bars, from the top layer down: {said} nats.",
        figure=kl_by_layer(layers),
    )


def _kl_bars(shown: Shown) -> Picture | None:
    layers = shown.kl_per_dimension
    if len(layers) > MOST_LAYERS or sum(map(len, layers)) > MOST_DIMENSIONS:
        return None
    kl = np.concatenate(layers)
    collapsed = int((kl < COLLAPSED_NATS).sum())
    return Picture(
        name="kl_bars",
        title="KL by dimension",
        caption="What each dimension of the code carries, in nats, averaged over the first "
        f"{len(shown):,} {shown.split} examples. A collapsed dimension is the prior whatever "
        "the example: the decoder learns nothing from it.",
        alt=f"{len(kl)} bars, from {kl.max():.2f} down to {kl.min():.4f} nats, {kl.sum():.2f} "
        f"together; {collapsed} dimensions are below {COLLAPSED_NATS:g} nats.",
        figure=kl_bars(layers, COLLAPSED_NATS),
    )


def _signed(nats: float) -> str:
    return f"{nats:,.1f}".replace("-", "\N{MINUS SIGN}")
