"""Running averages of what a run reports."""

from collections.abc import Mapping
from typing import final

from torch import Tensor


@final
class Meter:
    """Weighted averages by name, summed in float64 on the device of the values."""

    def __init__(self) -> None:
        self.sums: dict[str, Tensor] = {}
        self.weight = 0.0

    def add(self, values: Mapping[str, Tensor], weight: float = 1.0) -> None:
        """Takes in one set of values."""
        for name, value in values.items():
            total = value.double() * weight
            self.sums[name] = self.sums[name] + total if name in self.sums else total
        self.weight += weight

    def averages(self) -> dict[str, float]:
        """The averages so far."""
        return {name: total.item() / self.weight for name, total in self.sums.items()}

    def take(self) -> dict[str, float]:
        """The averages so far; the meter starts again."""
        averages = self.averages()
        self.sums, self.weight = {}, 0.0
        return averages
