"""A data set: a schema, splits, and where they came from."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import final

import torch
from torch import Tensor

from vaekit.data.factors import Factors
from vaekit.data.splits import InMemorySplit, Split
from vaekit.errors import DataError
from vaekit.schema import Schema

SPLIT_NAMES = ("train", "validation", "test")


@final
@dataclass(frozen=True)
class Dataset:
    """What a model is trained and measured on.

    Args:
        name: What it is called.
        schema: The form of one example.
        splits: Some of "train", "validation" and "test".
        source: Where it came from, in words.
        split_name: How it was divided, as printed beside numbers.
        factors: What the examples of a split were made from, where that is known.
    """

    name: str
    schema: Schema
    splits: Mapping[str, Split]
    source: str
    split_name: str
    factors: Mapping[str, Factors] = field(default_factory=dict)

    def __post_init__(self) -> None:
        unknown = set(self.splits) - set(SPLIT_NAMES)
        empty = [name for name, split in self.splits.items() if len(split) == 0]
        if unknown or empty or not self.splits:
            raise DataError(
                "The splits of a data set are some of 'train', 'validation' and 'test', each "
                "with examples.",
                where=self.name,
                found={name: len(split) for name, split in self.splits.items()},
                remedy="leave a split without examples out",
            )
        for name, split in self.splits.items():
            if isinstance(split, InMemorySplit):  # others check their rows when they read them
                _check_attributes(self.schema, split, f"{self.name}, split {name}")
        for name, factors in self.factors.items():
            if len(factors) != len(self.split(name)):
                raise DataError(
                    "Factors do not match the examples.",
                    where=f"{self.name}, split {name}",
                    expected=f"factors of {len(self.split(name))} examples",
                    found=len(factors),
                )

    def split(self, name: str) -> Split:
        """The split called `name`.

        Raises:
            DataError: Listing the splits there are.
        """
        if name not in self.splits:
            raise DataError(
                f"There is no split {name!r}.",
                where=f"{self.name}, split {self.split_name}",
                expected=f"one of {', '.join(self.splits)}",
                found=name,
                remedy="choose a division of the data that has this split",
            )
        return self.splits[name]

    @cached_property
    def fingerprint(self) -> str:
        """sha256 of the content: equal for equal examples in equal order.

        It covers the schema (but its name), the values, labels and attributes of every split,
        and nothing of how they were stored: files, formats, shard boundaries, devices.
        """
        digest = hashlib.sha256(json.dumps(_content(self.schema), sort_keys=True).encode())
        for name in SPLIT_NAMES:
            if name in self.splits:
                digest.update(f"{name}:{len(self.splits[name])}".encode())
                digest.update(_digest_of_rows(self.splits[name]))
        return digest.hexdigest()


def _check_attributes(schema: Schema, split: InMemorySplit, where: str) -> None:
    known = split.shard(0).attributes
    if known is not None:
        schema.check_attributes(known.cpu().numpy(), where)
    elif schema.attributes:
        raise DataError(
            "A split lacks the attributes of its data set.",
            where=where,
            expected=", ".join(attribute.name for attribute in schema.attributes),
            found="none",
            remedy="give attributes for every split, or take them out of the schema",
        )


def _content(schema: Schema) -> dict[str, object]:
    # What has no attributes has the fingerprint it had before there were any.
    left_out = {"name"} if schema.attributes else {"name", "attributes"}
    return schema.model_dump(mode="json", exclude=left_out, exclude_none=True)


def _digest_of_rows(split: Split) -> bytes:
    values, labels, attributes = hashlib.sha256(), hashlib.sha256(), hashlib.sha256()
    has_attributes = False
    for rows in split.blocks(rows_per_block=4096):
        values.update(content_bytes(rows.x))
        if rows.labels is not None:
            labels.update(content_bytes(rows.labels))
        if rows.attributes is not None:
            has_attributes = True
            attributes.update(content_bytes(rows.attributes))
    known = attributes.digest() if has_attributes else b""
    return values.digest() + labels.digest() + known


def content_bytes(values: Tensor) -> memoryview:
    """Values as hashed: C order, little-endian; equal values give equal bytes."""
    if values.is_floating_point():
        # One NaN for all, and no minus zero: they are equal to the reader.
        values = torch.where(values.isnan(), torch.nan, values + 0.0)
    array = values.contiguous().cpu().numpy()
    return array.astype(array.dtype.newbyteorder("<"), copy=False).data
