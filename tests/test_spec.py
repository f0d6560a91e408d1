"""What every spec has in common: closed, frozen, finite, and a value."""

import pytest
from pydantic import Field, ValidationError

from vaekit.spec import Spec


class Inner(Spec):
    rate: float = Field(default=0.5)


class Outer(Spec):
    name: str = Field(default="a")
    sizes: tuple[int, ...] = Field(default=(1, 2))
    inner: Inner = Inner()


@pytest.mark.parametrize("given", [{"nmae": "b"}, {"inner": {"rat": 1.0}}])
def test_misspelt_keys_are_errors(given: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        Outer.model_validate(given)


@pytest.mark.parametrize("rate", [float("nan"), float("inf"), "nan", -float("inf")])
def test_numbers_are_finite(rate: object) -> None:
    with pytest.raises(ValidationError, match="finite number"):
        Inner.model_validate({"rate": rate})


def test_nothing_changes_after_it_is_built() -> None:
    spec = Outer()
    with pytest.raises(ValidationError, match="frozen"):
        spec.name = "b"
    with pytest.raises(ValidationError, match="frozen"):
        spec.inner.rate = 1.0


def test_equal_choices_are_one_value() -> None:
    assert Outer(sizes=(3,)) == Outer(sizes=(3,)) != Outer()
    assert hash(Outer()) == hash(Outer()) != hash(Outer(name="b"))


def test_goes_there_and_back() -> None:
    spec = Outer(name="b", sizes=(), inner=Inner(rate=0.1))
    assert Outer.model_validate_json(spec.model_dump_json()) == spec
    assert Outer.model_validate(spec.model_dump()) == spec
