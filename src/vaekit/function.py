"""The decoder of a model as a managed function, which sleeps until it is asked.

    python -m vaekit.function ARTIFACT       the program of a function ("bootstrap")

An event says what to decode, in JSON: {"z": [[...], ...], "condition": {"label": 7}}, and the
answer is {"x": [...]}, raw units; with "format": "npy" it is a .npy file in base64. An event that
an HTTP gateway made of a request (with "body") has the same in its body, and gets a response with
"statusCode". Only the graph of the decoder is loaded, so that a cold start is short.

Reference:
    AWS, Using the Lambda runtime API (2018-06-01): next invocation, response, error, init error
"""

import base64
import binascii
import io
import json
import os
import sys
from collections.abc import Mapping
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Final, final

import numpy as np

from vaekit.errors import DataError, SpecError, VaekitError
from vaekit.runtime import open_runtime

API_VARIABLE: Final = "AWS_LAMBDA_RUNTIME_API"
_VERSION: Final = "/2018-06-01/runtime"
_FORMATS: Final = ("json", "npy")
MOST_CODES: Final = 10_000


@final
class Decoder:
    """Answers events.

    Args:
        path: The artifact, exported to ONNX.
        variant: Which of its graphs runs.
        public_key: Who must have signed it.

    Raises:
        ArtifactError: It cannot be run.
    """

    def __init__(
        self, path: Path | str, variant: str = "fp32", public_key: Path | str | None = None
    ) -> None:
        self.runtime = open_runtime(path, public_key, variant, verbs=("decode",))

    def __call__(self, event: Any, _context: object = None) -> dict[str, Any]:
        """The answer to an event.

        Raises:
            VaekitError: An event that is no HTTP request cannot be answered.
        """
        if not (isinstance(event, dict) and "body" in event):
            return self._decoded(event)
        try:
            status, said = 200, self._decoded(_document(event))
        except VaekitError as error:
            status, said = error.http_status, {"error": str(error)}
        headers = {"content-type": "application/json", "cache-control": "no-store"}
        return {"statusCode": status, "headers": headers, "body": json.dumps(said)}

    def _decoded(self, asked: Any) -> dict[str, Any]:
        if not isinstance(asked, dict) or "z" not in asked:
            raise DataError("An event says what to decode.", where="event", expected='{"z": [...]}')
        condition, form = asked.get("condition") or {}, asked.get("format", "json")
        if not isinstance(condition, dict):
            raise SpecError("Conditions are told by name.", where="condition", found=condition)
        if form not in _FORMATS:
            raise SpecError(
                "There is no such format.",
                where="format",
                expected=" or ".join(_FORMATS),
                found=form,
            )
        if isinstance(asked["z"], list) and len(asked["z"]) > MOST_CODES:
            raise DataError(
                "This is too much for one event.",
                where="z",
                expected=f"{MOST_CODES:,} codes at most",
            )
        x = self.runtime.decode(asked["z"], condition)
        return {"x": x.tolist()} if form == "json" else {"npy": _npy(x)}


def run(path: Path | str, api: str) -> None:
    """Answers events for as long as the platform keeps the process.

    Args:
        path: The artifact.
        api: Host and port of the runtime API.

    Raises:
        VaekitError: The artifact cannot be run; the platform was told.
    """
    try:
        decoder = Decoder(path, os.environ.get("VAEKIT_VARIANT", "fp32"))
    except VaekitError as error:
        _post(api, "/init/error", _failure(error))
        raise
    while True:
        request, content = _next(api)
        try:
            said, where = decoder(json.loads(content)), "response"
        except Exception as error:  # the platform is told of every one, and asks again
            said, where = _failure(error), "error"
        _post(api, f"/invocation/{request}/{where}", said)


def _next(api: str) -> tuple[str, bytes]:
    """The next event, however long that takes."""
    connection = HTTPConnection(api)
    connection.request("GET", f"{_VERSION}/invocation/next")
    reply = connection.getresponse()
    content = reply.read()
    connection.close()
    return reply.headers["Lambda-Runtime-Aws-Request-Id"], content


def _post(api: str, path: str, said: Mapping[str, Any]) -> None:
    connection = HTTPConnection(api)
    headers = {"content-type": "application/json"}
    if "errorType" in said:
        headers["Lambda-Runtime-Function-Error-Type"] = f"vaekit.{said['errorType']}"
    connection.request("POST", f"{_VERSION}{path}", json.dumps(said), headers)
    connection.getresponse().read()
    connection.close()


def _failure(error: Exception) -> dict[str, Any]:
    """What the platform is told of an error: of ours nothing but that there was one."""
    known = isinstance(error, VaekitError | ValueError)
    message = str(error) if known else "The function failed."
    return {"errorType": type(error).__name__, "errorMessage": message, "stackTrace": []}


def _document(event: Mapping[str, Any]) -> Any:
    """The body of an HTTP request, as the gateway hands it over."""
    body = event["body"] or ""
    try:
        if event.get("isBase64Encoded"):
            body = base64.b64decode(body, validate=True)
        return json.loads(body)
    except (ValueError, TypeError, RecursionError, binascii.Error) as error:
        raise DataError("The body is no JSON.", where="body", found=error) from error


def _npy(x: np.ndarray) -> str:
    content = io.BytesIO()
    np.save(content, x, allow_pickle=False)
    return base64.b64encode(content.getvalue()).decode()


if __name__ == "__main__":
    if len(sys.argv) != 2 or API_VARIABLE not in os.environ:
        sys.exit(f"usage: {API_VARIABLE}=HOST:PORT python -m vaekit.function ARTIFACT")
    try:
        run(sys.argv[1], os.environ[API_VARIABLE])
    except VaekitError as error:
        sys.exit(f"error: {error}")
