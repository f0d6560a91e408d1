"""The typed face: `/v1`, documented in OpenAPI, with PNG in and out for models of images.

FastAPI routes and documents; bodies are read within limits, and errors go to the envelope, as
they do behind `/v2`.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from importlib.metadata import version as installed
from typing import Annotated, Any, Final, TypeAlias, final

import numpy as np
from fastapi import APIRouter, FastAPI, Query, Request, Response
from fastapi.middleware.asyncexitstack import AsyncExitStackMiddleware
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.routing import Route

from vaekit.artifacts import Reference
from vaekit.errors import SpecError
from vaekit.serving import rest_bodies as bodies
from vaekit.serving.body import BodyLimits, Receive, json_value, parsed
from vaekit.serving.desk import Desk
from vaekit.serving.documentation import refusals, whole
from vaekit.serving.exchange import Scope, Send, body_of, exchange_of
from vaekit.serving.models import Served, ServedModel
from vaekit.serving.pictures import PNG, from_png, to_png
from vaekit.serving.question import PARAMETERS, VERBS, Verb, known
from vaekit.serving.refusals import (
    MediaTypeError,
    MethodError,
    NotServedError,
)
from vaekit.serving.tensors import numbers
from vaekit.serving.together import Answer

PARSED_HERE_BYTES: Final = 2**18
_FROM_CURL: Final = "application/x-www-form-urlencoded"
"""What curl says of a body where nobody says otherwise."""
_QUERY: Final = BodyLimits(depth=1, elements=4096)
_Handler: TypeAlias = Callable[..., Awaitable[Response]]
_TAKES: Final[dict[Verb, type[bodies.Asked]]] = {
    "sample": bodies.Sample,
    "score": bodies.Score,
    "encode": bodies.Encode,
    "decode": bodies.Decode,
    "reconstruct": bodies.Reconstruct,
}
_GIVES: Final[dict[Verb, type[bodies.Given]]] = {
    "encode": bodies.Codes,
    "decode": bodies.Examples,
    "reconstruct": bodies.Examples,
    "sample": bodies.Examples,
    "score": bodies.Scores,
}
_SAYS: Final[dict[Verb, str]] = {
    "encode": "The code of each example.",
    "decode": "The mean of p(x|z) for each code, in raw units.",
    "reconstruct": "What the model makes of each example.",
    "sample": "New examples: means of p(x|z) for draws from the prior.",
    "score": "How well the model accounts for each example, in nats.",
}
_REFUSED: Final = (400, 401, 403, 404, 408, 413, 415, 422, 429, 503, 504)
Version: TypeAlias = Annotated[
    str | None, Query(description="A version or an alias; the live one where absent.")
]


@final
class Rest:
    """The application behind `/v1`, `/admin` and `/openapi.json`.

    Args:
        desk: Answers what is asked of models.
        limits: Of bodies.
        admin: Routes for whoever changes what is served, where somebody may.
    """

    def __init__(self, desk: Desk, limits: BodyLimits, admin: APIRouter | None = None) -> None:
        self._desk, self._limits = desk, limits
        self.api = FastAPI(
            title="vaekit",
            version=installed("vaekit"),
            description="Trained variational autoencoders behind HTTP. The Open Inference "
            "Protocol is at /v2.",
            docs_url=None,
            redoc_url=None,
            redirect_slashes=False,
        )
        for verb in _TAKES:
            self._add(verb)
        self.api.get(
            "/v1/models",
            summary="All models, and what they take.",
            operation_id="models",
            response_model=list[bodies.ModelCard],
            responses=refusals(401, 403, 429),
            tags=["models"],
        )(self._list)
        self.api.get(
            "/v1/models/{name}",
            summary="One model, and what it takes.",
            operation_id="show",
            response_model=bodies.ModelCard,
            responses=refusals(401, 403, 404, 422, 429),
            tags=["models"],
        )(self._show)
        if admin is not None:
            self.api.include_router(admin)
        self._routed = self.api.openapi()
        self.api.openapi = self.document
        self._routes_of = [self.api.routes, admin.routes if admin else []]
        # Without the other layers of FastAPI, which would answer errors before the envelope can.
        self._routes = AsyncExitStackMiddleware(self.api.router)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._routes({**scope, "app": self.api}, receive, send)
        except HTTPException as error:
            if error.status_code == 405:
                raise MethodError(
                    "This path does not take this method.", self._allowed(scope["path"])
                ) from None
            raise NotServedError(
                "There is nothing at this path.", expected="/v1/models/NAME/VERB, /openapi.json"
            ) from None

    def document(self) -> dict[str, Any]:
        """What is described in OpenAPI: verbs that some model has, and all else."""
        models = self._desk.models.picture.values()
        served = [version for model in models for version in model.versions.values()]
        offered = {verb for version in served for verb in version.verbs}
        return whole(self._routed, offered if served else VERBS)

    def _allowed(self, path: str) -> list[str]:
        routes = (route for routes in self._routes_of for route in routes)
        found = [r for r in routes if isinstance(r, Route) and r.path_regex.match(path)]
        return sorted({method for route in found for method in route.methods or ()})

    def _add(self, verb: Verb) -> None:
        self.api.post(
            f"/v1/models/{{name}}/{verb}",
            summary=_SAYS[verb],
            operation_id=verb,
            response_model=_GIVES[verb],
            responses=refusals(*_REFUSED) | _pictures_out(verb),
            openapi_extra={"requestBody": _body_documentation(verb)},
            tags=["verbs"],
        )(self._handler(verb))

    def _handler(self, verb: Verb) -> _Handler:
        async def handle(name: str, request: Request, version: Version = None) -> Response:
            body = await body_of(request.scope, request.receive, self._limits)
            served = self._desk.models.find(name, version)
            known(served.engine.runtime, verb)
            asked = await self._asked(verb, body, request, served)
            served = self._desk.models.find(name, version)  # something was awaited
            answer = await self._desk.answer(
                exchange_of(request.scope),
                served,
                verb,
                asked.values and numbers(getattr(asked, asked.values), asked.values),
                asked.condition,
                _parameters(asked, verb),
            )
            return _response(answer, verb, served, request)

        handle.__name__ = verb
        return handle

    async def _asked(
        self, verb: Verb, body: bytes, request: Request, served: Served
    ) -> bodies.Asked:
        media_type = request.headers.get("content-type", "application/json")
        if media_type.partition(";")[0].strip() == PNG.decode():
            if verb not in ("encode", "reconstruct", "score"):
                raise MediaTypeError(f"{verb} takes no picture.", expected="application/json")
            said = {k: v for k, v in request.query_params.items() if k != "version"}
            picture = await asyncio.to_thread(from_png, body, served.serving.form)
            return _validated(verb, {**_from_query(said, verb), "x": picture})
        if "json" not in media_type and media_type != _FROM_CURL:
            raise MediaTypeError("This kind of body is not read here.", expected="JSON, or PNG")
        if len(body) > PARSED_HERE_BYTES:
            return _validated(verb, await asyncio.to_thread(parsed, body, self._limits))
        return _validated(verb, parsed(body or b"{}", self._limits))

    async def _list(self) -> list[bodies.ModelCard]:
        return [_card(name, model) for name, model in self._desk.models.picture.items()]

    async def _show(self, name: str) -> bodies.ModelCard:
        self._desk.models.find(name)
        return _card(name, self._desk.models.picture[name])


def _validated(verb: Verb, document: dict[str, Any]) -> bodies.Asked:
    try:
        return _TAKES[verb].model_validate(document)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise SpecError(
            "The body does not fit.",
            where=".".join(str(part)[:60] for part in first["loc"]),
            found=first["msg"],
            remedy="/openapi.json says what it may hold",
        ) from None


def _from_query(said: dict[str, str], verb: Verb) -> dict[str, Any]:
    """Parameters and conditions of a picture, which has no place for them."""
    found: dict[str, Any] = {"condition": {}}
    for name, text in said.items():
        value = json_value(text.encode(), _QUERY)
        (found if name in PARAMETERS[verb] else found["condition"])[name] = value
    return found


def _parameters(asked: bodies.Asked, verb: Verb) -> dict[str, Any]:
    given = {name: getattr(asked, name) for name in PARAMETERS[verb]}
    return {name: value for name, value in given.items() if value is not None}


def _response(answer: Answer, verb: Verb, served: Served, request: Request) -> Response:
    if verb in _pictures_from and PNG.decode() in request.headers.get("accept", ""):
        return Response(to_png(answer["x"], served.serving.form), media_type=PNG.decode())
    said: dict[str, Any] = {"model": served.name, "version": served.version}
    if verb == "score":
        said["scores"] = {name: _lists(answer[name]) for name in served.serving.scores}
    else:
        said |= {name: _lists(answer[name]) for name in served.serving.outputs[verb]}
    return Response(json.dumps(said, separators=(",", ":")), media_type="application/json")


_pictures_from: Final = ("decode", "reconstruct", "sample")


def _lists(array: np.ndarray) -> list[Any]:
    finite = np.isfinite(array)
    if finite.all():
        return array.tolist()
    whole = array.astype(object)
    whole[~finite] = None
    return whole.tolist()


def _card(name: str, model: ServedModel) -> bodies.ModelCard:
    served = model.live or next(iter(model.versions.values()))
    described = served.serving
    return bodies.ModelCard(
        name=name,
        live=model.live.version if model.live else None,
        versions={version: served.digest for version, served in model.versions.items()},
        aliases=dict(model.aliases),
        description=described.description,
        kind=described.model_kind,
        verbs=list(served.verbs),
        input=described.form.model_dump(mode="json"),
        latent_dim=described.latent_dim,
        conditions=[condition.model_dump(mode="json") for condition in described.conditions],
        scores=list(described.scores),
        num_samples=described.score_protocol.num_samples,
        variant=served.about.variant if served.about else None,
        held_out=_held_out(served.about.reference) if served.about else None,
    )


def _held_out(reference: Reference) -> bodies.HeldOut:
    return bodies.HeldOut(
        split=reference.split,
        examples=reference.examples,
        num_samples=reference.num_samples,
        quantiles={name: dict(found.quantiles) for name, found in reference.scores.items()},
    )


def _pictures_out(verb: Verb) -> dict[int | str, dict[str, Any]]:
    if verb not in _pictures_from:
        return {}
    return {200: {"content": {"image/png": {"schema": {"type": "string", "format": "binary"}}}}}


def _body_documentation(verb: Verb) -> dict[str, Any]:
    schema = _TAKES[verb].model_json_schema()
    content: dict[str, Any] = {"application/json": {"schema": schema}}
    if verb in ("encode", "reconstruct", "score"):
        content["image/png"] = {"schema": {"type": "string", "format": "binary"}}
    return {"required": verb != "sample", "content": content}
