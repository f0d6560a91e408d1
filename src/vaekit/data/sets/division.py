"""Dividing examples into splits."""

from collections.abc import Mapping

import torch

from vaekit.data.splits import InMemorySplit, Rows, Split
from vaekit.errors import DataError, SpecError
from vaekit.numerics import generator_for


def shuffled(rows: Rows, seed: int) -> Rows:
    """The same rows in an order that depends on `seed` alone."""
    order = torch.randperm(len(rows), generator=generator_for(seed, "division"))
    return rows.take(order)


def divided(rows: Rows, *sizes: int) -> dict[str, Split]:
    """Consecutive splits of the given sizes; "train", "validation" and "test", if not empty."""
    splits: dict[str, Split] = {}
    start = 0
    for name, size in zip(("train", "validation", "test"), sizes, strict=True):
        if size > 0:
            splits[name] = InMemorySplit.of(rows[start : start + size])
        start += size
    return splits


def cut(rows: Rows, validation: float, test: float, seed: int, where: str) -> dict[str, Split]:
    """Splits by shares, after shuffling; without shares, all rows as they are, to train on.

    Raises:
        SpecError: Where nothing would be left to train on.
        DataError: Where a share is less than one example.
    """
    sizes = sizes_of(len(rows), validation, test, where)
    return divided(rows if sizes[0] == len(rows) else shuffled(rows, seed), *sizes)


def sizes_of(count: int, validation: float, test: float, where: str) -> tuple[int, int, int]:
    """Sizes of train, validation and test, from the shares of the latter two.

    Example:
        >>> sizes_of(100, validation=0.1, test=0.2, where="x.npy")
        (70, 10, 20)
    """
    if validation + test >= 1:
        raise SpecError(
            "Validation and test leave nothing to train on.",
            where="data.validation, data.test",
            expected="shares that sum to less than 1",
            found=f"{validation:g} and {test:g}",
        )
    shares = (validation, test)
    sizes = [round(share * count) for share in shares]
    train = count - sum(sizes)
    if train < 1 or any(size == 0 < share for size, share in zip(sizes, shares, strict=True)):
        raise DataError(
            "There are too few examples to divide.",
            where=where,
            expected="at least one example in every split that was asked for",
            found=f"{count} examples: {train} / {sizes[0]} / {sizes[1]}",
            remedy="add examples, or set data.validation or data.test to 0",
        )
    return train, sizes[0], sizes[1]


def division_name(splits: Mapping[str, Split]) -> str:
    """How numbers call a division: its sizes, as in "50000/10000/10000" or "60000/-/10000"."""
    names = ("train", "validation", "test")
    return "/".join(str(len(splits[name])) if name in splits else "-" for name in names)
