"""The typed face: JSON and pictures, documented, and every refusal once."""

import io
import json
import re
from typing import Any
from urllib.parse import urlencode

import jsonschema_rs
import numpy as np
import pytest
from PIL import Image
from serving.in_process import Bench
from serving.linear_server import LinearRuntime, examples, serving

X = examples(3)
IMAGES = {
    "name": "pictures",
    "kind": "image",
    "event_shape": [1, 2, 3],
    "dtype": "uint8",
    "low": 0,
    "high": 255,
}


@pytest.fixture(scope="module")
def bench() -> Bench:
    return Bench()


@pytest.fixture(scope="module")
def pictures() -> Bench:
    return Bench(LinearRuntime(serving(schema=IMAGES)))


def post(bench: Bench, verb: str, document: Any = None, **more: Any) -> Any:
    if document is not None:
        more["json"] = document
    return bench.ask("POST", f"/v1/models/toy/{verb}", **more)


def test_every_verb(bench: Bench) -> None:
    runtime, x = bench.runtime, X.tolist()
    said = post(bench, "score", {"x": x, "num_samples": 7, "seed": 3}).json()
    assert (said["model"], said["version"]) == ("toy", "1")
    assert set(said["scores"]) == set(runtime.serving.scores)
    np.testing.assert_allclose(
        said["scores"]["elbo_nats"], runtime.score(X, 7, 3)["elbo_nats"], rtol=1e-12
    )
    z = post(bench, "encode", {"x": x}).json()["z"]
    np.testing.assert_allclose(z, runtime.encode(X), rtol=1e-6)
    np.testing.assert_allclose(
        post(bench, "decode", {"z": z}).json()["x"], runtime.decode(z), rtol=1e-6
    )
    np.testing.assert_allclose(
        post(bench, "reconstruct", {"x": x[0]}).json()["x"], runtime.reconstruct(X[0]), rtol=1e-6
    )
    said = post(bench, "sample", {"n": 2, "seed": 5, "temperature": 0.5}).json()
    np.testing.assert_allclose(said["x"], runtime.sample(2, 5, 0.5), rtol=1e-6)
    assert len(post(bench, "sample").json()["x"]) == 1


def test_what_is_served(bench: Bench) -> None:
    (card,) = bench.ask("GET", "/v1/models").json()
    assert card == bench.ask("GET", "/v1/models/toy").json()
    assert card["live"] == "1"
    assert card["input"]["event_shape"] == [4]
    assert card["num_samples"] == 5
    assert post(bench, "score", {"x": X.tolist()}, params={"version": "live"}).status_code == 200


def test_a_picture_goes_in_and_pictures_come_out(pictures: Bench) -> None:
    pixels = np.arange(6, dtype=np.uint8).reshape(2, 3) * 50
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    png = {"content": buffer.getvalue(), "headers": {"content-type": "image/png"}}
    expected = pictures.runtime.score(pixels[None, None], 3, 1)["mse"]
    said = post(pictures, "score", params={"num_samples": 3, "seed": 1}, **png).json()
    np.testing.assert_allclose(said["scores"]["mse"], expected, rtol=1e-12)
    for n, size in ((1, (3, 2)), (3, (6, 4)), (5, (9, 4))):
        reply = post(pictures, "sample", {"n": n}, headers={"accept": "image/png"})
        assert reply.headers["content-type"] == "image/png"
        with Image.open(io.BytesIO(reply.content)) as drawn:
            assert drawn.size == size
    png["headers"] = {**png["headers"], "accept": "image/png"}
    with Image.open(io.BytesIO(post(pictures, "reconstruct", **png).content)) as drawn:
        made = pictures.runtime.reconstruct(pixels[None, None])[0, 0]
        assert np.array_equal(np.asarray(drawn), np.clip(made, 0, 255).round())


def test_a_palette_and_a_smaller_range(pictures: Bench) -> None:
    schema = IMAGES | {"dtype": "float32", "low": -1, "high": 1}
    bench = Bench(LinearRuntime(serving(schema=schema)))
    buffer = io.BytesIO()
    Image.new("P", (3, 2)).save(buffer, "PNG")  # all black
    png = {"content": buffer.getvalue(), "headers": {"content-type": "image/png"}}
    expected = bench.runtime.encode(np.full((1, 1, 2, 3), -1.0))
    np.testing.assert_allclose(post(bench, "encode", **png).json()["z"], expected)


