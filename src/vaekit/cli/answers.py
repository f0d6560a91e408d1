"""What the verbs that run a model have in common: the model, the examples, the answers."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, TypeAlias, TypedDict

import typer

from vaekit.errors import SpecError

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure

    from vaekit.export import Artifact
    from vaekit.schema import Schema

PICTURES = (".png", ".svg")
TABLES = (".npz", ".csv", ".parquet")
MOST_DRAWN = 100

ModelPath: TypeAlias = Annotated[
    Path, typer.Argument(metavar="MODEL", help="Folder of a run, or of an artifact.")
]
ExamplesPath: TypeAlias = Annotated[
    Path | None,
    typer.Argument(
        metavar="FILE",
        help="Examples: .npy, .npz, .csv, .parquet, a picture, or a folder of pictures; without "
        "it, the model's own data.",
    ),
]
ArrayName: TypeAlias = Annotated[
    str | None, typer.Option("--array", help="Name of the array in a .npz file of several.")
]
SplitName: TypeAlias = Annotated[
    str, typer.Option("--split", help="Of the model's own data, where no file is named.")
]
Examples: TypeAlias = Annotated[
    int, typer.Option(min=1, help="The first so many of the model's own data.")
]
Seed: TypeAlias = Annotated[int, typer.Option(help="Of what is drawn.")]
NoSeed: TypeAlias = Annotated[
    int, typer.Option("--seed", help="Accepted, as by the other verbs; nothing is drawn here.")
]
Key: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        envvar="VAEKIT_PUBLIC_KEY", help="Public key that the artifact must be signed with."
    ),
]
_TOLD = "What a conditional model is told, as in label=7 or thickness=3.5; may be repeated."
ConditionOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--condition",
        metavar="NAME=VALUE",
        help=f"{_TOLD} Of the model's own data, what is not said here is known.",
    ),
]
NeededConditionOption: TypeAlias = Annotated[
    list[str] | None, typer.Option("--condition", metavar="NAME=VALUE", help=_TOLD)
]
Output: TypeAlias = Annotated[
    Path, typer.Option("--output", "-o", help="The ending says how: .npz, .csv, .parquet, ...")
]


class Shown(NamedTuple):
    """Examples that a model is run on."""

    x: "np.ndarray"
    labels: "np.ndarray | None"
    source: str
    """What they are, in words."""
    condition: "dict[str, Any] | None"
    """What is known of them, beside their values."""


def opened(model: Path, key: Path | None) -> "Artifact":
    """The model in a folder, verified."""
    from vaekit.export import load

    return load(model, key)


def shown(
    artifact: "Artifact",
    file: Path | None,
    array: str | None,
    split: str,
    examples: int,
    condition: list[str] | None = None,
) -> Shown:
    """Examples from a file, or the first ones of the model's own data."""
    from vaekit.data import read_examples

    if file is not None:
        x = read_examples(file, artifact.schema, array)
        return Shown(x, None, f"{counted(len(x))} of {file}", parsed(condition))
    chosen = artifact.dataset.split(split)
    rows = chosen.rows(0, min(examples, len(chosen)))
    labels = None if rows.labels is None else rows.labels.numpy()
    source = f"the first {counted(len(rows))} of the {split} split of {artifact.dataset.name}"
    told = {**(artifact.conditions_of(rows) or {}), **(parsed(condition) or {})}
    return Shown(rows.x.numpy(), labels, source, told or None)


def parsed(condition: list[str] | None) -> dict[str, Any] | None:
    """What `--condition label=7 --condition thickness=3.5` says."""
    if not condition:
        return None
    told: dict[str, Any] = {}
    for entry in condition:
        name, equals, value = entry.partition("=")
        try:
            number = float(value)
        except ValueError as error:
            raise SpecError(
                "A condition cannot be understood.",
                where=f"--condition {entry}",
                expected="NAME=VALUE, with a number, as in label=7 or thickness=3.5",
                found=value if equals else "no '='",
            ) from error
        if name in told:
            raise SpecError(
                f"The {name} is said twice.", where=f"--condition {entry}", expected="it once"
            )
        told[name] = int(number) if number.is_integer() else number
    return told


def check_ending(output: Path, endings: tuple[str, ...]) -> bool:
    """Whether the answer is to be a picture; complains before anything is computed."""
    if output.suffix.lower() not in endings:
        raise SpecError(
            "Answers cannot be written in this format.",
            where=f"--output {output}",
            expected=f"a name that ends in {', '.join(endings[:-1])} or {endings[-1]}",
            found=output.suffix or "no ending",
        )
    return output.suffix.lower() in PICTURES


def as_columns(x: "np.ndarray", schema: "Schema", output: Path) -> Mapping[str, Any]:
    """Raw values as columns: by name in a table of named columns, else as the array `x`."""
    if schema.columns is None or output.suffix.lower() == ".npz":
        return {"x": x}
    return {name: x[:, index] for index, name in enumerate(schema.columns)}


def drawable(x: "np.ndarray") -> "np.ndarray":
    """Images of 1 or 3 channels as they are, others flat; the first hundred."""
    is_image = x.ndim == 4 and x.shape[1] in (1, 3)
    return (x if is_image else x.reshape(len(x), -1))[:MOST_DRAWN]


class Limits(TypedDict):
    """Values that are drawn black and white."""

    low: float
    high: float


def limits(schema: "Schema", *drawn: "np.ndarray") -> Limits:
    """What is drawn black and white."""
    import numpy as np

    low, high = schema.low, schema.high
    low = float(min(map(np.nanmin, drawn))) if low is None else low
    high = float(max(map(np.nanmax, drawn))) if high is None else high
    return {"low": low, "high": high if high > low else low + 1.0}


def write_picture(figure: "Figure", output: Path, what: str) -> None:
    """Writes a picture, and says so."""
    from vaekit.figures import save

    save(figure, output)
    say(what, output)


def write_table(columns: Mapping[str, Any], output: Path, what: str) -> None:
    """Writes a table or arrays, and says so."""
    from vaekit.runtime import write_columns

    write_columns(output, columns)
    say(what, output)


def say(what: str, output: Path) -> None:
    """The one line of a verb that went well."""
    typer.echo(f"{what}: {output}")


def counted(n: int, what: str = "example") -> str:
    """A number with its noun."""
    return f"{n:,} {what}" if n == 1 else f"{n:,} {what}s"
