"""Promises that every transform keeps."""

import pytest
import torch
from pydantic import TypeAdapter

from vaekit.data import Dataset, InMemorySplit, Rows, Transform, TransformSpec
from vaekit.errors import SpecError
from vaekit.numerics import generator_for
from vaekit.schema import Schema

SPECS = {
    "dynamic": {"kind": "binarize"},
    "static": {"kind": "binarize", "protocol": "static"},
    "threshold": {"kind": "binarize", "protocol": "threshold"},
    "none": {"kind": "grey"},
    "standardized": {"kind": "standardize"},
    "integers": {"kind": "integers"},
    "dequantized": {"kind": "dequantize"},
}
parse = TypeAdapter(TransformSpec).validate_python


@pytest.fixture(params=SPECS, ids=str)
def protocol(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def transform(protocol: str, bytes_set: Dataset) -> Transform:
    return parse(SPECS[protocol]).build(bytes_set)


@pytest.fixture
def rows(transform: Transform, bytes_set: Dataset) -> Rows:
    return transform.prepare(bytes_set.split("train")).rows(0, 80)


def test_says_its_protocol(transform: Transform, protocol: str) -> None:
    assert transform.protocol == protocol


def test_gives_float32_of_the_event(transform: Transform, rows: Rows) -> None:
    shown = transform(rows)
    assert shown.x.dtype == torch.float32
    assert shown.x.shape == rows.x.shape
    assert shown.mask is None


def test_draw_follows_its_generator(transform: Transform, rows: Rows) -> None:
    first, second, other = (transform(rows, generator_for(s)).x for s in (1, 1, 2))
    assert torch.equal(first, second)
    assert torch.equal(first, other) != transform.is_random


def test_draw_leaves_global_noise_alone(transform: Transform, rows: Rows) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    transform(rows, generator_for(0))
    assert torch.equal(torch.rand(3), expected)


def test_expectation_is_the_mean_of_draws(transform: Transform, rows: Rows) -> None:
    # A value lies in [0, 1] where it is random, so its mean over 1000 draws has a standard
    # deviation of at most 0.5 / sqrt(1000) = 0.016; six of them, for 320 values.
    generator = generator_for(0)
    draws = torch.stack([transform(rows, generator).x for _ in range(1000)])
    assert (draws.mean(0) - transform.expectation(rows.x)).abs().max() < 0.095


def test_inverse_undoes_the_expectation(
    transform: Transform, protocol: str, bytes_set: Dataset
) -> None:
    raw = bytes_set.split("train").rows(0, 80).x
    back = transform.inverse(transform.expectation(raw))
    if protocol == "threshold":
        assert torch.equal(back, 255 * (raw > 127).float())
    else:
        # Two roundings in float32, of numbers up to 255: 255 * 2^-23 = 3e-5.
        torch.testing.assert_close(back, raw.float(), rtol=0, atol=6e-5)


def test_state_restores_a_fitted_transform(
    transform: Transform, protocol: str, bytes_set: Dataset, rows: Rows
) -> None:
    restored = parse(SPECS[protocol]).unfitted(bytes_set.schema)
    restored.load_state_dict(transform.state_dict())
    assert torch.equal(restored(rows, generator_for(1)).x, transform(rows, generator_for(1)).x)


def test_no_rows_are_no_observations(transform: Transform, rows: Rows) -> None:
    assert transform(rows[:0]).x.shape == (0, 1, 2, 2)


@pytest.mark.parametrize("spec", [s for s in SPECS.values() if s.get("protocol") != "static"])
def test_missing_values_are_masked_or_refused(spec: dict[str, str]) -> None:
    x = torch.tensor([[0.0, 0.5], [torch.nan, 1.0], [1.0, torch.nan]])
    schema = Schema(
        name="gaps", kind="vector", event_shape=(2,), dtype="float32", low=0, high=1, missing="nan"
    )
    gaps = Dataset("gaps", schema, {"train": InMemorySplit(x)}, "here", "3/-/-")
    if spec["kind"] in ("integers", "dequantize"):
        with pytest.raises(SpecError, match="integer type"):
            parse(spec).build(gaps)
        return
    shown = parse(spec).build(gaps)(Rows(x), generator_for(0))
    assert shown.mask is not None
    assert torch.equal(shown.mask, ~x.isnan())
    assert (shown.x[x.isnan()] == 0).all()
    assert shown.x.isfinite().all()


@pytest.mark.parametrize("name", ["dynamic", "static", "threshold", "none", "integers"])
def test_unbounded_values_are_refused_with_a_way_out(name: str, bytes_set: Dataset) -> None:
    schema = bytes_set.schema.model_copy(update={"high": None})
    with pytest.raises(SpecError, match=r"state data\.low and data\.high") as raised:
        parse(SPECS[name]).unfitted(schema)
    assert "high = None" in str(raised.value)


@pytest.mark.gpu
def test_acts_on_the_device_of_the_rows(transform: Transform, rows: Rows) -> None:
    shown = transform.to("cuda")(rows.to("cuda"), generator_for(0, device="cuda"))
    assert shown.x.is_cuda
