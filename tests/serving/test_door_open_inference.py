"""The Open Inference Protocol: answers in JSON and in bytes, and every refusal once."""

import json
from typing import Any

import numpy as np
import pytest
from serving.in_process import Bench, listening
from serving.linear_server import LinearRuntime, examples, serving
from tritonclient import http as triton
from tritonclient.utils import InferenceServerException

X = examples(3)


@pytest.fixture(scope="module")
def bench() -> Bench:
    return Bench()


@pytest.fixture(scope="module")
def told() -> Bench:
    condition = {"name": "label", "num_classes": 3}
    return Bench(LinearRuntime(serving(conditions=[condition])))


def tensor(x: np.ndarray = X, **changes: Any) -> dict[str, Any]:
    whole = {"name": "x", "shape": list(x.shape), "datatype": "FP32", "data": x.ravel().tolist()}
    return whole | changes


def values(reply: Any, output: str) -> np.ndarray:
    found = next(entry for entry in reply["outputs"] if entry["name"] == output)
    return np.array(found["data"]).reshape(found["shape"])


def test_what_a_server_says_of_itself(bench: Bench) -> None:
    said = bench.ask("GET", "/v2").json()
    assert said["name"] == "vaekit"
    assert "binary_tensor_data" in said["extensions"]
    assert bench.ask("GET", "/v2/health/live").json() == {"live": True}
    assert bench.ask("GET", "/v2/health/ready").json() == {"ready": True}
    for path in ("toy.score/ready", "toy.score/versions/1/ready", "toy.score/versions/live/ready"):
        assert bench.ask("GET", f"/v2/models/{path}").json()["ready"] is True
    said = bench.ask("GET", "/v2/models/toy.score/versions/1").json()
    assert said["inputs"] == [{"name": "x", "datatype": "FP32", "shape": [-1, 4]}]
    assert said["outputs"][0] == {"name": "elbo_nats", "datatype": "FP64", "shape": [-1]}
    assert bench.ask("GET", "/v2/models/toy.decode").json()["inputs"][0]["name"] == "z"
    names = [entry["name"] for entry in bench.ask("POST", "/v2/repository/index").json()]
    assert names == [f"toy.{v}" for v in ("encode", "decode", "reconstruct", "score", "sample")]


def test_every_verb_gives_what_the_runtime_gives(bench: Bench) -> None:
    runtime = bench.runtime
    reply = bench.infer(
        "score", {"id": "a", "inputs": [tensor()], "parameters": {"num_samples": 7, "seed": 3}}
    )
    assert reply.status_code == 200
    said = reply.json()
    assert {key: said[key] for key in ("id", "model_name", "model_version")} == {
        "id": "a",
        "model_name": "toy.score",
        "model_version": "1",
    }
    for name, expected in runtime.score(X, 7, 3).items():
        np.testing.assert_allclose(values(said, name), expected, rtol=1e-12)
    for verb, output, expected in (
        ("encode", "z", runtime.encode(X)),
        ("reconstruct", "x", runtime.reconstruct(X)),
    ):
        said = bench.infer(verb, {"inputs": [tensor()]}).json()
        assert np.array_equal(values(said, output).astype(np.float32), expected)
    z = runtime.encode(X)
    said = bench.infer("decode", {"inputs": [tensor(z, name="z")]}).json()
    assert np.array_equal(values(said, "x").astype(np.float32), runtime.decode(z))
    said = bench.infer("sample", {"parameters": {"n": 2, "seed": 1, "temperature": 0.5}}).json()
    assert np.array_equal(values(said, "x").astype(np.float32), runtime.sample(2, 1, 0.5))


def test_some_outputs_and_nested_data(bench: Bench) -> None:
    request = {"inputs": [tensor(data=X.tolist())], "outputs": [{"name": "mse"}]}
    said = bench.infer("score", request).json()
    assert [entry["name"] for entry in said["outputs"]] == ["mse"]


def test_conditions_as_inputs_and_as_parameters(told: Bench) -> None:
    expected = told.runtime.encode(X, {"label": [2, 2, 2]})
    label = {"name": "label", "shape": [3, 1], "datatype": "INT64", "data": [2, 2, 2]}
    for request in (
        {"inputs": [tensor(), label]},
        {"inputs": [tensor()], "parameters": {"label": 2}},
    ):
        said = told.infer("encode", request).json()
        assert np.array_equal(values(said, "z").astype(np.float32), expected)
    inputs = told.ask("GET", "/v2/models/toy.encode").json()["inputs"]
    assert inputs[1] == {"name": "label", "datatype": "INT64", "shape": [-1]}


