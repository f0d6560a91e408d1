"""Figures on disk: whole or not at all, and the same bytes for the same figure."""

from io import BytesIO
from pathlib import Path
from typing import Literal

from matplotlib.figure import Figure

from vaekit.errors import ArtifactError
from vaekit.figures.style import in_style

# What would change from day to day or from version to version is left out.
_METADATA: dict[str, dict[str, str | None]] = {
    ".png": {"Software": None},
    ".svg": {"Date": None, "Creator": None},
}


@in_style
def save(figure: Figure, path: Path | str) -> Path:
    """Writes a figure as PNG or SVG, by the ending of `path`; makes the folder if need be.

    The file is written beside its final name and renamed when it is whole.

    Returns:
        Where the figure is.

    Raises:
        ArtifactError: The ending is unknown, or the place cannot be written to.
    """
    path = Path(path)
    ending = path.suffix.lower()
    if ending not in _METADATA:
        raise ArtifactError(
            "A figure cannot be written in this format.",
            where=path,
            expected=f"a name that ends in {' or '.join(_METADATA)}",
            found=path.suffix or "no ending",
            remedy=f"name it {path.stem or 'figure'}.png",
        )
    partial = path.with_name(path.name + ".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(figure, partial, ending)
        partial.replace(path)
    except OSError as error:
        raise ArtifactError(
            "A figure could not be written.",
            where=path,
            found=error.strerror,
            remedy="make room or choose another folder",
        ) from error
    finally:
        _remove(partial)
    return path


@in_style
def encoded(figure: Figure, ending: Literal[".png", ".svg"]) -> bytes:
    """The bytes that `save` would write."""
    buffer = BytesIO()
    _write(figure, buffer, ending)
    return buffer.getvalue()


def _write(figure: Figure, file: Path | BytesIO, ending: str) -> None:
    figure.savefig(file, format=ending[1:], metadata=_METADATA[ending])


def _remove(partial: Path) -> None:
    """Leaves nothing half-written behind; where the place itself is bad, there is nothing."""
    try:
        partial.unlink(missing_ok=True)
    except OSError:
        return
