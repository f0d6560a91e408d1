"""The report of a run: everything about it, gathered for one page."""

from collections.abc import Mapping, Sequence
from typing import Any

from vaekit.data import DATA_SETS, Dataset
from vaekit.figures import DataCard, Picture, Report, report_page
from vaekit.recipes import Recipe, to_toml


def report_html(
    recipe: Recipe,
    dataset: Dataset,
    results: Mapping[str, Any],
    provenance: Mapping[str, Any],
    pictures: Sequence[Picture],
) -> str:
    """The page, as the text of one HTML file."""
    return report_page(
        Report(
            title=recipe.name,
            description=recipe.description,
            results=results,
            data=data_card(recipe, dataset),
            recipe=to_toml(recipe),
            provenance=provenance,
            pictures=pictures,
        )
    )


def data_card(recipe: Recipe, dataset: Dataset) -> DataCard:
    """What is known of the data."""
    schema = dataset.schema
    known = DATA_SETS.get(recipe.data.kind)
    bounds = {"from": schema.low, "to": schema.high}
    limits = "".join(f" {word} {b:g}" for word, b in bounds.items() if b is not None)
    missing = ", NaN where missing" if schema.missing == "nan" else ""
    return DataCard(
        name=dataset.name,
        source=dataset.source,
        split_name=dataset.split_name,
        split_sizes={name: len(split) for name, split in dataset.splits.items()},
        shape=schema.event_shape,
        values=f"{schema.dtype}{limits}{missing}",
        fingerprint=dataset.fingerprint,
        licence=None if known is None else known.licence,
        num_classes=schema.num_classes,
        attributes=[
            f"{known.name} (a number)"
            if known.num_classes is None
            else f"{known.name} ({known.num_classes} classes)"
            for known in schema.attributes
        ],
    )
