"""Hiding labels: what is left where labels are dear.

A label that is not known is -1.
"""

from typing import Final

import torch
from jaxtyping import Int64
from torch import Tensor

from vaekit.data.splits import InMemorySplit, Split
from vaekit.errors import DataError, SpecError
from vaekit.numerics import generator_for

UNKNOWN: Final = -1


def hide_labels(split: Split, labeled: int, seed: int) -> InMemorySplit:
    """The same examples, of which so many keep their label: of every class as many.

    Where `labeled` is no multiple of the number of classes, the first ones have one more. The
    choice depends on the labels, on `labeled` and on `seed`, and on nothing else.

    Args:
        split: Examples in memory, with labels.
        labeled: How many keep their label.
        seed: Seed of the choice.

    Raises:
        SpecError: The data is streamed.
        DataError: There are no labels, or too few of a class.
    """
    if not isinstance(split, InMemorySplit):
        raise SpecError(
            "Labels are hidden in memory, but the data is streamed.",
            where="objective.labeled",
            remedy="give data.kind = 'arrays' data that fits into memory",
        )
    rows = split.shard(0)
    if rows.labels is None:
        raise DataError(
            "There are no labels to learn from.", where="objective.labeled", expected="labels"
        )
    kept = _chosen(rows.labels, labeled, seed)
    labels = torch.full_like(rows.labels, UNKNOWN)
    labels[kept] = rows.labels[kept]
    return InMemorySplit(rows.x, labels, rows.attributes)


def _chosen(labels: Int64[Tensor, " rows"], labeled: int, seed: int) -> Int64[Tensor, " labeled"]:
    classes = int(labels.max()) + 1
    base, more = divmod(labeled, classes)
    kept = []
    for label in range(classes):
        there = (labels == label).nonzero().flatten()
        count = base + (label < more)
        if not 1 <= count <= len(there) or labeled >= len(labels):
            raise DataError(
                "So many labels cannot be kept, as many of every class.",
                where="objective.labeled",
                expected=f"at least {classes}, one for each class, less than {len(labels):,}, the "
                "number of training examples, and no more of a class than there are",
                found=f"{labeled:,}: {count:,} of the {len(there):,} examples of class {label}",
            )
        order = torch.randperm(len(there), generator=generator_for(seed, "labels", label))
        kept.append(there[order[:count].to(there.device)])
    return torch.cat(kept)
