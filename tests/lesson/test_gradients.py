"""The gradient by hand is that of autograd, and of finite differences, whatever the numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaekit.errors import SpecError
from vaekit.lesson import (
    Parameters,
    Setting,
    by_autograd,
    by_differences,
    by_hand,
    forward,
    updated,
)

NUMBERS = st.floats(-3, 3)
PARAMETERS = st.builds(Parameters, *[NUMBERS] * 6)
SETTINGS = st.builds(
    Setting,
    x=NUMBERS,
    epsilon=NUMBERS,
    likelihood_scale=st.floats(0.3, 3),
    beta=st.floats(0, 4),
)


def size(*gradients: Parameters) -> float:
    """The largest number there is, or one: what roundings are measured by."""
    return max(1.0, *(abs(value) for gradient in gradients for value in gradient.values()))


@given(PARAMETERS, SETTINGS)
def test_by_hand_is_autograd(parameters: Parameters, setting: Setting) -> None:
    hand, auto = by_hand(parameters, setting), by_autograd(parameters, setting)
    # A few thousand roundings of float64, of numbers as large as the largest gradient.
    assert hand.values() == pytest.approx(auto.values(), rel=0, abs=1e-12 * size(hand, auto))


@given(PARAMETERS, SETTINGS)
def test_by_hand_is_a_slope(parameters: Parameters, setting: Setting) -> None:
    hand, slope = by_hand(parameters, setting), by_differences(parameters, setting)
    # The loss is known to 1e-16 of itself, and that is divided by h = 1e-5: 1e-11. The error of
    # the formula is h^2 times a third derivative, which exp(s / 2) makes as large as sigma^2.
    loss = abs(forward(parameters, setting).loss)
    assert hand.values() == pytest.approx(slope.values(), abs=1e-7 * (size(hand) + loss))


@pytest.mark.parametrize("epsilon", [-1.5, 0.0, 0.5, 2.0])
@pytest.mark.parametrize("beta", [0.0, 1.0, 4.0])
def test_a_short_step_lowers_the_loss_as_the_gradient_says(epsilon: float, beta: float) -> None:
    parameters = Parameters()
    hand = by_hand(parameters, Setting(epsilon=epsilon, beta=beta))
    forecast = sum(value**2 for value in hand.values())
    errors = []
    for rate in (1e-3, 1e-4, 1e-5):
        setting = Setting(epsilon=epsilon, beta=beta, learning_rate=rate)
        after = updated(parameters, hand, setting)
        fall = forward(parameters, setting).loss - forward(after, setting).loss
        assert fall > 0
        errors.append(abs(fall / (rate * forecast) - 1))
    # The share that the bend of the loss takes is proportional to the step.
    assert errors[1] == pytest.approx(errors[0] / 10, rel=0.1)
    assert errors[2] == pytest.approx(errors[1] / 10, rel=0.1)


def test_the_numbers_of_the_page() -> None:
    # By a pocket calculator: z = 0.6 + 0.778801 / 2, m = 0.8 z - 0.1, dL/dm = (m - 1) / 0.25.
    gradient = by_hand(Parameters(), Setting())
    assert gradient.decoder_bias == pytest.approx(-1.233919, abs=5e-7)
    assert gradient.decoder_weight == pytest.approx(-1.233919 * 0.989400, abs=2e-6)
    assert gradient.mu_bias == pytest.approx(0.8 * -1.233919 + 0.6, abs=2e-6)
    assert gradient.log_variance_bias == pytest.approx(
        0.8 * -1.233919 * 0.778801 / 4 + (0.606531 - 1) / 2, abs=2e-6
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x", float("nan")),
        ("epsilon", float("inf")),
        ("likelihood_scale", 0.0),
        ("likelihood_scale", -1.0),
        ("beta", -0.1),
        ("learning_rate", 0.0),
        ("x", 1e4),
    ],
)
def test_numbers_that_cannot_be_used(name: str, value: float) -> None:
    with pytest.raises(SpecError, match="cannot be computed with this number") as refused:
        Setting(**{name: value})
    for word in (name, "expected:", "found:", "do:"):
        assert word in str(refused.value)


def test_a_variance_that_cannot_be_shown() -> None:
    with pytest.raises(SpecError, match="log sigma\\^2 is too far from zero"):
        forward(Parameters(log_variance_bias=100.0), Setting())


def test_a_step_that_is_far_too_long() -> None:
    setting = Setting(learning_rate=1000.0)
    with pytest.raises(SpecError, match="smaller --learning-rate"):
        updated(Parameters(), by_hand(Parameters(), setting), setting)
