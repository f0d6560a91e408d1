"""`vaekit interpolate` and `traverse`: walks through the latent space."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vaekit.cli.answers import (
    PICTURES,
    TABLES,
    ArrayName,
    ConditionOption,
    Examples,
    ExamplesPath,
    Key,
    ModelPath,
    NoSeed,
    Output,
    SplitName,
    as_columns,
    check_ending,
    counted,
    limits,
    opened,
    parsed,
    shown,
    write_picture,
    write_table,
)
from vaekit.errors import DataError

if TYPE_CHECKING:
    import numpy as np

    from vaekit.export import Artifact
    from vaekit.schema import Schema

MOST_USED = MOST_DRAWN_WALKS = 10


def interpolate(
    model: ModelPath,
    file: ExamplesPath = None,
    array: ArrayName = None,
    split: SplitName = "test",
    examples: Examples = 20,
    condition: ConditionOption = None,
    steps: Annotated[int, typer.Option(min=2, help="Points on a line, both ends included.")] = 8,
    _seed: NoSeed = 0,
    key: Key = None,
    output: Output = Path("interpolations.png"),
) -> None:
    """Walk from each example to the next: the first to the second, the third to the fourth, ...

    The way is a straight line between codes; at every step, the mean of p(x|z) is written.
    """
    draws = check_ending(output, TABLES + PICTURES)
    artifact = opened(model, key)
    given = shown(artifact, file, array, split, examples)
    told = parsed(condition)
    pairs = len(given.x) // 2
    if pairs == 0:
        raise DataError(
            "A walk needs two examples.", where=given.source, expected="2 or more", found=1
        )
    x = artifact.interpolate(given.x[: 2 * pairs : 2], given.x[1 : 2 * pairs : 2], steps, told)
    said = f"{counted(pairs, 'walk')} between {given.source}"
    if draws:
        from vaekit.figures import interpolations

        drawn = _drawable(x)
        title = f"Straight lines between the codes of {given.source}"
        figure = interpolations(drawn, None, title, **limits(artifact.schema, drawn))
        write_picture(figure, output, said)
    else:
        write_table(_rows(x, "pair", range(pairs), artifact.schema, output), output, said)


def traverse(
    model: ModelPath,
    file: ExamplesPath = None,
    array: ArrayName = None,
    condition: ConditionOption = None,
    dimensions: Annotated[
        list[int] | None,
        typer.Option("--dimension", "-d", help="May be repeated; by default the ten most used."),
    ] = None,
    reach: Annotated[float, typer.Option(help="Each runs from minus this to this.")] = 3.0,
    steps: Annotated[int, typer.Option(min=2, help="Points, both ends included.")] = 7,
    _seed: NoSeed = 0,
    key: Key = None,
    output: Output = Path("traversals.png"),
) -> None:
    """Move one latent dimension at a time, from the code of the first example or from zero."""
    draws = check_ending(output, TABLES + PICTURES)
    artifact = opened(model, key)
    start = None if file is None else shown(artifact, file, array, "test", 1).x[:1]
    chosen = dimensions or _most_used(artifact)
    x = artifact.traverse(start, chosen, reach, steps, parsed(condition))[0]
    others = "zero" if file is None else f"as in the code of the first example of {file}"
    said = f"walks along {counted(len(chosen), 'latent dimension')}"
    if draws:
        from vaekit.figures import traversals

        drawn = _drawable(x)
        values = [reach * (2 * step / (steps - 1) - 1) for step in range(steps)]
        title = f"One dimension of z set to each value, the others {others}"
        names = chosen[: len(drawn)]
        figure = traversals(drawn, names, values, title, **limits(artifact.schema, drawn))
        write_picture(figure, output, said)
    else:
        write_table(_rows(x, "dimension", chosen, artifact.schema, output), output, said)


def _most_used(artifact: "Artifact") -> list[int]:
    """The dimensions whose codes differ most from example to example, in their order."""
    import numpy as np

    std = np.asarray(artifact.reference.latent.std)
    return sorted(int(d) for d in np.argsort(-std, kind="stable")[:MOST_USED])


def _drawable(x: "np.ndarray") -> "np.ndarray":
    """The first walks; what is no image of 1 or 3 channels is flat."""
    is_image = x.ndim == 5 and x.shape[2] in (1, 3)
    return (x if is_image else x.reshape(*x.shape[:2], -1))[:MOST_DRAWN_WALKS]


def _rows(
    x: "np.ndarray", walk: str, names: "range | list[int]", schema: "Schema", output: Path
) -> dict[str, "np.ndarray"]:
    """A row per walk and step."""
    import numpy as np

    walks, steps = x.shape[:2]
    values = as_columns(x.reshape(walks * steps, *x.shape[2:]), schema, output)
    return {
        walk: np.repeat(np.asarray(names), steps),
        "step": np.tile(np.arange(steps), walks),
        **values,
    }
