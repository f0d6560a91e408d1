"""What a runtime takes and what it refuses."""

from collections.abc import Callable

import numpy as np
import pytest
from artifacts.tampering import V1
from runtime.linear_runtime import examples, linear_runtime

from vaekit.errors import DataError, SpecError, VaekitError
from vaekit.export import load
from vaekit.runtime import Runtime

X = examples(3)


@pytest.fixture(scope="module")
def digits() -> Runtime:
    return load(V1 / "artifact")


def test_one_example_lists_and_other_types(digits: Runtime) -> None:
    x = np.arange(64, dtype=np.uint8).reshape(1, 1, 8, 8) % 17
    expected = digits.encode(x)
    for form in (x[0], x.tolist(), x.astype(np.float64), x.reshape(1, 64), x[:, 0]):
        assert np.array_equal(digits.encode(form), expected)
    assert np.array_equal(digits.decode(expected[0]), digits.decode(expected))
    assert digits.decode(expected.tolist()).shape == (1, 1, 8, 8)


def test_no_examples_are_no_answers(digits: Runtime) -> None:
    empty = np.zeros((0, 1, 8, 8), np.uint8)
    assert digits.encode(empty).shape == (0, 2)
    assert digits.reconstruct(empty).shape == (0, 1, 8, 8)
    assert {v.shape for v in digits.score(empty).values()} == {(0,)}


def test_scores_skip_what_is_missing() -> None:
    runtime, x = linear_runtime(missing="nan"), X.copy()
    whole = runtime.score(x, 5)
    x[0, 2] = np.nan
    x[1] = np.nan
    scores = runtime.score(x, 5)
    assert all(np.isfinite(values).all() for values in scores.values())
    assert scores["mse"][1] == 0
    assert scores["log_likelihood_nats"][0] > whole["log_likelihood_nats"][0] - 20
    assert np.allclose(scores["elbo_nats"][2], whole["elbo_nats"][2])


REFUSALS: dict[str, tuple[Callable[[Runtime], object], type[VaekitError], str]] = {
    "shape": (lambda r: r.encode(X[:, :4]), DataError, r"\(examples, 6\)"),
    "text": (lambda r: r.encode([["a"] * 6]), DataError, "not numbers"),
    "ragged": (lambda r: r.encode([[1.0], [1.0, 2.0]]), DataError, "not an array"),
    "nan": (lambda r: r.score(X * np.nan), DataError, "not a finite number"),
    "infinity": (lambda r: r.reconstruct(X * np.inf), DataError, "not a finite number"),
    "code size": (lambda r: r.decode(X), DataError, r"\(examples, 3\)"),
    "code nan": (lambda r: r.decode(np.full((1, 3), np.nan)), DataError, "finite"),
    "k": (lambda r: r.score(X, 0), SpecError, "num_samples is too small"),
    "many": (lambda r: r.score(X, 10**13), SpecError, "num_samples is too large"),
    "n": (lambda r: r.sample(0), SpecError, "n is too small"),
    "temperature": (lambda r: r.sample(1, temperature=-1), SpecError, "temperature"),
    "temperature nan": (lambda r: r.sample(1, temperature=np.nan), SpecError, "temperature"),
    "steps": (lambda r: r.interpolate(X, X, 1), SpecError, "steps is too small"),
    "ends": (lambda r: r.interpolate(X, X[:2]), DataError, "two ends"),
    "dimension": (lambda r: r.traverse(dimensions=[3]), SpecError, "from 0 to 2"),
    "no dimension": (lambda r: r.traverse(dimensions=[]), SpecError, "latent dimension"),
    "reach": (lambda r: r.traverse(reach=0), SpecError, "reach"),
}


@pytest.mark.parametrize("case", REFUSALS.values(), ids=REFUSALS)
def test_refused(case: tuple[Callable[[Runtime], object], type[VaekitError], str]) -> None:
    ask, error, message = case
    with pytest.raises(error, match=message):
        ask(linear_runtime())


def test_ranges_and_types(digits: Runtime) -> None:
    with pytest.raises(DataError, match="from 0 to 16"):
        digits.encode(np.full((1, 1, 8, 8), 17, np.uint8))
    with pytest.raises(DataError, match="uint8, or values that it can hold"):
        digits.encode(np.full((1, 1, 8, 8), 0.5))
    with pytest.raises(DataError, match="can hold"):
        digits.encode(np.full((1, 1, 8, 8), 256))