def _png(width: int, height: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("L", (width, height)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("verb", "content", "status", "message"),
    [
        ("score", b"no picture", 400, "no PNG"),
        ("score", _png(3, 3), 400, "3 x 2 pixels"),
        ("score", _png(3, 2)[:43], 400, "no PNG"),
        ("score", _png(3, 2)[:16] + b"\xff" * 8 + _png(3, 2)[24:], 413, "16,777,216 pixels"),
        ("score", _png(3, 2)[:33] + _png(60_000, 1)[8:33] * 2 + _png(3, 2)[33:], 400, "3 x 2"),
        ("decode", _png(3, 2), 415, "takes no picture"),
    ],
)
def test_pictures_that_are_refused(
    pictures: Bench, verb: str, content: bytes, status: int, message: str
) -> None:
    reply = post(pictures, verb, content=content, headers={"content-type": "image/png"})
    assert (reply.status_code, message in reply.json()["error"]) == (status, True), reply.text


@pytest.mark.parametrize(
    "query", ["[" * 5000, "[[1]]", "NaN", "1e999", "9" * 5000, "{", '{"a":1,"a":2}', "\ud800", ""]
)
def test_numbers_in_a_query_are_numbers(pictures: Bench, query: str) -> None:
    asked = urlencode({"num_samples": query}, errors="surrogatepass")
    png = {"content": _png(3, 2), "headers": {"content-type": "image/png"}}
    assert post(pictures, f"score?{asked}", **png).status_code in (400, 422)


def test_a_model_of_rows_takes_and_makes_no_pictures(bench: Bench) -> None:
    png = {"content": _png(2, 2), "headers": {"content-type": "image/png"}}
    assert post(bench, "score", **png).status_code == 415
    assert post(bench, "sample", headers={"accept": "image/png"}).status_code == 415


@pytest.mark.parametrize(
    ("verb", "document", "status", "message"),
    [
        ("score", {}, 422, "Field required"),
        ("score", {"x": X.tolist(), "k": 1}, 422, "k"),
        ("score", {"x": X.tolist(), "num_samples": 0}, 422, "greater than or equal to 1"),
        ("score", {"x": X.tolist(), "seed": 1.5}, 422, "seed"),
        ("score", {"x": "text"}, 400, "not an array of numbers"),
        ("score", {"x": [[1], [1, 2]]}, 400, "not an array of numbers"),
        ("score", {"x": [{}]}, 400, "not an array"),
        ("score", {"x": [[None] * 4]}, 422, "finite"),
        ("score", {"x": X[:, :2].tolist()}, 422, "shape"),
        ("score", {"x": X.tolist(), "condition": {"label": 1}}, 422, "not conditioned"),
        ("decode", {"z": [[1, 2, 3]]}, 422, "not codes"),
        ("sample", {"temperature": -1}, 422, "temperature"),
        ("sample", {"n": 10**7}, 413, "too much"),
    ],
)
def test_refused(bench: Bench, verb: str, document: Any, status: int, message: str) -> None:
    reply = post(bench, verb, document)
    assert (reply.status_code, message in reply.json()["error"]) == (status, True), reply.text


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/v1/models/other/score", 404),
        ("POST", "/v1/models/toy/train", 404),
        ("GET", "/v1/models/other", 404),
        ("GET", "/v1/models/toy/score", 405),
        ("GET", "/v1/nothing", 404),
    ],
)
def test_paths_that_are_none(bench: Bench, method: str, path: str, status: int) -> None:
    reply = bench.ask(method, path, json={"x": X.tolist()} if method == "POST" else None)
    assert reply.status_code == status
    assert "error" in reply.json()


def test_another_kind_of_body_is_refused(bench: Bench) -> None:
    reply = post(bench, "score", content=b"a,b", headers={"content-type": "text/csv"})
    assert reply.status_code == 415


def test_bodies_are_bounded_here_too(bench: Bench) -> None:
    reply = post(bench, "score", content=b'{"x":[1],"x":[1]}')
    assert reply.status_code == 400
    assert "twice" in reply.json()["error"]


