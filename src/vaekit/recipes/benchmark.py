"""Benchmarks: which recipes are measured against which published numbers, under which protocol.

A benchmark is a TOML file beside the recipes. It fixes beforehand what a reader of the table has
to know: seeds, the measure, how long training may take, and what counts as reached.
"""

import tomllib
from importlib import resources
from pathlib import Path
from typing import Literal, Self, TypeAlias, final

from pydantic import (
    Field,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    ValidationError,
    model_validator,
)

from vaekit.errors import SpecError
from vaekit.recipes.explain import explained
from vaekit.recipes.read import load_recipe
from vaekit.recipes.recipe import Recipe
from vaekit.spec import Spec

Measure: TypeAlias = Literal["nll_nats", "elbo_nats"]
"""What a benchmark compares; a bound is shown as -ELBO, so that lower is better everywhere."""


class PublishedSpec(Spec):
    """A number that somebody else reports."""

    value: float = Field(description="As a loss in nats: NLL or -ELBO.")
    model: str = Field(min_length=1, description="What was trained.")
    source: str = Field(min_length=1, description="Where the number stands.")
    protocol: str = Field(default="", description="How it was measured, as far as is said.")


class ProtocolSpec(Spec):
    """What a run has to be measured under for its number to stand beside the others."""

    split: Literal["test", "validation", "train"] = "test"
    binarization: str | None = Field(default=None, description="Of pixels; any if absent.")
    train_examples: PositiveInt | None = Field(default=None, description="Any if absent.")
    examples: PositiveInt | None = Field(default=None, description="Measured; any if absent.")
    num_samples: PositiveInt | None = Field(
        default=None, description="Importance samples k of an NLL; any if absent."
    )


class EntrySpec(Spec):
    """One recipe and what it is compared with."""

    recipe: str = Field(
        min_length=1, description="Name of a recipe, or a TOML file relative to this one."
    )
    measure: Measure = "nll_nats"
    seeds: tuple[NonNegativeInt, ...] = Field(default=(0,), min_length=1)
    published: PublishedSpec | None = Field(default=None, description="None if none is known.")
    must: float | None = Field(default=None, description="Reached at or below; in nats.")
    aim: float | None = Field(default=None, description="Better than that; in nats.")
    most_training_minutes: PositiveFloat | None = Field(
        default=None, description="Longer training does not count."
    )
    expected_minutes: PositiveFloat | None = Field(
        default=None, description="Of training and measuring; a run that is there says better."
    )


@final
class Benchmark(Spec):
    """Recipes, and the numbers that they are measured against."""

    name: str = Field(pattern=r"^[\w.-]+$", description="Its folder is runs/benchmark/<name>.")
    description: str = Field(default="", description="One sentence for people.")
    protocol: ProtocolSpec = ProtocolSpec()
    entries: tuple[EntrySpec, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        names = [entry.recipe for entry in self.entries]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"{', '.join(twice)} has two entries")
        return self


def benchmark_names() -> list[str]:
    """The benchmarks that come with vaekit."""
    files = (resources.files("vaekit.recipes") / "benchmarks").iterdir()
    return sorted(f.name.removesuffix(".toml") for f in files if f.name.endswith(".toml"))


def load_benchmark(source: str | Path) -> Benchmark:
    """Reads a benchmark; recipes that are files are then named by their whole path.

    Args:
        source: Name of a benchmark that comes with vaekit, or the path of a TOML file.

    Raises:
        SpecError: Naming the file, the key, or the recipe that there is none of.

    Example:
        >>> load_benchmark("mnist").entries[0].published.value
        88.0
    """
    path = Path(source).expanduser()
    is_file = path.suffix == ".toml" or len(path.parts) > 1
    text = _read(path) if is_file else _known(str(source))
    where = str(path) if is_file else f"benchmark {source}"
    try:
        tree = tomllib.loads(text)
        read = Benchmark.model_validate({"name": path.stem, **tree})
    except tomllib.TOMLDecodeError as error:
        raise SpecError("A benchmark is not valid TOML.", where=where, found=error) from error
    except ValidationError as error:
        raise explained(error, where, Benchmark) from error
    placed = (_placed(entry, path.parent) for entry in read.entries)
    return read.model_copy(update={"entries": tuple(placed) if is_file else read.entries})


def entry_recipe(entry: EntrySpec, seed: int) -> Recipe:
    """The recipe of an entry, as `vaekit train RECIPE --set seed=N` takes it."""
    is_file = entry.recipe.endswith(".toml")
    return load_recipe(Path(entry.recipe) if is_file else entry.recipe, [f"seed={seed}"])


def _placed(entry: EntrySpec, folder: Path) -> EntrySpec:
    if not entry.recipe.endswith(".toml"):
        return entry
    return entry.model_copy(update={"recipe": str(folder / entry.recipe)})


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(
            "A benchmark cannot be read.",
            where=path,
            expected="a TOML file",
            found=getattr(error, "strerror", None) or error,
            remedy=f"check the path, or name one of {', '.join(benchmark_names())}",
        ) from error


def _known(name: str) -> str:
    names = benchmark_names()
    if name not in names:
        raise SpecError(
            f"There is no benchmark {name!r}.",
            expected=f"one of {', '.join(names)}, or a path that ends in .toml",
            found=name,
        )
    return (resources.files("vaekit.recipes") / "benchmarks" / f"{name}.toml").read_text("utf-8")
