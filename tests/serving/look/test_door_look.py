"""The page, as a browser asks for it: what is there, what is open, and every refusal."""

import asyncio
import html
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from serving.in_process import listening
from serving.look_bench import app_with_page, pictures

from vaekit.serving.exchange import App
from vaekit.serving.keys import new_key

PNG = b"\x89PNG"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> App:
    return app_with_page(tmp_path_factory.mktemp("page"))


def ask(app: App, path: str, **more: Any) -> httpx.Response:
    async def once() -> httpx.Response:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://toy") as client:
            return await client.request("POST" if "json" in more else "GET", path, **more)

    return asyncio.run(once())


@pytest.mark.parametrize("path", ["/", "/docs", "/look", "/look/toy/gallery", "/look/toy/draw"])
def test_the_shell_names_no_host_and_no_model(path: str, app: App) -> None:
    reply = ask(app, path)
    assert reply.status_code == 200
    assert "http" not in reply.text.replace("http-equiv", "")
    policy = reply.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("name", ["htmx.min.js", "look.js", "explore.js", "draw.js", "look.css"])
def test_what_the_shell_loads_is_there(name: str, app: App) -> None:
    assert f"/look/static/{name}" in ask(app, "/").text
    reply = ask(app, f"/look/static/{name}")
    assert reply.status_code == 200
    assert reply.headers["content-type"].startswith("text/")


def test_the_overview_says_what_is_served(app: App) -> None:
    page = ask(app, "/look/pages/overview").text
    for said in ("toy", "a linear model", "live → 1", "answers", "uint8"):
        assert said in page
    assert "Requests/s" in ask(app, "/look/pages/traffic").text


@pytest.mark.parametrize("view", ["gallery", "explore", "draw"])
def test_views_of_a_model(view: str, app: App) -> None:
    page = ask(app, f"/look/pages/toy/{view}")
    assert page.status_code == 200
    assert 'aria-current="page"' in page.text


def test_samples_belong_to_their_seed(app: App) -> None:
    first, again, other = (
        ask(app, f"/look/pages/toy/samples?seed={seed}&n=12").text for seed in (3, 3, 4)
    )
    assert first == again
    assert first != other
    assert "data:image/png;base64," in first


def test_the_map_holds_codes_and_examples(app: App) -> None:
    found = ask(app, "/look/pages/toy/map").json()
    assert found["latent_dim"] == 2
    assert len(found["points"]) == len(found["labels"]) == 30
    assert len(found["examples"]) == 24
    assert found["examples"][1]["label"] == 1
    np.testing.assert_allclose(found["examples"][5]["code"], found["points"][5], atol=1e-4)


def test_a_map_without_examples_is_of_moments(tmp_path: Path) -> None:
    found = ask(app_with_page(tmp_path, has_examples=False), "/look/pages/toy/map").json()
    assert found["points"] == found["labels"] == found["examples"] == []
    assert found["start"] == pytest.approx(found["mean"], rel=1e-4)


def test_decoding_is_a_picture(app: App) -> None:
    reply = ask(app, "/look/pages/toy/decode", json={"z": [0.5, -1.0]})
    assert reply.headers["content-type"] == "image/png"
    assert reply.content.startswith(PNG)


def test_judging_puts_an_example_beside_held_out_ones(app: App) -> None:
    found = ask(app, "/look/pages/toy/judge", json={"x": pictures(1)[0].tolist()}).json()
    assert found["reconstruction"].startswith("data:image/png;base64,")
    assert {score["name"] for score in found["scores"]} >= {"ELBO", "KL", "mean squared error"}
    assert all(0 < score["level"] < 1 for score in found["scores"])
    assert found["unusual"] == []
    white = ask(app, "/look/pages/toy/judge", json={"x": np.full((1, 4, 4), 255).tolist()}).json()
    assert "ELBO" in white["unusual"]


@pytest.mark.parametrize(
    ("path", "body", "status", "said"),
    [
        ("/look/elsewhere", None, 404, "nothing at this path"),
        ("/look/static/../secret", None, 404, "nothing at this path"),
        ("/look/pages/other/gallery", None, 404, "no model 'other'"),
        ("/look/pages/toy/samples?seed=-1", None, 422, "seed cannot be used"),
        ("/look/pages/toy/samples?n=1000", None, 422, "from 1 to 100"),
        ("/look/pages/toy/samples?temperature=hot", None, 422, "temperature is no number"),
        ("/look/pages/toy/decode", {"z": [1.0]}, 422, "not codes"),
        ("/look/pages/toy/decode", {"z": "x"}, 422, "codes"),
        ("/look/pages/toy/decode", {"z": [0, 0], "condition": 7}, 422, "told by name"),
        ("/look/pages/toy/judge", {"x": [[1, 2], [3, 4]]}, 422, "shape"),
        ("/look/pages/toy/judge", {}, 422, "not numbers"),
        ("/look/pages/toy/decode", None, 405, "takes POST"),
        ("/", {}, 405, "takes GET"),
    ],
)
def test_refusals(path: str, body: Any, status: int, said: str, app: App) -> None:
    reply = ask(app, path, **({} if body is None else {"json": body}))
    assert reply.status_code == status
    assert said in reply.json()["error"]


