"""A whole update as one CUDA graph: `Updater` without waiting for the device.

A small model's update is some two hundred kernels of a few microseconds, and starting them one by
one takes longer than running them. Captured once, they are started together. What changes from
update to update is written into tensors that the graph reads: which rows, how large the step, the
schedule; noise is drawn inside, from generators that are seeded before every replay, so that an
update is the same function of (seed, step) and the state as in `Updater`.

Nobody waits for a loss. Reported values are added up on the device and fetched when the log is
written; from the first loss that is not finite, the device itself leaves the weights alone.
"""

from typing import NamedTuple, final

import torch
from torch import Tensor, nn

from vaekit.data import Batches, Transform
from vaekit.numerics import derive_seed, draw_noise
from vaekit.training.machine import autocast, seed_layers
from vaekit.training.optimizers import Adam
from vaekit.training.spec import TrainingSpec
from vaekit.training.step import Updater, named_losses

EAGER_UPDATES = 3
"""Updates before the capture: libraries set themselves up in the first."""


def obstacle(spec: TrainingSpec, batches: Batches) -> str | None:
    """Why the updates of a run on a CUDA device cannot be captured, if they cannot."""
    if batches.is_streamed:
        return "the data is streamed"
    for optimizer in (spec.optimizer, *spec.group_optimizers.values()):
        if optimizer.kind != "adam":
            return f"the optimizer {optimizer.kind!r} has no captured form"
    if spec.accumulate > 1:
        return "training.accumulate cuts the batch into pieces"
    if spec.warm_start is not None and spec.warm_start.freeze_epochs:
        return "training.warm_start.freeze_epochs holds parts for a while"
    return None


class Window(NamedTuple):
    """What became of the updates since the last look."""

    averages: dict[str, float]
    """The loss, and what the objective reports."""
    updates: int
    skipped: int
    """How many left the weights alone, because the gradient was longer than `skip_norm`."""
    lost: bool
    """A loss or a gradient was not finite; no later update changed the weights."""


@final
class CapturedUpdater:
    """Makes updates that nobody waits for.

    On a CPU nothing is captured; the same code then runs as it stands, which is how it is tested.

    Args:
        updater: What would make them one by one: its model, objective, optimiser and average.
        batches: Training data in memory.
        transform: What turns rows into observations.
        seed: Seed of the run.
    """

    def __init__(self, updater: Updater, batches: Batches, transform: Transform, seed: int) -> None:
        self._updater, self._batches, self._transform = updater, batches, transform
        self._seed, self._device = seed, torch.device(updater.spec.device)
        self._source = torch.Generator(self._device)
        self._rows = torch.zeros(batches.batch_size, dtype=torch.int64, device=self._device)
        self._schedule_names = tuple(updater.schedule(0.0))
        self._settings = torch.zeros(2 + len(self._schedule_names), device=self._device)
        self._lost = torch.zeros((), device=self._device)
        self._skipped, self._updates = torch.zeros((), device=self._device), 0
        self._sums: dict[str, Tensor] = {}
        self._made = 0
        self._graph: torch.cuda.CUDAGraph | None = None

    def __call__(
        self, step: int, epoch: int, index: int, schedule: dict[str, float], factor: float
    ) -> None:
        """Starts update number `step`, with batch `index` of epoch `epoch`.

        Args:
            factor: Of all learning rates.
        """
        average = self._updater.average
        values = (factor, average.share(step), *schedule.values())
        self._settings.copy_(torch.tensor(values), non_blocking=True)
        self._rows.copy_(self._batches.rows(epoch, index))
        self._source.manual_seed(derive_seed(self._seed, "step", step))
        seed_layers(derive_seed(self._seed, "layers", step), self._device.type)
        self._made += 1
        self._updates += 1
        if self._device.type != "cuda":
            self._update()
        elif self._made <= EAGER_UPDATES:
            self._aside()
        else:
            self._graph = self._graph or self._captured()
            self._graph.replay()

    @property
    def is_settled(self) -> bool:
        """Whether every update has been looked at."""
        return self._updates == 0

    def take(self) -> Window:
        """Waits for the updates made so far, and says what became of them since the last call."""
        numbers = torch.stack([self._lost, self._skipped, *self._sums.values()]).tolist()
        lost, skipped, *sums = numbers
        averages = {
            name: total / self._updates for name, total in zip(self._sums, sums, strict=True)
        }
        window = Window(averages, self._updates, int(skipped), bool(lost))
        for total in (self._skipped, *self._sums.values()):
            total.zero_()
        self._updates = 0
        return window

    def _aside(self) -> None:
        """An update on a stream of its own, as the capture will be."""
        here, aside = torch.cuda.current_stream(), torch.cuda.Stream()
        aside.wait_stream(here)
        with torch.cuda.stream(aside):
            self._update()
        here.wait_stream(aside)

    def _captured(self) -> torch.cuda.CUDAGraph:
        graph = torch.cuda.CUDAGraph()
        graph.register_generator_state(self._source)
        with torch.cuda.graph(graph):
            self._update()
        return graph

    def _update(self) -> None:
        """Device code that reads and writes the same memory at every call."""
        updater, spec = self._updater, self._updater.spec
        factor, share, *values = self._settings.unbind()
        schedule = dict(zip(self._schedule_names, values, strict=True))
        updater.model.follow(schedule)
        observation = self._transform(self._batches.take(self._rows), self._source)
        num_samples = updater.objective.num_samples
        noise = draw_noise(
            updater.model.noise_spec(len(observation), num_samples), self._source, self._device
        )
        updater.forget_gradients()
        with autocast(spec.device, spec.precision):
            terms = updater.terms(updater.model, observation, schedule, noise)
        updater.backward(terms.losses)
        losses = named_losses(terms)
        norms = updater.gradient_norms() if spec.gradient.is_limited else {}
        unwanted = self._unwanted([*losses.values()], [*norms.values()])
        updater.set_learning_rates(factor)
        for optimizer in updater.optimizers.values():
            assert isinstance(optimizer, Adam)  # noqa: S101  # `obstacle` saw to it
            optimizer.step(unwanted)
        updater.average.take_in(share * (1 - unwanted))
        self._add({**losses, **terms.reported, **norms})

    def _unwanted(self, losses: list[Tensor], norms: list[Tensor]) -> Tensor:
        """One where this update must leave the weights alone, else zero; clips the gradients.

        Args:
            norms: Of the gradient of every group; none where they have no limit.
        """
        clip, skip = self._updater.spec.gradient.clip_norm, self._updater.spec.gradient.skip_norm
        finite, long = torch.stack([*losses, *norms]).isfinite().all(), torch.zeros_like(self._lost)
        for parameters, norm in zip(self._updater.groups.values(), norms, strict=False):
            if skip is not None:
                long = torch.maximum(long, (norm > skip).float())
            if clip is not None:
                nn.utils.clip_grads_with_norm_(parameters, clip, norm)
        torch.maximum(self._lost, 1 - finite.float(), out=self._lost)
        self._skipped += long * (1 - self._lost)
        return torch.maximum(self._lost, long)

    @torch.no_grad()
    def _add(self, reported: dict[str, Tensor]) -> None:
        for name, value in reported.items():
            if name not in self._sums:  # in the first update, which is never captured
                self._sums[name] = torch.zeros((), device=self._device)
            self._sums[name] += value
