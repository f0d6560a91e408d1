"""How many decoded rows fit into a memory budget.

A row is one sample of z for one example. What it takes is found by decoding one and adding up
the outputs of every layer, which is more than is alive at a time.
"""

from typing import Final

import torch
from torch import Tensor, nn

from vaekit.data import Observation
from vaekit.models import Model

BUDGET_BYTES: Final = 2**27
"""128 MiB: enough for efficient matrix products, and little beside torch itself."""


@torch.no_grad()
def rows_within(budget_bytes: int, model: Model, observation: Observation) -> int:
    """Rows that may be decoded at a time, one at least.

    Args:
        budget_bytes: Memory for the outputs of layers and the log-probabilities.
        model: What decodes.
        observation: At least one example of what it is shown.
    """
    counted = 0

    def count(_module: nn.Module, _inputs: tuple[object, ...], output: object) -> None:
        nonlocal counted
        if isinstance(output, Tensor):
            counted += output.numel() * output.element_size()

    layers = [module for module in model.modules() if not any(module.children())]
    hooks = [layer.register_forward_hook(count) for layer in layers]
    try:
        likelihood = model.infer(observation[:1]).log_likelihood_per_value()
    finally:
        for hook in hooks:
            hook.remove()
    # Values, their log-probabilities and two intermediate results of those.
    counted += 4 * likelihood.numel() * likelihood.element_size()
    return max(1, budget_bytes // counted)