def test_with_keys_the_shell_is_open_and_its_pieces_are_not(tmp_path: Path) -> None:
    secret, key = new_key("me", ["infer"])
    app = app_with_page(tmp_path, keys=[key])
    assert ask(app, "/look/toy/draw").status_code == 200
    assert ask(app, "/look/static/look.js").status_code == 200
    for path in ("/look/pages/overview", "/look/pages/toy/map"):
        assert ask(app, path).status_code == 401
        assert ask(app, path, headers={"authorization": f"Bearer {secret}"}).status_code == 200


# -- the manual ----------------------------------------------------------------------------------


def requests_of(page: str) -> list[str]:
    return [html.unescape(said) for said in re.findall(r"<pre[^>]*><code>(.*?)</code>", page, re.S)]


def test_the_manual_has_every_route_with_all_that_can_be_said(app: App) -> None:
    document = ask(app, "/openapi.json").json()
    page = ask(app, "/look/pages/api").text
    anchors = re.findall(r'<article class="route" id="(\w+)"', page)
    routes = re.findall(r"<h3><b>(\w+)</b> <code>(.*?)</code></h3>", page)
    described = {
        (method.upper(), path)
        for path, operations in document["paths"].items()
        for method in operations
    }
    assert set(routes) == described
    assert len(set(anchors)) == len(anchors) == len(routes) == len(requests_of(page))
    assert re.findall(r'href="#(\w+)"><b>', page) == anchors
    score = page.partition('id="score"')[2].partition("</article>")[0]
    for said in ("num_samples", "whole number", "list, needed", "in the query", "504"):
        assert said in score
    assert "</script" not in page
    assert "://" not in page.replace("http://toy/", "")  # but for the service itself


def test_the_manual_writes_for_whoever_reads_it(tmp_path: Path) -> None:
    secret, key = new_key("me", ["infer"])
    headers = {"authorization": f"Bearer {secret}"}
    app = app_with_page(tmp_path, keys=[key])
    assert ask(app, "/docs?model=toy").text.count("/look/pages/api?model=toy") == 1
    assert ask(app, "/look/pages/api").status_code == 401
    page = ask(app, "/look/pages/api?model=toy", headers=headers | {"host": "a.b:1"}).text
    score = next(said for said in requests_of(page) if "toy/score" in said)
    assert '-H "Authorization: Bearer $KEY"' in score
    assert "http://a.b:1/v1" in score
    assert secret not in page
    (health,) = (said for said in requests_of(page) if "health/live" in said)
    assert "KEY" not in health  # which needs none
    forged = ask(app, "/look/pages/api", headers=headers | {"host": "a'; reboot; '"}).text
    assert "reboot" not in forged
    assert ask(app, "/look/pages/api?model=other", headers=headers).status_code == 404
    assert 'href="/docs"' in ask(app, "/").text


ROWS = {
    "name": "rows",
    "kind": "vector",
    "event_shape": [4],
    "dtype": "float32",
    "low": -5,
    "high": 5,
}
SOUNDS = {
    "name": "sounds",
    "kind": "image",
    "event_shape": [2, 8, 4],
    "dtype": "float32",
    "low": None,
    "high": None,
}


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize(
    ("described", "without"),
    [
        ({}, ()),
        ({"conditions": [{"name": "label", "num_classes": 3}]}, ()),
        ({"schema": ROWS}, ()),
        ({"schema": ROWS, "conditions": [{"name": "label", "num_classes": 3}]}, ("score",)),
        ({"schema": SOUNDS}, ()),
        ({}, ("sample",)),
        ({}, ("encode", "score", "reconstruct")),
    ],
)
def test_every_request_of_the_manual_can_be_pasted(
    tmp_path: Path, described: dict[str, object], without: tuple[str, ...]
) -> None:
    app = app_with_page(tmp_path, has_examples=False, described=described, without=without)
    folder = tmp_path / "shell"
    folder.mkdir()
    with listening(app) as address:
        asked = requests_of(httpx.get(f"http://{address}/look/pages/api").text)
        assert len(asked) > 12
        for request in asked:
            command = request.replace("curl ", "curl -sS --fail-with-body ", 1)
            done = subprocess.run(
                ["bash", "-ec", command], cwd=folder, capture_output=True, check=False
            )
            assert done.returncode == 0, (request, done.stdout, done.stderr)
            assert done.stdout or (folder / "sample.png").read_bytes().startswith(PNG)


@pytest.mark.parametrize(
    ("without", "gone"), [("sample", "gallery"), ("encode", "explore"), ("score", "draw")]
)
def test_a_view_without_its_verb_is_neither_listed_nor_there(
    tmp_path: Path, without: str, gone: str
) -> None:
    app = app_with_page(tmp_path, has_examples=False, without=(without,))
    linked = re.findall(r"/look/toy/(\w+)", ask(app, "/look/pages/overview").text)
    assert set(linked) == {"gallery", "explore", "draw"} - {gone}
    reply = ask(app, f"/look/pages/toy/{gone}")
    assert (reply.status_code, "vaekit export" in reply.json()["error"]) == (404, True)
    page = ask(app, "/look/pages/api").text
    assert f"/v1/models/{{name}}/{without}" not in page


def test_discrete_codes_are_not_walked_through(tmp_path: Path) -> None:
    described: dict[str, object] = {"facts": {"has_density": True, "latent": "discrete"}}
    page = ask(app_with_page(tmp_path, described=described), "/look/pages/toy/explore").text
    assert "discrete" in page
    assert "canvas" not in page
