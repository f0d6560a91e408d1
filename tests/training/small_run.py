"""A run of a tenth of a second, whole: 48 images of 2 x 3 pixels, a VAE with dropout.

Run as a program, it trains in the folder it is given, saves after every step, and says so.
"""

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from vaekit.data import Batches, BinarizeSpec, Dataset, InMemorySplit, present, statistics
from vaekit.models import VAE, Model, ModelSpec, VAESpec
from vaekit.networks import MLPSpec
from vaekit.objectives import ELBOSpec, LinearBeta, Objective, VAEGANSpec
from vaekit.schema import Schema
from vaekit.training import Listener, MetricsFile, Record, Training, TrainingData, TrainingSpec

SPEC = TrainingSpec(
    epochs=3,
    batch_size=7,
    log_every_steps=4,
    threads=1,
    device="cpu",
    precision="float32",
    checkpoint_every_seconds=1e9,
)
STEPS_PER_EPOCH, TOTAL_STEPS = 6, 18
NETWORK = MLPSpec(hidden=(8,), dropout=0.2)
MODEL = VAESpec(latent_dim=2, encoder=NETWORK, decoder=NETWORK)
OBJECTIVE = ELBOSpec(beta=LinearBeta(warmup_epochs=2.0))


def changed(**settings: Any) -> TrainingSpec:
    return TrainingSpec.model_validate({**SPEC.model_dump(), **settings})


def dataset() -> Dataset:
    """Noisy copies of two patterns."""
    generator = torch.Generator().manual_seed(0)
    patterns = torch.tensor([[250, 5, 250, 5, 250, 5], [5, 5, 250, 250, 5, 5]])
    which = torch.randint(0, 2, (64,), generator=generator)
    noise = torch.randint(-5, 6, (64, 6), generator=generator)
    x = (patterns[which] + noise).to(torch.uint8).reshape(64, 1, 2, 3)
    schema = Schema(
        name="small", kind="image", event_shape=(1, 2, 3), dtype="uint8", low=0, high=255
    )
    splits = {"train": InMemorySplit(x[:48]), "validation": InMemorySplit(x[48:])}
    return Dataset("small", schema, splits, "made here", "48/16/-")


def small_data(
    protocol: str = "dynamic", batch_size: int = SPEC.batch_size, device: str = "cpu"
) -> TrainingData:
    small = dataset()
    transform = BinarizeSpec.model_validate({"protocol": protocol}).build(small).to(device)
    split = transform.prepare(small.split("train"))
    return TrainingData(
        Batches(split, batch_size, seed=0, device=device),
        transform,
        lambda: present(small.split("validation"), transform, 0, device, rows_per_block=10),
    )


def small_model(spec: VAESpec = MODEL) -> VAE:
    model = built(spec)
    assert isinstance(model, VAE)
    return model


def built(spec: ModelSpec) -> Model:
    small = dataset()
    transform = BinarizeSpec().build(small)
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        return spec.build((1, 2, 3), statistics(small.split("train"), transform))


def built_objective(objective: Objective | VAEGANSpec | None) -> Objective | None:
    if not isinstance(objective, VAEGANSpec):
        return objective
    small = dataset()
    seen = statistics(small.split("train"), BinarizeSpec().build(small))
    with torch.random.fork_rng([]):
        torch.manual_seed(1)
        return objective.build(seen)


def small_run(
    folder: Path | None = None,
    spec: TrainingSpec = SPEC,
    listeners: Sequence[Listener] = (),
    protocol: str = "dynamic",
    model: ModelSpec = MODEL,
    objective: Objective | VAEGANSpec | None = None,
) -> Training:
    """A run in `folder`, whose log is `metrics.jsonl` beside the folder `checkpoint`.

    An objective with weights of its own comes as a spec, so that every run has fresh ones.
    """
    if folder is not None:
        folder.mkdir(exist_ok=True)
        listeners = [MetricsFile(folder / "metrics.jsonl"), *listeners]
    return Training(
        built(model).to(spec.device),
        built_objective(objective) or OBJECTIVE.build(),
        small_data(protocol, spec.batch_size, spec.device),
        spec,
        seed=3,
        folder=None if folder is None else folder / "checkpoint",
        listeners=listeners,
    )


class SignalAfter(Listener):
    """Sends this process a signal after a number of steps."""

    def __init__(self, step: int, number: signal.Signals) -> None:
        self.step, self.number = step, number

    def stepped(self, step: int, reported: Record) -> None:
        if step == self.step:
            os.kill(os.getpid(), self.number)


if __name__ == "__main__":
    number = signal.Signals[sys.argv[2]]
    killer = SignalAfter(int(sys.argv[3]), number)
    small_run(Path(sys.argv[1]), changed(checkpoint_every_seconds=0.0), [killer]).run()
