"""Running averages of what a run reports."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import final


@final
@dataclass
class Meter:
    """Weighted averages by name, summed in double precision."""

    sums: dict[str, float] = field(default_factory=dict)
    weight: float = 0.0

    def add(self, values: Mapping[str, float], weight: float = 1.0) -> None:
        """Takes in one set of values."""
        for name, value in values.items():
            self.sums[name] = self.sums.get(name, 0.0) + weight * value
        self.weight += weight

    def averages(self) -> dict[str, float]:
        """The averages so far."""
        return {name: total / self.weight for name, total in self.sums.items()}

    def take(self) -> dict[str, float]:
        """The averages so far; the meter starts again."""
        averages = self.averages()
        self.sums, self.weight = {}, 0.0
        return averages
