"""The service with its page, and a linear model of pictures whose artifact is on disk."""

import io
from pathlib import Path

import numpy as np
from serving.linear_server import LinearRuntime, serving

from vaekit.artifacts import (
    Examples,
    LatentMoments,
    Reference,
    json_bytes,
    open_artifact,
    write_artifact,
)
from vaekit.serving.body import BodyLimits
from vaekit.serving.desk import Desk
from vaekit.serving.engine import Engine
from vaekit.serving.exchange import App
from vaekit.serving.keys import Key, Keyring
from vaekit.serving.log import Log
from vaekit.serving.look import Traffic
from vaekit.serving.metrics import Metrics
from vaekit.serving.models import About, Models, Served, ServedModel
from vaekit.serving.opening import blank
from vaekit.serving.rate import RateLimits
from vaekit.serving.service import http_app

IMAGES = {
    "name": "pictures",
    "kind": "image",
    "event_shape": [1, 4, 4],
    "dtype": "uint8",
    "low": 0,
    "high": 255,
}


def pictures(n: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (n, 1, 4, 4), dtype=np.uint8)


def artifact(folder: Path, runtime: LinearRuntime, examples: Examples | None) -> Path:
    """An artifact that describes a model which it does not hold."""
    told = {c.name: c.example for c in runtime.serving.conditions}
    is_usual = runtime.schema.event_shape == (1, 4, 4)
    x = pictures(50) if is_usual else np.repeat(blank(runtime.schema), 50, axis=0)
    codes = runtime.encode(x, told)
    reference = Reference(
        split="validation",
        examples=len(x),
        seed=0,
        num_samples=5,
        scores=Reference.distributions(runtime.score(x, condition=told)),
        latent=LatentMoments(
            mean=tuple(codes.mean(0).tolist()),
            std=tuple(codes.std(0).tolist()),
            posterior_variance=None,
        ),
    )
    names = ("recipe", "metrics", "data", "provenance")
    contents = {
        "model.safetensors": b"",
        "card.md": b"",
        **{f"{name}.json": json_bytes({}) for name in names},
        "serving.json": json_bytes(runtime.serving.model_dump(mode="json", by_alias=True)),
        "reference.json": json_bytes(reference.model_dump(mode="json")),
        **({} if examples is None else {"examples.safetensors": examples.to_bytes()}),
    }
    return write_artifact(folder / "artifact", contents)


def app_with_page(
    folder: Path,
    keys: list[Key] | None = None,
    has_examples: bool = True,
    described: dict[str, object] | None = None,
    without: tuple[str, ...] = (),
) -> App:
    runtime = LinearRuntime(serving(**{"schema": IMAGES, **(described or {})}))
    runtime.without = without
    examples = Examples(pictures(30), np.arange(30) % 3) if has_examples else None
    opened = open_artifact(artifact(folder, runtime, examples))
    served = Served("toy", "1", "0" * 64, Engine(runtime), About(opened, opened.reference))
    models = Models({"toy": ServedModel({"1": served}, {"live": "1"})})
    metrics, limits, log = Metrics(models), BodyLimits(), Log(io.StringIO().write)
    desk = Desk(models)
    traffic = Traffic(metrics)
    return http_app(desk, limits, Keyring(keys), RateLimits(), log, metrics, traffic=traffic)
