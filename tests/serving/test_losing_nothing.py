"""Under load, nothing is lost: not when the service ends, and not when what is live changes.

A client that is told at once that nobody listens goes elsewhere: that is no loss. A request that
was let in, and gets no whole answer, is one.
"""

import asyncio
import http.client
import json
import shutil
import signal
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from serving.folders import alias
from serving.own_process import (
    ARTIFACT,
    Running,
    X,
    children,
    serving,
    wait_until,
    wait_until_ready,
)

CLIENTS = 16


class Clients:
    """Many at once, each with its next request as soon as it has an answer."""

    def __init__(self, port: int) -> None:
        self._port, self.outcomes, self.is_over = port, Counter[str](), asyncio.Event()
        body = json.dumps({"x": X.tolist(), "num_samples": 20}).encode()
        head = f"POST /v1/models/toy/score HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n"
        self._request = head.encode() + b"\r\n" + body
        self.versions = Counter[str]()

    async def ask(self, stays: bool) -> None:
        """Asks until it is over, or nobody listens any more; on one connection, or on many."""
        while not self.is_over.is_set():
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
            except ConnectionRefusedError:
                self.outcomes["refused"] += 1
                return
            answered, goes_on = 0, True
            try:
                while goes_on and not self.is_over.is_set():
                    goes_on = await self._once(reader, writer) and stays
                    answered += 1
            except (OSError, EOFError) as error:
                where = f"{type(error).__name__} after {answered} answers"
                self.outcomes[f"lost: {where}"] += 1
            finally:
                writer.close()

    async def _once(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One request; whether the connection goes on."""
        writer.write(self._request)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.partition(b"content-length: ")[2].split(b"\r\n")[0])
        said = json.loads(await reader.readexactly(length))
        self.outcomes[head[9:12].decode()] += 1
        self.versions[said.get("version", "")] += 1
        return b"connection: close" not in head

    async def during(self, what: Callable[[], Awaitable[None]]) -> None:
        """Asks while something happens, and a while before and after."""
        asking = [asyncio.create_task(self.ask(bool(i % 2))) for i in range(CLIENTS)]
        while self.outcomes["200"] < 10 * CLIENTS:
            await asyncio.sleep(0.05)
        await what()
        self.is_over.set()
        await asyncio.wait_for(asyncio.gather(*asking), 60)


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_the_end_under_load_loses_no_request(workers: int) -> None:
    async def load(running: Running) -> Counter[str]:
        async def end() -> None:
            running.process.send_signal(signal.SIGTERM)
            assert await asyncio.to_thread(running.process.wait, 40) == 0

        clients = Clients(running.port)
        await clients.during(end)
        return clients.outcomes

    for _ in range(2):
        with serving(str(ARTIFACT), "--name", "toy", "--workers", str(workers)) as running:
            wait_until_ready(running.port)
            wait_until(lambda: workers == 1 or len(children(running.process.pid)) == workers)
            outcomes = asyncio.run(load(running))
        assert outcomes.keys() <= {"200", "refused"}, outcomes
        assert outcomes["refused"] == CLIENTS


@pytest.mark.parametrize("asked_before", [False, True])
def test_a_request_on_its_way_to_the_end_is_answered(asked_before: bool) -> None:
    with serving(str(ARTIFACT), "--name", "toy", "--grace", "0") as (process, port, _):
        wait_until_ready(port)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        connection.connect()
        if asked_before:
            connection.request("GET", "/v1/models")
            connection.getresponse().read()
        process.send_signal(signal.SIGTERM)
        time.sleep(0.6)  # the door is shut by now
        connection.request("GET", "/v1/models")
        reply = connection.getresponse()
        assert (reply.status, reply.headers["connection"]) == (200, "close")
        connection.close()
        assert process.wait(30) == 0


@pytest.mark.slow
def test_what_is_live_changes_under_load_without_a_loss(tmp_path: Path) -> None:
    async def load(running: Running, change: Callable[[int], None]) -> Clients:
        async def changes() -> None:
            for turn in range(12):
                await asyncio.to_thread(change, turn)
                await asyncio.sleep(0.5)

        clients = Clients(running.port)
        await clients.during(changes)
        return clients

    def change(turn: int) -> None:
        version = "21"[turn % 2]
        if turn % 3 == 2:  # by hand, which each process finds out by itself
            alias(tmp_path, "toy", json.dumps({"live": version}))
        else:
            path = "/admin/models/toy/aliases/live"
            status, state = running.ask(path, {"version": version}, "PUT")
            assert (status, state["served"]["toy"]["live"]) == (200, version)

    for version in ("1", "2"):
        shutil.copytree(ARTIFACT, tmp_path / "toy" / "versions" / version)
    alias(tmp_path, "toy", '{"live": "1"}')
    with serving(str(tmp_path), "--workers", "2") as running:
        wait_until_ready(running.port)
        wait_until(lambda: len(children(running.process.pid)) == 2)
        clients = asyncio.run(load(running, change))
        log = "".join(running.lines)
    assert set(clients.outcomes) == {"200"}, clients.outcomes
    assert set(clients.versions) == {"1", "2"}
    assert log.count('"unloaded"') >= 4
    assert '"error"' not in log
