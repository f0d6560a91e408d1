"""A service as its own process, on a committed artifact."""

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from artifacts.tampering import V1_ONNX

ARTIFACT = V1_ONNX
X = (np.arange(128, dtype=np.uint8) % 17).reshape(2, 1, 8, 8)


class Running(NamedTuple):
    """A process, the port that it chose, and the lines that it wrote."""

    process: subprocess.Popen[str]
    port: int
    lines: list[str]

    def ask(self, path: str, document: Any = None, method: str | None = None, **more: Any) -> Any:
        return ask(self.port, path, document, method, **more)


@contextmanager
def serving(*arguments: str) -> Iterator[Running]:
    """The command."""
    command = [sys.executable, "-m", "vaekit", "serve", *arguments, "--port", "0"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    assert process.stderr is not None
    lines: list[str] = []
    drain = threading.Thread(target=lines.extend, args=(process.stderr,), daemon=True)
    try:
        port = 0
        for line in process.stderr:
            lines.append(line)
            found = re.search(r"http://127\.0\.0\.1:(\d+)", line)
            port = int(found[1]) if found else port
            if '"loaded"' in line or '"ended"' in line:
                break
        drain.start()
        yield Running(process, port, lines)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # with its workers, also where they are lost
        process.wait()
        drain.join()
        process.stderr.close()


def ask(
    port: int,
    path: str,
    document: Any = None,
    method: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> tuple[int, Any]:
    """Status, and JSON or text, of one request."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        body = None if document is None else json.dumps(document)
        connection.request(
            method or ("GET" if body is None else "POST"), path, body, dict(headers or {})
        )
        reply = connection.getresponse()
        said = reply.read().decode()
        return reply.status, json.loads(said) if said.startswith(("{", "[")) else said
    finally:
        connection.close()


def wait_until(is_so: Any, seconds: float = 30) -> None:
    """Until something is so."""
    until = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > until:
            raise TimeoutError
        time.sleep(0.02)


def wait_until_ready(port: int) -> None:
    """Until it answers."""

    def is_ready() -> bool:
        try:
            return ask(port, "/v2/health/ready")[0] == 200
        except OSError:
            return False

    wait_until(is_ready)


def children(pid: int) -> list[int]:
    """Processes that answer: the ones that hold the runtime."""
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(c) for c in found if "onnxruntime" in Path(f"/proc/{c}/maps").read_text()]
