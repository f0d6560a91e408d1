"""The client against a real service: every verb, and every reason to ask again or to give up."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import numpy as np
import pytest
from serving.in_process import Bench, listening
from serving.linear_server import LinearRuntime, examples, serving

from vaekit.client import Client
from vaekit.errors import RequestError
from vaekit.serving.keys import new_key

X = examples(6)


@pytest.fixture(scope="module")
def bench() -> Bench:
    return Bench()


@pytest.fixture(scope="module")
def client(bench: Bench) -> Iterator[Client]:
    with listening(bench.app) as address, Client(f"http://{address}") as found:
        yield found


def test_every_verb(client: Client, bench: Bench) -> None:
    runtime = bench.runtime
    codes = client.encode(X)
    assert codes.version == "1"
    np.testing.assert_allclose(codes.z, runtime.encode(X), rtol=1e-6)
    np.testing.assert_allclose(client.decode(codes.z).x, runtime.decode(codes.z), rtol=1e-6)
    np.testing.assert_allclose(client.reconstruct(X).x, runtime.reconstruct(X), rtol=1e-6)
    drawn = client.sample(5, seed=3, temperature=0.5).x
    np.testing.assert_allclose(drawn, runtime.sample(5, 3, 0.5), rtol=1e-6)
    scores, expected = client.score(X, num_samples=7, seed=2), runtime.score(X, 7, 2)
    for name in runtime.serving.scores:
        np.testing.assert_allclose(getattr(scores, name), expected[name], rtol=1e-9)


def test_lists_are_arrays_too(client: Client) -> None:
    np.testing.assert_array_equal(client.encode(X.tolist()).z, client.encode(X).z)


@pytest.mark.parametrize("label", [2, np.int64(2), np.array([0, 1, 2, 0, 1, 2])])
def test_conditions_are_told_once_or_for_each(label: Any) -> None:
    told = [{"name": "label", "num_classes": 3}]
    bench = Bench(LinearRuntime(serving(conditions=told)))
    with listening(bench.app) as address, Client(f"http://{address}", model="toy") as client:
        found = client.encode(X, condition={"label": label}).z
    np.testing.assert_allclose(found, bench.runtime.encode(X, {"label": label}), rtol=1e-6)


def test_a_key_is_shown() -> None:
    secret, key = new_key("me", ["infer"])
    with listening(Bench(keys=[key]).app) as address:
        with Client(f"http://{address}", key=secret) as client:
            assert len(client.encode(X).z) == len(X)
        with Client(f"http://{address}") as stranger, pytest.raises(RequestError, match="key"):
            stranger.encode(X)


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda client: client.encode(X[:, :2]), "shape"),
        (lambda client: client.sample(0), "cannot be used"),
        (lambda client: client.encode(np.array(["a"])), "no numbers"),
        (lambda client: client.encode(X, {"label": 1}), "no parameter 'label'"),
    ],
)
def test_what_does_not_fit_is_said_and_not_repeated(
    ask: Callable[[Client], Any], said: str, client: Client
) -> None:
    with pytest.raises(RequestError, match=said):
        ask(client)


def test_an_unknown_model_and_version(client: Client) -> None:
    url = str(client._http.base_url)
    with Client(url, model="other") as other, pytest.raises(RequestError, match="no model"):
        other.encode(X)
    with Client(url, version="9") as other, pytest.raises(RequestError, match="no version"):
        other.encode(X)


# -- another try -------------------------------------------------------------------------------


class Answers:
    """Gives prepared answers, one after the other, and remembers how long it was waited."""

    def __init__(self, *answers: httpx.Response | Exception, retries: int = 3) -> None:
        self.left, self.waits = list(answers), list[float]()
        self.client = Client("http://toy", "toy", retries=retries, sleep=self.waits.append)
        self.client._http = httpx.Client(
            base_url="http://toy", transport=httpx.MockTransport(self._answer)
        )

    def _answer(self, request: httpx.Request) -> httpx.Response:
        answer = self.left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def good() -> httpx.Response:
    z = np.zeros((1, 2), np.float32).tobytes()
    head = (
        b'{"model_version": "4", "outputs": [{"name": "z", "datatype": "FP32", "shape": [1, 2],'
        b' "parameters": {"binary_data_size": 8}}]}'
    )
    return httpx.Response(
        200, content=head + z, headers={"Inference-Header-Content-Length": str(len(head))}
    )


def busy(status: int = 429, retry_after: str | None = None) -> httpx.Response:
    headers = {} if retry_after is None else {"retry-after": retry_after}
    return httpx.Response(status, json={"error": "Too much is waiting."}, headers=headers)


def test_a_busy_service_is_asked_again_when_it_says() -> None:
    answers = Answers(busy(retry_after="x"), busy(retry_after="7"), busy(503), good())
    assert answers.client.encode(X).version == "4"
    first, second, third = answers.waits
    assert 0.05 <= first <= 0.1
    assert second == 7.0
    assert 0.2 <= third <= 0.4


def test_a_lost_connection_is_tried_again() -> None:
    answers = Answers(httpx.ConnectError("refused"), httpx.ReadTimeout("slow"), good())
    assert answers.client.encode(X).version == "4"


def test_giving_up_says_what_was_seen_last() -> None:
    answers = Answers(*[busy(retry_after="2") for _ in range(2)], retries=1)
    with pytest.raises(RequestError, match="Too much is waiting") as raised:
        answers.client.encode(X)
    assert raised.value.retry_after == 2.0
    answers = Answers(*[httpx.ConnectError("refused") for _ in range(2)], retries=1)
    with pytest.raises(RequestError, match=r"does not answer(.|\n)*asked 2 times(.|\n)*refused"):
        answers.client.encode(X)


@pytest.mark.parametrize("status", [400, 401, 404, 413, 422, 500])
def test_other_refusals_are_final(status: int) -> None:
    answers = Answers(busy(status))
    with pytest.raises(RequestError, match=f"HTTP {status}"):
        answers.client.encode(X)
    assert answers.waits == []


def test_an_answer_without_a_reason() -> None:
    with pytest.raises(RequestError, match="gave no reason"):
        Answers(httpx.Response(502, text="<html>")).client.encode(X)
