"""A cell from beginning to end: nothing disturbs it, nothing is lost."""

import os
import signal
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from studies.dynamics.small_cells import small_recipe

from vaekit.data import Batches
from vaekit.errors import Interrupted
from vaekit.models import VAE
from vaekit.studies.dynamics.calibration import calibrated
from vaekit.studies.dynamics.cells import Cell, assembled
from vaekit.studies.dynamics.experiment import Experiment, carry_out, held_out, probe_for
from vaekit.studies.dynamics.results import MOST_BYTES, read_result, write_result
from vaekit.studies.dynamics.watch import kept_weights, reading_steps
from vaekit.training import Listener, Record, Training, TrainingData

CELL = Cell(epochs=2)


class StopAt(Listener):
    """Sends this process SIGTERM after some steps."""

    def __init__(self, step: int) -> None:
        self.step = step

    def stepped(self, step: int, reported: Record) -> None:
        if step == self.step:
            os.kill(os.getpid(), signal.SIGTERM)


@pytest.mark.parametrize("family", ["vae", "categorical", "hierarchical"])
def test_instruments_leave_training_bit_for_bit(tmp_path: Path, family: str) -> None:
    cell = Cell(epochs=2, family=family)  # pyright: ignore[reportArgumentType]
    watched, alone = (assembled(small_recipe(cell)) for _ in range(2))
    recipe = small_recipe(cell)
    experiment = Experiment(recipe, watched, tmp_path)
    probe = probe_for(cell, experiment.held_out)
    experiment.run(probe, steps=range(100), keep_ages=family == "vae")
    data = TrainingData(
        Batches(alone.dataset.split("train"), recipe.training.batch_size, recipe.seed, "cpu"),
        alone.transform,
    )
    Training(alone.model, alone.objective, data, recipe.training, recipe.seed).run()
    for name, value in alone.model.state_dict().items():
        assert torch.equal(value, watched.model.state_dict()[name]), name


def test_a_stopped_cell_leaves_the_same_file(tmp_path: Path, small: None) -> None:
    whole = carry_out(CELL, tmp_path / "whole")
    with pytest.raises(Interrupted):
        carry_out(CELL, tmp_path / "parts", [StopAt(13)])
    resumed = carry_out(CELL, tmp_path / "parts")
    assert {**resumed, "machine": {}} == {**whole, "machine": {}}
    assert whole["curves"]["step"][:14] == [*range(13), 13]
    assert whole["curves"]["step"][-1] == 2 * whole["steps_per_epoch"]


def test_a_result_is_small_and_read_back(tmp_path: Path, small: None) -> None:
    cell = Cell(epochs=3, latent_dim=20, data="binary")
    content = carry_out(cell, tmp_path)
    write_result(tmp_path / "cell.json", content)
    assert (tmp_path / "cell.json").stat().st_size < MOST_BYTES
    assert read_result(tmp_path / "cell.json")["settings"] == cell.settings
    assert content["end"]["kl"] > 0
    assert content["end"]["aggregate_kl"] > -0.1  # an estimate with one draw for each example
    kept = sorted((tmp_path / cell.name / "ages").iterdir())
    assert len(kept) == 4  # a tenth and a third of an epoch, one, and the last
    assert "decoder.output_bias" in kept_weights(kept[0])


def test_calibration_is_the_function_that_training_sees() -> None:
    parts = assembled(small_recipe(CELL))
    model, shown = parts.model, held_out(parts)
    assert isinstance(model, VAE)
    model.train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with calibrated(model, shown), torch.no_grad():
        inside = model.encode(shown)[0]
        assert not model.training
    assert model.training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    with torch.no_grad():
        by_batch = model.encode(shown)[0]  # in training mode: with the statistics of the batch
    # Running variances have n - 1 below, those of the batch n: half a part in 250.
    assert torch.allclose(inside, by_batch, atol=0.01)


def test_readings_come_at_every_step_first_and_by_the_logarithm_then() -> None:
    steps = reading_steps(23400)
    assert steps[:13] == list(range(13))
    assert steps[-1] == 23400
    assert len(steps) < 120
    ratios = [later / earlier for earlier, later in pairwise(steps[20:])]
    assert max(ratios) < 1.15
