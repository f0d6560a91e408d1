"""The study on scikit-learn's digits, which need no download."""

import pytest

from vaekit.studies.aevb import setting as parts

DIGITS = {
    "data": {"kind": "digits"},
    "transform": {"kind": "binarize", "protocol": "dynamic"},
}


@pytest.fixture
def digits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Puts digits in the place of MNIST."""
    monkeypatch.setitem(parts._DATA, "mnist", DIGITS)
