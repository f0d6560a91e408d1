"""How many decoded rows fit into a memory budget.

A row is one sample of z for one example. What it takes is found by adding up the outputs of every
layer, which is more than is alive at a time: for two examples less what it is for one, since a
prior may have a share of its own, whatever the number of rows (a VampPrior encodes its
pseudo-inputs).
"""

from collections.abc import Iterator
from typing import Final

import torch
from torch import Tensor, nn

from vaekit.data import Observation
from vaekit.models import Model

BUDGET_BYTES: Final = 2**27
"""128 MiB on a CPU: enough for efficient matrix products, and little beside torch itself."""
SHARE_OF_CARD: Final = 0.25
"""Of the free memory of a graphics card: enough to keep it busy."""


@torch.no_grad()
def rows_within(model: Model, observation: Observation, budget_bytes: int | None = None) -> int:
    """Rows that may be decoded at a time, one at least.

    Args:
        model: What decodes.
        observation: At least one example of what it is shown.
        budget_bytes: Memory for the outputs of layers and the log-probabilities; by default what
            suits the device.
    """
    one = observation[:1]
    two = Observation.join([one, one])
    growth = _bytes_of_layers(model, two) - _bytes_of_layers(model, one)
    return max(1, (budget_bytes or _budget(observation.x.device)) // growth)


def _bytes_of_layers(model: Model, observation: Observation) -> int:
    counted = last = 0

    def count(_module: nn.Module, _inputs: tuple[object, ...], output: object) -> None:
        nonlocal counted, last
        if isinstance(output, Tensor):
            last = output.numel() * output.element_size()
            counted += last

    layers = [module for module in model.modules() if not any(module.children())]
    hooks = [layer.register_forward_hook(count) for layer in layers]
    try:
        inference = model.infer_at_mean(observation)
        likelihood = inference.log_likelihood_per_value()
        if inference.prior:
            inference.log_prior()  # a flow has layers of its own
    finally:
        for hook in hooks:
            hook.remove()
    # Values, their log-probabilities and two intermediate results of those; each may be as large
    # as what the last layer gives, which for categories is many numbers for one value.
    return counted + 4 * max(last, likelihood.numel() * likelihood.element_size())


def _budget(device: torch.device) -> int:
    if device.type != "cuda":
        return BUDGET_BYTES
    free, _ = torch.cuda.mem_get_info(device)
    return int(SHARE_OF_CARD * free)


def chunks(observation: Observation, size: int) -> Iterator[Observation]:
    """So many examples at a time, one at least."""
    size = max(1, size)
    for start in range(0, len(observation), size):
        yield observation[start : start + size]
