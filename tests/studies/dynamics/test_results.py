"""What goes into a result comes out of it."""

import math
from pathlib import Path

import numpy as np
import pytest

from vaekit.errors import ArtifactError
from vaekit.studies.dynamics.results import (
    columns_of,
    packed,
    read_result,
    rounded,
    unpacked,
    write_result,
)


def test_columns_pool_dimensions_and_thin_what_has_many() -> None:
    readings = [
        {
            "step": t,
            "log_variance": [0.0, -2.0] * 10,
            "kl": [1.0] * 20,
            "fit": t / 3,
            "seconds": 1.0,
        }
        for t in range(100)
    ]
    columns = columns_of(readings)
    assert columns["curves"]["log_variance"][:2] == [-1.0, -1.0]  # a mean
    assert columns["curves"]["kl"][0] == 20.0  # a sum
    assert "seconds" not in columns["curves"]
    by_dimension = columns["by_dimension"]
    assert len(by_dimension["kl"]) == 6  # 120 numbers
    assert (by_dimension["step"][0], by_dimension["step"][-1]) == (0, 99)


def test_what_is_not_finite_is_null_on_disk(tmp_path: Path) -> None:
    content = {"name": "a", "settings": {}, "values": rounded([math.nan, math.inf, 1 / 3])}
    write_result(tmp_path / "a.json", content)
    assert read_result(tmp_path / "a.json")["values"] == [None, None, 0.33333]


def test_a_damaged_result_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{")
    with pytest.raises(ArtifactError, match="cannot be read"):
        read_result(tmp_path / "a.json")


def test_images_come_back_to_a_64th() -> None:
    images = np.random.default_rng(0).uniform(size=(5, 8, 8))
    assert np.abs(unpacked(packed(images), 5)[:, 0] - images).max() <= 0.5 / 63 + 1e-9
