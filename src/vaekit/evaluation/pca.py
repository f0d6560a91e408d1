"""The linear baseline of reconstruction: principal components, as many as latent dimensions.

They are fitted on the training split, and reconstruct the same examples in the same units as
the model. A model that is not better has learned nothing that a matrix could not.

Reference:
    Pearson (1901), On Lines and Planes of Closest Fit to Systems of Points in Space
"""

from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np
from jaxtyping import Float64

from vaekit.data import Rows
from vaekit.evaluation.pixels import UnitScale
from vaekit.schema import Schema

MOST_ROWS: Final = 50_000
MOST_VALUES: Final = 4096
"""Of an example: the covariance has their square."""


def pca_mse(
    train: Iterable[Rows], measured: Iterable[Rows], components: int, schema: Schema
) -> float | None:
    """MSE per value of PCA, values in the range of the schema scaled to [0, 1].

    Args:
        train: Blocks of training examples, of which the first 50,000 are used.
        measured: Blocks of the examples to reconstruct.
        components: Number of components.
        schema: The form of raw values.

    Returns:
        None where there is nothing to compare: missing values, components as many as values
        or training examples, examples that are all alike or of more than 4096 values.
    """
    values = int(np.prod(schema.event_shape))
    if schema.missing == "nan" or values > MOST_VALUES or components >= values:
        return None
    plane = _plane(_flat(train, schema, MOST_ROWS), components)
    if plane is None:
        return None
    mean, directions = plane
    squares, count = 0.0, 0
    for x in _flat(measured, schema):
        answer = (x - mean) @ directions @ directions.T + mean
        squares += float(np.square(answer - x).sum())
        count += x.size
    return squares / count


def _plane(
    blocks: Iterable[np.ndarray], components: int
) -> tuple[Float64[np.ndarray, " values"], Float64[np.ndarray, "values components"]] | None:
    """Mean and principal directions; None where examples are too few or alike.

    Sums over blocks, so that no more than one of them is in memory. They are taken from the first
    example on: squares of values far from zero would lose the digits of their differences.
    """
    origin, count, total, products = np.zeros(()), 0, np.zeros(()), np.zeros((1, 1))
    for x in blocks:
        origin = origin if count else x[0]
        away = x - origin
        count, total, products = count + len(x), total + away.sum(0), products + away.T @ away
    if components >= count or products.diagonal().max() == 0:
        return None
    shift = total / count
    directions = np.linalg.eigh(products / count - np.outer(shift, shift))[1]
    return origin + shift, directions[:, -components:]


def _flat(blocks: Iterable[Rows], schema: Schema, most: int | None = None) -> Iterator[np.ndarray]:
    scale, left = UnitScale(schema), most
    for rows in blocks:
        x = scale(rows.x).flatten(1).cpu().numpy()[:left]
        yield x
        if left is not None:
            left -= len(x)
            if left <= 0:
                return
