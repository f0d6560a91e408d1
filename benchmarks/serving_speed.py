"""The service beside LitServe, BentoML, a plain FastAPI endpoint, and a bare ASGI application.

    python benchmarks/serving_speed.py ARTIFACT PEERS

ARTIFACT has been exported to ONNX; PEERS is the Python of an environment with
benchmarks/peers/requirements.txt. All score one example of one sample of z with the same graph,
on one thread and in one process that answers. Contenders are all up for the whole run and take
turns: in every round each is loaded by wrk with 1, 16 and 64 connections. What is reported is the
median over rounds. Needs wrk (Debian: apt-get install wrk).

Writes `benchmarks/results/serving.json`; a second table shows JSON against binary tensors.
"""

import argparse
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import numpy as np
from rich.console import Console
from rich.table import Table

from vaekit.artifacts import open_artifact

HERE: Final = Path(__file__).parent
RESULTS: Final = HERE / "results" / "serving.json"
CONNECTIONS: Final = (1, 16, 64)
EXAMPLES: Final = (1, 4, 16, 64, 256)
"""Of one request, for the comparison of JSON and binary tensors."""
READY_SECONDS: Final = 60.0


class Load(NamedTuple):
    """What is sent, and where to."""

    url: str
    body: bytes
    media_type: str = "application/json"
    head: int | None = None


class Contender(NamedTuple):
    """A service.

    Args:
        name: What it is called in the table.
        command: What starts it; PORT is in the environment.
        path: Where it takes a request.
        body: The request.
    """

    name: str
    command: list[str]
    path: str
    body: bytes


def contenders(artifact: Path, peers: Path, port: int, x: np.ndarray) -> list[Contender]:
    """Everybody who takes part; ports follow each other."""
    rows = json.dumps({"x": x.reshape(len(x), -1).tolist()}).encode()
    python, folder = [str(peers)], HERE / "peers"
    bentoml = peers.with_name("bentoml")
    serve = [sys.executable, "-m", "vaekit", "serve", str(artifact), "--name", "model"]
    path = "/v2/models/model.score/infer"
    return [
        Contender("vaekit", [*serve, "--port", str(port)], path, json_body(x)),
        Contender("plain FastAPI", [*python, str(folder / "plain.py")], "/score", rows),
        Contender("LitServe", [*python, str(folder / "lit.py")], "/score", rows),
        Contender(
            "BentoML",
            [str(bentoml), "serve", "bento:Score", "--port", str(port + 3)],
            "/score",
            rows,
        ),
        Contender("a constant", [*python, str(folder / "constant.py")], "/", rows),
    ]


def json_body(x: np.ndarray) -> bytes:
    """A request of the Open Inference Protocol in JSON."""
    tensor = {"name": "x", "datatype": "UINT8", "shape": list(x.shape), "data": x.ravel().tolist()}
    outputs = [{"name": name} for name in ("elbo_nats", "kl_nats", "mse")]
    document = {"inputs": [tensor], "outputs": outputs, "parameters": {"num_samples": 1}}
    return json.dumps(document, separators=(",", ":")).encode()


def binary_body(x: np.ndarray) -> tuple[bytes, int]:
    """The same with the tensor as bytes, and the length of its JSON."""
    sizes = {"binary_data_size": x.nbytes}
    tensor = {"name": "x", "datatype": "UINT8", "shape": list(x.shape), "parameters": sizes}
    outputs = [{"name": name} for name in ("elbo_nats", "kl_nats", "mse")]
    document = {
        "inputs": [tensor],
        "outputs": outputs,
        "parameters": {"num_samples": 1, "binary_data_output": True},
    }
    head = json.dumps(document, separators=(",", ":")).encode()
    return head + x.tobytes(), len(head)


