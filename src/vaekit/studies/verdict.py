"""What becomes of a published claim when it is run again: a ruling computed from numbers.

A claim names the statistic that decides it and the range in which the statistic has to lie for
the claim to hold. The statistic is measured under several settings, with several seeds each. The
claim is supported where it held every time, not supported where it never did, and else depends
on the setting or on the seed; nobody writes a ruling by hand.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, final

Ruling: TypeAlias = Literal["supported", "not supported", "depends", "not measured"]


@final
@dataclass(frozen=True)
class Claim:
    """A claim and what was measured of it.

    Args:
        text: What is claimed.
        source: Where, with the section or figure.
        statistic: What is measured, in words, with its unit.
        values: The statistic per setting, one number for each seed.
        above: What the statistic exceeds where the claim holds.
        below: What it stays under where the claim holds.
        repeats: What the numbers of a setting are: seeds, unless they are of something else.
    """

    text: str
    source: str
    statistic: str
    values: Mapping[str, Sequence[float]]
    above: float = -math.inf
    below: float = math.inf
    repeats: str = "seeds"

    def holds(self, value: float) -> bool:
        """Whether one measurement agrees with the claim; a value that is not finite does not."""
        return math.isfinite(value) and self.above < value < self.below

    @property
    def ruling(self) -> Ruling:
        """What all measurements say together.

        Example:
            >>> Claim("a grows", "figure 1", "slope", {"beta 1": [0.2, 0.3]}, above=0.0).ruling
            'supported'
        """
        held = [self.holds(value) for values in self.values.values() for value in values]
        if not held:
            return "not measured"
        if all(held):
            return "supported"
        return "depends" if any(held) else "not supported"

    @property
    def criterion(self) -> str:
        """The range in which the claim holds, as a person would write it."""
        ends = [
            f"{word} {end:g}"
            for word, end in (("above", self.above), ("below", self.below))
            if math.isfinite(end)
        ]
        return " and ".join(ends) or "finite"


def verdict_table(claims: Sequence[Claim]) -> list[dict[str, str]]:
    """One row for each claim: what decides it, the numbers over seeds, the ruling."""
    return [
        {
            "claim": f"{claim.text} ({claim.source})",
            "statistic": claim.statistic,
            "holds": claim.criterion,
            "measured": "; ".join(
                f"{name}: {_over_repeats(values, claim.repeats)}"
                for name, values in claim.values.items()
            ),
            "verdict": claim.ruling,
        }
        for claim in claims
    ]


def _over_repeats(values: Sequence[float], what: str) -> str:
    mean = sum(values) / len(values) if values else math.nan
    if len(values) < 2:
        return f"{mean:.3g}"
    return f"{mean:.3g} ({min(values):.3g} to {max(values):.3g}, {len(values)} {what})"
