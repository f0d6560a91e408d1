"""The Open Inference Protocol, version 2: `/v2` and everything below it, as plain ASGI.

A model `mnist` is here five models, one for each verb: `mnist.encode`, `mnist.decode`,
`mnist.reconstruct`, `mnist.sample`, `mnist.score`.
"""

import asyncio
from importlib.metadata import version
from typing import Any, Final, final

from vaekit.serving.body import BodyLimits, Receive
from vaekit.serving.desk import Desk
from vaekit.serving.exchange import (
    Reply,
    Scope,
    Send,
    body_of,
    check_method,
    exchange_of,
    json_reply,
    send_reply,
)
from vaekit.serving.inference import HEADER, InferRequest, infer_request, infer_response
from vaekit.serving.models import Served
from vaekit.serving.question import PARAMETERS, VERBS, known
from vaekit.serving.refusals import MalformedError, NotServedError
from vaekit.serving.tensors import condition_metadata, port_metadata

PARSED_HERE_BYTES: Final = 2**18
"""Larger bodies are parsed in another thread, so that nobody waits for them."""
EXTENSIONS: Final = ("binary_tensor_data",)


@final
class OpenInference:
    """Answers requests of the protocol.

    Args:
        desk: Answers what is asked of models.
        limits: Of bodies.
    """

    def __init__(self, desk: Desk, limits: BodyLimits) -> None:
        self._desk, self._limits = desk, limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: list[str] = scope["path"].removesuffix("/").split("/")[2:]
        if path[-1:] == ["infer"]:
            check_method(scope, "POST")
            reply = await self._infer(*_model(path[:-1]), scope, receive)
        elif path == ["repository", "index"]:
            check_method(scope, "POST")
            reply = json_reply(self._index())
        else:
            check_method(scope, "GET", "HEAD")
            reply = self._described(path)
        await send_reply(send, reply)

    def _described(self, path: list[str]) -> Reply:
        if not path:
            extensions = list(EXTENSIONS)
            return json_reply(
                {"name": "vaekit", "version": version("vaekit"), "extensions": extensions}
            )
        if path == ["health", "live"]:
            return json_reply({"live": True})
        if path == ["health", "ready"]:
            ready = self._desk.is_ready
            return json_reply({"ready": ready}, 200 if ready else 503)
        if path[-1] == "ready":
            served, verb = self._found(*_model(path[:-1]))
            ready = served.engine.is_alive and self._desk.is_ready
            name = f"{served.name}.{verb}"
            return json_reply({"name": name, "ready": ready}, 200 if ready else 503)
        return json_reply(self._metadata(*self._found(*_model(path))))

    async def _infer(self, name: str, version: str | None, scope: Scope, receive: Receive) -> Reply:
        exchange = exchange_of(scope)
        body = await body_of(scope, receive, self._limits)
        arguments = body, exchange.headers.get(HEADER), self._limits
        if len(body) > PARSED_HERE_BYTES:
            request = await asyncio.to_thread(infer_request, *arguments)
        else:
            request = infer_request(*arguments)
        served, verb = self._found(name, version)
        condition, parameters, timeout = _said(request, served, verb)
        values = request.tensors.pop("z" if verb == "decode" else "x", None)
        answer = await self._desk.answer(
            exchange, served, verb, values, condition | request.tensors, parameters, timeout
        )
        head: dict[str, Any] = {"model_name": name, "model_version": served.version}
        if request.id is not None:
            head["id"] = request.id
        ports = served.serving.outputs[verb]
        response = infer_response(head, {port: answer[port] for port in ports}, request)
        if response.head_length is None:
            return Reply(response.body)
        length = (HEADER, b"%d" % response.head_length)
        return Reply(response.body, media_type=b"application/octet-stream", headers=(length,))

    def _found(self, name: str, version: str | None) -> tuple[Served, str]:
        model, _, verb = name.rpartition(".")
        if verb not in VERBS:
            raise NotServedError(
                f"There is no model {name[:60]!r} here.",
                expected=f"a model and what it shall do, as in {name[:60] or 'mnist'}.score",
            )
        served = self._desk.models.find(model, version)
        return served, known(served.engine.runtime, verb)

    def _metadata(self, served: Served, verb: str) -> dict[str, Any]:
        described, model = served.serving, self._desk.models.picture[served.name]
        given = {"decode": ("z",), "sample": ()}.get(verb, ("x",))
        told = (
            [] if verb in ("decode", "sample") else [c for c in described.conditions if c.optional]
        )
        return {
            "name": f"{served.name}.{verb}",
            "versions": [v for v, other in model.versions.items() if verb in other.verbs],
            "platform": "vaekit",
            "inputs": [
                *(port_metadata(name, described.inputs[name]) for name in given),
                *(condition_metadata(c) for c in described.conditions if c not in told),
            ],
            "outputs": [port_metadata(name, p) for name, p in described.outputs[verb].items()],
        }

    def _index(self) -> list[dict[str, str]]:
        return [
            {
                "name": f"{name}.{verb}",
                "version": served.version,
                "state": "READY" if served.engine.is_alive else "UNAVAILABLE",
                "reason": "",
            }
            for name, model in self._desk.models.picture.items()
            for served in model.versions.values()
            for verb in served.verbs
        ]


def _said(
    request: InferRequest, served: Served, verb: str
) -> tuple[dict[str, Any], dict[str, Any], float | None]:
    """Conditions, parameters of the verb, and seconds, out of a request's parameters."""
    given = dict(request.parameters)
    timeout = given.pop("timeout", None)  # microseconds, as with other servers of the protocol
    if timeout is not None and (type(timeout) is not int or not 0 < timeout < 2**63):
        raise MalformedError("The timeout is no number of microseconds.", where="timeout")
    known = {condition.name for condition in served.serving.conditions} - {*PARAMETERS[verb]}
    condition = {name: value for name, value in given.items() if name in known}
    parameters = {name: value for name, value in given.items() if name not in known}
    return condition, parameters, None if timeout is None else timeout * 1e-6


def _model(path: list[str]) -> tuple[str, str | None]:
    """Name and version in models/NAME and models/NAME/versions/VERSION."""
    if len(path) == 2 and path[0] == "models":
        return path[1], None
    if len(path) == 4 and path[0] == "models" and path[2] == "versions":
        return path[1], path[3]
    raise NotServedError(
        "There is nothing at this path.",
        expected="/v2, /v2/health/live, /v2/health/ready, /v2/models/NAME[/versions/VERSION]"
        "[/ready or /infer]",
    )
