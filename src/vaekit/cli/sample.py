"""`vaekit sample`: new examples."""

from pathlib import Path
from typing import Annotated

import typer

from vaekit.cli.answers import (
    PICTURES,
    TABLES,
    Key,
    ModelPath,
    NeededConditionOption,
    Output,
    Seed,
    as_columns,
    check_ending,
    counted,
    drawable,
    limits,
    opened,
    parsed,
    write_picture,
    write_table,
)


def sample(
    model: ModelPath,
    number: Annotated[int, typer.Option("--number", "-n", min=1, help="How many.")] = 100,
    seed: Seed = 0,
    temperature: Annotated[
        float, typer.Option(min=0, help="Factor on the scale of the prior; below one is safer.")
    ] = 1.0,
    condition: NeededConditionOption = None,
    key: Key = None,
    output: Output = Path("samples.png"),
) -> None:
    """Write examples that the model invents: means of p(x|z), z drawn from the prior."""
    draws = check_ending(output, TABLES + PICTURES)
    artifact = opened(model, key)
    x = artifact.sample(number, seed, temperature, parsed(condition))
    said = f"{counted(number, 'sample')}, seed {seed}"
    if draws:
        from vaekit.figures import samples

        drawn = drawable(x)
        figure = samples(drawn, seed, temperature, **limits(artifact.schema, drawn))
        write_picture(figure, output, said)
    else:
        write_table(as_columns(x, artifact.schema, output), output, said)
