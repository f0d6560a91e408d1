"""The decoder as a managed function: its events, and the platform's side of the contract."""

import base64
import io
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from typing import Any

import numpy as np
import pytest

from vaekit.errors import DataError, SpecError
from vaekit.function import MOST_CODES, Decoder
from vaekit.runtime import open_runtime

ARTIFACT = Path(__file__).parent / "artifacts" / "v1_onnx"


@pytest.fixture(scope="module")
def decoder() -> Decoder:
    return Decoder(ARTIFACT)


@pytest.fixture(scope="module")
def z(decoder: Decoder) -> list[list[float]]:
    size = decoder.runtime.serving.latent_dim
    return np.random.default_rng(0).normal(size=(3, size)).round(3).tolist()


def test_codes_are_decoded(decoder: Decoder, z: list[list[float]]) -> None:
    expected = open_runtime(ARTIFACT).decode(np.array(z))
    np.testing.assert_allclose(decoder({"z": z})["x"], expected, rtol=1e-6)
    content = base64.b64decode(decoder({"z": z, "format": "npy"})["npy"])
    np.testing.assert_array_equal(np.load(io.BytesIO(content)), expected)


def test_only_the_decoder_is_loaded(decoder: Decoder) -> None:
    assert decoder.runtime.verbs == ("decode",)
    with pytest.raises(SpecError, match="without a graph"):
        decoder.runtime.sample(1)


@pytest.mark.parametrize("encoded", [False, True])
def test_a_request_of_a_gateway(encoded: bool, decoder: Decoder, z: list[list[float]]) -> None:
    body = json.dumps({"z": z})
    if encoded:
        body = base64.b64encode(body.encode()).decode()
    said = decoder({"body": body, "isBase64Encoded": encoded, "headers": {}})
    assert said["statusCode"] == 200
    assert json.loads(said["body"]) == decoder({"z": z})


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ({}, "what to decode"),
        ([1], "what to decode"),
        (None, "what to decode"),
        ({"z": [[1.0]]}, "not codes"),
        ({"z": "x"}, "codes"),
        ({"z": [0.0], "condition": 3}, "told by name"),
        ({"z": [0.0], "format": "exe"}, "no such format"),
        ({"z": [[0.0]] * (MOST_CODES + 1)}, "too much"),
        ({"z": [0.0], "condition": {"label": 1}}, "not condition"),
    ],
)
def test_events_that_cannot_be_answered(
    event: Any, said: str, decoder: Decoder, z: list[list[float]]
) -> None:
    if isinstance(event, dict) and event.get("z") == [0.0]:
        event = {**event, "z": z}
    with pytest.raises((DataError, SpecError), match=said):
        decoder(event)
    reply = decoder({"body": json.dumps(event)})
    assert reply["statusCode"] == 422
    assert "error" in json.loads(reply["body"])


@pytest.mark.parametrize(("body", "encoded"), [("{", False), (None, False), ("%%", True)])
def test_bodies_that_are_no_json(body: Any, encoded: bool, decoder: Decoder) -> None:
    assert decoder({"body": body, "isBase64Encoded": encoded})["statusCode"] == 422


# -- the platform ------------------------------------------------------------------------------


class Platform(ThreadingHTTPServer):
    """The other side: hands out events one by one, and keeps what comes back."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Side)
        self.events: Queue[str] = Queue()
        self.replies: Queue[tuple[str, Any, str | None]] = Queue()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def ask(self, event: str) -> tuple[str, Any, str | None]:
        self.events.put(event)
        return self.replies.get(timeout=60)


class _Side(BaseHTTPRequestHandler):
    server: Platform

    def do_GET(self) -> None:
        assert self.path == "/2018-06-01/runtime/invocation/next"
        body = self.server.events.get().encode()
        self.send_response(200)
        self.send_header("Lambda-Runtime-Aws-Request-Id", "id-1")
        self.send_header("Lambda-Runtime-Deadline-Ms", "9999999999999")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        kind = self.headers.get("Lambda-Runtime-Function-Error-Type")
        self.send_response(202)
        self.send_header("Content-Length", "0")
        self.end_headers()
        self.server.replies.put((self.path, body, kind))

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def platform() -> Iterator[Platform]:
    found = Platform()
    yield found
    found.shutdown()
    found.server_close()


def started(platform: Platform, artifact: Path) -> subprocess.Popen:
    host, port = platform.server_address[:2]
    return subprocess.Popen(
        [sys.executable, "-m", "vaekit.function", str(artifact)],
        env={**os.environ, "AWS_LAMBDA_RUNTIME_API": f"{host!s}:{port}"},
        stderr=subprocess.PIPE,
    )


def test_the_contract_of_the_platform(platform: Platform, z: list[list[float]]) -> None:
    process = started(platform, ARTIFACT)
    try:
        path, said, kind = platform.ask(json.dumps({"z": z}))
        assert path == "/2018-06-01/runtime/invocation/id-1/response"
        np.testing.assert_allclose(said["x"], open_runtime(ARTIFACT).decode(np.array(z)), rtol=1e-6)
        assert kind is None
        path, said, kind = platform.ask(json.dumps({"z": "nothing"}))
        assert path == "/2018-06-01/runtime/invocation/id-1/error"
        assert said["errorType"] == "DataError"
        assert "codes" in said["errorMessage"]
        assert said["stackTrace"] == []
        assert kind == "vaekit.DataError"
        assert platform.ask("{")[0].endswith("/error")
        assert platform.ask(json.dumps({"z": z}))[0].endswith("/response")  # it lives on
    finally:
        process.kill()
        process.communicate()


def test_a_start_that_fails_is_told(platform: Platform, tmp_path: Path) -> None:
    process = started(platform, tmp_path)
    path, said, _ = platform.replies.get(timeout=60)
    assert path == "/2018-06-01/runtime/init/error"
    assert said["errorType"] == "ArtifactError"
    assert b"There is no artifact here" in process.communicate(timeout=60)[1]
    assert process.returncode == 1
