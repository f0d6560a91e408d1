"""What the cells of a folder say, put in order for tables, claims and figures."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias, final

import numpy as np

from vaekit.studies.aevb.cells import FINISHED, START, Algorithm, Data, Method

Numbers: TypeAlias = dict[str, Any]
DATA_NAMES: Final[dict[Data, str]] = {"mnist": "MNIST", "frey_faces": "Frey Faces"}


@final
@dataclass(frozen=True)
class Pair:
    """Two algorithms under the same setting, as far as both have come.

    Args:
        first: The cell of one.
        second: The cell of the other.
    """

    first: Numbers
    second: Numbers

    @property
    def samples(self) -> int:
        """How far both curves reach."""
        return min(cell["curve"]["samples"][-1] for cell in (self.first, self.second))

    @property
    def name(self) -> str:
        """The setting, without the seed."""
        return setting_name(self.first)

    def ends(self, split: str) -> tuple[float, float]:
        """The two curves after as many samples."""
        one, other = (value_at(c, split, self.samples) for c in (self.first, self.second))
        return one, other

    def share_of_samples(self, split: str) -> float:
        """Samples after which the first is where the second ends, as a share of those.

        Infinite where the first never comes there.
        """
        goal = self.ends(split)[1]
        curve = self.first["curve"]
        for samples, value in zip(curve["samples"], curve[split], strict=True):
            if value >= goal and samples <= self.samples:
                return samples / self.samples
        return float("inf")


@final
class Findings:
    """The cells that are there.

    Args:
        folder: Of the study.
    """

    def __init__(self, folder: Path) -> None:
        files = sorted((folder / "cells").glob("*.json"))
        self.cells: list[Numbers] = [json.loads(f.read_text(encoding="utf-8")) for f in files]

    def of(
        self,
        wanted: Callable[[Numbers], bool] = lambda cell: True,
        likelihood: bool = False,
        starts: bool = False,
    ) -> list[Numbers]:
        """Cells that follow the bound, or the marginal likelihood, by latent size and seed.

        Args:
            wanted: Which of them.
            likelihood: Whether those of the marginal likelihood.
            starts: Whether weights may have started by the other reading, too.
        """
        found = [
            c
            for c in self.cells
            if (c["images"] is not None) == likelihood
            and (starts or c["start"] == START)
            and wanted(c)
        ]
        order = ("mnist", "frey_faces")
        return sorted(
            found,
            key=lambda c: (
                c["images"] or 0, -c["start"], order.index(c["data"]), c["latent"], c["seed"],
            ),
        )  # fmt: skip

    def cell(self, data: Data, latent: int, algorithm: Algorithm, method: Method) -> list[Numbers]:
        """The seeds of one setting of the second figure."""
        return self.of(
            lambda c: (
                (c["data"], c["latent"], c["algorithm"], c["method"])
                == (data, latent, algorithm, method)
            )
        )

    def pairs(
        self, first: Algorithm, second: Algorithm, method: Method = "adagrad",
        likelihood: bool = False, starts: bool = False,
    ) -> Iterator[Pair]:  # fmt: skip
        """Settings that both algorithms were trained under; see `of`."""
        for one in self.of(lambda c: c["algorithm"] == first, likelihood, starts):
            for other in self.of(lambda c: c["algorithm"] == second, likelihood, starts):
                same = all(one[key] == other[key] for key in _SETTING)
                if same and one["method"] == method:
                    yield Pair(one, other)

    def other_starts(self) -> list[Numbers]:
        """Cells whose weights started by the other reading."""
        return [c for c in self.cells if c["start"] != START]

    def latents(self, data: Data, algorithm: Algorithm = "aevb") -> list[int]:
        """Latent sizes there are of a data set."""
        found = self.of(lambda c: c["data"] == data and c["algorithm"] == algorithm)
        return sorted({c["latent"] for c in found})


_SETTING: Final = ("data", "latent", "method", "seed", "images", "hidden", "start")


def setting_name(cell: Numbers) -> str:
    """What is shared by all seeds of a setting.

    Example:
        >>> setting_name({"data": "mnist", "latent": 3, "images": None, "start": 0.01})
        'MNIST z3, start 0.01'
    """
    size = "" if cell["images"] is None else f", {cell['images']:,} images"
    start = "" if cell["start"] == START else f", start {cell['start']:g}"
    return f"{DATA_NAMES[cell['data']]} z{cell['latent']}{size}{start}"


def value_at(cell: Numbers, split: str, samples: int) -> float:
    """A curve after so many samples, between its points along the logarithm."""
    curve = cell["curve"]
    return float(np.interp(np.log(samples), np.log(curve["samples"]), curve[split]))


def by_setting(pairs: Sequence[Pair], value: Callable[[Pair], float]) -> dict[str, list[float]]:
    """A number for each seed of each setting, after so many samples."""
    found: dict[str, list[float]] = {}
    for pair in pairs:
        name = f"{pair.name}{unless_finished(pair.samples)}"
        found.setdefault(name, []).append(value(pair))
    return found


def unless_finished(samples: int) -> str:
    """After how many samples something was measured, where these are not all.

    Example:
        >>> unless_finished(1_000_000), unless_finished(10_000_000)
        (' at 1 million', '')
    """
    return "" if samples == FINISHED else f" at {millions(samples)}"


def millions(samples: int) -> str:
    """A number of samples.

    Example:
        >>> millions(10_000_000), millions(100_000)
        ('10 million', '0.1 million')
    """
    return f"{samples / 1e6:g} million"
