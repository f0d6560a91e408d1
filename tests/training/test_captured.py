"""Updates that nobody waits for are the updates of `Updater`."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from training.objectives import Scripted
from training.small_run import (
    MODEL,
    NETWORK,
    OBJECTIVE,
    STEPS_PER_EPOCH,
    built,
    changed,
    small_data,
    small_run,
)

from vaekit.errors import DivergenceError
from vaekit.models import (
    CategoricalVAESpec,
    CodebookSpec,
    ModelSpec,
    RelaxationSpec,
    VQVAESpec,
)
from vaekit.numerics import derive_seed, draw_noise, generator_for
from vaekit.objectives import Objective
from vaekit.training import Training, loop, read_metrics
from vaekit.training.captured import CapturedUpdater, obstacle
from vaekit.training.machine import seed_layers
from vaekit.training.step import Updater

SEED, STEPS = 3, 12
FACTOR = 10.0  # on the learning rate, at first
RELAXED = CategoricalVAESpec(
    variables=2,
    classes=3,
    encoder=NETWORK,
    decoder=NETWORK,
    relaxation=RelaxationSpec(epochs=2.0),
)
QUANTIZED = VQVAESpec(
    positions=2, codebook=CodebookSpec(size=5, dim=2), encoder=NETWORK, decoder=NETWORK
)


def captured(
    objective: Objective | None = None, model: ModelSpec = MODEL, **settings: Any
) -> tuple[Updater, CapturedUpdater]:
    spec, data = changed(**settings), small_data()
    updater = Updater(built(model).train(), objective or OBJECTIVE.build(), spec)
    return updater, CapturedUpdater(updater, data.batches, data.transform, SEED)


def follow(made: CapturedUpdater, steps: range = range(STEPS)) -> None:
    for step in steps:
        epoch, index = divmod(step, STEPS_PER_EPOCH)
        schedule = made._updater.schedule(step / STEPS_PER_EPOCH)
        made(step, epoch, index, schedule, FACTOR / (1 + step))


def one_by_one(
    model: ModelSpec = MODEL, **settings: Any
) -> tuple[Updater, list[dict[str, float]], int]:
    """What `Updater` makes of the same updates."""
    spec, data = changed(**settings), small_data()
    updater = Updater(built(model).train(), OBJECTIVE.build(), spec)
    reports, skipped = [], 0
    for step in range(STEPS):
        source = generator_for(SEED, "step", step)
        seed_layers(derive_seed(SEED, "layers", step), "cpu")
        batch = data.transform(data.batches(*divmod(step, STEPS_PER_EPOCH)), source)
        noise = draw_noise(updater.model.noise_spec(len(batch), 1), source)
        schedule = updater.schedule(step / STEPS_PER_EPOCH)
        factor = FACTOR / (1 + step)
        done = updater(step, batch, noise, schedule, factor)
        reports.append(done.reported)
        skipped += not done.applied
    return updater, reports, skipped


def state(updater: Updater) -> dict[str, Tensor]:
    (optimizer,) = updater.optimizers.values()
    average = {f"average.{k}": v for k, v in updater.average.state_dict().items()}
    return {**updater.model.state_dict(), **average, **optimizer.state_dict()}


@pytest.mark.parametrize(
    "gradient", [{}, {"clip_norm": 2.0}, {"skip_norm": 4.0}, {"clip_norm": 2.0, "skip_norm": 4.0}]
)
def test_the_same_updates(gradient: dict[str, float]) -> None:
    settings = {"gradient": gradient, "ema_decay": 0.9}
    updater, made = captured(**settings)
    follow(made)
    expected, reports, skipped = one_by_one(**settings)
    if "skip_norm" in gradient:
        assert 0 < skipped < STEPS
    window = made.take()
    assert (window.updates, window.skipped, window.lost) == (STEPS, skipped, False)
    for name, average in window.averages.items():
        mean = sum(report[name] for report in reports) / STEPS
        assert average == pytest.approx(mean, rel=1e-5), name
    found = state(updater)
    for name, tensor in state(expected).items():
        # Learning rates and schedules are float32 here and float64 there.
        torch.testing.assert_close(found[name], tensor, rtol=1e-4, atol=1e-6, msg=name)


@pytest.mark.parametrize("model", [RELAXED, QUANTIZED], ids=lambda spec: spec.kind)
def test_the_same_updates_of_discrete_models(model: ModelSpec) -> None:
    # A temperature that falls with the epochs, and a codebook that follows the batches.
    updater, made = captured(model=model)
    follow(made)
    assert made.take().updates == STEPS
    expected, _, _ = one_by_one(model)
    found = state(updater)
    for name, tensor in state(expected).items():
        torch.testing.assert_close(found[name], tensor, rtol=1e-4, atol=1e-5, msg=name)


def test_a_window_begins_where_the_last_ended() -> None:
    _, made = captured()
    follow(made, range(4))
    assert made.take().updates == 4
    assert made.is_settled
    follow(made, range(4, 6))
    assert not made.is_settled
    assert made.take().updates == 2


def test_from_the_first_lost_update_on_the_weights_stay() -> None:
    losses = Scripted(lambda step, loss, model: loss * float("nan") if step == 2 else loss)
    updater, made = captured(losses)
    follow(made, range(2))
    assert not made.take().lost
    before = {name: tensor.clone() for name, tensor in state(updater).items()}
    follow(made, range(2, 5))
    assert made.take().lost
    for name, tensor in state(updater).items():
        assert torch.equal(before[name], tensor), name


def use_on_the_cpu(training: Training) -> None:
    """Has a run on the CPU use what is meant for a CUDA device."""
    data = training.data
    training._captured = CapturedUpdater(training.updater, data.batches, data.transform, 3)


@pytest.mark.parametrize("gradient", [{}, {"clip_norm": 2.0}])
def test_a_run_of_them_is_the_run(gradient: dict[str, float], tmp_path: Path) -> None:
    spec, folders = changed(gradient=gradient), (tmp_path / "plain", tmp_path / "made")
    plain, made = (small_run(folder, spec) for folder in folders)
    use_on_the_cpu(made)
    assert plain.run().step == made.run().step
    for ours, theirs in zip(made.model.parameters(), plain.model.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-6)
    logs = [read_metrics(folder / "metrics.jsonl") for folder in folders]
    for ours, theirs in zip(*logs, strict=True):
        ours["seconds"] = theirs["seconds"]
        assert ours.pop("kind") == theirs.pop("kind")
        assert ours == pytest.approx(theirs, rel=1e-3)


def test_a_lost_run_stops() -> None:
    training = small_run(
        objective=Scripted(lambda step, loss, model: loss / 0.0 if step == 5 else loss)
    )
    use_on_the_cpu(training)
    with pytest.raises(DivergenceError, match="not finite"):
        training.run()
    assert all(bool(weight.isfinite().all()) for weight in training.model.parameters())


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({}, None),
        ({"optimizer": {"kind": "sgd"}}, "sgd"),
        ({"accumulate": 2}, "accumulate"),
    ],
)
def test_what_stands_in_the_way(settings: dict[str, Any], why: str | None) -> None:
    found = obstacle(changed(**settings), small_data().batches)
    assert found is None if why is None else why in str(found)


class Waits(TorchDispatchMode):
    """Counts operations that read a number off the device, which a capture forbids."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        self.count += func.overloadpacket is torch.ops.aten._local_scalar_dense
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("gradient", [{}, {"clip_norm": 2.0, "skip_norm": 40.0}])
@pytest.mark.parametrize("model", [MODEL, RELAXED], ids=lambda spec: spec.kind)
def test_no_number_is_read_off_the_device(model: ModelSpec, gradient: dict[str, float]) -> None:
    _, made = captured(model=model, gradient=gradient)
    follow(made, range(1))
    with Waits() as waits:
        made._update()
        assert waits.count == 0
        float(torch.ones(1))
    assert waits.count == 1


@pytest.mark.gpu
@pytest.mark.parametrize("gradient", [{}, {"clip_norm": 2.0, "skip_norm": 40.0}])
@pytest.mark.parametrize("model", [MODEL, RELAXED, QUANTIZED], ids=lambda spec: spec.kind)
def test_the_graph_is_the_eager_run(
    model: ModelSpec, gradient: dict[str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = changed(device="cuda", gradient=gradient)
    made = small_run(spec=spec, model=model)
    assert made._captured is not None
    monkeypatch.setattr(loop, "obstacle", lambda spec, batches: "a test")
    plain = small_run(spec=spec, model=model)
    assert plain._captured is None
    for training in (made, plain):
        training.run()
    for ours, theirs in zip(made.model.parameters(), plain.model.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-5)
