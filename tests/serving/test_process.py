"""A service as its own process, on a committed artifact: no torch in it, and a clean end."""

import asyncio
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from artifacts.tampering import V1
from serving.own_process import ARTIFACT, X, ask, children, serving, wait_until, wait_until_ready

from vaekit.runtime import open_runtime


def test_it_serves_without_torch_and_ends_when_it_is_told_to() -> None:
    expected = open_runtime(ARTIFACT).score(X, 9, 4)
    with serving(str(ARTIFACT)) as (process, port, _):
        wait_until_ready(port)
        (card,) = ask(port, "/v1/models")[1]
        document = {"x": X.tolist(), "num_samples": 9, "seed": 4}
        status, said = ask(port, f"/v1/models/{card['name']}/score", document)
        assert status == 200
        for name, values in expected.items():
            np.testing.assert_allclose(said["scores"][name], values, rtol=1e-5)
        maps = Path(f"/proc/{process.pid}/maps").read_text()
        assert "onnxruntime" in maps
        assert "torch" not in maps
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


def test_no_request_in_flight_is_lost_on_sigterm() -> None:
    document = json.dumps({"x": X.tolist(), "num_samples": 2000}).encode()

    async def one(port: int, name: str, sent: asyncio.Event) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        head = f"POST /v1/models/{name}/score HTTP/1.1\r\nHost: a\r\nContent-Length: "
        writer.write(f"{head}{len(document)}\r\n\r\n".encode() + document)
        await writer.drain()
        sent.set()
        reply = await reader.read()
        writer.close()
        return reply

    async def all_of_them(port: int, name: str, process: subprocess.Popen[str]) -> list[bytes]:
        sent = [asyncio.Event() for _ in range(24)]
        asked = [asyncio.create_task(one(port, name, event)) for event in sent]
        await asyncio.gather(*(event.wait() for event in sent))
        process.send_signal(signal.SIGTERM)
        return await asyncio.gather(*asked)

    with serving(str(ARTIFACT), "--grace", "0.2") as (process, port, _):
        wait_until_ready(port)
        name = ask(port, "/v1/models")[1][0]["name"]
        replies = asyncio.run(all_of_them(port, name, process))
        assert process.wait(30) == 0
    assert [reply.split(b"\r\n")[0] for reply in replies] == [b"HTTP/1.1 200 OK"] * 24
    assert all(reply.endswith(b"}") for reply in replies)


@pytest.mark.slow
def test_several_workers_share_a_port_and_add_up_what_they_count() -> None:
    with serving(str(ARTIFACT), "--workers", "2") as (process, port, _):
        wait_until_ready(port)
        name = ask(port, "/v1/models")[1][0]["name"]
        for _ in range(20):
            assert ask(port, f"/v1/models/{name}/score", {"x": X.tolist()})[0] == 200
        connection = http.client.HTTPConnection("127.0.0.1", port)
        connection.request("GET", "/metrics")
        page = connection.getresponse().read().decode()
        connection.close()
        counted = re.findall(
            r'^vaekit_requests_total\{.*outcome="ok".*verb="score".*\} (.*)$', page, re.M
        )
        assert sum(map(float, counted)) == 20
        assert len(re.findall(r"^vaekit_process_resident_bytes\{", page, re.M)) == 2
        workers = children(process.pid)
        os.kill(workers[0], signal.SIGKILL)  # one dies, and is replaced
        until = time.monotonic() + 30
        while len(children(process.pid)) < 2 or workers[0] in children(process.pid):
            assert time.monotonic() < until
            time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


@pytest.mark.slow
def test_workers_end_with_a_parent_that_is_killed() -> None:
    with serving(str(ARTIFACT), "--workers", "2") as (process, port, _):
        wait_until_ready(port)
        workers = children(process.pid)
        process.kill()
        process.wait()
        wait_until(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers))
        with pytest.raises(ConnectionRefusedError):
            ask(port, "/v2")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["nothing"], 4, "no artifact here"),
        ([str(V1 / "artifact")], 4, "no ONNX graphs yet"),
        ([str(ARTIFACT), "--host", "0.0.0.0"], 2, "Everybody who reaches this address"),
        ([str(ARTIFACT), "--host", "203.0.113.1", "--no-auth"], 2, "cannot be listened on"),
        ([str(ARTIFACT), "--keys", "nothing"], 2, "file of keys cannot be read"),
        ([str(ARTIFACT), "--keys", "nothing", "--workers", "2"], 2, "file of keys"),
    ],
)
def test_it_does_not_begin_where_something_is_wrong(
    arguments: list[str], code: int, message: str
) -> None:
    command = [sys.executable, "-m", "vaekit", "serve", *arguments, "--port", "0"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, message in done.stderr) == (code, True), done.stderr
    assert "Traceback" not in done.stderr
