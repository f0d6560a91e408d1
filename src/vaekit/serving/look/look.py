"""The page of the service, at `/`, `/docs` and below `/look`.

What a browser opens first is a shell that says nothing of models. It fills itself with the pieces
below `/look/pages`, and those need a key where the service asks for keys. Everything that a model
has to say goes through the desk, as every other question does. Nothing comes from another host.
"""

from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import Any, Final, final
from urllib.parse import parse_qsl

import jinja2

from vaekit.serving.body import BodyLimits, Receive, parsed
from vaekit.serving.desk import Desk
from vaekit.serving.exchange import (
    Exchange,
    Reply,
    Scope,
    Send,
    body_of,
    check_method,
    exchange_of,
    json_reply,
    send_reply,
)
from vaekit.serving.look.answers import Answers
from vaekit.serving.look.manual import Asking, address_of, manual
from vaekit.serving.look.shown import Shown, shown_of
from vaekit.serving.look.traffic import Rates, Traffic
from vaekit.serving.models import Served
from vaekit.serving.question import known
from vaekit.serving.refusals import NotServedError

VIEWS: Final = {"gallery": "Samples", "explore": "Latent space", "draw": "Draw"}
_NEEDS: Final = {
    "gallery": ("sample",),
    "explore": ("encode", "decode"),
    "draw": ("score", "reconstruct"),
}
"""Verbs that a view asks."""
_STATIC: Final = {
    "htmx.min.js": b"text/javascript",
    "look.js": b"text/javascript",
    "explore.js": b"text/javascript",
    "draw.js": b"text/javascript",
    "look.css": b"text/css",
}
_POLICY: Final = (
    b"content-security-policy",
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    b"connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
)


@final
class Look:
    """Answers what browsers ask.

    Args:
        desk: Answers what is asked of models.
        limits: Of bodies.
        traffic: What was answered lately.
        described: The OpenAPI document, as it is now.
    """

    def __init__(
        self,
        desk: Desk,
        limits: BodyLimits,
        traffic: Traffic,
        described: Callable[[], dict[str, Any]],
    ) -> None:
        self._desk, self._limits, self._traffic = desk, limits, traffic
        self._described = described
        self._known: dict[str, Shown] = {}
        self._answers = Answers(desk)
        self._pages = jinja2.Environment(
            loader=jinja2.PackageLoader("vaekit.serving.look", "pages"),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
            undefined=jinja2.StrictUndefined,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = [part for part in scope["path"].split("/") if part]
        asks = path[-1:] in (["decode"], ["judge"])
        check_method(scope, *(("POST",) if asks else ("GET", "HEAD")))
        match path:
            case [] | ["look"]:
                reply = self._shell("Models", "/look/pages/overview")
            case ["docs"]:
                query = scope["query_string"].decode("latin-1")
                reply = self._shell("API", f"/look/pages/api?{query}".rstrip("?"))
            case ["look", "static", name]:
                reply = _static(name)
            case ["look", name, view] if view in VIEWS:
                reply = self._shell(VIEWS[view], f"/look/pages/{name}/{view}")
            case ["look", "pages", *piece]:
                reply = await self._piece(piece, scope, receive)
            case _:
                raise NotServedError("There is nothing at this path.", expected="/")
        await send_reply(send, reply)

    async def _piece(self, piece: list[str], scope: Scope, receive: Receive) -> Reply:
        asked = dict(parse_qsl(scope["query_string"].decode("latin-1")))
        exchange = exchange_of(scope)
        match piece:
            case ["overview"]:
                return self._page("overview.html.jinja", models=self._models())
            case ["traffic"]:
                return self._page("traffic.html.jinja", models=self._models())
            case ["api"]:
                return self._manual(scope, exchange, asked.get("model"))
            case [name, view] if view in VIEWS:
                served = self._desk.models.find(name)
                if view != "gallery" or served.serving.has_density:  # else the page says why
                    for verb in _NEEDS[view]:
                        known(served.engine.runtime, verb)
                return self._page(f"{view}.html.jinja", **self._view(served))
            case [name, "samples"]:
                served = self._desk.models.find(name)
                shown = await self._answers.samples(exchange, served, asked)
                return self._page("samples.html.jinja", name=name, **shown)
            case [name, "map"]:
                served = self._desk.models.find(name)
                return json_reply(await self._answers.map(served, self._shown_of(served)))
            case [name, "decode" | "judge" as verb]:
                body = parsed(await body_of(scope, receive, self._limits), self._limits)
                return await self._asked(exchange, self._desk.models.find(name), verb, body)
        raise NotServedError("There is nothing at this path.", expected="/")

    async def _asked(
        self, exchange: Exchange, served: Served, verb: str, body: Mapping[str, Any]
    ) -> Reply:
        if verb == "decode":
            image = await self._answers.decoded(exchange, served, body)
            return Reply(image, media_type=b"image/png")
        shown = self._shown_of(served)
        return json_reply(await self._answers.judged(exchange, served, shown, body))

    def _manual(self, scope: Scope, exchange: Exchange, name: str | None) -> Reply:
        lives = {n: m.live for n, m in sorted(self._desk.models.picture.items()) if m.live}
        served = self._desk.models.find(name) if name else next(iter(lives.values()), None)
        host = exchange.headers.get(b"host", b"").decode("latin-1")
        address, with_key = address_of(scope["scheme"], host), exchange.key is not None
        return self._page(
            "api.html.jinja",
            groups=manual(self._described(), Asking(address, with_key, served)),
            models=list(lives),
            name=served.name if served else None,
            with_key=with_key,
        )

    def _shown_of(self, served: Served) -> Shown:
        """What is known of a version; kept as long as it is served."""
        if served.digest not in self._known:
            models = self._desk.models.picture.values()
            here = {version.digest for model in models for version in model.versions.values()}
            kept = {digest: shown for digest, shown in self._known.items() if digest in here}
            self._known = {**kept, served.digest: shown_of(served)}
        return self._known[served.digest]

    def _view(self, served: Served) -> dict[str, Any]:
        described = served.serving
        return {
            "name": served.name,
            "version": served.version,
            "serving": described,
            "conditions": described.conditions,
            "views": _views(served),
            "titles": VIEWS,
            "can_sample": described.has_density,
        }

    def _models(self) -> list[dict[str, Any]]:
        rates = self._traffic.rates()
        return [
            {
                "name": name,
                "live": model.live,
                "versions": list(model.versions),
                "aliases": dict(model.aliases),
                "rates": rates.get(name, Rates()),
                "waiting": model.live.engine.waiting[0] if model.live else 0,
                "views": _views(model.live) if model.live else {},
            }
            for name, model in sorted(self._desk.models.picture.items())
        ]

    def _shell(self, title: str, first: str) -> Reply:
        return self._page("shell.html.jinja", title=title, first=first)

    def _page(self, template: str, **values: Any) -> Reply:
        page = self._pages.get_template(template).render(**values)
        return Reply(page.encode(), media_type=b"text/html; charset=utf-8", headers=(_POLICY,))


def _views(served: Served) -> dict[str, str]:
    """Titles of the views that a version can fill."""
    return {view: words for view, words in VIEWS.items() if {*_NEEDS[view]} <= {*served.verbs}}


def _static(name: str) -> Reply:
    media_type = _STATIC.get(name)
    if media_type is None:
        raise NotServedError("There is nothing at this path.", expected="/")
    content = files("vaekit.serving.look").joinpath("static", name).read_bytes()
    kept = (b"cache-control", b"no-cache")
    return Reply(content, media_type=media_type, headers=(kept,))
