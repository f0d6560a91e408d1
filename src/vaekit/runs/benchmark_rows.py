"""What became of a benchmark: a row for each recipe, with all that makes its number readable."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any, Literal, TypeAlias, final

from vaekit.errors import ArtifactError
from vaekit.evaluation import Results
from vaekit.recipes import Benchmark, EntrySpec, ProtocolSpec
from vaekit.runs.benchmark import Planned
from vaekit.runs.folder import RunFolder, recipe_digest
from vaekit.runs.run import Run
from vaekit.schema import protocol_in_words

Verdict: TypeAlias = Literal["aim", "must", "missed", "too slow", "other protocol", "-"]


@final
@dataclass(frozen=True)
class Measured:
    """One finished run of a benchmark."""

    seed: int
    folder: str
    recipe_digest: str
    train_examples: int
    results: Results
    provenance: dict[str, Any]

    @property
    def machine(self) -> str:
        """What it was trained on, in words."""
        found, cores = self.provenance["environment"], self.provenance.get("cores")
        parts = [
            str(found["processor"]),
            f"{cores} cores" if cores else "",
            f"threads {found['threads']}" if found["device"] == "cpu" else "",
            str(found["precision"]),
            f"torch {found['torch']}",
        ]
        return ", ".join(filter(None, parts))


@final
@dataclass(frozen=True)
class Row:
    """A recipe of a benchmark, and the runs that were made of it."""

    name: str
    entry: EntrySpec
    protocol: ProtocolSpec
    """What the benchmark asks for."""
    runs: tuple[Measured, ...]

    @property
    def values(self) -> list[float]:
        """The measure of every run, as a loss in nats."""
        sign = -1 if self.entry.measure == "elbo_nats" else 1
        return [sign * run.results[self.entry.measure] for run in self.runs]

    @property
    def mean(self) -> float | None:
        """Over seeds."""
        return fmean(self.values) if self.runs else None

    @property
    def spread(self) -> float | None:
        """The standard deviation over seeds; of a single one, the standard error over images."""
        if len(self.runs) > 1:
            return stdev(self.values)
        key = self.entry.measure.replace("_nats", "_standard_error_nats")
        return self.runs[0].results.get(key) if self.runs else None

    @property
    def spread_in_words(self) -> str:
        """What the spread is one of."""
        if len(self.runs) > 1:
            return f"standard deviation over {len(self.runs)} seeds"
        return "standard error over images, one seed" if self.runs else ""

    @property
    def training_seconds(self) -> float | None:
        """Of the run that took longest."""
        return max((run.results["training_seconds"] for run in self.runs), default=None)

    @property
    def deviations(self) -> list[str]:
        """Where the runs were not measured as the benchmark asks."""
        asked = self.protocol.model_dump(exclude_none=True)
        if self.entry.measure == "elbo_nats":
            asked.pop("num_samples", None)  # an average over samples; k does not move it
        found = []
        for run in self.runs:
            there = {**run.results, "train_examples": run.train_examples}
            found += [
                f"{key} is {there.get(key)} and not {value} (seed {run.seed})"
                for key, value in asked.items()
                if there.get(key) != value
            ]
        return found

    @property
    def verdict(self) -> Verdict:
        """What was reached."""
        entry, mean, seconds = self.entry, self.mean, self.training_seconds
        if mean is None or seconds is None or (entry.must is None and entry.aim is None):
            return "-"
        if self.deviations:
            return "other protocol"
        if seconds > 60 * (entry.most_training_minutes or math.inf):
            return "too slow"
        if entry.aim is not None and mean <= entry.aim:
            return "aim"
        return "must" if entry.must is not None and mean <= entry.must else "missed"

    @property
    def protocol_in_words(self) -> str:
        """How it was measured."""
        if not self.runs:
            return ""
        first = self.runs[0].results
        parts = [
            f"{'NLL' if self.entry.measure == 'nll_nats' else '-ELBO'}, "
            f"k = {first['num_samples']:,}",
            f"{first['split']} split of {first['data_split']}",
            f"{first['examples']:,} examples",
            f"{protocol_in_words(first['binarization'])} with seed {first['seed']}",
            f"training seed {', '.join(str(run.seed) for run in self.runs)}",
        ]
        return ", ".join(parts)

    def as_json(self) -> dict[str, Any]:
        """All of it."""
        return {
            "recipe": self.name,
            **self.entry.model_dump(mode="json", exclude={"recipe"}),
            "mean": self.mean,
            "spread": self.spread,
            "spread_is": self.spread_in_words,
            "training_seconds": self.training_seconds,
            "verdict": self.verdict,
            "deviations": self.deviations,
            "runs": [
                {
                    "seed": run.seed,
                    "value": value,
                    "folder": run.folder,
                    "recipe_digest": run.recipe_digest,
                    "train_examples": run.train_examples,
                    "results": run.results,
                    "provenance": run.provenance,
                }
                for run, value in zip(self.runs, self.values, strict=True)
            ],
        }


def rows(benchmark: Benchmark, made: Sequence[Planned]) -> list[Row]:
    """A row for each entry, in the order of the benchmark, whether or not there are runs.

    Args:
        benchmark: What is measured.
        made: Finished runs.
    """
    found = []
    for entry in benchmark.entries:
        mine = [one for one in made if one.entry == entry]
        name = mine[0].recipe.name if mine else entry.recipe
        runs = tuple(_measured(one) for one in mine)
        found.append(Row(name, entry, benchmark.protocol, runs))
    return found


def _measured(one: Planned) -> Measured:
    results = Run(one.folder).results
    if results is None or one.entry.measure not in results:
        raise ArtifactError(
            "A run of a benchmark has no such measure.",
            where=one.folder,
            expected=one.entry.measure,
            found="no results yet" if results is None else "results without it",
        )
    provenance = RunFolder(one.folder).provenance_file.read_text(encoding="utf-8")
    return Measured(
        one.seed,
        str(one.folder),
        recipe_digest(one.recipe),
        len(one.recipe.data.load().split("train")),
        results,
        json.loads(provenance),
    )
