"""Asking a service from Python: numpy in, numpy out, and another try where one helps.

    from vaekit.client import Client

    with Client("http://127.0.0.1:8000") as mnist:
        scores = mnist.score(x)            # scores.elbo_nats, scores.mse, ...

Arrays travel as bytes, by the binary tensor extension of the Open Inference Protocol. Every verb
can be repeated without harm, so that a service that is busy (429), about to end (503) or just out
of reach is asked again, after the time that it names or after a while that doubles.
"""

import json
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self, final

import numpy as np
from jaxtyping import Float, Num

from vaekit.errors import MissingExtraError, RequestError

if TYPE_CHECKING:
    import httpx

AGAIN: Final = (429, 503)
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 0.1, 30.0
_HEAD: Final = "Inference-Header-Content-Length"
_DATATYPES: Final = {
    "bool": "BOOL",
    **{
        f"{sign}int{bits}": f"{sign.upper()}INT{bits}"
        for sign in ("", "u")
        for bits in (8, 16, 32, 64)
    },
    **{f"float{bits}": f"FP{bits}" for bits in (16, 32, 64)},
}
_DTYPES: Final = {datatype: dtype for dtype, datatype in _DATATYPES.items()}


@final
@dataclass(frozen=True)
class Codes:
    """What `encode` gives: a code for each example, by a version of the model."""

    z: Float[np.ndarray, "examples latent"]
    version: str


@final
@dataclass(frozen=True)
class Examples:
    """What `decode`, `reconstruct` and `sample` give: means of p(x | z), in raw units."""

    x: Num[np.ndarray, "examples *event"]
    version: str


@final
@dataclass(frozen=True)
class Scores:
    """What `score` gives; a model without a density knows the reconstruction alone."""

    expected_log_likelihood_nats: Float[np.ndarray, " examples"]
    mse: Float[np.ndarray, " examples"]
    version: str
    elbo_nats: Float[np.ndarray, " examples"] | None = None
    kl_nats: Float[np.ndarray, " examples"] | None = None
    log_likelihood_nats: Float[np.ndarray, " examples"] | None = None


