"""The walk says what the numbers say."""

from dataclasses import fields

import pytest

from vaekit.lesson import Equation, Grid, Parameters, Setting, Step, by_hand, forward, walk


def equations(step: Step) -> dict[str, float]:
    blocks = [b for b in step.blocks if isinstance(b, tuple)]
    return {e.name: e.value for block in blocks for e in block if isinstance(e, Equation)}


def test_six_steps_with_every_number() -> None:
    parameters, setting = Parameters(), Setting()
    steps = walk(parameters, setting)
    assert len(steps) == 7
    passed = forward(parameters, setting)
    assert equations(steps[0]) == {"μ": passed.mu, "s": passed.log_variance, "σ": passed.sigma}
    assert equations(steps[1]) == {"z": passed.z}
    assert equations(steps[2])["R"] == passed.reconstruction
    assert equations(steps[3])["L"] == passed.loss
    found = equations(steps[4])
    for name, value in zip(
        ("w_μ", "b_μ", "w_s", "b_s", "w_m", "b_m"),
        by_hand(parameters, setting).values(),
        strict=True,
    ):
        assert found[f"dL/d{name}"] == value


@pytest.mark.parametrize("index", range(5))
def test_the_numbers_that_are_put_in_give_the_result(index: int) -> None:
    step = walk(Parameters(), Setting(x=-1.5, epsilon=-0.25, beta=3.0))[index]
    for block in step.blocks:
        for equation in block if isinstance(block, tuple) else ():
            if not equation.numbers:
                continue
            # Six decimals were put in; no formula here magnifies their roundings by fifty.
            assert computed(equation.numbers) == pytest.approx(equation.value, abs=2.5e-5), equation


def computed(numbers: str) -> float:
    """What a calculator makes of the second line of an equation."""
    import math

    text = numbers.replace("·", "*").replace("²", "**2")
    for argument in ("0.5", "(-0.5)"):
        text = text.replace(f"log {argument}", f"log({argument})")
    return eval(text, {"exp": math.exp, "log": math.log})


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        (Setting(), "it fell as well"),
        (Setting(epsilon=1.5), "its mean over fresh noise rose"),
        (Setting(learning_rate=2.0), "step was too long"),
    ],
)
def test_the_verdict_follows_the_numbers(setting: Setting, said: str) -> None:
    assert said in walk(Parameters(), setting)[5].why


def test_a_step_of_nothing() -> None:
    nothing = Parameters(*[0.0] * len(fields(Parameters)))
    assert "gradient is zero" in walk(nothing, Setting(x=0.0))[5].why


def test_beta_is_told_apart_from_the_elbo() -> None:
    assert "-ELBO" in walk(Parameters(), Setting())[3].why
    assert "not minus an ELBO" in walk(Parameters(), Setting(beta=4.0))[3].why


def test_by_hand_and_autograd_stand_side_by_side() -> None:
    (grid,) = [b for b in walk(Parameters(), Setting())[4].blocks if isinstance(b, Grid)]
    assert grid.headings == ("dL/dθ", "by hand", "autograd", "difference", "central diff.")
    assert len(grid.rows) == 6
    for _, hand, auto, apart, central in grid.rows:
        assert hand == auto == central
        assert apart == "< 1e-15"
