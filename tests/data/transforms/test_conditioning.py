"""c of examples: the same in training and in serving, and all of it in turn for pictures."""

import pytest
import torch
from pydantic import TypeAdapter, ValidationError

from vaekit.condition import encoded
from vaekit.data import Dataset, InMemorySplit, Rows, Transform, TransformSpec
from vaekit.errors import DataError, SpecError
from vaekit.schema import Attribute, Schema

parse = TypeAdapter(TransformSpec).validate_python
KINDS = ["binarize", "grey", "standardize", "integers", "dequantize"]
COUNT, CUT = 300, 250
SOURCE = torch.Generator().manual_seed(0)
X = torch.randint(0, 256, (COUNT, 2), generator=SOURCE, dtype=torch.uint8)
LABELS = torch.arange(COUNT) % 4
VALUES = torch.stack(
    [
        1e3 + 7 * torch.randn(COUNT, generator=SOURCE),
        torch.arange(COUNT) % 3.0,
        torch.full((COUNT,), 5.0),
    ],
    dim=1,
)
SCHEMA = Schema(
    name="known", kind="vector", event_shape=(2,), dtype="uint8", low=0, high=255, num_classes=4,
    attributes=(
        Attribute(name="weight"), Attribute(name="kind", num_classes=3), Attribute(name="same")
    ),
)  # fmt: skip
ROWS = Rows(X, LABELS, VALUES)
SPLITS = {"train": InMemorySplit.of(ROWS[:CUT]), "test": InMemorySplit.of(ROWS[CUT:])}
DATA = Dataset("known", SCHEMA, SPLITS, "here", "250/-/50")


def built(*names: str, kind: str = "grey") -> Transform:
    return parse({"kind": kind, "condition": names}).build(DATA)


@pytest.mark.parametrize("kind", KINDS)
def test_c_is_one_hot_and_standardised_by_training(kind: str) -> None:
    c = built("kind", "weight", "label", "same", kind=kind)(ROWS).c
    assert c is not None
    assert (c.shape, c.dtype) == ((COUNT, 3 + 1 + 4 + 1), torch.float32)
    assert torch.equal(c[:, :3], torch.eye(3)[VALUES[:, 1].long()])
    assert torch.equal(c[:, 4:8], torch.eye(4)[LABELS])
    seen = VALUES[:CUT, 0].double()
    expected = (VALUES[:, 0].double() - seen.mean()) / seen.std(correction=0)
    # Moments are kept in float32, of numbers of a thousand: 1000 * 2^-24 / 7 of a deviation.
    torch.testing.assert_close(c[:, 3].double(), expected, rtol=1e-5, atol=2e-5)
    assert (c[:, 8] == 0).all()  # what never changes has nothing to be divided by


def test_serving_says_the_same_bit_for_bit() -> None:
    transform = built("weight", "kind", "same", "label")
    told = {name: values.numpy() for name, values in transform.conditioning.told_by(ROWS).items()}
    c = encoded(transform.conditions, told, COUNT, "m")
    ours = transform(ROWS).c
    assert c is not None
    assert ours is not None
    assert torch.equal(torch.from_numpy(c), ours)


def test_a_saved_state_brings_the_moments_back() -> None:
    transform = built("weight", "label")
    restored = parse({"kind": "grey", "condition": ["weight", "label"]}).unfitted(SCHEMA)
    assert restored.num_conditions == transform.num_conditions == 5
    restored.load_state_dict(transform.state_dict())
    assert restored.conditions == transform.conditions
    weight = restored.conditions[0]
    assert (weight.low, weight.high) == (VALUES[:CUT, 0].min(), VALUES[:CUT, 0].max())


def test_classes_alone_keep_no_state() -> None:
    assert not built("label", "kind").state_dict()


def test_what_is_told_instead_of_known_is_taken() -> None:
    transform, c = built("weight"), torch.full((COUNT, 1), 0.25)
    assert transform.expected(Rows(X), c).c is c
    with pytest.raises(DataError, match="conditioned on the weight"):
        transform(Rows(X, LABELS))


@pytest.mark.parametrize(
    ("name", "said"),
    [("wieght", "no attribute 'wieght'(.|\n)*label, weight, kind, same"), ("x", "no attribute")],
)
def test_unknown_names_are_refused(name: str, said: str) -> None:
    with pytest.raises(SpecError, match=said):
        built(name)


def test_a_name_twice_is_refused() -> None:
    with pytest.raises(ValidationError, match="every name once"):
        built("label", "label")


# -- in turn -------------------------------------------------------------------------------------


def test_a_class_alone_goes_through_all_classes() -> None:
    c = built("label").every_condition(23)
    assert c is not None
    assert torch.equal(c, torch.eye(4)[torch.arange(23) % 4])
    assert built().every_condition(5) is None


def test_a_number_alone_rises_through_its_quantiles() -> None:
    c = built("weight").every_condition(20)
    assert c is not None
    assert torch.equal(c[:10], c[10:])
    assert (c[:10, 0].diff() > 0).all()
    below = [(VALUES[:CUT, 0] < v).float().mean() for v in c[:10, 0] * 7.0 + 1e3]
    # Moments of 250 draws are off by 1/16 deviation or so, which is 0.03 of the probability.
    torch.testing.assert_close(torch.stack(below), torch.arange(0.05, 1, 0.1), rtol=0, atol=0.06)


def test_several_take_turns_of_ten() -> None:
    c = built("label", "weight").every_condition(40)
    assert c is not None
    label, weight = c[:, :4].argmax(1), c[:, 4]
    assert label[:10].tolist() == [0, 1, 2, 3, 0, 1, 2, 3, 0, 1]
    assert (weight[:10] == 0).all()
    assert (label[10:20] == 0).all()
    assert (weight[10:20].diff() > 0).all()
    assert label[20:30].tolist() == [2, 3, 0, 1, 2, 3, 0, 1, 2, 3]
    assert (label[30:] == 1).all()


def test_turns_are_put_into_words() -> None:
    assert built().conditioning.in_turn_in_words == ""
    assert built("label").conditioning.in_turn_in_words == "Given label 0 to 3, in turn."
    both = built("label", "weight").conditioning.in_turn_in_words
    assert "Each ten" in both
    assert "weight from the lowest" in both