@final
class Client:
    """A model behind HTTP.

    Args:
        url: Of the service, as in http://127.0.0.1:8000.
        model: Which of its models; needed where it has several.
        version: A version or an alias; the live one where absent.
        key: An API key, where the service asks for one.
        timeout: Seconds for one try.
        retries: How often a question is asked again.
        sleep: Waits for so many seconds.

    Raises:
        MissingExtraError: httpx is not installed.
    """

    def __init__(
        self,
        url: str,
        model: str | None = None,
        version: str | None = None,
        key: str | None = None,
        timeout: float = 30.0,
        retries: int = 5,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        headers = {} if key is None else {"authorization": f"Bearer {key}"}
        self._http = _httpx().Client(base_url=url, headers=headers, timeout=timeout)
        self._model, self._version = model, version
        self._retries, self._sleep = retries, sleep

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes connections."""
        self._http.close()

    # -- the verbs -----------------------------------------------------------------------------

    def encode(self, x: Any, condition: Mapping[str, Any] | None = None) -> Codes:
        """The code of each example.

        Args:
            x: Raw examples, (examples, *event_shape).
            condition: What a conditional model has to be told, as in {"label": 7}.

        Raises:
            RequestError: The service does not answer, or says what does not fit.
        """
        found, version = self._ask("encode", {"x": x}, condition, {})
        return Codes(found["z"], version)

    def decode(self, z: Any, condition: Mapping[str, Any] | None = None) -> Examples:
        """Means of p(x | z), in raw units, for codes of shape (examples, latent)."""
        found, version = self._ask("decode", {"z": z}, condition, {})
        return Examples(found["x"], version)

    def reconstruct(self, x: Any, condition: Mapping[str, Any] | None = None) -> Examples:
        """What the model makes of each example."""
        found, version = self._ask("reconstruct", {"x": x}, condition, {})
        return Examples(found["x"], version)

    def sample(
        self,
        n: int,
        seed: int = 0,
        temperature: float = 1.0,
        condition: Mapping[str, Any] | None = None,
    ) -> Examples:
        """New examples: means of p(x | z) for n draws from the prior."""
        parameters = {"n": n, "seed": seed, "temperature": temperature}
        found, version = self._ask("sample", {}, condition, parameters)
        return Examples(found["x"], version)

    def score(
        self,
        x: Any,
        num_samples: int | None = None,
        seed: int = 0,
        condition: Mapping[str, Any] | None = None,
    ) -> Scores:
        """How well the model accounts for each example, in nats.

        Args:
            x: Raw examples, (examples, *event_shape).
            num_samples: Samples of z per example; the artifact says how many where absent.
            seed: Of the samples.
            condition: As for `encode`.
        """
        given = {} if num_samples is None else {"num_samples": num_samples}
        found, version = self._ask("score", {"x": x}, condition, {**given, "seed": seed})
        return Scores(**found, version=version)

    # -- the protocol --------------------------------------------------------------------------

    def _ask(
        self,
        verb: str,
        values: Mapping[str, Any],
        condition: Mapping[str, Any] | None,
        parameters: Mapping[str, Any],
    ) -> tuple[dict[str, np.ndarray], str]:
        told = dict(condition or {})
        single = {name: value for name, value in told.items() if np.ndim(value) == 0}
        arrays = {**values, **{name: told[name] for name in told if name not in single}}
        body, head = _body(arrays, {**single, **parameters})
        where = "" if self._version is None else f"/versions/{self._version}"
        path = f"/v2/models/{self._name()}.{verb}{where}/infer"
        headers = {_HEAD: str(head), "content-type": "application/octet-stream"}
        reply = self._answered("POST", path, content=body, headers=headers)
        return _parsed(reply.content, int(reply.headers.get(_HEAD, len(reply.content))))

    def _name(self) -> str:
        """Which model is asked: the only one, where nobody said."""
        if self._model is None:
            found = [card["name"] for card in self._answered("GET", "/v1/models").json()]
            if len(found) != 1:
                raise RequestError(
                    "It has to be said which model is asked.",
                    where=self._http.base_url,
                    expected=f"Client(url, model=...), one of {', '.join(found) or 'none'}",
                )
            (self._model,) = found
        return self._model

    def _answered(self, method: str, path: str, **request: Any) -> "httpx.Response":
        """The answer to a request, asked again as long as that may help."""
        reply, problem = self._tried(method, path, **request)
        wait = FIRST_WAIT_SECONDS
        for _ in range(self._retries):
            if reply is not None and reply.status_code not in AGAIN:
                break
            named = None if reply is None else _seconds(reply.headers.get("retry-after"))
            self._sleep(min(LONGEST_WAIT_SECONDS, max(named or 0.0, wait * random.uniform(0.5, 1))))
            wait *= 2
            reply, problem = self._tried(method, path, **request)
        if reply is not None:
            return _accepted(reply)
        raise RequestError(
            "The service does not answer.",
            where=f"{self._http.base_url}, asked {self._retries + 1} times",
            found=problem,
            remedy="is it up? vaekit serve PATH",
        )

    def _tried(
        self, method: str, path: str, **request: Any
    ) -> "tuple[httpx.Response | None, Exception | None]":
        try:
            return self._http.request(method, path, **request), None
        except _httpx().TransportError as error:
            return None, error


def _body(arrays: Mapping[str, Any], parameters: Mapping[str, Any]) -> tuple[bytes, int]:
    """A request, and the length of its JSON."""
    inputs, tail = [], []
    for name, values in arrays.items():
        array = np.ascontiguousarray(values)
        if array.dtype.name not in _DATATYPES:
            raise RequestError(
                "These are no numbers.",
                where=name,
                expected="an array of numbers",
                found=array.dtype,
            )
        tail.append(array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes())
        inputs.append(
            {
                "name": name,
                "shape": list(array.shape),
                "datatype": _DATATYPES[array.dtype.name],
                "parameters": {"binary_data_size": len(tail[-1])},
            }
        )
    said = {name: _plain(value) for name, value in parameters.items()}
    document = {"inputs": inputs, "parameters": {**said, "binary_data_output": True}}
    head = json.dumps(document).encode()
    return b"".join([head, *tail]), len(head)


def _parsed(content: bytes, head: int) -> tuple[dict[str, np.ndarray], str]:
    """Arrays by name, and the version that gave them."""
    document, start, found = json.loads(content[:head]), head, {}
    for output in document["outputs"]:
        size = output["parameters"]["binary_data_size"]
        dtype = np.dtype(_DTYPES[output["datatype"]]).newbyteorder("<")
        flat = np.frombuffer(content, dtype, size // dtype.itemsize, start)
        found[output["name"]] = flat.reshape(output["shape"]).astype(dtype.newbyteorder("="))
        start += size
    return found, document["model_version"]


def _accepted(reply: "httpx.Response") -> "httpx.Response":
    if reply.status_code < 400:
        return reply
    try:
        said = str(reply.json()["error"])
    except (ValueError, KeyError, TypeError):
        said = "The service refused, and gave no reason."
    # What the service said has its own lines of where, expected and found.
    raise RequestError(
        f"{said}\n  asked:    {reply.request.url}, HTTP {reply.status_code}",
        retry_after=_seconds(reply.headers.get("retry-after")),
    )


def _seconds(header: str | None) -> float | None:
    return float(header) if header and header.isdecimal() else None


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _httpx() -> Any:
    try:
        import httpx
    except ImportError:
        raise MissingExtraError("client", "Asking a service") from None
    return httpx
