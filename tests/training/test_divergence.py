"""A run that cannot recover stops, and leaves the last state that was good."""

import math
import signal
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from training.objectives import Change, Scripted
from training.small_run import TOTAL_STEPS, SignalAfter, changed, small_run

from vaekit.errors import DivergenceError, Interrupted
from vaekit.models import Model
from vaekit.training import latest_checkpoint, load_checkpoint
from vaekit.training.divergence import highest_loss, watch_course
from vaekit.training.progress import Progress

EVERY_STEP = changed(checkpoint_every_seconds=0.0)


def from_step(first: int, change: Change) -> Scripted:
    """Changes the loss of update `first`, counted from zero, and of all that follow."""
    return Scripted(lambda step, loss, model: change(step, loss, model) if step >= first else loss)


def nan_gradient(step: int, loss: Tensor, model: Model) -> Tensor:
    """As large as before, but the root's slope at zero is infinite, times zero."""
    return loss + (next(model.parameters()).sum() * 0.0).sqrt()


def kept_step(folder: Path) -> int:
    """The step of the checkpoint in a folder, all of whose tensors are finite."""
    path = latest_checkpoint(folder / "checkpoint")
    assert path is not None
    tensors, numbers = load_checkpoint(path)
    assert all(tensor.isfinite().all() for tensor in tensors.values())
    return numbers["step"]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_loss_that_is_not_finite(value: float, tmp_path: Path) -> None:
    objective = from_step(7, lambda step, loss, model: loss + value)
    training = small_run(tmp_path, EVERY_STEP, objective=objective)
    with pytest.raises(DivergenceError, match="the loss of the next update is not finite") as error:
        training.run()
    assert "step 7" in str(error.value)
    assert "learning_rate" in str(error.value)
    assert f"loss_nats = {value}" in str(error.value)
    assert kept_step(tmp_path) == 7
    # The weights in memory are the good ones too, ready to be looked at.
    assert all(weight.isfinite().all() for weight in training.model.parameters())
    assert not training.model.training


def test_weights_that_are_not_finite_are_not_saved(tmp_path: Path) -> None:
    objective = from_step(8, nan_gradient)
    with pytest.raises(DivergenceError, match="a weight is not finite"):
        small_run(tmp_path, EVERY_STEP, objective=objective).run()
    assert kept_step(tmp_path) == 8


def test_weights_that_are_not_finite_show_in_the_next_loss(tmp_path: Path) -> None:
    with pytest.raises(DivergenceError, match="the loss of the next update") as error:
        small_run(tmp_path, objective=from_step(8, nan_gradient)).run()
    assert "step 9" in str(error.value)
    assert kept_step(tmp_path) == 0


def test_a_gradient_that_is_not_finite_shows_in_the_log(tmp_path: Path) -> None:
    with pytest.raises(DivergenceError, match="the gradient of the last update") as error:
        small_run(tmp_path, EVERY_STEP, objective=from_step(7, nan_gradient)).run()
    assert "step 8" in str(error.value)
    assert "gradient_norm = nan" in str(error.value)
    assert kept_step(tmp_path) == 7


def test_weights_that_are_not_finite_at_the_very_end(tmp_path: Path) -> None:
    objective = from_step(TOTAL_STEPS - 1, nan_gradient)
    with pytest.raises(DivergenceError, match="not finite"):
        small_run(tmp_path, EVERY_STEP, objective=objective).run()
    assert kept_step(tmp_path) == TOTAL_STEPS - 1


def test_a_gradient_that_is_not_finite_is_not_applied(tmp_path: Path) -> None:
    spec = changed(checkpoint_every_seconds=0.0, gradient={"clip_norm": 1.0})
    training = small_run(tmp_path, spec, objective=from_step(7, nan_gradient))
    with pytest.raises(DivergenceError, match="the gradient of the next update is not finite"):
        training.run()
    assert kept_step(tmp_path) == 7
    assert all(weight.isfinite().all() for weight in training.model.parameters())


