"""Folders of pictures: sizes, colours, classes."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from vaekit.data import ImagesSpec
from vaekit.errors import DataError

RED = (200, 10, 30)


def save(path: Path, pixels: np.ndarray, **options: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)


def load(folder: Path, **choices: object) -> torch.Tensor:
    spec = ImagesSpec.model_validate({"path": folder, "validation": 0, "test": 0, **choices})
    split = spec.load().split("train")
    return split.rows(0, len(split)).x


def test_order_is_that_of_names(tmp_path: Path) -> None:
    for value, name in enumerate(["b/2.png", "a/9.PNG", "a/10.png", "a/._hidden.png"]):
        save(tmp_path / name, np.full((4, 3), value, np.uint8), format="PNG")
    assert load(tmp_path)[:, 0, 0, 0].tolist() == [2, 1, 0]


def test_colours(tmp_path: Path) -> None:
    save(tmp_path / "1.png", np.full((4, 3, 3), RED, np.uint8))
    save(tmp_path / "2.png", np.full((4, 3, 4), (*RED, 255), np.uint8))
    rgb = load(tmp_path, color="rgb")
    assert rgb.shape == (2, 3, 4, 3)
    assert (rgb == torch.tensor(RED)[:, None, None]).all()
    grey = load(tmp_path)
    assert grey.shape == (2, 1, 4, 3)
    # The luma of ITU-R 601, which Pillow documents for "L".
    assert abs(float(grey[0, 0, 0, 0]) - (0.299 * 200 + 0.587 * 10 + 0.114 * 30)) <= 1


def test_sizes(tmp_path: Path) -> None:
    wide = np.zeros((10, 30), np.uint8)
    wide[:, 10:20] = 255
    save(tmp_path / "wide.png", wide)
    cropped = load(tmp_path, size=(5, 5), resize="crop")
    assert (cropped > 200).all()  # the white middle, its edges a little blurred
    stretched = load(tmp_path, size=(5, 15), resize="stretch")
    assert (stretched[0, 0, :, [0, 14]] == 0).all()
    assert (stretched[0, 0, :, 7] > 200).all()
    with pytest.raises(DataError, match=r"5 x 5 .* by data\.size"):
        load(tmp_path, size=(5, 5))


def test_photos_are_upright(tmp_path: Path) -> None:
    pixels = np.zeros((4, 8), np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held on its side
    save(tmp_path / "photo.jpg", pixels, exif=exif)
    assert load(tmp_path).shape == (1, 1, 8, 4)


def test_subfolders_are_classes(tmp_path: Path) -> None:
    for name in ("dog/1.png", "cat/deep/2.png", "cat/3.png"):
        save(tmp_path / name, np.zeros((2, 2), np.uint8))
    dataset = ImagesSpec(path=tmp_path, labels=True, validation=0, test=0).load()
    labels = dataset.split("train").labels()
    assert labels is not None
    assert labels.tolist() == [0, 0, 1]
    assert dataset.schema.num_classes == 2
    save(tmp_path / "stray.png", np.zeros((2, 2), np.uint8))
    with pytest.raises(DataError, match=r"stray\.png"):
        ImagesSpec(path=tmp_path, labels=True).load()