@contextmanager
def running(contender: Contender, port: int, environment: Mapping[str, str]) -> Iterator[str]:
    """A service that answers, and its address."""
    process = subprocess.Popen(
        contender.command,
        cwd=HERE / "peers",
        env={**os.environ, **environment, "PORT": str(port)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    url = f"http://127.0.0.1:{port}{contender.path}"
    try:
        _wait(url, contender, process)
        yield url
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def _wait(url: str, contender: Contender, process: subprocess.Popen) -> None:
    until = time.monotonic() + READY_SECONDS
    request = Request(url, contender.body, {"content-type": "application/json"})
    while True:
        if process.poll() is not None or time.monotonic() > until:
            raise SystemExit(f"{contender.name} does not answer: {' '.join(contender.command)}")
        try:
            with urlopen(request, timeout=5) as reply:
                reply.read()
                return
        except HTTPError as error:
            if time.monotonic() > until - READY_SECONDS / 2:
                raise SystemExit(f"{contender.name} refuses: {error.read()[:300]!r}") from error
        except (URLError, OSError):
            pass
        time.sleep(0.1)


def loaded(load: Load, connections: int, seconds: int) -> dict[str, float]:
    """What wrk saw."""
    with tempfile.NamedTemporaryFile() as body:
        body.write(load.body)
        body.flush()
        environment = {**os.environ, "BODY": body.name, "TYPE": load.media_type}
        if load.head is not None:
            environment["HEAD"] = str(load.head)
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s"]
        found = subprocess.run(
            [*command, "-s", str(HERE / "peers" / "post.lua"), load.url],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
    seen = json.loads(found.stdout.strip().splitlines()[-1])
    return {**seen, "requests_per_second": seen["requests"] / seen["seconds"]}


def compared(
    everybody: list[Contender], loads: Mapping[str, Load], rounds: int, seconds: int
) -> dict[str, dict[str, dict[str, float]]]:
    """Rounds in which all take turns; medians, and the sum of failures."""
    seen: dict[tuple[str, int], list[dict[str, float]]] = {}
    for contender in everybody:
        loaded(loads[contender.name], 4, 1)  # warm
    for _ in range(rounds):
        for connections in CONNECTIONS:
            for contender in everybody:
                found = loaded(loads[contender.name], connections, seconds)
                seen.setdefault((contender.name, connections), []).append(found)
    return {
        contender.name: {str(c): _medians(seen[contender.name, c]) for c in CONNECTIONS}
        for contender in everybody
    }


def _medians(found: list[dict[str, float]]) -> dict[str, float]:
    names = ("requests_per_second", "p50_ms", "p95_ms", "p99_ms")
    middle = {name: round(statistics.median(one[name] for one in found), 3) for name in names}
    rates = [one["requests_per_second"] for one in found]
    failed = sum(one["failed"] for one in found)
    return {**middle, "slowest": round(min(rates)), "fastest": round(max(rates)), "failed": failed}


def json_against_binary(
    url: str, shape: tuple[int, ...], rounds: int, seconds: int
) -> list[dict[str, float]]:
    """Examples per second of both forms of body, by examples in a request."""
    found = []
    for n in EXAMPLES:
        x = pixels(n, shape)
        binary, head = binary_body(x)
        forms = {
            "json": Load(url, json_body(x)),
            "binary": Load(url, binary, "application/octet-stream", head),
        }
        rates: dict[str, list[float]] = {name: [] for name in forms}
        for _ in range(rounds):
            for name, load in forms.items():
                seen = loaded(load, 16, seconds)
                rates[name].append(n * seen["requests_per_second"])
        row = {name: round(statistics.median(values)) for name, values in rates.items()}
        sizes = {f"{name}_bytes": len(load.body) for name, load in forms.items()}
        found.append({"examples": n, **row, **sizes})
    return found


def pixels(n: int, shape: tuple[int, ...]) -> np.ndarray:
    """Something like digits: a fifth of the pixels is not black."""
    source = np.random.default_rng(0)
    lit = source.random((n, *shape)) < 0.2
    return (lit * source.integers(1, 256, (n, *shape))).astype(np.uint8)


def shown(found: dict[str, Any]) -> Table:
    """The table."""
    table = Table(title="Scores of one example; requests/s (p50, p95, p99 in ms; failed)")
    table.add_column("")
    for connections in CONNECTIONS:
        table.add_column(f"{connections} connections", justify="right")
    for name, by_connections in found.items():
        cells = [
            f"{one['requests_per_second']:,.0f} ({one['p50_ms']:.1f}, {one['p95_ms']:.1f}, "
            f"{one['p99_ms']:.1f}; {one['failed']:.0f})"
            for one in by_connections.values()
        ]
        table.add_row(name, *cells)
    return table


def main() -> None:
    """Runs everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("artifact", type=Path)
    parser.add_argument("peers", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4)
    given = parser.parse_args()
    if shutil.which("wrk") is None:
        raise SystemExit("There is no wrk here. On Debian and Ubuntu: apt-get install wrk")
    folder = open_artifact(given.artifact)
    shape = tuple(folder.serving.form.event_shape)
    graph = folder.path / "onnx" / "fp32" / "score.onnx"
    environment = {"GRAPH": str(graph.resolve()), "SHAPE": ",".join(map(str, shape))}
    port, x = _free_port(), pixels(1, shape)
    everybody = contenders(folder.path.resolve(), given.peers.absolute(), port, x)
    console = Console()
    with ExitStack() as stack:
        loads = {}
        for number, contender in enumerate(everybody):
            url = stack.enter_context(running(contender, port + number, environment))
            loads[contender.name] = Load(url, contender.body)
            console.print(f"{contender.name} is up")
        found = compared(everybody, loads, given.rounds, given.seconds)
        console.print(shown(found))
        forms = json_against_binary(loads["vaekit"].url, shape, 3, max(1, given.seconds // 2))
    for row in forms:
        console.print(row)
    RESULTS.write_text(json.dumps({"contenders": found, "forms": forms}, indent=1) + "\n")


def _free_port() -> int:
    """The first of some ports that are free one after the other."""
    for first in range(18_000, 30_000, 100):
        if all(_is_free(first + k) for k in range(5)):
            return first
    raise SystemExit("no five ports are free")


def _is_free(port: int) -> bool:
    with socket.socket() as door:
        return door.connect_ex(("127.0.0.1", port)) != 0


if __name__ == "__main__":
    main()
