"""The service as one ASGI application: the doors outside, the faces inside."""

from typing import final

from vaekit.serving.body import BodyLimits, Receive
from vaekit.serving.desk import Desk
from vaekit.serving.doorkeeper import Doorkeeper
from vaekit.serving.envelope import Ended, Envelope
from vaekit.serving.exchange import App, Scope, Send
from vaekit.serving.keys import Keyring
from vaekit.serving.log import Log
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
        face = self._faces.get(scope["path"].split("/", 2)[1])
        if face is None:
            raise NotServedError(
                "There is nothing at this path.", expected="/v2, /v1 or /openapi.json"
            )
        await face(scope, receive, send)


def http_app(
    desk: Desk,
    body: BodyLimits,
    keyring: Keyring,
    rates: RateLimits,
    log: Log,
    ended: Ended | None = None,
    look: App | None = None,
) -> App:
    """Everything between the socket and the desk; with `look`, the page for people too."""
    rest = Rest(desk, body)
    faces: dict[str, App] = {"v2": OpenInference(desk, body), "v1": rest, "openapi.json": rest}
    if look is not None:
        faces |= {"": look, "look": look}
    return Envelope(Doorkeeper(Faces(faces), keyring, rates), log, ended)
