"""What every optimiser is."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping

from torch import Tensor, nn


class Optimizer(ABC):
    """Updates parameters from the gradients that lie in them.

    Args:
        parameters: What is updated.
        learning_rate: Size of a step; it may be changed at any time.
    """

    learning_rate: float | Tensor

    def __init__(self, parameters: Iterable[nn.Parameter], learning_rate: float) -> None:
        self.parameters, self.learning_rate = list(parameters), learning_rate

    @abstractmethod
    def step(self) -> None:
        """Makes one update; parameters without a gradient stay as they are."""

    @abstractmethod
    def _kept(self) -> Mapping[str, list[Tensor]]:
        """What is remembered between updates, by name: a tensor for each parameter."""

    def state_dict(self) -> dict[str, Tensor]:
        """What is remembered, by "<number of the parameter>.<name>"; shared, not copied."""
        return {
            f"{index}.{name}": tensor
            for name, tensors in self._kept().items()
            for index, tensor in enumerate(tensors)
        }

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Takes up what was remembered.

        Raises:
            KeyError: Something is missing.
            RuntimeError: Something has another shape.
        """
        for name, tensor in self.state_dict().items():
            tensor.copy_(state[name])

    def forget_gradients(self) -> None:
        """Frees the memory of gradients."""
        for parameter in self.parameters:
            parameter.grad = None

    def _with_gradients(self, *columns: list[Tensor]) -> list[list[Tensor]]:
        """Gradients, parameters, and `columns`, of the parameters that have a gradient."""
        rows = [
            [parameter.grad, parameter, *others]
            for parameter, *others in zip(self.parameters, *columns, strict=True)
            if parameter.grad is not None
        ]
        return [list(column) for column in zip(*rows, strict=True)]
