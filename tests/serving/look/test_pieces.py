"""Planes, pictures, rates, and what counts as unusual."""

import io
import math

import numpy as np
import pytest
from PIL import Image

from vaekit.artifacts import LatentMoments, Reference
from vaekit.schema import Schema
from vaekit.serving.exchange import Exchange
from vaekit.serving.look.pixels import picture, sheet
from vaekit.serving.look.plane import plane_of
from vaekit.serving.look.shown import level, unusual
from vaekit.serving.look.traffic import LONGEST_SECONDS, Rates, Traffic, quantile_ms
from vaekit.serving.metrics import Metrics
from vaekit.serving.models import Models
from vaekit.serving.pictures import png

GREY = Schema(name="g", kind="image", event_shape=(1, 2, 3), dtype="uint8", low=0, high=255)
COLOUR = Schema(name="c", kind="image", event_shape=(3, 2, 2), dtype="float32", low=0, high=1)
ROW = Schema(name="r", kind="vector", event_shape=(4,), dtype="float32", missing="nan")


# -- planes ------------------------------------------------------------------------------------


def test_a_plane_shows_the_two_widest_directions() -> None:
    drawn = np.random.default_rng(0).normal(size=(400, 5)) * [0.1, 3.0, 0.1, 1.0, 0.1] + 2
    plane = plane_of(drawn)
    np.testing.assert_allclose(plane.axes @ plane.axes.T, np.eye(2), atol=1e-12)
    assert abs(plane.axes[0, 1]) > 0.99
    assert abs(plane.axes[1, 3]) > 0.99
    assert 0.99 < plane.share <= 1
    np.testing.assert_allclose(plane.points, (drawn - drawn.mean(0)) @ plane.axes.T, atol=1e-12)


@pytest.mark.parametrize("size", [1, 2])
def test_small_spaces_are_shown_as_they_are(size: int) -> None:
    codes = np.random.default_rng(0).normal(size=(6, size))
    plane = plane_of(codes)
    np.testing.assert_array_equal(plane.points[:, :size], codes)
    np.testing.assert_array_equal(plane.origin, np.zeros(size))


@pytest.mark.parametrize("n", [1, 2])
def test_a_plane_of_few_codes(n: int) -> None:
    plane = plane_of(np.arange(n * 4.0).reshape(n, 4))
    assert np.isfinite(plane.points).all()
    assert plane.axes.shape == (2, 4)


# -- pictures ----------------------------------------------------------------------------------


def test_grey_levels_and_colours() -> None:
    grey = np.arange(6, dtype=np.uint8).reshape(1, 2, 3) * 51
    np.testing.assert_array_equal(picture(grey, GREY), grey[0])
    colour = np.random.default_rng(0).random((3, 2, 2)).astype(np.float32)
    assert picture(colour, COLOUR).shape == (2, 2, 3)
    np.testing.assert_array_equal(picture(colour, COLOUR)[0, 1], np.round(255 * colour[:, 0, 1]))


def test_bars_grow_with_values_and_leave_out_what_is_missing() -> None:
    bars = picture(np.array([0.0, 1.0, 2.0, np.nan], np.float32), ROW)
    heights = [(column < 255).sum() for column in bars[:, ::6].T]
    assert heights[0] < heights[1] < heights[2] == len(bars)
    assert heights[3] == heights[0]


def test_a_sheet_is_a_png_with_all_of_them() -> None:
    x = np.full((5, 1, 2, 3), 7, np.uint8)
    drawn = sheet(x, GREY, columns=3)
    assert drawn.shape == (2 * 3 - 1, 3 * 4 - 1)
    assert (drawn == 7).sum() == 5 * 6
    with Image.open(io.BytesIO(png(drawn))) as read:
        np.testing.assert_array_equal(np.asarray(read), drawn)


# -- rates -------------------------------------------------------------------------------------


def test_rates_are_differences_of_what_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    metrics = Metrics(Models())
    traffic = Traffic(metrics)

    def ask(model: str, seconds: float, outcome: str = "ok") -> None:
        started = clock[0] - seconds
        exchange = Exchange("id", {}, started, None, model, "1", "score", 4, outcome)
        metrics.examples.labels(model, "1", "score").inc(exchange.examples)
        metrics.ended(exchange, 200)

    ask("a", 0.015)
    assert traffic.rates()["a"] == Rates()
    for seconds in (0.015, 0.015, 0.015):
        ask("a", seconds)
    ask("a", 5.0, "overloaded")
    ask("b", 1.0)
    clock[0] += 2.0
    rates = traffic.rates()
    assert rates["a"].requests_per_second == pytest.approx(4 / 2)
    assert rates["a"].examples_per_second == pytest.approx(16 / 2)
    assert rates["a"].failures == 1
    assert rates["a"].median_ms == pytest.approx(10 + 10 * 2 / 3)
    assert rates["b"].requests_per_second == pytest.approx(1 / 2)
    clock[0] += LONGEST_SECONDS + 1
    assert traffic.rates()["a"] == Rates()


def test_quantiles_of_buckets() -> None:
    buckets = [(0.001, 50.0), (0.002, 100.0), (math.inf, 100.0)]
    assert quantile_ms(buckets, 0.25) == pytest.approx(0.5)
    assert quantile_ms(buckets, 0.75) == pytest.approx(1.5)
    assert quantile_ms([(0.001, 0.0), (math.inf, 10.0)], 0.5) == pytest.approx(1.0)
    assert quantile_ms([], 0.5) is None
    assert quantile_ms([(0.001, 0.0), (math.inf, 0.0)], 0.5) is None


# -- what is unusual ---------------------------------------------------------------------------


@pytest.fixture
def reference() -> Reference:
    values = np.linspace(-100.0, -50.0, 1001)
    return Reference(
        split="validation",
        examples=1001,
        seed=0,
        num_samples=5,
        scores=Reference.distributions({"elbo_nats": values, "mse": -values}),
        latent=LatentMoments(mean=(0.0,), std=(1.0,), posterior_variance=None),
    )


@pytest.mark.parametrize(
    ("elbo", "mse", "found"),
    [
        (-75.0, 75.0, []),
        (-99.9, 75.0, ["elbo_nats"]),
        (-50.0, 75.0, []),
        (-75.0, 99.9, ["mse"]),
        (-75.0, 50.0, []),
        (-1e9, 1e9, ["elbo_nats", "mse"]),
        (float("nan"), 75.0, ["elbo_nats"]),
    ],
)
def test_unusual_is_low_in_what_should_be_high_and_high_in_errors(
    elbo: float, mse: float, found: list[str], reference: Reference
) -> None:
    assert unusual(reference, {"elbo_nats": elbo, "mse": mse}) == found


def test_levels_lie_between_those_that_are_known(reference: Reference) -> None:
    assert level(reference, "elbo_nats", -75.0) == pytest.approx(0.5)
    assert level(reference, "elbo_nats", -70.0) == pytest.approx(0.6)
    assert level(reference, "elbo_nats", -1e9) == 0.001
    assert level(reference, "elbo_nats", float("nan")) is None
    assert level(reference, "unknown", 0.0) is None
