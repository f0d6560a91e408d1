import struct
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from vaekit.errors import ArtifactError
from vaekit.figures import (
    encoded,
    interpolations,
    kl_bars,
    latent_map,
    loss_curves,
    reconstructions,
    samples,
    save,
    traversals,
)


@pytest.mark.parametrize("ending", ["png", "svg"])
def test_same_input_gives_same_bytes(tmp_path: Path, records, ending: str) -> None:
    rng = np.random.default_rng(0)
    images, codes = rng.uniform(size=(3, 1, 8, 8)), rng.normal(size=(40, 3))

    def everything() -> list[Figure]:
        labels = np.arange(40) % 4
        return [
            loss_curves(records),
            reconstructions(images, images),
            samples(codes, seed=0),
            latent_map(codes, labels),
            interpolations(images[None]),
            traversals(codes[None, :2], [0], [-1, 1]),
            kl_bars([np.array([1.0, 0.0])]),
        ]

    def written(figures: list[Figure]) -> list[bytes]:
        return [save(figure, tmp_path / f"figure.{ending}").read_bytes() for figure in figures]

    figures = everything()
    first = written(figures)
    assert written(everything()) == first
    assert written(figures) == first  # saving leaves a figure as it was
    assert [encoded(figure, ".png" if ending == "png" else ".svg") for figure in figures] == first
    assert all(b"<dc:date>" not in content for content in first)


def test_png_has_150_dots_per_inch(tmp_path: Path) -> None:
    path = save(Figure(figsize=(2, 1), dpi=150), tmp_path / "figure.PNG")
    assert struct.unpack(">II", path.read_bytes()[16:24]) == (300, 150)


def test_folder_is_made_and_nothing_else_left(tmp_path: Path) -> None:
    path = save(Figure(), str(tmp_path / "new" / "folder" / "figure.svg"))
    assert path.read_text().startswith("<?xml")
    assert list(path.parent.iterdir()) == [path]


class Broken(Figure):
    """A figure whose file breaks off in the middle."""

    def savefig(self, fname, **kwargs) -> None:
        Path(fname).write_text("half of a fig")
        raise OSError(28, "No space left on device")


def test_file_is_whole_or_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "figure.png"
    before = save(Figure(), path).read_bytes()
    with pytest.raises(ArtifactError, match="No space left") as caught:
        save(Broken(), path)
    assert str(path) in str(caught.value)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_place_that_cannot_be_written_to(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ArtifactError, match="choose another folder"):
        save(Figure(), tmp_path / "file" / "figure.png")


@pytest.mark.parametrize("name", ["figure.jpg", "figure", ".png"])
def test_endings_that_are_not_known(tmp_path: Path, name: str) -> None:
    with pytest.raises(ArtifactError, match=r"\.png or \.svg"):
        save(Figure(), tmp_path / name)