REFUSALS: dict[str, tuple[str, Any, int, str]] = {
    "no input": ("score", {}, 400, "nothing to work on"),
    "no list": ("score", {"inputs": {}}, 400, "no list"),
    "no object": ("score", {"inputs": [1]}, 400, "no JSON object"),
    "odd key": ("score", {"inputs": [], "input": []}, 400, "no key 'input'"),
    "odd id": ("score", {"id": 7, "inputs": [tensor()]}, 400, "short text"),
    "no name": ("score", {"inputs": [tensor(name=None)]}, 400, "name is missing"),
    "twice": ("score", {"inputs": [tensor(), tensor()]}, 400, "twice"),
    "datatype": ("score", {"inputs": [tensor(datatype="BYTES")]}, 400, "datatype is not known"),
    "shape": ("score", {"inputs": [tensor(shape=[3, -4])]}, 400, "no shape"),
    "deep shape": ("score", {"inputs": [tensor(shape=[1] * 9)]}, 400, "no shape"),
    "size": ("score", {"inputs": [tensor(shape=[3, 5])]}, 400, "15, for shape"),
    "no data": ("score", {"inputs": [tensor(data=None)]}, 400, "no data"),
    "text": ("score", {"inputs": [tensor(data=["a"] * 12)]}, 400, "not an array of numbers"),
    "ragged": ("score", {"inputs": [tensor(data=[[1], [1, 2]])]}, 400, "not an array"),
    "huge": ("score", {"inputs": [tensor(data=[10**400] * 12)]}, 400, "infinity"),
    "datatype holds": (
        "score",
        {"inputs": [tensor(datatype="UINT8", data=[0.5] * 12)]},
        400,
        "its datatype cannot",
    ),
    "infinite": ("score", {"inputs": [tensor(data=[1e39] * 12)]}, 422, "not a finite number"),
    "missing": ("score", {"inputs": [tensor(data=[None] * 12)]}, 422, "not a finite number"),
    "range": ("score", {"inputs": [tensor(data=[1e3] * 12)]}, 422, "outside its range"),
    "width": ("score", {"inputs": [tensor(X[:, :3])]}, 422, "do not have the shape"),
    "condition": ("score", {"inputs": [tensor(), tensor(name="c")]}, 422, "not conditioned on"),
    "parameter": (
        "score",
        {"inputs": [tensor()], "parameters": {"priority": 1}},
        422,
        "no parameter 'priority' of score",
    ),
    "timeout": (
        "score",
        {"inputs": [tensor()], "parameters": {"timeout": -1}},
        400,
        "no number of microseconds",
    ),
    "flag": (
        "score",
        {"inputs": [tensor()], "parameters": {"binary_data_output": 1}},
        400,
        "neither true nor false",
    ),
    "output": ("score", {"inputs": [tensor()], "outputs": [{"name": "loss"}]}, 400, "no output"),
    "bytes": (
        "score",
        {"inputs": [tensor(parameters={"binary_data_size": 4})]},
        400,
        "both as JSON and as bytes",
    ),
    "bytes size": (
        "score",
        {"inputs": [tensor(parameters={"binary_data_size": -4})]},
        400,
        "no size",
    ),
    "shared memory": (
        "score",
        {"inputs": [tensor(parameters={"shared_memory_region": "a"})]},
        400,
        "no key 'shared_memory_region'",
    ),
    "many": ("sample", {"parameters": {"n": 10**6}}, 413, "too much for one request"),
}


@pytest.mark.parametrize("case", REFUSALS.values(), ids=REFUSALS)
def test_refused(bench: Bench, case: tuple[str, Any, int, str]) -> None:
    verb, document, status, message = case
    reply = bench.infer(verb, document)
    assert reply.status_code == status, reply.text
    assert list(reply.json()) == ["error"]
    assert message in reply.json()["error"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v2/models/other.score", 404),
        ("GET", "/v2/models/toy", 404),
        ("GET", "/v2/models/toy.train", 404),
        ("GET", "/v2/models/toy.score/versions/2", 404),
        ("GET", "/v2/models", 404),
        ("GET", "/v2/models/toy.score/infer", 405),
        ("POST", "/v2/health/live", 405),
        ("GET", "/v3", 404),
        ("GET", "/", 404),
    ],
)
def test_paths_that_are_none(bench: Bench, method: str, path: str, status: int) -> None:
    reply = bench.ask(method, path)
    assert reply.status_code == status
    assert "error" in reply.json()


