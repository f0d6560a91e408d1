"""Learning-rate schedules at the places where their values are known."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter
from training.small_run import STEPS_PER_EPOCH, changed, small_run

from vaekit.training import (
    ConstantSchedule,
    CosineSchedule,
    Listener,
    Record,
    ScheduleSpec,
    StepSchedule,
    WarmRestarts,
)

EPOCHS = 10.0
SCHEDULES = [
    ConstantSchedule(),
    CosineSchedule(final=0.1),
    WarmRestarts(period_epochs=2.0, growth=2.0, final=0.1),
    WarmRestarts(period_epochs=0.7, growth=1.0, final=0.0),
    StepSchedule(every_epochs=3.0, decay=0.1),
]
RISING = [spec.model_copy(update={"warmup_epochs": 2.0}) for spec in SCHEDULES]
QUARTER = 0.1 + 0.9 * (1 + math.sqrt(0.5)) / 2  # half a cosine after a quarter of its way


@pytest.mark.parametrize(
    ("spec", "values"),
    [
        (SCHEDULES[0], {0.0: 1.0, 5.0: 1.0, 10.0: 1.0}),
        (SCHEDULES[1], {0.0: 1.0, 2.5: QUARTER, 5.0: 0.55, 10.0: 0.1, 11.0: 0.1}),
        # Cycles from 0 to 2, 2 to 6 and 6 to 14.
        (SCHEDULES[2], {0.0: 1.0, 0.5: QUARTER, 1.0: 0.55, 2.0: 1.0, 3.0: QUARTER, 4.0: 0.55}),
        (SCHEDULES[2], {6.0: 1.0, 8.0: QUARTER, 10.0: 0.55, 14.0: 1.0}),
        (SCHEDULES[3], {0.0: 1.0, 0.35: 0.5, 0.7: 1.0, 1.05: 0.5, 1.4: 1.0}),
        (SCHEDULES[4], {0.0: 1.0, 2.99: 1.0, 3.0: 0.1, 5.99: 0.1, 6.0: 0.01, 9.0: 0.001}),
        (RISING[0], {0.0: 0.0, 0.5: 0.25, 1.0: 0.5, 2.0: 1.0, 10.0: 1.0}),
        # The rise multiplies what the schedule says.
        (RISING[1], {0.0: 0.0, 5.0: 0.55, 10.0: 0.1}),
        (RISING[2], {0.0: 0.0, 1.0: 0.5 * 0.55, 2.0: 1.0, 4.0: 0.55}),
        (RISING[4], {0.0: 0.0, 1.0: 0.5, 3.0: 0.1}),
    ],
)
def test_known_values(spec: ConstantSchedule, values: dict[float, float]) -> None:
    for epoch, value in values.items():
        assert spec.factor(epoch, EPOCHS) == pytest.approx(value, rel=1e-9, abs=1e-12), epoch


def test_just_before_a_restart_it_is_at_its_end() -> None:
    for end in (2.0, 6.0, 14.0):
        # A cosine is flat at its end: 1e-4 epochs before, it is within 1e-8.
        assert SCHEDULES[2].factor(end - 1e-4, EPOCHS) == pytest.approx(0.1, abs=1e-7)


@pytest.mark.parametrize("spec", SCHEDULES + RISING)
@given(epoch=st.floats(0.0, 100.0))
def test_a_factor_lies_between_zero_and_one(spec: ConstantSchedule, epoch: float) -> None:
    assert 0.0 <= spec.factor(epoch, EPOCHS) <= 1.0


@pytest.mark.parametrize("spec", SCHEDULES + RISING)
def test_there_and_back(spec: ConstantSchedule) -> None:
    assert TypeAdapter(ScheduleSpec).validate_python(spec.model_dump()) == spec


def test_a_run_follows_its_schedule() -> None:
    rates: list[float] = []

    class Rates(Listener):
        def logged(self, record: Record) -> None:
            if record["kind"] == "training":
                rates.append(float(record["learning_rate"]))
                for optimizer in training.updater.optimizers.values():
                    assert optimizer.learning_rate == record["learning_rate"]

    schedule = {"kind": "cosine", "warmup_epochs": 1.0, "final": 0.1}
    spec = changed(
        schedule=schedule, log_every_steps=1, optimizer={"kind": "adam", "learning_rate": 0.01}
    )
    training = small_run(spec=spec, listeners=[Rates()])
    training.run()
    expected = CosineSchedule(warmup_epochs=1.0, final=0.1)
    assert rates == [
        0.01 * expected.factor(step / STEPS_PER_EPOCH, spec.epochs) for step in range(18)
    ]
    assert rates[0] == 0.0