def test_it_is_documented(bench: Bench) -> None:
    said = bench.ask("GET", "/openapi.json").json()
    operation = said["paths"]["/v1/models/{name}/score"]["post"]
    taken = operation["requestBody"]["content"]
    assert set(taken) == {"application/json", "image/png"}
    assert set(taken["application/json"]["schema"]["properties"]) == {
        "x",
        "condition",
        "num_samples",
        "seed",
    }
    assert {"200", "401", "413", "422", "429", "503"} <= set(operation["responses"])
    assert "image/png" in json.dumps(said["paths"]["/v1/models/{name}/sample"]["post"]["responses"])


@pytest.mark.parametrize("path", ["/v1/models/toy/score", "/v1/models/toy/encode"])
def test_what_curl_sends_where_nobody_says_what_it_is(bench: Bench, path: str) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    reply = bench.ask("POST", path, content=json.dumps({"x": X.tolist()}), headers=headers)
    assert reply.status_code == 200, reply.text


ANSWERED: list[tuple[str, str, Any]] = [
    ("GET", "/v1/models", None),
    ("GET", "/v1/models/toy", None),
    ("POST", "/v1/models/toy/score", {"x": X.tolist()}),
    ("POST", "/v1/models/toy/encode", {"x": X.tolist()}),
    ("POST", "/v1/models/toy/decode", {"z": [[0, 0]]}),
    ("POST", "/v1/models/toy/sample", {}),
    ("POST", "/v1/models/toy/score", {"x": 7}),
    ("GET", "/v1/models/other", None),
    ("GET", "/v2", None),
    ("GET", "/v2/health/live", None),
    ("GET", "/v2/health/ready", None),
    ("GET", "/v2/models/toy.score", None),
    ("GET", "/v2/models/toy.score/ready", None),
    ("GET", "/v2/models/toy.nothing", None),
    ("GET", "/v2/models/toy.score/versions/1", None),
    ("POST", "/v2/repository/index", None),
    ("POST", "/v2/models/toy.sample/infer", {"id": "a", "parameters": {"n": 2}}),
    (
        "POST",
        "/v2/models/toy.sample/versions/1/infer",
        {"outputs": [{"name": "x", "parameters": {"binary_data": False}}]},
    ),
    (
        "POST",
        "/v2/models/toy.score/infer",
        {"inputs": [{"name": "x", "shape": [1, 4], "datatype": "FP32", "data": [0, 0, 0, 0]}]},
    ),
    ("POST", "/v2/models/toy.score/infer", {"inputs": []}),
]


@pytest.mark.parametrize(("method", "path", "document"), ANSWERED)
def test_answers_are_as_they_are_documented(
    bench: Bench, method: str, path: str, document: Any
) -> None:
    said = bench.ask("GET", "/openapi.json").json()
    (described,) = (known for known in said["paths"] if same(known, path))
    operation = said["paths"][described][method.lower()]
    more = {"components": said["components"]}
    reply = bench.ask(method, path, json=document)
    answer = operation["responses"][str(reply.status_code)]["content"]["application/json"]
    jsonschema_rs.validator_for({**answer["schema"], **more}).validate(reply.json())
    if document is not None and "/v2/" in path:
        asked = operation["requestBody"]["content"]["application/json"]
        jsonschema_rs.validator_for({**asked["schema"], **more}).validate(document)


def same(described: str, path: str) -> bool:
    """Whether a path is one of those; names of verbs are no names of models."""
    pattern = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(described))
    return re.fullmatch(pattern, path) is not None


def test_the_document_is_one_of_openapi_whose_operations_have_names(bench: Bench) -> None:
    said = bench.ask("GET", "/openapi.json").json()
    operations = [op for found in said["paths"].values() for op in found.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(set(names)) == len(names)
    tags = {tag["name"] for tag in said["tags"]}
    assert all(set(operation["tags"]) <= tags for operation in operations)
    assert "HTTPValidationError" not in json.dumps(said)
    for path, found in said["paths"].items():
        for operation in found.values():
            given = {p["name"] for p in operation.get("parameters", []) if p["in"] == "path"}
            assert given == set(re.findall(r"{(\w+)}", path))
    validator = jsonschema_rs.validator_for(said["components"]["schemas"]["Scores"])
    assert not validator.is_valid({"model": "toy"})  # so that the validator looks at all