def test_a_timeout_is_a_deadline(bench: Bench) -> None:
    bench.runtime.pause.clear()
    reply = bench.infer("encode", {"inputs": [tensor()], "parameters": {"timeout": 20_000}})
    bench.runtime.pause.set()
    assert reply.status_code == 504
    assert "0.02 s" in reply.json()["error"]
    assert reply.headers["retry-after"] == "1"


def test_a_score_that_is_no_number_is_null(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = {"mse": np.array([np.nan, 1.0, np.inf])}
    whole = bench.runtime.score(X)
    monkeypatch.setattr(bench.runtime, "score", lambda *_: whole | broken)
    said = bench.infer("score", {"inputs": [tensor()], "outputs": [{"name": "mse"}]}).json()
    assert said["outputs"][0]["data"] == [None, 1.0, None]


def test_a_failure_of_the_model_says_nothing_outward(bench: Bench) -> None:
    bench.runtime.fail_on = 66.0
    reply = bench.infer("encode", {"inputs": [tensor(np.full((1, 4), 66, np.float32))]})
    bench.runtime.fail_on = None
    assert reply.status_code == 500
    assert reply.json() == {"error": "The model failed."}
    failure = [line for line in bench.lines if line["event"] == "failure"][-1]
    assert failure["request_id"] == reply.headers["x-request-id"]
    assert "linear_server.py" in json.dumps(failure)
    assert "secret" not in bench.written.getvalue()


# -- somebody else's client, against a real socket ------------------------------------------------


def test_tritonclient_works_unchanged(bench: Bench) -> None:
    with listening(bench.app) as address, triton.InferenceServerClient(address) as client:
        assert client.is_server_live()
        assert client.is_server_ready()
        assert client.is_model_ready("toy.score")
        assert client.get_server_metadata()["name"] == "vaekit"
        assert client.get_model_metadata("toy.score", "1")["platform"] == "vaekit"
        assert client.get_model_repository_index()[0]["state"] == "READY"
        for binary in (True, False):
            given = triton.InferInput("x", list(X.shape), "FP32")
            given.set_data_from_numpy(X, binary_data=binary)
            reply = client.infer("toy.score", [given], parameters={"seed": 3, "num_samples": 7})
            for name, expected in bench.runtime.score(X, 7, 3).items():
                np.testing.assert_allclose(np.array(reply.as_numpy(name)), expected, rtol=1e-12)
            wanted = triton.InferRequestedOutput("z", binary_data=not binary)
            reply = client.infer("toy.encode", [given], outputs=[wanted], request_id="r1")
            assert reply.get_response()["id"] == "r1"
            assert np.array_equal(np.array(reply.as_numpy("z")), bench.runtime.encode(X))
        given.set_data_from_numpy(X + 1000)
        with pytest.raises(InferenceServerException, match="outside its range"):
            client.infer("toy.score", [given])


def test_binary_bodies_that_lie(bench: Bench) -> None:
    head = {"inputs": [tensor(parameters={"binary_data_size": 48}, data=None)]}
    del head["inputs"][0]["data"]
    encoded, body = json.dumps(head).encode(), X.tobytes()
    path, name = "/v2/models/toy.encode/infer", "Inference-Header-Content-Length"
    for length, content, message in (
        (str(len(encoded)), encoded + body[:-1], "47 bytes"),
        (str(len(encoded)), encoded + body + b"a", "belong to no tensor"),
        ("-1", encoded + body, "length of the JSON"),
        ("9" * 9, encoded + body, "length of the JSON"),
        (str(len(encoded) - 1), encoded + body, "not JSON"),
    ):
        reply = bench.ask("POST", path, content=content, headers={name: length})
        assert reply.status_code == 400
        assert message in reply.json()["error"]
    reply = bench.ask("POST", path, content=encoded + body, headers={name: str(len(encoded))})
    assert np.array_equal(values(reply.json(), "z"), bench.runtime.encode(X))
