"""Everything a run in progress consists of, as named tensors and numbers.

    model.*                   weights and buffers
    average.*                 averaged weights
    best.*                    the best weights on validation, with early stopping
    optimizer.<group>.<i>.*   what the optimiser keeps of parameter i
    meter.*                   the sums behind the next line of the log

Numbers are the fields of `Progress`.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from vaekit.training.checkpoint import Checkpoint
from vaekit.training.meter import Meter
from vaekit.training.step import Updater


@dataclass
class Progress:
    """Where a run stands."""

    step: int = 0
    seconds: float = 0.0
    first_loss: float | None = None
    best_value: float | None = None
    best_epoch: float | None = None
    evaluations_since_best: int = 0
    updates_skipped: int = 0
    meter_weight: float = 0.0
    finished: bool = False
    environment: dict[str, Any] = field(default_factory=dict)


def capture(
    module: nn.Module,
    updater: Updater,
    meter: Meter,
    best: Mapping[str, Tensor],
    progress: Progress,
) -> Checkpoint:
    """The state as it is now; tensors are shared, not copied."""
    tensors = {
        **_named("model", module.state_dict()),
        **_named("average", updater.average.state_dict()),
        **_named("best", best),
        **_named("meter", meter.sums),
    }
    for group, optimizer in updater.optimizers.items():
        for index, kept in optimizer.state_dict()["state"].items():
            tensors |= _named(f"optimizer.{group}.{index}", kept)
    progress.meter_weight, progress.updates_skipped = meter.weight, updater.updates_skipped
    return Checkpoint(tensors, asdict(progress))


def restore(
    checkpoint: Checkpoint, module: nn.Module, updater: Updater, meter: Meter
) -> tuple[Progress, dict[str, Tensor]]:
    """Puts a captured state back; returns the progress and the best weights."""
    device = next(module.parameters()).device
    tensors = {name: tensor.to(device) for name, tensor in checkpoint.tensors.items()}
    known = {entry.name for entry in fields(Progress)}
    progress = Progress(**{k: v for k, v in checkpoint.numbers.items() if k in known})
    module.load_state_dict(below("model", tensors))
    updater.average.load_state_dict(below("average", tensors))
    updater.updates_skipped = progress.updates_skipped
    meter.sums, meter.weight = below("meter", tensors), progress.meter_weight
    for group, optimizer in updater.optimizers.items():
        _restore_optimizer(optimizer, below(f"optimizer.{group}", checkpoint.tensors))
    return progress, below("best", tensors)


def kept_weights(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights that a run is judged by: the best, else the averaged, else the last."""
    best = below("best", tensors)
    return best or {**below("model", tensors), **below("average", tensors)}


def below(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What stands under `prefix`, without it."""
    start = prefix + "."
    return {name.removeprefix(start): t for name, t in tensors.items() if name.startswith(start)}


def _named(prefix: str, tensors: Mapping[str, Any]) -> dict[str, Tensor]:
    return {
        f"{prefix}.{name}": value.detach()
        for name, value in tensors.items()
        if isinstance(value, torch.Tensor)
    }


def _restore_optimizer(optimizer: Optimizer, tensors: Mapping[str, Tensor]) -> None:
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        index, key = name.split(".", 1)
        state.setdefault(int(index), {})[key] = tensor
    optimizer.load_state_dict({**optimizer.state_dict(), "state": state})
