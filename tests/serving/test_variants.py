"""A service of one variant judges by the held-out scores of that variant, and of no other."""

import asyncio
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from artifacts.tampering import V1_ONNX

from vaekit.runtime import OnnxRuntime, open_runtime
from vaekit.serving import Service, Settings
from vaekit.serving.log import Log
from vaekit.serving.segments import read

FP32, PRUNED = "fp32", "pruned50"


@pytest.fixture(scope="module")
def runtimes() -> dict[str, OnnxRuntime]:
    return {variant: open_runtime(V1_ONNX, variant=variant) for variant in (FP32, PRUNED)}


def asked(variant: str, *requests: tuple[str, str, Any], **settings: Any) -> Iterator[Any]:
    async def whole() -> list[Any]:
        chosen = Settings.model_validate(
            {"path": V1_ONNX, "name": "toy", "variant": variant, **settings}
        )
        service = Service(chosen, log=Log(io.StringIO().write))
        await service.start()
        transport = httpx.ASGITransport(app=service)
        async with httpx.AsyncClient(transport=transport, base_url="http://toy") as client:
            found = [(await client.request(m, p, json=body)).json() for m, p, body in requests]
        await service.stop()
        return found

    yield from asyncio.run(whole())


def limit(runtime: OnnxRuntime, level: str = "0.01") -> float:
    return runtime.reference.scores["elbo_nats"].quantiles[level]


def test_the_card_has_the_thresholds_of_what_is_served(runtimes: dict[str, OnnxRuntime]) -> None:
    for variant, runtime in runtimes.items():
        (card,) = asked(variant, ("GET", "/v1/models/toy", None))
        assert card["variant"] == variant
        assert card["held_out"]["quantiles"]["elbo_nats"]["0.01"] == limit(runtime)
        assert card["held_out"]["examples"] == runtime.reference.examples
    assert limit(runtimes[FP32]) - limit(runtimes[PRUNED]) > 1  # else this says nothing


def test_a_verdict_is_by_the_variant_that_gave_the_score(
    runtimes: dict[str, OnnxRuntime],
) -> None:
    """An example between the two limits is usual by its own and unusual by the other's."""
    pruned = runtimes[PRUNED]
    noise = np.random.default_rng(0).integers(0, 17, (2000, 1, 8, 8))
    more_and_more = pruned.sample(1) + np.linspace(0, 1, 2000)[:, None, None, None] * noise
    noisy = np.clip(np.round(more_and_more), 0, 16).astype(np.uint8)
    scores = pruned.score(noisy)
    between = (scores["elbo_nats"] > limit(pruned)) & (scores["elbo_nats"] < limit(runtimes[FP32]))
    x = noisy[int(np.flatnonzero(between)[0])].tolist()
    (judged,) = asked(PRUNED, ("POST", "/look/pages/toy/judge", {"x": x}))
    assert "ELBO" not in judged["unusual"]
    (level,) = (score["level"] for score in judged["scores"] if score["name"] == "ELBO")
    assert level >= 0.01


def test_the_map_is_of_the_variants_codes(runtimes: dict[str, OnnxRuntime]) -> None:
    (found,) = asked(PRUNED, ("GET", "/look/pages/toy/map", None))
    own, other = (runtimes[variant].reference.latent for variant in (PRUNED, FP32))
    np.testing.assert_allclose(found["mean"], own.mean, atol=1e-4)
    assert not np.allclose(found["mean"], other.mean, atol=1e-2)


def test_a_record_says_which_variant_scored(tmp_path: Path) -> None:
    x = np.zeros((1, 8, 8)).tolist()
    list(asked(PRUNED, ("POST", "/v1/models/toy/score", {"x": x}), records={"folder": tmp_path}))
    (record,) = read(tmp_path)
    assert record["variant"] == PRUNED
