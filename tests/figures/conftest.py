"""Inputs that look like what a run gives."""

from typing import Any

import numpy as np
import pytest

Record = dict[str, Any]


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def records(rng: np.random.Generator) -> list[Record]:
    """A log of 12 epochs: a steep start, slow progress, validation after every epoch."""
    records: list[Record] = []
    for step in range(1, 12 * 4 + 1):
        epoch = step / 4
        fit = -(62 + 15 * np.exp(-epoch / 9) + 480 * np.exp(-epoch * 3)) + rng.normal() * 0.4
        kl = 25 - 22 * np.exp(-epoch) + rng.normal() * 0.1
        terms = {"elbo_nats": fit - kl, "expected_log_likelihood_nats": fit, "kl_nats": kl}
        place = {"step": step, "epoch": epoch, "examples_seen": step * 128, "seconds": step * 0.1}
        loss = {"loss_nats": kl - fit, "beta": 1.0, "learning_rate": 1e-3}
        records.append({"kind": "training", **place, **terms, **loss})
        if step % 4 == 0:
            records.append({"kind": "validation", **place, **terms, "elbo_nats": fit - kl - 2})
    return records
