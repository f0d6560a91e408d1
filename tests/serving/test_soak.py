"""A minute of load with good and bad requests: memory, threads and files stay as they are."""

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from serving.malformed import KINDS, Bad
from serving.own_process import ARTIFACT, X, serving, wait_until_ready
from serving.socket_client import answer, post

SECONDS = 60
WARM_REQUESTS = 4000
"""Until caches and the allocator have what they want."""
GROWTH_BYTES = 4 * 2**20
LEAK_BYTES = 1024
"""What of each request has to be noticed: so there have to be enough of them."""
WAITING = ("a slow head", "a slow body", "no body")
"""Whose whole point is to take their time."""


def bad_requests(number: int) -> list[Bad]:
    """Some of all kinds, for the model of this process."""
    found: list[Bad] = []
    kinds = st.sampled_from([kind for kind in KINDS if kind not in WAITING])

    @settings(max_examples=number, database=None, suppress_health_check=[HealthCheck.too_slow])
    @given(kinds.flatmap(KINDS.__getitem__))
    def collect(bad: Bad) -> None:
        found.append(bad._replace(request=bad.request.replace(b"/models/toy.", b"/models/soak.")))

    collect()
    return found


class Held:
    """What a process has."""

    def __init__(self, pid: int) -> None:
        place = Path(f"/proc/{pid}")
        self.bytes = int((place / "status").read_text().partition("VmRSS:")[2].split()[0]) * 1024
        self.threads = len(list((place / "task").iterdir()))
        self.files = len(list((place / "fd").iterdir()))


@pytest.mark.slow
def test_nothing_grows_and_nothing_good_fails() -> None:
    bad, outcomes, is_over = bad_requests(500), Counter[str](), threading.Event()
    body = json.dumps({"x": X.tolist(), "num_samples": 2, "seed": 1}).encode()
    good = post(body, path="/v1/models/soak/score")

    def load(port: int, mine: Iterator[Bad]) -> None:
        while not is_over.is_set():
            for _ in range(3):
                outcomes[f"good: {answer(port, good)[0]}"] += 1
            wrong = next(mine)
            status, _ = answer(port, wrong.request, wrong.is_cut)
            outcomes["bad" if status in wrong.statuses else f"bad: {status}"] += 1

    with serving(str(ARTIFACT), "--name", "soak") as running:
        wait_until_ready(running.port)
        clients = [
            threading.Thread(target=load, args=(running.port, cycle(bad[i::4]))) for i in range(4)
        ]
        for client in clients:
            client.start()
        try:
            while outcomes.total() < WARM_REQUESTS:
                time.sleep(0.1)
            before, asked = Held(running.process.pid), outcomes.total()
            time.sleep(SECONDS)
            after, asked = Held(running.process.pid), outcomes.total() - asked
        finally:
            is_over.set()
            for client in clients:
                client.join()

    assert outcomes.keys() == {"good: 200", "bad"}, outcomes
    assert asked * LEAK_BYTES > GROWTH_BYTES
    assert after.bytes - before.bytes < GROWTH_BYTES
    assert abs(after.threads - before.threads) <= 2
    assert abs(after.files - before.files) <= 8  # connections of the moment
