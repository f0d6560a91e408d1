"""Requests that are wrong, by the thousand, at a real socket: refused, and nothing else happens."""

import json
import os
import threading
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from serving.in_process import Bench, listening
from serving.linear_server import LinearRuntime, serving
from serving.malformed import GOOD_REQUEST, KINDS, Bad
from serving.socket_client import answer

from vaekit.serving.body import BodyLimits

# beartype takes random items of lists to look at, here in the thread of the service.
pytestmark = pytest.mark.filterwarnings("ignore:Do not use the `random` module")

CONDITIONS = [{"name": "label", "num_classes": 3}, {"name": "age"}]
SECONDS = 0.2
"""How long a slow sender is waited for."""


class Victim:
    """A service at a port, and what it answered before anybody did anything to it."""

    def __init__(self, address: str, bench: Bench) -> None:
        self.port, self.bench = int(address.partition(":")[2]), bench
        self.good = answer(self.port, GOOD_REQUEST)
        self.before = self.held()

    def refuses(self, bad: Bad) -> None:
        """It answers as it may, and says why."""
        status, said = answer(self.port, bad.request, bad.is_cut)
        assert status in bad.statuses, said
        if status and said != "Invalid HTTP request received.":
            assert 0 < len(json.loads(said)["error"]) <= 2000

    def held(self) -> tuple[int, int]:
        """Threads and open files of this process, which is also the service's."""
        return threading.active_count(), len(os.listdir("/proc/self/fd"))  # noqa: PTH208

    def is_well(self) -> None:
        """It answers as before, holds on to nothing, and nothing failed inside."""
        assert answer(self.port, GOOD_REQUEST) == self.good
        assert self.good[0] == 200
        for now, before in zip(self.held(), self.before, strict=True):
            assert now <= before + 4  # of the pool that parses large bodies
        assert not [line for line in self.bench.lines if line["event"] == "failure"]


@pytest.fixture(scope="module")
def victim() -> Iterator[Victim]:
    limits = BodyLimits(read_seconds=SECONDS)
    bench = Bench(LinearRuntime(serving(conditions=CONDITIONS)), limits=limits)
    with listening(bench.app, seconds=SECONDS) as address:
        yield Victim(address, bench)


def many(examples: int) -> settings:
    unlike = (HealthCheck.too_slow, HealthCheck.function_scoped_fixture)
    return settings(max_examples=examples, suppress_health_check=unlike, database=None)


@pytest.mark.parametrize("kind", KINDS)
@many(2)
@given(data=st.data())
def test_each_kind_is_refused(victim: Victim, kind: str, data: st.DataObject) -> None:
    victim.refuses(data.draw(KINDS[kind]))


def test_afterwards_it_answers_as_before(victim: Victim) -> None:
    victim.is_well()


def test_a_head_without_an_end_is_not_read_for_ever() -> None:
    begin = b"GET /v2 HTTP/1.1\r\nHost: a\r\nX: "
    with listening(Bench().app) as address:
        port = int(address.partition(":")[2])
        assert answer(port, begin.ljust(2**16 + 1, b"a"))[0] == 431
        assert answer(port, begin.ljust(2**16 - 4, b"a") + b"\r\n\r\n")[0] == 200


@pytest.mark.slow
def test_two_thousand_are_refused_and_it_answers_as_before(victim: Victim) -> None:
    asked = Counter[str]()

    @many(2000)
    @given(kind=st.sampled_from(list(KINDS)), data=st.data())
    def ask(kind: str, data: st.DataObject) -> None:
        victim.refuses(data.draw(KINDS[kind]))
        asked[kind] += 1

    ask()
    assert asked.total() >= 2000
    assert asked.keys() == KINDS.keys()
    victim.is_well()