def test_what_the_objective_learns_is_looked_at_too(tmp_path: Path) -> None:
    class Learning(Scripted):
        def __init__(self) -> None:
            super().__init__(self._change)
            self.offset = nn.Parameter(torch.zeros(()))

        def _change(self, step: int, loss: Tensor, model: Model) -> Tensor:
            return loss + (0.0 * self.offset).sqrt() if step >= 7 else loss + 0.0 * self.offset

    spec = changed(checkpoint_every_seconds=0.0, log_every_steps=1000)
    with pytest.raises(DivergenceError, match="a weight is not finite"):
        small_run(tmp_path, spec, objective=Learning()).run()
    assert kept_step(tmp_path) == 7


def test_a_loss_that_ran_away(tmp_path: Path) -> None:
    objective = from_step(7, lambda step, loss, model: loss + 1000.0)
    with pytest.raises(DivergenceError, match="the loss ran away") as error:
        small_run(tmp_path, EVERY_STEP, objective=objective).run()
    # Lines of the log come at 4, 6, 8, 12: that at 8 averages updates 7 and 8, and 12 is the
    # second one off course. States with such a loss are never saved.
    assert "step 12" in str(error.value)
    assert kept_step(tmp_path) == 7


def test_a_stop_while_off_course_goes_back_to_the_good_state(tmp_path: Path) -> None:
    objective = from_step(7, lambda step, loss, model: loss + 1000.0)
    stop = SignalAfter(10, signal.SIGINT)
    with pytest.raises(Interrupted, match="it goes on from step 7, the last good state"):
        small_run(tmp_path, EVERY_STEP, [stop], objective=objective).run()
    assert kept_step(tmp_path) == 7


def test_a_spike_is_survived(tmp_path: Path) -> None:
    objective = Scripted(lambda step, loss, model: loss + 1000.0 * (step == 7))
    assert small_run(tmp_path, EVERY_STEP, objective=objective).run().finished
    assert kept_step(tmp_path) == TOTAL_STEPS


@pytest.mark.parametrize("shift", [-1e6, 1e6])
def test_large_losses_are_no_divergence(shift: float, tmp_path: Path) -> None:
    objective = Scripted(lambda step, loss, model: loss + shift)
    assert small_run(tmp_path, EVERY_STEP, objective=objective).run().finished


def watched(losses: Sequence[float], num_values: int = 6) -> Progress:
    progress = Progress()
    for index, loss in enumerate(losses):
        watch_course(progress, loss, num_values, last=index == len(losses) - 1)
    return progress


@pytest.mark.parametrize(
    "losses",
    [
        [500.0, 100.0, 90.0],
        [4.0, 60.0, 63.0],  # within 10 (4 + 6) of the start: a KL warm-up can do that
        [-3000.0, -5000.0, -4000.0, -3500.0],
        [-3000.0, 20000.0, 20000.0],
        [1e8, 1e3, 1e5, 1e2],  # a noisy start
        [0.0, 59.0, 59.0],
        [4.0, 1e9, 4.0, 1e9, 4.0],  # spikes
    ],
)
def test_courses_that_are_none_of_our_business(losses: list[float]) -> None:
    assert watched(losses).first_loss == losses[0]


@pytest.mark.parametrize(
    "losses", [[4.0, 105.0, 105.0], [-3000.0, 1e5, 1e5], [4.0, 4.0, 105.0], [0.0, 61.0, 1e30]]
)
def test_courses_that_went_off(losses: list[float]) -> None:
    with pytest.raises(DivergenceError, match="ran away"):
        watched(losses)


def test_the_limit_is_as_stated() -> None:
    assert highest_loss(Progress(), 6) == math.inf
    assert highest_loss(Progress(first_loss=-2.0), 6) == -2.0 + 10 * (2.0 + 6)
