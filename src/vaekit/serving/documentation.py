"""The OpenAPI document: what FastAPI says of its routes, and the faces that stand beside them."""

import copy
from collections.abc import Collection, Mapping
from typing import Any, Final, TypeAlias

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from vaekit.serving import protocol_bodies as protocol
from vaekit.serving.question import VERBS
from vaekit.serving.rest_bodies import Refusal

Document: TypeAlias = dict[str, Any]

TAGS: Final = {
    "verbs": "What a model can be asked, in JSON; models of images take and give PNG, too.",
    "models": "What is served.",
    "Open Inference Protocol": "Version 2, as KServe and Triton speak it. Each verb is a model "
    "of its own: mnist.score.",
    "operation": "For probes and monitors.",
    "admin": "Changes what is served, for all processes; needs a key with the scope admin.",
}
REFUSED: Final = {
    400: "No request",
    401: "No key, or an unknown one",
    403: "The key does not open this",
    404: "No such model, version or verb",
    408: "The body did not come in time",
    409: "It cannot be done to what is there",
    413: "Too large",
    415: "A kind of body that is not read here, or a compressed one",
    422: "Values that do not fit the model",
    429: "Too much at once; Retry-After says when to come back",
    503: "About to end, or not there yet",
    504: "Not answered in time",
}
"""What refusals mean, by status."""
_MODELS: Final[tuple[type[BaseModel], ...]] = (
    protocol.InferRequest,
    protocol.InferResponse,
    protocol.ModelMetadata,
    protocol.ModelReady,
    protocol.ServerMetadata,
    protocol.Live,
    protocol.Ready,
    protocol.IndexEntry,
    Refusal,
)
_VERB: Final = "/v1/models/{name}/"
_PARAMETERS: Final = {
    "model": "A model and what it shall do, as in mnist.score.",
    "version": "A version or an alias.",
    "name": "Of a model.",
    "alias": "Of a version; live is what answers where no version is named.",
}
_BINARY: Final = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}


def whole(routed: Mapping[str, Any], offered: Collection[str]) -> Document:
    """The whole document.

    Args:
        routed: What FastAPI says of its routes.
        offered: Verbs that a model has; the others are not described.
    """
    document = copy.deepcopy(dict(routed))
    paths: Document = document["paths"]
    for verb in VERBS:
        if verb not in offered:
            paths.pop(f"{_VERB}{verb}", None)
    paths |= {**_protocol_paths(), **_operation_paths()}
    _, found = models_json_schema(
        [(model, "validation") for model in _MODELS], ref_template="#/components/schemas/{model}"
    )
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schemas |= found["$defs"]
    for name in ("HTTPValidationError", "ValidationError"):  # FastAPI's own, which nobody gets
        schemas.pop(name, None)
    document["components"]["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer"},
        "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    }
    document["security"] = [{"bearer": []}, {"header": []}, {}]
    document["tags"] = [{"name": name, "description": words} for name, words in TAGS.items()]
    for path, operations in paths.items():
        for operation in operations.values():
            _finish(path, operation)
    return document


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """How routes are told of their refusals."""
    return {status: {"model": Refusal, "description": REFUSED[status]} for status in statuses}


def _protocol_paths() -> Document:
    tag, asked = "Open Inference Protocol", (400, 401, 403, 404, 408, 413, 415, 422, 429, 503, 504)
    known = (401, 403, 404, 429)
    infer = _operation(tag, "infer", "Asks a model.", _json("InferResponse") | _BINARY, asked)
    infer["requestBody"] = {"required": True, "content": _json("InferRequest") | _BINARY}
    infer["parameters"] = [
        {
            "name": "Inference-Header-Content-Length",
            "in": "header",
            "required": False,
            "schema": {"type": "integer"},
            "description": "Bytes of the JSON, where binary tensors follow it.",
        }
    ]
    described = _operation(
        tag, "model", "What a model takes and gives.", _json("ModelMetadata"), known
    )
    ready = _operation(tag, "model_ready", "Whether a model answers.", _json("ModelReady"), known)
    below = {"/infer": {"post": infer}, "": {"get": described}, "/ready": {"get": _or_503(ready)}}
    of_a_version = {
        end: {
            method: copy.deepcopy(operation)
            | {"operationId": f"{operation['operationId']}_version"}
            for method, operation in operations.items()
        }
        for end, operations in below.items()
    }
    index = {"type": "array", "items": _reference("IndexEntry")}
    return {
        **{f"/v2/models/{{model}}{end}": found for end, found in below.items()},
        **{
            f"/v2/models/{{model}}/versions/{{version}}{end}": found
            for end, found in of_a_version.items()
        },
        "/v2/repository/index": {
            "post": _operation(
                tag,
                "index",
                "Models, by version.",
                {"application/json": {"schema": index}},
                (401, 403, 429),
            )
        },
        "/v2": {
            "get": _operation(tag, "server", "What the server is.", _json("ServerMetadata"), ())
        },
    }


def _operation_paths() -> Document:
    live = _operation(
        "operation", "health_live", "Whether the process is there.", _json("Live"), ()
    )
    ready = _operation(
        "operation", "health_ready", "Whether requests are welcome.", _json("Ready"), ()
    )
    text = {"text/plain": {"schema": {"type": "string"}}}
    metrics = _operation(
        "operation", "metrics", "What was counted, for Prometheus.", text, (401, 403, 429)
    )
    return {
        "/v2/health/live": {"get": live},
        "/v2/health/ready": {"get": _or_503(ready)},
        "/metrics": {"get": metrics},
    }


def _operation(
    tag: str, name: str, words: str, gives: Document, refused: tuple[int, ...]
) -> Document:
    responses: Document = {"200": {"description": "The answer", "content": gives}}
    for status in refused:
        responses[str(status)] = {"description": REFUSED[status], "content": _json("Refusal")}
    return {"tags": [tag], "summary": words, "operationId": name, "responses": responses}


def _or_503(operation: Document) -> Document:
    """An operation whose answer says no with this status."""
    answer = operation["responses"]["200"]
    operation["responses"]["503"] = answer | {"description": "Not ready; the same answer"}
    return operation


def _json(name: str) -> Document:
    return {"application/json": {"schema": _reference(name)}}


def _finish(path: str, operation: Document) -> None:
    """What all operations have: parameters for what their path leaves open, with words."""
    known = {given["name"]: given for given in operation.get("parameters", [])}
    for name, words in _PARAMETERS.items():
        if f"{{{name}}}" not in path:
            continue
        given = known.setdefault(
            name, {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        )
        given.setdefault("description", words)
    if known:
        operation["parameters"] = sorted(known.values(), key=lambda p: p["in"] != "path")
    responses: Document = operation["responses"]
    responses["200"]["description"] = "The answer"
    said = responses.get("422", {})
    if "HTTPValidationError" in str(said):
        del responses["422"]


def _reference(name: str) -> Document:
    return {"$ref": f"#/components/schemas/{name}"}
