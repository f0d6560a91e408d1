"""Seconds until a service is ready, and until a managed function has answered its first event.

    python benchmarks/serving_start.py ARTIFACT

ARTIFACT has been exported to ONNX. Processes are new each time; files are in the page cache.
`vaekit serve` is ready when /v2/health/ready says so, and its memory is read after a first score.
The function is `python -m vaekit.function` against a runtime API in this process: it begins when it
asks for an event, and what is timed is from its start to its first answer, one decoded code.
"""

import argparse
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Final
from urllib.error import URLError
from urllib.request import urlopen

from serving_speed import json_body, pixels

from vaekit.artifacts import open_artifact

TIMES: Final = 7
LONGEST_SECONDS: Final = 30.0


def service(artifact: Path, shape: tuple[int, ...]) -> tuple[float, float]:
    """Seconds until it is ready, and resident MiB after a first score."""
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        port = door.getsockname()[1]
    command = [sys.executable, "-m", "vaekit", "serve", str(artifact), "--name", "model"]
    began = time.perf_counter()
    process = subprocess.Popen(
        [*command, "--port", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        url = f"http://127.0.0.1:{port}/v2"
        while not _is_ready(f"{url}/health/ready"):
            if process.poll() is not None or time.perf_counter() - began > LONGEST_SECONDS:
                raise SystemExit("the service does not get ready")
            time.sleep(0.005)
        taken = time.perf_counter() - began
        with urlopen(f"{url}/models/model.score/infer", json_body(pixels(1, shape))) as reply:
            reply.read()
        status = Path(f"/proc/{process.pid}/status").read_text()
        resident = re.search(r"VmRSS:\s+(\d+) kB", status)
        return taken, int(resident.group(1)) / 1024 if resident else float("nan")
    finally:
        process.terminate()
        process.wait()


def _is_ready(url: str) -> bool:
    try:
        with urlopen(url, timeout=1) as reply:
            return reply.status == 200
    except (URLError, OSError):
        return False


def function(artifact: Path, latent_dim: int) -> tuple[float, float]:
    """Seconds until it asks for an event, and until it has answered one."""
    moments: list[float] = []
    server = HTTPServer(("127.0.0.1", 0), _runtime_api(latent_dim, moments.append))
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "vaekit.function", str(artifact)],
        env={**os.environ, "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{server.server_port}"},
    )
    try:
        while len(moments) < 2:
            if process.poll() is not None or time.perf_counter() - began > LONGEST_SECONDS:
                raise SystemExit("the function does not answer")
            time.sleep(0.002)
        return moments[0] - began, moments[1] - began
    finally:
        process.kill()
        process.wait()
        server.shutdown()


def _runtime_api(latent_dim: int, told: Callable[[float], None]) -> type[BaseHTTPRequestHandler]:
    """Gives one event, and notes when it was asked for and when it was answered."""
    event = json.dumps({"z": [[0.0] * latent_dim]}).encode()

    class RuntimeApi(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            told(time.perf_counter())
            self._reply(event)

        def do_POST(self) -> None:
            told(time.perf_counter())
            found = self.rfile.read(int(self.headers["content-length"]))
            if "x" not in json.loads(found):
                raise SystemExit(f"the function failed: {found[:200]!r}")
            self._reply(b"")

        def _reply(self, content: bytes) -> None:
            self.send_response(200)
            self.send_header("Lambda-Runtime-Aws-Request-Id", "1")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            pass

    return RuntimeApi


def _shown(values: list[float], unit: str) -> str:
    return f"{statistics.median(values):.2f} {unit} ({min(values):.2f} to {max(values):.2f})"


def main() -> None:
    """Measures both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("artifact", type=Path)
    folder = open_artifact(parser.parse_args().artifact)
    shape = tuple(folder.serving.form.event_shape)
    services = [service(folder.path, shape) for _ in range(TIMES)]
    functions = [function(folder.path, folder.serving.latent_dim) for _ in range(TIMES)]
    print(f"service: ready after {_shown([s for s, _ in services], 's')}")
    print(f"service: resident {_shown([r for _, r in services], 'MiB')}")
    print(f"function: begins after {_shown([b for b, _ in functions], 's')}")
    print(f"function: first answer after {_shown([a for _, a in functions], 's')}")


if __name__ == "__main__":
    main()
