"""The known causes of each example, where a data set was made from such."""

from dataclasses import dataclass
from typing import Self, final

from jaxtyping import Int64
from torch import Tensor

from vaekit.errors import DataError


@final
@dataclass(frozen=True)
class Factors:
    """What every example of a split was made from.

    Args:
        names: Name of each factor.
        values: Which of its values every factor takes, counting from 0; the order of values is
            that of the quantity, unless the factor is categorical.
        categorical: Names of the factors whose values have no order.
    """

    names: tuple[str, ...]
    values: Int64[Tensor, "examples factors"]
    categorical: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        unknown = set(self.categorical) - set(self.names)
        if len(self.names) != self.values.shape[1] or unknown:
            raise DataError(
                "Names of factors do not match their values.",
                expected=f"a name for each of {self.values.shape[1]} columns",
                found=f"{', '.join(self.names)}; categorical: {', '.join(self.categorical)}",
            )

    def __len__(self) -> int:
        return self.values.shape[0]

    def __getitem__(self, rows: slice) -> Self:
        return type(self)(self.names, self.values[rows], self.categorical)
