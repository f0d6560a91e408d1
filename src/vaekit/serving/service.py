"""The service as one ASGI application: the doors outside, the faces inside."""

import asyncio
from typing import final

from fastapi import APIRouter

from vaekit.serving.body import BodyLimits, Receive
from vaekit.serving.desk import Desk
from vaekit.serving.doorkeeper import Doorkeeper
from vaekit.serving.envelope import Envelope
from vaekit.serving.exchange import App, Scope, Send, check_method, send_reply
from vaekit.serving.keys import Keyring
from vaekit.serving.log import Log
from vaekit.serving.look import Look, Traffic
from vaekit.serving.metrics import Metrics
from vaekit.serving.open_inference import OpenInference
from vaekit.serving.rate import RateLimits
from vaekit.serving.refusals import NotServedError
from vaekit.serving.rest import Rest


@final
class Faces:
    """Sends a request where its path belongs."""

    def __init__(self, faces: dict[str, App]) -> None:
        self._faces = faces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        face = self._faces.get(scope["path"].partition("/")[2].partition("/")[0])
        if face is None:
            raise NotServedError(
                "There is nothing at this path.", expected="/v2, /v1 or /openapi.json"
            )
        await face(scope, receive, send)


@final
class MetricsPage:
    """`/metrics`."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        check_method(scope, "GET", "HEAD")
        await send_reply(send, await asyncio.to_thread(self._metrics.page))


def http_app(
    desk: Desk,
    body: BodyLimits,
    keyring: Keyring,
    rates: RateLimits,
    log: Log,
    metrics: Metrics | None = None,
    admin: APIRouter | None = None,
    traffic: Traffic | None = None,
) -> App:
    """Everything between the socket and the desk; with `traffic`, the page for people too."""
    rest = Rest(desk, body, admin)
    faces: dict[str, App] = {"v2": OpenInference(desk, body), "v1": rest, "openapi.json": rest}
    if admin is not None:
        faces["admin"] = rest
    if metrics is not None:
        faces["metrics"] = MetricsPage(metrics)
    if traffic is not None:
        look = Look(desk, body, traffic, rest.document)
        faces |= {"": look, "docs": look, "look": look}
    door = Doorkeeper(Faces(faces), keyring, rates)
    return Envelope(door, log, desk, metrics.ended if metrics else None)
