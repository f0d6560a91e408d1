"""Training what a benchmark commits to: an ordinary run for each recipe and seed.

Every run lies in `<output>/<recipe>/seed<N>/`. What is finished there is read, what was stopped
goes on, and a run of another recipe than the committed one is refused with the difference.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias, final

from vaekit.errors import ArtifactError, Interrupted, SpecError
from vaekit.evaluation import Progress
from vaekit.recipes import Benchmark, EntrySpec, Recipe, entry_recipe
from vaekit.runs.folder import RunFolder
from vaekit.runs.run import Run
from vaekit.runs.train import fit, prepare
from vaekit.training import Listener, latest_checkpoint

State: TypeAlias = Literal["new", "begun", "trained", "finished"]


@final
@dataclass(frozen=True)
class Planned:
    """One run of a benchmark, made or to be made."""

    entry: EntrySpec
    seed: int
    recipe: Recipe
    """The committed one, resolved for the machine."""
    folder: Path

    @property
    def state(self) -> State:
        """How far it has come; `trained` lacks its results."""
        run = Run(self.folder)
        if latest_checkpoint(RunFolder(self.folder).checkpoints) is None:
            return "new"
        if not run.is_finished:
            return "begun"
        return "trained" if run.results is None else "finished"


def benchmark_folder(benchmark: Benchmark) -> Path:
    """Where its runs lie by default."""
    return Path("runs", "benchmark", benchmark.name)


def plan(
    benchmark: Benchmark,
    output: Path | None = None,
    only: Sequence[str] = (),
    seeds: Sequence[int] = (),
) -> list[Planned]:
    """The runs that are asked for, in the order of the benchmark; touches nothing.

    Args:
        benchmark: What is measured.
        output: Folder of the runs; by default runs/benchmark/<name>.
        only: Names of recipes; all if empty.
        seeds: Of every recipe; by default those that each entry commits to.

    Raises:
        SpecError: A recipe that there is none of, or that is not in the benchmark.
        ArtifactError: A folder holds a run of another recipe.
    """
    folder = output or benchmark_folder(benchmark)
    entries = _named(benchmark)
    unknown = [name for name in only if name not in entries]
    if unknown:
        raise SpecError(
            "The benchmark has no such recipe.",
            where=f"benchmark {benchmark.name}, --only",
            expected=f"some of {', '.join(entries)}",
            found=", ".join(unknown),
        )
    chosen = {name: entry for name, entry in entries.items() if not only or name in only}
    return [
        _planned(entry, seed, folder / name / f"seed{seed}")
        for name, entry in chosen.items()
        for seed in dict.fromkeys(seeds or entry.seeds)
    ]


def made(
    benchmark: Benchmark, output: Path | None = None
) -> tuple[list[Planned], list[ArtifactError]]:
    """All finished runs in a benchmark's folder, and why others there do not count."""
    folder = output or benchmark_folder(benchmark)
    found: list[Planned] = []
    refused: list[ArtifactError] = []
    for name, entry in _named(benchmark).items():
        for seed in sorted(_seeds_in(folder / name)):
            try:
                one = _planned(entry, seed, folder / name / f"seed{seed}")
                found += [one] if one.state == "finished" else []
            except ArtifactError as error:
                refused.append(error)
    return found, refused


def carry_out(
    planned: Planned,
    listeners: Sequence[Listener] = (),
    progress: Progress = lambda measure, share: None,
) -> Run:
    """Trains and measures one run, from where it stands to its end.

    Raises:
        Interrupted: SIGINT or SIGTERM arrived; the same call goes on.
    """
    try:
        run = fit(planned.recipe, planned.folder, listeners)
    except Interrupted as stop:
        remedy = "the same command goes on with it, and then with the others"
        raise Interrupted(stop.problem, where=planned.folder, remedy=remedy) from stop
    run.finish(progress)
    return run


class Expectation(NamedTuple):
    """How long a run will take from where it stands."""

    minutes: float | None
    """None if nothing is known."""
    text: str


def expected_minutes(one: Planned, there: Sequence[Planned]) -> Expectation:
    """From another run of the same entry, else from what the benchmark says.

    Args:
        one: What is asked about.
        there: Finished runs.
    """
    if one.state == "finished":
        return Expectation(0.0, "0")
    share = 1.0 - _share_done(one)
    for other in there:
        if other.entry == one.entry:
            results = Run(other.folder).results or {}
            seconds = share * results["training_seconds"] + results["evaluation_seconds"]
            return Expectation(seconds / 60, f"{seconds / 60:.1f}, as seed {other.seed} took")
    if one.entry.expected_minutes is not None:
        left = share * one.entry.expected_minutes
        return Expectation(left, f"{left:.0f}")
    if one.entry.most_training_minutes is not None:
        left = share * one.entry.most_training_minutes
        return Expectation(left, f"at most {left:.0f} + evaluation")
    return Expectation(None, "unknown")


def _share_done(one: Planned) -> float:
    log = Run(one.folder).log
    return float(log[-1]["epoch"]) / one.recipe.training.epochs if log else 0.0


def _planned(entry: EntrySpec, seed: int, folder: Path) -> Planned:
    recipe, _ = prepare(entry_recipe(entry, seed), folder)
    facts = recipe.model.facts
    if not (facts.has_density and (facts.stochastic or entry.measure == "elbo_nats")):
        raise SpecError(
            f"A model of kind {recipe.model.kind!r} cannot be measured like this.",
            where=f"the benchmark's entry {entry.recipe}",
            expected="a model with a likelihood",
            found=f"measure = {entry.measure!r}",
        )
    return Planned(entry, seed, recipe, folder)


def _named(benchmark: Benchmark) -> dict[str, EntrySpec]:
    """Entries by the name of their recipe."""
    entries: dict[str, EntrySpec] = {}
    for entry in benchmark.entries:
        name = entry_recipe(entry, 0).name
        if name in entries:
            raise SpecError(
                "Two recipes of a benchmark have the same name, and would share a folder.",
                where=f"benchmark {benchmark.name}",
                found=f"{entries[name].recipe} and {entry.recipe}, both called {name}",
                remedy="give one of them another name",
            )
        entries[name] = entry
    return entries


def _seeds_in(folder: Path) -> list[int]:
    ends = [path.name.removeprefix("seed") for path in folder.glob("seed*")]
    return [int(end) for end in ends if end.isdecimal()]
