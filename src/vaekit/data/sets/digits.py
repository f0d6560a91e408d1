"""Scikit-learn's digits: 1,797 handwritten digits of 8 x 8 pixels with 17 grey levels.

They come with scikit-learn, so that they are on every machine: for first steps and tests.
The file is ordered by writer; splits are made after shuffling.

Reference:
    Alpaydin and Kaynak (1998), Optical Recognition of Handwritten Digits, UCI Machine
    Learning Repository
"""

from typing import Literal, final

import numpy as np
from pydantic import Field

from vaekit.data.checks import checked_rows
from vaekit.data.dataset import Dataset
from vaekit.data.sets.division import divided, division_name, shuffled
from vaekit.schema import Schema
from vaekit.spec import Spec


@final
class DigitsSpec(Spec):
    """Choices of the digits."""

    kind: Literal["digits"] = "digits"
    seed: int = Field(default=0, description="Seed of the division 1297/250/250.")

    def load(self) -> Dataset:
        from sklearn.datasets import load_digits  # takes seconds to import

        pixels, labels = load_digits(return_X_y=True)
        schema = Schema(
            name="digits",
            kind="image",
            event_shape=(1, 8, 8),
            dtype="uint8",
            low=0,
            high=16,
            num_classes=10,
        )
        images = np.asarray(pixels, dtype=np.uint8).reshape(-1, 1, 8, 8)
        rows = checked_rows(schema, images, np.asarray(labels), where="scikit-learn")
        splits = divided(shuffled(rows, self.seed), 1297, 250, 250)
        return Dataset(schema.name, schema, splits, "scikit-learn", division_name(splits))
