"""The service in this process, with linear models behind it."""

import asyncio
import io
import json
import socket
import threading
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal, TypeVar

import httpx
import uvicorn
from serving.linear_server import LinearRuntime

from vaekit.serving.body import BodyLimits
from vaekit.serving.connection import Connection
from vaekit.serving.desk import Desk
from vaekit.serving.engine import Engine
from vaekit.serving.exchange import App
from vaekit.serving.keys import Key, Keyring
from vaekit.serving.log import Log
from vaekit.serving.models import Models, Served, ServedModel
from vaekit.serving.rate import RateLimits
from vaekit.serving.service import http_app

_T = TypeVar("_T")


class Bench:
    """A service, and what it writes."""

    def __init__(
        self,
        runtime: LinearRuntime | None = None,
        keys: Sequence[Key] | None = None,
        limits: BodyLimits = BodyLimits(),  # noqa: B008 - frozen
        rates: RateLimits | None = None,
        **desk: Any,
    ) -> None:
        self.runtime = runtime or LinearRuntime()
        self.engine = Engine(self.runtime)
        served = Served("toy", "1", "0" * 64, self.engine)
        self.models = Models({"toy": ServedModel({"1": served}, {"live": "1"})})
        self.desk = Desk(self.models, **desk)
        self.written = io.StringIO()
        self.app: App = http_app(
            self.desk, limits, Keyring(keys), rates or RateLimits(), Log(self.written.write)
        )

    @property
    def lines(self) -> list[dict[str, Any]]:
        """What is in the log."""
        return [json.loads(line) for line in self.written.getvalue().splitlines()]

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        """One request."""

        async def once() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://toy") as client:
                return await client.request(method, path, **more)

        return asyncio.run(once())

    def infer(self, verb: str, document: Any, **more: Any) -> httpx.Response:
        """One question in the protocol, in JSON."""
        return self.ask("POST", f"/v2/models/toy.{verb}/infer", json=document, **more)


@contextmanager
def listening(
    app: App, lifespan: Literal["on", "off"] = "off", seconds: float = 30
) -> Iterator[str]:
    """The service on a port of this machine, as long as the context lasts; its address.

    Args:
        app: The service.
        lifespan: Whether it has a beginning and an end of its own.
        seconds: How long a connection may do nothing.
    """
    door = socket.socket()
    door.bind(("127.0.0.1", 0))
    config = uvicorn.Config(
        app,
        http=Connection,
        ws="none",
        log_config=None,
        lifespan=lifespan,
        access_log=False,
        timeout_keep_alive=seconds,  # pyright: ignore[reportArgumentType]
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=_run, args=(server.serve([door]),))
    thread.start()
    while not server.started:
        thread.join(0.01)
    try:
        yield f"127.0.0.1:{door.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


def _run(work: Coroutine[Any, Any, _T]) -> _T:
    return asyncio.run(work)
