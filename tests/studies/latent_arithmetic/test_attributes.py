"""Strokes of known width and slant are read as such."""

import numpy as np
import pytest

from vaekit.studies.latent_arithmetic import arcs, direction, slant, thickness
from vaekit.studies.latent_arithmetic.directions import random_direction, walked
from vaekit.studies.latent_arithmetic.subject import Shown

SIDE, LENGTH = 64, 44


def stroke(width: float, lean: float, soft: float = 0.5) -> np.ndarray:
    """A line through the middle whose border is as soft as given, in pixels."""
    row, column = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
    norm = np.hypot(1, lean)
    across, along = (column + lean * row) / norm, (lean * column - row) / norm
    inside = np.clip((width / 2 - np.abs(across)) / soft + 0.5, 0, 1)
    return (inside * np.clip(LENGTH / 2 - np.abs(along) + 0.5, 0, 1))[None]


@pytest.mark.parametrize("lean", [-1.0, 0.0, 0.4])
@pytest.mark.parametrize("width", [3.0, 5.0, 8.0])
def test_thickness_is_the_width_of_a_stroke(width: float, lean: float) -> None:
    # The two ends belong to the border: w L / (w + L); pixels add less than 8 %.
    expected = width * LENGTH / (width + LENGTH)
    assert thickness(stroke(width, lean, soft=1.0))[0] == pytest.approx(expected, rel=0.08)


def test_blur_and_grey_change_no_thickness() -> None:
    sharp = thickness(stroke(8.0, 0.0))[0]
    assert thickness(stroke(8.0, 0.0, soft=4.0))[0] == pytest.approx(sharp, rel=0.05)
    assert thickness(0.3 * stroke(8.0, 0.0))[0] == pytest.approx(sharp)


@pytest.mark.parametrize("lean", [-0.8, -0.2, 0.0, 0.5])
def test_slant_is_the_tangent_of_a_lean(lean: float) -> None:
    # What is wide blurs the angle by (w / L)^2 / (1 + lean^2).
    assert slant(stroke(2.0, lean))[0] == pytest.approx(lean, abs=0.01)


def test_nothing_has_neither() -> None:
    blank = np.zeros((2, 28, 28))
    assert thickness(blank).tolist() == [0.0, 0.0]
    assert slant(blank).tolist() == [0.0, 0.0]


def test_a_direction_is_found_within_classes() -> None:
    """The attribute lies along the first axis, and classes differ in it along the second."""
    source = np.random.default_rng(0)
    labels = np.repeat([0, 1], 500)
    wanted = source.standard_normal(1000)
    codes = 0.1 * source.standard_normal((1000, 3))
    codes[:, 0] += wanted
    codes[:, 1] += 5.0 * labels
    shown = Shown(np.zeros((1000, 2, 2)), labels, codes)
    found = direction(shown, wanted + 10.0 * labels)
    # Between the quarters of a normal distribution lie 2 * 1.271 deviations; 250 draws of noise
    # 0.1 leave 0.01.
    np.testing.assert_allclose(found, [2.54, 0.0, 0.0], atol=0.15)


def test_a_random_direction_has_the_length_asked_for() -> None:
    found = random_direction(3.0, 20, seed=1)
    assert np.linalg.norm(found) == pytest.approx(3.0)
    assert not np.allclose(found, random_direction(3.0, 20, seed=2))


def test_a_walk_is_where_it_was_in_the_middle() -> None:
    codes = np.random.default_rng(0).standard_normal((4, 3))
    steps = walked(codes, np.array([1.0, 0.0, -2.0]))
    np.testing.assert_allclose(steps[:, 4], codes)
    np.testing.assert_allclose(steps[:, -1] - steps[:, 0], np.tile([2.0, 0.0, -4.0], (4, 1)))


def test_arcs_keep_the_length_and_go_evenly() -> None:
    source = np.random.default_rng(0)
    start, end = source.standard_normal((2, 5, 20))
    start, end = (part / np.linalg.norm(part, axis=1, keepdims=True) for part in (start, end))
    found = arcs(start, end, 9)
    np.testing.assert_allclose(np.linalg.norm(found, axis=2), 1.0)
    np.testing.assert_allclose(found[:, 0], start)
    np.testing.assert_allclose(found[:, -1], end, atol=1e-12)
    angles = np.arccos((found[:, 1:] * found[:, :-1]).sum(2))
    np.testing.assert_allclose(angles, np.tile(angles[:, :1], (1, 8)), atol=1e-7)


def test_an_arc_between_equal_ends_is_a_line() -> None:
    start = np.array([[1.0, 2.0]])
    np.testing.assert_allclose(arcs(start, 3 * start, 3)[0, :, 0], [1.0, 2.0, 3.0])
