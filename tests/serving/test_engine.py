"""The queue and the thread: batches form by themselves, and every promise holds under load."""

import asyncio
import math
from collections.abc import Callable

import numpy as np
import pytest
from serving.linear_server import LinearRuntime, examples

from vaekit.serving.engine import BatchReport, Engine, QueueLimits
from vaekit.serving.question import question
from vaekit.serving.refusals import DeadlineError, DrainingError, OverloadedError


async def _queued(engine: Engine, runtime: LinearRuntime, ask: Callable[[], list]) -> list:
    """What `ask` asks while the engine is busy with something else."""
    runtime.pause.clear()
    busy = engine.ask(question(runtime, "encode", examples(1)))
    while engine.waiting[0]:
        await asyncio.sleep(0.001)
    asked = ask()
    runtime.pause.set()
    await busy
    return await asyncio.gather(*asked, return_exceptions=True)


def test_what_queued_travels_together_and_comes_apart_again() -> None:
    runtime, reports = LinearRuntime(), []
    engine = Engine(runtime, listener=reports.append)
    rows = [examples(n, seed=n) for n in (1, 3, 2)]
    alone = [runtime.score(x, 7, 3) for x in rows]
    parameters = {"num_samples": 7, "seed": 3}
    questions = [question(runtime, "score", x, parameters=parameters) for x in rows]
    found = asyncio.run(_queued(engine, runtime, lambda: [engine.ask(q) for q in questions]))
    engine.close()
    for expected, answer in zip(alone, found, strict=True):
        for name, values in expected.items():
            np.testing.assert_allclose(answer[name], values, rtol=1e-6, atol=1e-6)
    assert isinstance(reports[1], BatchReport)
    assert reports[1][:3] == ("score", 3, 42)
    assert all(0 <= wait < 10 for wait in reports[1].waits)


def test_other_parameters_travel_apart() -> None:
    runtime, reports = LinearRuntime(), []
    engine = Engine(runtime, listener=reports.append)
    asked = [
        question(runtime, "score", examples(2), parameters={"seed": 1}),
        question(runtime, "score", examples(2), parameters={"seed": 2}),
        question(runtime, "encode", examples(2)),
        question(runtime, "sample", parameters={"n": 2, "seed": 1}),
        question(runtime, "sample", parameters={"n": 2, "seed": 1}),
    ]
    found = asyncio.run(_queued(engine, runtime, lambda: [engine.ask(q) for q in asked]))
    engine.close()
    assert [report.requests for report in reports[1:]] == [1] * 5
    assert not np.array_equal(found[0]["elbo_nats"], found[1]["elbo_nats"])
    assert np.array_equal(found[3]["x"], runtime.sample(2, seed=1))


def test_a_batch_is_bounded_in_samples() -> None:
    runtime, reports = LinearRuntime(), []
    engine = Engine(runtime, QueueLimits(batch_samples=10), reports.append)
    asked = [question(runtime, "encode", examples(n)) for n in (4, 4, 4, 50)]
    asyncio.run(_queued(engine, runtime, lambda: [engine.ask(q) for q in asked]))
    engine.close()
    assert [report.samples for report in reports[1:]] == [8, 4, 50]


def test_one_that_does_harm_fails_alone() -> None:
    runtime = LinearRuntime()
    engine = Engine(runtime)
    runtime.fail_on = 66.0
    rows = [examples(1), np.full((1, 4), 66, np.float32), examples(2)]
    asked = [question(runtime, "encode", x) for x in rows]
    found = asyncio.run(_queued(engine, runtime, lambda: [engine.ask(q) for q in asked]))
    engine.close()
    assert isinstance(found[1], RuntimeError)
    assert found[0]["z"].shape == (1, 2)
    assert found[2]["z"].shape == (2, 2)


@pytest.mark.parametrize(
    "limits", [QueueLimits(waiting_requests=2), QueueLimits(waiting_samples=7)]
)
def test_a_full_queue_refuses_and_says_when_to_come_back(limits: QueueLimits) -> None:
    runtime = LinearRuntime()
    engine = Engine(runtime, limits)
    refusals: list[OverloadedError] = []

    def ask() -> list:
        asked = [engine.ask(question(runtime, "encode", examples(3))) for _ in range(2)]
        with pytest.raises(OverloadedError) as refused:
            engine.ask(question(runtime, "encode", examples(3)))
        refusals.append(refused.value)
        return asked

    found = asyncio.run(_queued(engine, runtime, ask))
    engine.close()
    assert all(answer["z"].shape == (3, 2) for answer in found)
    assert refusals[0].retry_after is not None
    assert 1 <= refusals[0].retry_after <= 30


def test_what_is_larger_than_the_queue_gets_in_when_nothing_waits() -> None:
    engine = Engine(LinearRuntime(), QueueLimits(waiting_samples=7))

    async def ask() -> np.ndarray:
        return (await engine.ask(question(engine.runtime, "encode", examples(9))))["z"]

    assert asyncio.run(ask()).shape == (9, 2)
    engine.close()


def test_a_deadline_is_kept_though_the_model_is_busy_and_nothing_is_computed() -> None:
    runtime = LinearRuntime()
    engine = Engine(runtime)

    async def late() -> None:
        runtime.pause.clear()
        busy = engine.ask(question(runtime, "encode", examples(1)))
        while engine.waiting[0]:
            await asyncio.sleep(0.001)
        with pytest.raises(DeadlineError, match=r"after 0.01 s"):
            await engine.ask(question(runtime, "encode", examples(5)), timeout=0.01)
        runtime.pause.set()
        await busy

    asyncio.run(late())
    engine.close()
    assert runtime.batches == [1]


def test_who_went_away_is_not_answered() -> None:
    runtime = LinearRuntime()
    engine = Engine(runtime)

    def ask() -> list:
        gone = engine.ask(question(runtime, "encode", examples(5)))
        gone.cancel()
        return [engine.ask(question(runtime, "encode", examples(2)))]

    (found,) = asyncio.run(_queued(engine, runtime, ask))
    engine.close()
    assert found["z"].shape == (2, 2)
    assert runtime.batches == [1, 2]


def test_closing_answers_what_is_queued_and_refuses_the_rest() -> None:
    runtime = LinearRuntime()
    engine = Engine(runtime)

    async def close() -> list:
        runtime.pause.clear()
        asked = [engine.ask(question(runtime, "encode", examples(2))) for _ in range(5)]
        closing = asyncio.create_task(asyncio.to_thread(engine.close))
        await asyncio.sleep(0.02)
        with pytest.raises(DrainingError):
            engine.ask(question(runtime, "encode", examples(2)), math.inf)
        runtime.pause.set()
        await closing
        return await asyncio.gather(*asked)

    assert [answer["z"].shape for answer in asyncio.run(close())] == [(2, 2)] * 5


def test_many_at_once_get_what_each_asked_for() -> None:
    runtime = LinearRuntime()
    engine = Engine(runtime)

    async def ask(seed: int) -> bool:
        x = examples(1 + seed % 4, seed)
        answer = await engine.ask(question(runtime, "encode", x))
        return np.allclose(answer["z"], runtime.encode(x), rtol=1e-6, atol=1e-6)

    async def everybody() -> list[bool]:
        return await asyncio.gather(*(ask(seed) for seed in range(300)))

    assert all(asyncio.run(everybody()))
    engine.close()
