"""What observations say beside their values: c, made of labels and attributes.

A class is one-hot in c; a number is standardised by the moments of the training split, which are
saved with the model. What a caller says of a served model is encoded by `vaekit.condition`, by
the same moments in the same precision.
"""

import difflib
import math
from collections.abc import Sequence
from typing import Any, Final, final

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn
from torch.nn.functional import one_hot

from vaekit.condition import Condition
from vaekit.data.moments import moments
from vaekit.data.splits import Rows, Split
from vaekit.errors import DataError, SpecError
from vaekit.schema import Attribute, Schema

LABEL: Final = "label"
IN_A_ROW: Final = 10
"""Neighbours in a picture that show one condition."""
MOST_SORTED: Final = 10_000
"""Training examples, evenly spread, that quantiles are taken of."""


@final
class Conditioning(nn.Module):
    """Tells the conditions of rows; as built, numbers have mean 0 and deviation 1.

    Args:
        schema: The form of examples, with what is known of them.
        names: What c says, in its order: "label", or names of attributes.

    Raises:
        SpecError: The data knows nothing of this name.
    """

    mean: Tensor
    std: Tensor
    low: Tensor
    high: Tensor
    quantiles: Tensor

    def __init__(self, schema: Schema, names: Sequence[str]) -> None:
        super().__init__()
        self._known = tuple(_known(schema, name) for name in names)
        columns = [attribute.name for attribute in schema.attributes]
        self._columns = [None if name == LABEL else columns.index(name) for name in names]
        self._numbers = [i for i, told in enumerate(self._known) if told.num_classes is None]
        if self._numbers:  # a model of classes alone has no such state
            size = len(self._numbers)
            for name, start in (("mean", 0.0), ("std", 1.0), ("low", 0.0), ("high", 0.0)):
                self.register_buffer(name, torch.full((size,), start))
            self.register_buffer("quantiles", torch.zeros(size, IN_A_ROW))

    @property
    def width(self) -> int:
        """How many numbers c has for each example."""
        return sum(told.num_classes or 1 for told in self._known)

    @property
    def described(self) -> tuple[Condition, ...]:
        """The conditions, as `serving.json` keeps them."""
        return tuple(
            Condition(name=told.name, num_classes=told.num_classes, **self._moments_of(index))
            for index, told in enumerate(self._known)
        )

    def fit(self, split: Split) -> None:
        """Learns the moments and quantiles of numbers from the training split."""
        if not self._numbers:
            return
        kept, first, every = [], 0, math.ceil(len(split) / MOST_SORTED)

        def seen(rows: Rows) -> Tensor:
            nonlocal first
            values = torch.stack([self._raw(rows, index) for index in self._numbers], dim=1)
            kept.append(values[-first % every :: every].cpu())
            first += len(rows)
            return values

        found = moments(seen(rows) for rows in split.blocks(4096))
        std = found.std.where(found.std > 0, 1.0)
        learned = {"mean": found.mean, "std": std, "low": found.low, "high": found.high}
        for name, values in learned.items():
            self.get_buffer(name).copy_(values)
        middles = (torch.arange(IN_A_ROW) + 0.5) / IN_A_ROW
        self.quantiles.copy_(torch.cat(kept).quantile(middles, dim=0).T)

    def forward(self, rows: Rows) -> Float[Tensor, "rows conditions"] | None:
        """c of rows; None where it says nothing.

        Raises:
            DataError: The rows do not come with their labels or attributes.
        """
        if not self._known:
            return None
        return torch.cat([self._part(self._raw(rows, i), i) for i in range(len(self._known))], 1)

    def told_by(self, rows: Rows) -> dict[str, Shaped[Tensor, " rows"]]:
        """What rows say of each condition, in raw units.

        Raises:
            DataError: As `forward`.
        """
        return {told.name: self._raw(rows, index) for index, told in enumerate(self._known)}

    def in_turn(self, n: int) -> Float[Tensor, "n conditions"] | None:
        """n rows of c that go through all conditions, for pictures; on the CPU.

        Ten neighbours go through one condition, a class after the other or from low to high
        quantiles of a number; the next ten through the next condition. Those that stay meanwhile
        are at the mean, or at one class after the other.
        """
        if not self._known:
            return None
        index = torch.arange(n)
        turn, which = index // (IN_A_ROW * len(self._known)), index // IN_A_ROW % len(self._known)
        step = turn * IN_A_ROW + index % IN_A_ROW
        parts = [
            self._part(self._walked(told, index, step, turn, which == index), index)
            for index, told in enumerate(self._known)
        ]
        return torch.cat(parts, dim=1)

    @property
    def in_turn_in_words(self) -> str:
        """What `in_turn` does here; empty where there are no conditions."""
        ways = [_way(condition) for condition in self.described]
        if len(ways) < 2:
            return "".join(f"Given {way}, in turn." for way in ways)
        return (
            f"Each ten go through one condition, given {' or '.join(ways)}; meanwhile numbers stay "
            "at their mean, and classes where they are."
        )

    def _walked(
        self, told: Attribute, index: int, step: Tensor, turn: Tensor, is_moved: Tensor
    ) -> Tensor:
        """Raw values of a condition on the way of `in_turn`."""
        if told.num_classes is not None:
            return torch.where(is_moved, step, turn) % told.num_classes
        place = self._numbers.index(index)
        mean, quantiles = self.mean[place].cpu(), self.quantiles[place].cpu()
        return torch.where(is_moved, quantiles[step % IN_A_ROW], mean)

    def _part(self, values: Shaped[Tensor, " rows"], index: int) -> Float[Tensor, "rows width"]:
        """What raw values of one condition are in c."""
        classes = self._known[index].num_classes
        if classes is not None:
            known = values >= 0  # of a hidden label, a row of zeros
            return one_hot(values.clamp_min(0).long(), classes).float() * known[:, None]
        place = self._numbers.index(index)
        mean, std = self.mean[place].to(values.device), self.std[place].to(values.device)
        return ((values - mean) / std)[:, None]

    def _raw(self, rows: Rows, index: int) -> Shaped[Tensor, " rows"]:
        column, name = self._columns[index], self._known[index].name
        source = rows.labels if column is None else rows.attributes
        if source is None:
            raise DataError(
                f"The model is conditioned on the {name} of an example, which is not known.",
                where="transform.condition",
                expected="data with labels" if column is None else "data with attributes",
                found="none",
                remedy="bring them along, or leave transform.condition out",
            )
        return source if column is None else source[:, column]

    def _moments_of(self, index: int) -> dict[str, Any]:
        if index not in self._numbers:
            return {}
        place = self._numbers.index(index)
        names = ("mean", "std", "low", "high")
        return {name: self.get_buffer(name)[place].item() for name in names}


def _known(schema: Schema, name: str) -> Attribute:
    if name == LABEL and schema.num_classes is not None:
        return Attribute(name=LABEL, num_classes=schema.num_classes)
    for attribute in schema.attributes:
        if attribute.name == name:
            return attribute
    there = [LABEL] if schema.num_classes is not None else []
    there += [attribute.name for attribute in schema.attributes]
    near = difflib.get_close_matches(name, there, n=1)
    raise SpecError(
        f"{schema.name} has no labels to condition on."
        if name == LABEL
        else f"{schema.name} has no attribute {name!r} to condition on.",
        where=f"transform.condition = [{name!r}]",
        expected=", ".join(there) or "data with labels or attributes",
        found=name,
        remedy=f"did you mean {near[0]}?"
        if near
        else "leave transform.condition out, or bring labels or attributes along",
    )


def _way(condition: Condition) -> str:
    if condition.num_classes is not None:
        return f"{condition.name} 0 to {condition.num_classes - 1}"
    return f"{condition.name} from the lowest to the highest tenth of the training split"
