"""The door for values: arrays become rows, or an error."""

import numpy as np
import pytest
import torch

from vaekit.data.checks import checked_rows
from vaekit.errors import DataError
from vaekit.schema import Schema

SCHEMA = Schema(name="t", kind="vector", event_shape=(2,), dtype="int16", num_classes=3)
X = np.arange(8, dtype=np.int16).reshape(4, 2)


def test_arrays_become_rows_of_their_own_type() -> None:
    read_only = np.frombuffer(X.tobytes(), np.int16).reshape(4, 2)
    for x in (X, read_only, np.asfortranarray(X), X[::-1][::-1]):
        rows = checked_rows(SCHEMA, x, np.array([0, 1, 2, 0], np.uint8), "x")
        assert rows.x.dtype == torch.int16
        assert rows.x.is_contiguous()
        assert rows.x.tolist() == X.tolist()
        assert rows.labels is not None
        assert rows.labels.dtype == torch.int64
        assert rows.labels.tolist() == [0, 1, 2, 0]


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        (np.array([0, 1, 3, 0]), r"index 2\n.*0 to 2\n.*found:    3"),
        (np.array([0, 1, 2]), "4 labels"),
        (None, "labels for every split"),
    ],
    ids=["outside", "count", "absent"],
)
def test_labels_that_do_not_fit_are_refused(labels: np.ndarray | None, told: str) -> None:
    with pytest.raises(DataError, match=told):
        checked_rows(SCHEMA, X, labels, "x")
