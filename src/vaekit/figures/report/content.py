"""What a report is made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, final

from matplotlib.figure import Figure


@final
@dataclass(frozen=True)
class Picture:
    """A figure, and what is said about it.

    Args:
        name: What its file is called, without an ending.
        title: A few words.
        caption: How it was made and how it is read, for who sees it.
        alt: What it shows, with the numbers, for who does not.
        figure: The figure itself.
    """

    name: str
    title: str
    caption: str
    alt: str
    figure: Figure


@final
@dataclass(frozen=True)
class DataCard:
    """What a model was trained and measured on.

    Args:
        name: What the data set is called.
        source: Where it came from, in words.
        split_name: How it was divided.
        split_sizes: Number of examples by split.
        shape: Shape of one example.
        values: Type and range of raw values, in words.
        fingerprint: sha256 of the content.
        licence: What its publishers allow, where that is known.
        num_classes: Number of labels, where there are any.
        attributes: What else is known of examples, in words.
    """

    name: str
    source: str
    split_name: str
    split_sizes: Mapping[str, int]
    shape: tuple[int, ...]
    values: str
    fingerprint: str
    licence: str | None = None
    num_classes: int | None = None
    attributes: Sequence[str] = ()


@final
@dataclass(frozen=True)
class Report:
    """Everything on the page.

    Args:
        title: Name of the run.
        description: One sentence; may be empty.
        results: What the model was measured at, with the protocol: the tree of
            `results.json`. Any key may be absent.
        data: What it was measured on.
        recipe: The resolved recipe, as TOML.
        provenance: Versions, machine, git state.
        pictures: In the order of the page.
    """

    title: str
    description: str
    results: Mapping[str, Any]
    data: DataCard
    recipe: str
    provenance: Mapping[str, Any] = field(default_factory=dict)
    pictures: Sequence[Picture] = ()
