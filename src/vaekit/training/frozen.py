"""Holding what a warm start took in place, while the rest of the model comes after it."""

from collections.abc import Sequence
from typing import Any, final

from torch import nn

from vaekit.training.listener import Listener, Plan, Record
from vaekit.training.spec import WarmStartSpec


@final
class Frozen(Listener):
    """Parts that no update changes before `freeze_epochs` have passed.

    Parameters without a gradient are left alone by every optimiser, as is what it remembers of
    them: afterwards they are trained as if the run had begun there. What follows batches by itself
    (a codebook, an optimal scale) has `follows`, and rests as well.

    Args:
        model: What is trained.
        spec: Which parts, and how long.
    """

    def __init__(self, model: nn.Module, spec: WarmStartSpec) -> None:
        self._epochs, self._until = spec.freeze_epochs, 0.0
        self._weights = [w for name, w in model.named_parameters() if _is_within(name, spec.parts)]
        self._followers: list[Any] = [
            module
            for name, module in model.named_modules()
            if hasattr(module, "follows") and _is_within(name, spec.parts)
        ]

    def started(self, plan: Plan) -> None:
        self._until = self._epochs * plan.steps_per_epoch
        self._hold(plan.first_step < self._until)

    def stepped(self, step: int, reported: Record) -> None:
        self._hold(step < self._until)

    def finished(self) -> None:
        self._hold(False)

    def _hold(self, held: bool) -> None:
        for weight in self._weights:
            weight.requires_grad_(not held)
        for module in self._followers:
            module.follows = not held


def _is_within(name: str, parts: Sequence[str]) -> bool:
    return any(name == part or name.startswith(f"{part}.") for part in parts)
