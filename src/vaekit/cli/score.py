"""`vaekit score`: how well a model accounts for each example."""

from pathlib import Path
from typing import Annotated

import typer

from vaekit.cli.answers import (
    TABLES,
    ArrayName,
    ConditionOption,
    Examples,
    ExamplesPath,
    Key,
    ModelPath,
    Output,
    Seed,
    SplitName,
    check_ending,
    opened,
    shown,
    write_table,
)


def score(
    model: ModelPath,
    file: ExamplesPath = None,
    array: ArrayName = None,
    split: SplitName = "test",
    examples: Examples = 100,
    samples: Annotated[
        int | None,
        typer.Option(help="Samples k of z per example; by default those of reference.json."),
    ] = None,
    condition: ConditionOption = None,
    seed: Seed = 0,
    key: Key = None,
    output: Output = Path("scores.csv"),
) -> None:
    """Write scores of every example in nats, a column per quantity.

    The model's reference.json says how the same scores are spread over held-out data.
    """
    check_ending(output, TABLES)
    artifact = opened(model, key)
    given = shown(artifact, file, array, split, examples, condition)
    scores = artifact.score(given.x, samples, seed, given.condition)
    write_table(scores, output, f"scores of {given.source}")
