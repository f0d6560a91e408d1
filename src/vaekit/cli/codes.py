"""`vaekit encode`, `decode` and `reconstruct`: from examples to codes and back."""

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
    NeededConditionOption,
    NoSeed,
    Output,
    SplitName,
    as_columns,
    check_ending,
    counted,
    drawable,
    limits,
    opened,
    parsed,
    shown,
    write_picture,
    write_table,
)

if TYPE_CHECKING:
    import numpy as np


def encode(
    model: ModelPath,
    file: ExamplesPath = None,
    array: ArrayName = None,
    split: SplitName = "test",
    examples: Examples = 100,
    condition: ConditionOption = None,
    _seed: NoSeed = 0,
    key: Key = None,
    output: Output = Path("codes.npz"),
) -> None:
    """Write the code of every example: columns z_0, z_1, ..., or a map of them (.png, .svg).

    Codes are posterior means: the same example, the same code. Of a model of several stochastic
    layers, they are the means of all layers side by side, the top layer first.
    """
    draws = check_ending(output, TABLES + PICTURES)
    artifact = opened(model, key)
    given = shown(artifact, file, array, split, examples, condition)
    codes = artifact.encode(given.x, given.condition)
    said = f"codes of {given.source}"
    if draws:
        from vaekit.figures import latent_map

        has_prior = len(artifact.serving.noise) == 1 and not artifact.serving.is_discrete
        picture = latent_map(codes, given.labels, prior=has_prior)
        write_picture(picture, output, said)
    else:
        write_table({"z": codes}, output, said)


def decode(
    model: ModelPath,
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="Codes as `vaekit encode` writes them, or .npy."),
    ],
    condition: NeededConditionOption = None,
    _seed: NoSeed = 0,
    key: Key = None,
    output: Output = Path("decoded.png"),
) -> None:
    """Write what codes stand for: means of p(x|z), in the units of the data."""
    draws = check_ending(output, TABLES + PICTURES)
    artifact = opened(model, key)
    codes = _read_codes(file, artifact.serving.latent_dim)
    x = artifact.decode(codes, parsed(condition))
    said = f"{counted(len(x), 'decoded code')} of {file}"
    if draws:
        from vaekit.figures import sheet

        drawn = drawable(x)
        series = {"": drawn}
        title = f"p(x|z) means of the first {counted(len(drawn), 'code')} of {file.name}"
        write_picture(sheet(series, title, **limits(artifact.schema, drawn)), output, said)
    else:
        write_table(as_columns(x, artifact.schema, output), output, said)


def reconstruct(
    model: ModelPath,
    file: ExamplesPath = None,
    array: ArrayName = None,
    split: SplitName = "test",
    examples: Examples = 100,
    condition: ConditionOption = None,
    _seed: NoSeed = 0,
    key: Key = None,
    output: Output = Path("reconstructions.png"),
) -> None:
    """Write what the model makes of every example, from its code, in the units of the data."""
    draws = check_ending(output, TABLES + PICTURES)
    artifact = opened(model, key)
    given = shown(artifact, file, array, split, examples, condition)
    x = artifact.reconstruct(given.x, given.condition)
    said = f"reconstructions of {given.source}"
    if draws:
        from vaekit.figures import reconstructions

        pair = drawable(given.x.astype(float)), drawable(x)
        code = "their codes" if artifact.serving.is_discrete else "E[z|x]"
        title = f"Reconstructions from {code}, {given.source}"
        figure = reconstructions(*pair, title, **limits(artifact.schema, *pair))
        write_picture(figure, output, said)
    else:
        write_table(as_columns(x, artifact.schema, output), output, said)


def _read_codes(file: Path, size: int) -> "np.ndarray":
    """Rows of codes; a table has to name them z_0, z_1, ..."""
    from vaekit.data import read_examples
    from vaekit.schema import Schema

    names = tuple(f"z_{index}" for index in range(size))
    form = Schema(
        name="codes of this model",
        kind="vector",
        event_shape=(size,),
        dtype="float32",
        columns=names,
    )
    return read_examples(file, form)
