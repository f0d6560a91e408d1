"""An example gets the same answer in whatever batch it travels."""

from collections.abc import Callable

import numpy as np
import pytest
from artifacts.tampering import V1
from runtime.linear_runtime import examples, linear_runtime

from vaekit.export import load
from vaekit.runtime import Runtime, runtime

MODELS: dict[str, Callable[[], tuple[Runtime, np.ndarray]]] = {
    "linear": lambda: (linear_runtime(shift=0.2), examples(11)),
    "digits": lambda: (load(V1 / "artifact"), _digits()),
}


def _digits() -> np.ndarray:
    return load(V1 / "artifact").dataset.split("test").rows(0, 11).x.numpy()


def _answers(model: Runtime, x: np.ndarray) -> dict[str, np.ndarray]:
    return {"z": model.encode(x), "x": model.reconstruct(x), **model.score(x, 9, seed=2)}


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
@pytest.mark.parametrize("rows", [1, 2, 7])
def test_batches_and_chunks_change_nothing(
    make: Callable[[], tuple[Runtime, np.ndarray]], rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, x = make()
    whole = _answers(model, x)
    alone = _answers(model, x[3:4])
    backwards = _answers(model, x[::-1])
    monkeypatch.setattr(runtime, "ROWS_AT_A_TIME", rows)
    chunked = _answers(model, x)
    for name, values in whole.items():
        # float32 matrix products add in another order in another batch.
        assert np.allclose(alone[name][0], values[3], rtol=1e-5, atol=1e-5), name
        assert np.allclose(backwards[name][::-1], values, rtol=1e-5, atol=1e-5), name
        assert np.allclose(chunked[name], values, rtol=1e-5, atol=1e-5), name
    sampled = model.sample(5, seed=1)
    monkeypatch.undo()
    assert np.allclose(model.sample(9, seed=1)[:5], sampled, rtol=1e-5, atol=1e-5)


def test_the_seed_decides() -> None:
    model, x = linear_runtime(shift=0.2), examples(4)
    first, again, other = (model.score(x, 5, seed) for seed in (1, 1, 2))
    assert np.array_equal(first["elbo_nats"], again["elbo_nats"])
    assert not np.isclose(first["elbo_nats"], other["elbo_nats"]).any()
    assert np.array_equal(first["kl_nats"], other["kl_nats"])  # exact, so nothing is drawn
    assert not np.isclose(model.sample(3, seed=1), model.sample(3, seed=2)).all(1).any()
