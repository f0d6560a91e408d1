"""The proof of the doctor: failures provoked on purpose, named, and mended by what it prints.

Each case is a committed recipe. It is trained and diagnosed under several seeds; the remedy that
the first finding prints is applied to that very recipe, which is trained and diagnosed again.
Healthy recipes have to come out with nothing found. Everything that is finished is kept, in

    <folder>/<case>/seed<N>/<stage>/cell.json    what was found
    <folder>/<case>/seed<N>/<stage>/<digest>/    the run, under the digest of its recipe

A diagnosis is made again where the doctor has changed since, and a run where its recipe has.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias, final

from vaekit.diagnosis.diagnose import Diagnosis, diagnose
from vaekit.diagnosis.opening import open_subject
from vaekit.errors import DivergenceError
from vaekit.recipes import Recipe, load_recipe
from vaekit.runs import Run, fit, prepare
from vaekit.runs.folder import recipe_digest, write_json

Stage: TypeAlias = Literal["failing", "remedied", "healthy"]


@final
@dataclass(frozen=True)
class Case:
    """A recipe that fails in a known way, or does not.

    Args:
        name: Of the recipe: one of vaekit, or one of those beside this file.
        expected: The check that has to be named first; none for a healthy recipe.
        provoked_by: What is wrong with the recipe, in words.
        factor: How many times better the statistic has to be after the remedy, at least.
    """

    name: str
    expected: str | None
    provoked_by: str
    factor: float = 1.0

    def recipe(self, seed: int) -> Recipe:
        """The recipe under a seed, on one thread, so that numbers are those of the table."""
        settings = [f"seed={seed}", "training.threads=1", 'training.device="cpu"']
        settings.append('training.precision="float32"')
        if self.name == "digits":
            return load_recipe("digits", settings)
        file = resources.files("vaekit.diagnosis") / "provocations" / f"{self.name}.toml"
        with resources.as_file(file) as path:
            return load_recipe(path, settings)


CASES: Final = (
    Case("wrong_levels", "data_range", "a likelihood of 256 levels under data of 17"),
    Case("dead_encoder", "constant_encoder", "an encoder of 24 layers of two ReLU units"),
    Case("high_rate", "diverged", "a learning rate of 0.3"),
    Case("long_warmup", "warmup", "a warm-up of 1,000 epochs in a training of 40"),
    Case("heavy_kl", "posterior_collapse", "beta = 20"),
    Case("wide_noise", "posterior_collapse", "a Gaussian noise scale of 1 for pixels up to 1"),
    Case("idle_codebook", "unused_codes", "512 codes that are never moved onto data"),
    Case("silent_layer", "collapsed_layer", "four stochastic layers and no free bits"),
    Case("few_active", "collapsed_dimensions", "beta = 5 at the end of a warm-up"),
    Case("narrow_scales", "saturated_scales", "posterior scales held above e^-0.5"),
    Case("scale_per_value", "noise_floor", "a noise scale for each pixel; some never vary"),
    Case("light_kl", "codes_leave_prior", "beta = 0.01"),
    Case("no_stopping", "overfitting", "a large model, small data, and no early stopping"),
    Case("exemplars", "memorisation", "a prior around every single training example", 1.2),
    Case("one_dimension", "missing_modes", "a code of one dimension", 3.0),
    Case("noisy_pixels", "blur", "a Gaussian noise scale that is fixed too high", 1.25),
    Case("digits", None, "the recipe digits"),
    Case("healthy_vq", None, "a VQ-VAE of the same data"),
    Case("healthy_grey", None, "grey pixels under a Gaussian of learned scale"),
    Case("healthy_layers", None, "a hierarchical model with free bits"),
    Case("healthy_mnist", None, "a few epochs of MNIST"),
)


@final
@dataclass(frozen=True)
class Cell:
    """One run of the proof, trained and diagnosed."""

    case: str
    seed: int
    stage: Stage
    content: dict[str, Any]

    @property
    def named(self) -> list[str]:
        """Checks whose findings were shown, the first first."""
        return self.content["named"]

    @property
    def said(self) -> str:
        """What was found, in words."""
        return ", ".join(self.named) or "nothing found"

    def statistic(self, check: str) -> dict[str, Any] | None:
        """What decided a check, as JSON has it; None where it could not look."""
        return self.content["statistics"].get(check)


def prove(folder: Path, names: Sequence[str], seeds: Sequence[int]) -> Iterator[Cell]:
    """Makes or reads every cell, a seed after the other.

    Args:
        folder: Of the runs.
        names: Of the cases.
        seeds: Of every case.

    Raises:
        Interrupted: SIGINT or SIGTERM arrived; the same call goes on.
    """
    for seed in seeds:
        for case in (case for case in CASES if case.name in names):
            place = folder / case.name / f"seed{seed}"
            if case.expected is None:
                yield _cell(case, seed, "healthy", case.recipe(seed), place)
                continue
            first = _cell(case, seed, "failing", case.recipe(seed), place)
            yield first
            settings = first.content["remedy"]
            if settings:
                mended = load_recipe(_recipe_file(place / "failing", case.recipe(seed)), settings)
                yield _cell(case, seed, "remedied", mended, place)


def read_cells(folder: Path, names: Sequence[str], seeds: Sequence[int]) -> list[Cell]:
    """The cells that are there."""
    stages: tuple[Stage, ...] = ("failing", "remedied", "healthy")
    return [
        Cell(case.name, seed, stage, json.loads(file.read_text(encoding="utf-8")))
        for case in CASES
        if case.name in names
        for seed in seeds
        for stage in stages
        if (file := folder / case.name / f"seed{seed}" / stage / "cell.json").is_file()
    ]


def _cell(case: Case, seed: int, stage: Stage, recipe: Recipe, place: Path) -> Cell:
    file = place / stage / "cell.json"
    stamp = {"recipe": recipe_digest(recipe), "doctor": doctor_digest()}
    if file.is_file():
        kept = json.loads(file.read_text(encoding="utf-8"))
        if kept["stamp"] == stamp:
            return Cell(case.name, seed, stage, kept)
    run = _trained(recipe, _recipe_file(place / stage, recipe).parent)
    found = diagnose(open_subject(run.folder))
    content = {"stamp": stamp, **_content(found, recipe)}
    write_json(file, content)
    return Cell(case.name, seed, stage, content)


def _recipe_file(place: Path, recipe: Recipe) -> Path:
    """The recipe file of the run of a recipe."""
    return place / recipe_digest(recipe)[:12] / "recipe.toml"


def _trained(recipe: Recipe, folder: Path) -> Run:
    """The run, as far as it comes: one that diverges is diagnosed, too."""
    resolved, place = prepare(recipe, folder)
    try:
        return fit(resolved, place)
    except DivergenceError:
        return Run(place)


def _content(found: Diagnosis, recipe: Recipe) -> dict[str, Any]:
    tree = found.as_json()
    everything = [*tree["findings"], *tree["explained"], *tree["healthy"]]
    first = tree["findings"][0] if tree["findings"] else None
    return {
        "seed": recipe.seed,
        "named": [item["check"] for item in tree["findings"]],
        "explained": [item["check"] for item in tree["explained"]],
        "statistics": {item["check"]: item["statistic"] for item in everything},
        "remedy": first["remedy"]["settings"] if first else [],
        "seconds": tree["seconds"],
    }


@cache
def doctor_digest() -> str:
    """SHA-256 of what decides a diagnosis: the sources of this room, but for proof and pages."""
    here = Path(__file__).parent
    files = sorted([*here.glob("*.py"), *(here / "checks").glob("*.py")])
    aside = ("proof.py", "proof_table.py", "failure_modes.py", "page.py", "pictures.py")
    sources = b"".join(file.read_bytes() for file in files if file.name not in aside)
    return hashlib.sha256(sources).hexdigest()[:16]
