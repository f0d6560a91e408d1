"""Requests that are wrong, by the thousand, at a real socket: refused, and nothing else happens."""

import json
import os
import socket
import threading
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from serving.in_process import Bench, listening
from serving.linear_server import LinearRuntime, serving
from serving.malformed import BODY, KINDS, Bad, post

from vaekit.serving.body import BodyLimits

CONDITIONS = [{"name": "label", "num_classes": 3}, {"name": "age"}]
SECONDS = 0.2
"""How long a slow sender is waited for."""


class Victim:
    """A service at a port, and what it answered before anybody did anything to it."""

    def __init__(self, address: str, bench: Bench) -> None:
        host, port = address.split(":")
        self.address, self.bench = (host, int(port)), bench
        self.good = self.answer(post(BODY))
        self.before = self.held()

    def answer(self, request: bytes, is_cut: bool = False) -> tuple[int, str]:
        """Status and body of the last answer; 0 where there is none."""
        with socket.create_connection(self.address, timeout=20) as client:
            found = bytearray()
            try:
                client.sendall(request)
                if is_cut:
                    client.shutdown(socket.SHUT_WR)
                while not _is_whole(found) and (more := client.recv(65536)):
                    found += more
            except ConnectionError:  # it closed while we were sending: what it said may be lost
                pass
        if not found:
            return 0, ""
        head, _, said = bytes(found).partition(b"\r\n\r\n")
        return int(head[9:12]), said.decode()

    def refuses(self, bad: Bad) -> None:
        """It answers as it may, and says why."""
        status, said = self.answer(bad.request, bad.is_cut)
        assert status in bad.statuses, said
        if status and said != "Invalid HTTP request received.":
            assert 0 < len(json.loads(said)["error"]) <= 2000

    def held(self) -> tuple[int, int]:
        """Threads and open files of this process, which is also the service's."""
        return threading.active_count(), len(os.listdir("/proc/self/fd"))  # noqa: PTH208

    def is_well(self) -> None:
        """It answers as before, holds on to nothing, and nothing failed inside."""
        assert self.answer(post(BODY)) == self.good
        assert self.good[0] == 200
        for now, before in zip(self.held(), self.before, strict=True):
            assert now <= before + 4  # of the pool that parses large bodies
        assert not [line for line in self.bench.lines if line["event"] == "failure"]


def _is_whole(found: bytearray) -> bool:
    head, end, said = bytes(found).partition(b"\r\n\r\n")
    length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
    return bool(end) and len(said) >= int(length)


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
