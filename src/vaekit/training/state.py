"""Everything a run in progress consists of, as named tensors and numbers.

    model.*                   weights and buffers
    objective.*               those of the objective, where it has any
    average.*                 averaged weights
    best.*                    the best weights on validation, with early stopping
    optimizer.<group>.<i>.*   what the optimiser keeps of parameter i

Numbers are the fields of `Progress`.
"""

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

import torch
from torch import Tensor

from vaekit.errors import ArtifactError
from vaekit.training.checkpoint import Checkpoint
from vaekit.training.meter import Meter
from vaekit.training.progress import Progress
from vaekit.training.step import Updater


def capture(updater: Updater, best: Mapping[str, Tensor], progress: Progress) -> Checkpoint:
    """The state as it is now; tensors are shared, not copied."""
    tensors = {
        **_named("model", updater.model.state_dict()),
        **_named("objective", updater.objective.state_dict()),
        **_named("average", updater.average.state_dict()),
        **_named("best", best),
    }
    for group, optimizer in updater.optimizers.items():
        tensors |= _named(f"optimizer.{group}", optimizer.state_dict())
    return Checkpoint(tensors, asdict(progress))


def restore(checkpoint: Checkpoint, updater: Updater) -> tuple[Progress, dict[str, Tensor]]:
    """Puts a captured state back; returns the progress and the best weights.

    Raises:
        ArtifactError: It is the state of another model.
    """
    device = next(updater.model.parameters()).device
    tensors = {name: tensor.to(device) for name, tensor in checkpoint.tensors.items()}
    try:
        numbers = {entry.name: checkpoint.numbers[entry.name] for entry in fields(Progress)}
        progress = Progress(**{**numbers, "window": Meter(**numbers["window"])})
        updater.model.load_state_dict(below("model", tensors))
        updater.objective.load_state_dict(below("objective", tensors))
        updater.average.load_state_dict(below("average", tensors))
        for group, optimizer in updater.optimizers.items():
            optimizer.load_state_dict(below(f"optimizer.{group}", tensors))
    except (KeyError, TypeError, RuntimeError) as error:
        raise ArtifactError(
            "A checkpoint does not fit the model that is to be trained.",
            where=f"step {checkpoint.numbers.get('step')}",
            found=error,
            remedy="go on with the recipe it was written with, or begin in another folder",
        ) from error
    return progress, below("best", tensors)


def kept_weights(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights that a run is judged by: the best, else the averaged, else the last.

    Only parameters are averaged: buffers, such as running statistics, are the last ones.
    """
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
