"""`vaekit evaluate`: measures a trained model again, on its own data or on a file."""

import json
from math import nan
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vaekit.cli.answers import ArrayName, ExamplesPath, Key, ModelPath, opened, parsed
from vaekit.errors import SpecError

if TYPE_CHECKING:
    from vaekit.data import Dataset
    from vaekit.evaluation import EvaluationSpec
    from vaekit.export import Artifact


def evaluate(
    model: ModelPath,
    file: ExamplesPath = None,
    array: ArrayName = None,
    split: Annotated[
        str | None, typer.Option(help="Of the model's own data; by default the recipe's.")
    ] = None,
    samples: Annotated[
        int | None, typer.Option(help="Importance samples k; by default the recipe's.")
    ] = None,
    examples: Annotated[int | None, typer.Option(help="The first so many; all if absent.")] = None,
    amortization: Annotated[
        int | None, typer.Option(metavar="EXAMPLES", help="Refine q of so many; 0 leaves it out.")
    ] = None,
    ais: Annotated[
        int | None,
        typer.Option(metavar="EXAMPLES", help="Annealed importance sampling of so many: slow."),
    ] = None,
    sample_quality: Annotated[
        int | None,
        typer.Option(metavar="SAMPLES", help="Compare so many samples with the data."),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Of the binarization and all samples; the recipe's.")
    ] = None,
    condition: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE",
            help="What a conditional model is told of every example of a file, as in label=7.",
        ),
    ] = None,
    key: Key = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Measure a trained model: likelihood, latent space, reconstructions, samples.

    What is measured, and how: docs/evaluation.md. Nothing is written: the results of training
    stay in results.json.
    """
    from rich.console import Console

    from vaekit.cli.measures import measures_table, measuring, protocol_lines
    from vaekit.evaluation import evaluate as measured

    artifact = opened(model, key)
    if condition and file is None:
        raise SpecError(
            "The model's own data says its conditions.",
            where=f"--condition {condition[0]}",
            expected="a file beside it",
            remedy="leave the condition out",
        )
    spec = _spec(
        artifact,
        split=split if file is None else "test",
        num_samples=samples,
        examples=examples,
        amortization_examples=amortization,
        ais=None if ais is None else {"examples": ais},
        sample_quality=sample_quality,
        seed=seed,
    )
    dataset = artifact.dataset if file is None else _of_file(artifact, file, array, condition)
    progress_console = Console(stderr=True, highlight=False, soft_wrap=True)
    with measuring(progress_console, progress_console.is_terminal) as progress:
        results = measured(artifact.model, dataset, artifact.transform, spec, progress=progress)
    results["notes"] += _bound_notes(artifact)
    if as_json:
        typer.echo(json.dumps(results, indent=1, allow_nan=False))
        return
    console = Console(highlight=False, soft_wrap=True)
    console.print(measures_table(f"{artifact.serving.name} on {dataset.name}", results))
    console.print(protocol_lines(results), markup=False)


def _bound_notes(artifact: "Artifact") -> list[str]:
    from pydantic import TypeAdapter

    from vaekit.objectives import ObjectiveSpec, bound_notes

    chosen = artifact.recipe.get("objective")
    return bound_notes(TypeAdapter[ObjectiveSpec](ObjectiveSpec).validate_python(chosen))


def _spec(artifact: "Artifact", **chosen: object) -> "EvaluationSpec":
    """The recipe's choices, with those of the command line on top."""
    from pydantic import ValidationError

    from vaekit.evaluation import EvaluationSpec

    given = {name: value for name, value in chosen.items() if value is not None}
    try:
        return EvaluationSpec.model_validate({**artifact.recipe.get("evaluation", {}), **given})
    except ValidationError as error:
        first = error.errors()[0]
        options = {"num_samples": "samples", "amortization_examples": "amortization"}
        setting = str(first["loc"][0])
        option = options.get(setting, setting.replace("_", "-"))
        raise SpecError(
            "An option cannot be used.",
            where=f"vaekit evaluate --{option}",
            expected=first["msg"].removeprefix("Input should be ").removeprefix("Value error, "),
            found=first["input"],
        ) from error


def _of_file(
    artifact: "Artifact", file: Path, array: str | None, condition: list[str] | None
) -> "Dataset":
    """A file of the user's, of whose examples one thing is known, as a test split alone."""
    import torch

    from vaekit.condition import encoded
    from vaekit.data import Dataset, InMemorySplit, read_examples

    told = parsed(condition) or {}
    encoded(artifact.serving.conditions, told, 1, artifact.serving.name)  # refuses what is wrong
    x = read_examples(file, artifact.schema, array)
    unknown = {"label": -1, **dict.fromkeys((a.name for a in artifact.schema.attributes), nan)}
    label, *attributes = ({**unknown, **told}[name] for name in unknown)
    split = InMemorySplit(
        torch.from_numpy(x),
        torch.full((len(x),), label) if artifact.serving.conditions else None,
        torch.tensor([attributes]).float().expand(len(x), -1) if attributes else None,
    )
    return Dataset(file.name, artifact.schema, {"test": split}, str(file), file.name)
