"""Giving up in time, with the best weights."""

import signal
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from training import small_run as program
from training.small_run import STEPS_PER_EPOCH, SignalAfter, changed, small_run

from vaekit.errors import Interrupted, SpecError
from vaekit.training import EarlyStoppingSpec, Training, TrainingData, loop
from vaekit.training.early_stopping import is_best
from vaekit.training.progress import Progress


def course(values: Sequence[float], **settings: float) -> tuple[list[bool], Progress]:
    """What becomes of some validations, one per epoch."""
    spec, progress = EarlyStoppingSpec.model_validate(settings), Progress()
    bests: list[bool] = []
    for epoch, value in enumerate(values, start=1):
        assert not progress.finished
        bests.append(is_best(spec, progress, value, epoch))
    return bests, progress


def test_patience_counts_from_the_best() -> None:
    bests, progress = course([-9.0, -8.0, -8.5, -8.2, -7.0, -7.1, -7.2, -7.3], patience=3)
    assert bests == [True, True, False, False, True, False, False, False]
    assert progress.finished
    assert (progress.best_value, progress.best_epoch) == (-7.0, 5)


def test_no_change_is_no_improvement() -> None:
    bests, progress = course([-9.0, -9.0], patience=1)
    assert bests == [True, False]
    assert progress.finished


def test_small_improvements_count_together() -> None:
    """What counts is the distance to the best, not to the one before."""
    bests, progress = course([-9.0, -8.6, -8.2, -7.8], patience=3, min_improvement_nats=1.0)
    assert bests == [True, False, False, True]
    assert not progress.finished


@dataclass
class Validations:
    """Makes up the validation bounds of a run, by epoch."""

    bounds: Sequence[float]
    weights: dict[int, Tensor] = field(default_factory=dict)
    training: Training | None = None

    def __call__(self, *_: object) -> dict[str, float]:
        assert self.training is not None
        epoch = self.training.progress.step // STEPS_PER_EPOCH
        self.weights[epoch] = next(self.training.model.parameters()).detach().clone()
        return {"elbo_nats": self.bounds[epoch - 1]}


PATIENT = changed(
    epochs=8, early_stopping={"patience": 3}, optimizer={"learning_rate": 0.01, "kind": "adam"}
)
BOUNDS = [-9.0, -5.0, -6.0, -7.0, -8.0, -1.0, -1.0, -1.0]


def test_a_run_keeps_its_best_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = Validations(BOUNDS)
    monkeypatch.setattr(loop, "validate", seen)
    seen.training = small_run(tmp_path, PATIENT)
    progress = seen.training.run()
    assert progress.finished
    assert progress.step == 5 * STEPS_PER_EPOCH  # the best in epoch 2, then three of patience
    assert progress.best_epoch == 2.0
    kept = next(seen.training.model.parameters())
    # What was validated: the averages of epoch 2, and of no other.
    assert [epoch for epoch, weight in seen.weights.items() if torch.equal(weight, kept)] == [2]


@pytest.mark.parametrize("stop", [13, 18, 27, 30])
def test_patience_survives_a_stop(
    stop: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = Validations(BOUNDS)
    monkeypatch.setattr(loop, "validate", seen)
    seen.training = small_run(tmp_path, PATIENT, [SignalAfter(stop, signal.SIGINT)])
    with pytest.raises(Interrupted):
        seen.training.run()
    assert seen.training.progress.step == stop
    seen.training = small_run(tmp_path, PATIENT)
    progress = seen.training.run()
    assert (progress.step, progress.best_epoch) == (5 * STEPS_PER_EPOCH, 2.0)
    assert torch.equal(next(seen.training.model.parameters()), seen.weights[2])


def test_the_last_epoch_is_not_the_best_by_being_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = Validations([-9.0, -5.0, -6.0])
    monkeypatch.setattr(loop, "validate", seen)
    seen.training = small_run(spec=changed(early_stopping={"patience": 3}))
    assert seen.training.run().step == 3 * STEPS_PER_EPOCH
    assert torch.equal(next(seen.training.model.parameters()), seen.weights[2])


def test_there_has_to_be_something_to_watch(monkeypatch: pytest.MonkeyPatch) -> None:
    original = program.small_data

    def blind(*choices: Any) -> TrainingData:
        data = original(*choices)
        return TrainingData(data.batches, data.transform)

    monkeypatch.setattr(program, "small_data", blind)
    with pytest.raises(SpecError, match="watches a validation split") as raised:
        small_run(spec=PATIENT)
    assert "training.early_stopping" in str(raised.value)
    assert small_run().run().finished  # which needs no validation
