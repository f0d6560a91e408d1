"""Held-out examples in an artifact: whole, without pickle, and only where they may be passed on."""

import numpy as np
import pytest

from vaekit.artifacts import Examples

X = np.arange(24, dtype=np.uint8).reshape(4, 1, 2, 3)


@pytest.mark.parametrize("labels", [None, np.arange(4)])
@pytest.mark.parametrize("condition", [None, {"label": np.arange(4), "thickness": np.ones(4)}])
def test_they_come_back_as_they_were(
    labels: np.ndarray | None, condition: dict[str, np.ndarray] | None
) -> None:
    content = Examples(X, labels, condition).to_bytes()
    found = Examples.from_bytes(content)
    np.testing.assert_array_equal(found.x, X)
    assert found.x.dtype == X.dtype
    assert (found.labels is None) == (labels is None)
    assert set(found.condition) == set(condition or {})
    assert Examples(X, labels, condition).to_bytes() == content


@pytest.mark.parametrize("content", [b"", b"nothing", Examples(X).to_bytes()[:-5]])
def test_damage_is_an_error(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        Examples.from_bytes(content)


def test_a_file_without_examples_is_an_error() -> None:
    content = Examples(X).to_bytes().replace(b'"x"', b'"y"')
    with pytest.raises(ValueError, match="no array x"):
        Examples.from_bytes(content)
