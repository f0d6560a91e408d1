"""A model without torch and without ONNX whose every answer is known: z = x W, x = z W'.

Its first and last values can be provoked: `fail_on` makes the runtime fail for a whole batch,
as a bug would, and `pause` keeps it busy until it is let go. `without` names verbs that it was
exported without.
"""

import threading
from typing import Any

import numpy as np

from vaekit.artifacts import Serving
from vaekit.runtime import Draws, Runtime

FEATURES, LATENT = 4, 2
W = np.array([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5], [-0.5, 0.5]], np.float32)


def serving(**changes: Any) -> Serving:
    """What `serving.json` would say of it."""
    event = {"shape": ["examples", FEATURES], "dtype": "float32"}
    per_example = {"shape": ["examples"], "dtype": "float64"}
    code = {"shape": ["examples", LATENT], "dtype": "float32"}
    scores = (
        "elbo_nats", "expected_log_likelihood_nats", "kl_nats", "log_likelihood_nats", "mse",
    )  # fmt: skip
    document: dict[str, Any] = {
        "format_version": 1,
        "vaekit": "0.1.0",
        "name": "linear",
        "description": "a linear model",
        "schema": {
            "name": "linear",
            "kind": "vector",
            "event_shape": [FEATURES],
            "dtype": "float32",
            "low": -100,
            "high": 100,
        },
        "inputs": {"x": event, "z": code},
        "outputs": {
            "encode": {"z": code},
            "decode": {"x": event},
            "reconstruct": {"x": event},
            "score": dict.fromkeys(scores, per_example),
            "sample": {"x": event},
        },
        "latent_dim": LATENT,
        "transform": {"kind": "none", "protocol": "none", "is_random": False,
                      "choices": {}, "constants": {}},
        "model_kind": "vae",
        "parameters": 8,
        "facts": {"has_density": True},
        "noise": [{"name": "z", "shape": [LATENT], "kind": "normal"}],
        "scores": scores,
        "score_protocol": {"num_samples": 5, "seed": 0},
    }  # fmt: skip
    return Serving.model_validate(document | changes)


class LinearRuntime(Runtime):
    """q(z | x) = N(xW, 1), p(x | z) = N(zW', 1), p(z) = N(0, 1); a condition is added to z."""

    def __init__(self, described: Serving | None = None) -> None:
        super().__init__(described or serving())
        self.fail_on: float | None = None
        self.pause = threading.Event()
        self.pause.set()
        self.batches: list[int] = []
        self.without: tuple[str, ...] = ()

    @property
    def verbs(self) -> tuple[str, ...]:
        return tuple(verb for verb in super().verbs if verb not in self.without)

    def _shift(self, c: np.ndarray | None) -> np.ndarray:
        return np.zeros((1, 1), np.float32) if c is None else c.sum(1, keepdims=True)

    def _encode(self, x: np.ndarray, c: np.ndarray | None) -> np.ndarray:
        self.batches.append(len(x))
        self.pause.wait(10)
        if self.fail_on is not None and (x == self.fail_on).any():
            raise RuntimeError("a secret of the machine room")
        return x.reshape(len(x), -1).astype(np.float32)[:, :FEATURES] @ W + self._shift(c)

    def _decode(self, z: np.ndarray, c: np.ndarray | None) -> np.ndarray:
        flat = (z.astype(np.float32) - self._shift(c)) @ W.T
        size = int(np.prod(self.schema.event_shape))
        whole = np.zeros((len(z), size), np.float32)
        whole[:, :FEATURES] = flat[:, :size]
        return whole.reshape(len(z), *self.schema.event_shape)

    def _infer(self, x: np.ndarray, c: np.ndarray | None, noise: tuple[np.ndarray, ...]) -> Draws:
        loc = self._encode(x, c).astype(np.float64)
        z = loc[None] + noise[0]
        flat = x.reshape(len(x), -1)[:, :FEATURES]
        fit = -0.5 * np.square(flat - (z - self._shift(c)) @ W.T).sum(-1)
        kl = 0.5 * np.square(loc).sum(-1)
        return Draws(fit, fit - 0.5 * np.square(z).sum(-1) + 0.5 * np.square(z - loc).sum(-1), kl)

    def _sample(
        self, noise: tuple[np.ndarray, ...], c: np.ndarray | None, temperature: float
    ) -> np.ndarray:
        return self._decode(noise[0] * temperature, c)


def examples(n: int, seed: int = 0) -> np.ndarray:
    """Some rows that fit."""
    return np.random.default_rng(seed).normal(size=(n, FEATURES)).astype(np.float32)
