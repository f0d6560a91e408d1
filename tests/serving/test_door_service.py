"""A whole service in this process: its life, its admin, its metrics, its records."""

import asyncio
import io
import json
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from prometheus_client import CollectorRegistry, Histogram
from serving.folders import alias, fake_opener, put
from serving.linear_server import examples

from vaekit.errors import SpecError
from vaekit.serving import Service, Settings
from vaekit.serving.assembly import admitted
from vaekit.serving.keys import new_key
from vaekit.serving.log import Log
from vaekit.serving.metrics import observe
from vaekit.serving.segments import read

X = examples(3)


class Running:
    """A client of a service that has started."""

    def __init__(self, service: Service, client: httpx.AsyncClient) -> None:
        self.service, self.client = service, client

    async def ask(self, method: str, path: str, status: int = 200, **more: Any) -> Any:
        reply = await self.client.request(method, path, **more)
        assert reply.status_code == status, reply.text
        return reply.json() if "json" in reply.headers["content-type"] else reply.text

    async def score(self, path: str = "toy") -> Any:
        return await self.ask("POST", f"/v1/models/{path}/score", json={"x": X.tolist()})


def run(folder: Path, do: Callable[[Running], Awaitable[None]], **settings: Any) -> None:
    async def whole() -> None:
        chosen = Settings.model_validate({"path": folder, **settings})
        service = Service(chosen, fake_opener, Log(io.StringIO().write))
        await service.start()
        transport = httpx.ASGITransport(app=service)
        async with httpx.AsyncClient(transport=transport, base_url="http://toy") as client:
            try:
                await do(Running(service, client))
            finally:
                await service.stop()

    asyncio.run(whole())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for version in ("1", "2"):
        put(tmp_path / "models", "toy", version)
    put(tmp_path / "models", "toy", "3", "damaged")
    alias(tmp_path / "models", "toy", '{"live": "1"}')
    return tmp_path / "models"


def test_what_is_live_is_changed_and_rolled_back(folder: Path) -> None:
    async def do(running: Running) -> None:
        assert (await running.score())["version"] == "1"
        state = await running.ask("GET", "/admin/models")
        assert state["served"] == {"toy": {"live": "1"}}
        assert state["available"] == {"toy": ["1", "2", "3"]}
        path = "/admin/models/toy/aliases"
        state = await running.ask("PUT", f"{path}/live", json={"version": "2"})
        assert state["served"] == {"toy": {"live": "2", "previous": "1"}}
        assert (await running.score())["version"] == "2"
        refused = await running.ask("PUT", f"{path}/live", 409, json={"version": "3"})
        assert "was changed after it was written" in refused["error"]
        await running.ask("PUT", f"{path}/live", 404, json={"version": "9"})
        await running.ask("PUT", f"{path}/live", 422, json={"v": "2"})
        await running.ask("PUT", f"{path}/live", 400, content=b"{")
        await running.ask("PUT", "/admin/models/other/aliases/live", 404, json={"version": "1"})
        assert json.loads((folder / "toy" / "aliases.json").read_text())["live"] == "2"
        await running.ask("POST", "/admin/models/toy/rollback")
        assert (await running.score())["version"] == "1"
        await running.ask("PUT", f"{path}/canary", json={"version": "2"})
        assert (await running.score("toy"))["version"] == "1"
        await running.ask("DELETE", f"{path}/canary")
        await running.ask("DELETE", f"{path}/canary", 404)
        await running.ask("DELETE", f"{path}/live", 409)

    run(folder, do)


def test_the_folder_is_followed_by_itself(folder: Path) -> None:
    async def do(running: Running) -> None:
        alias(folder, "toy", '{"live": "2"}')
        async with asyncio.timeout(10):
            while (await running.score())["version"] != "2":
                await asyncio.sleep(0.01)

    run(folder, do, poll_seconds=0.02)


def test_metrics_count_what_was(folder: Path) -> None:
    async def do(running: Running) -> None:
        await running.score()
        await running.ask("POST", "/v1/models/toy/score", 422, json={"x": [[1000] * 4]})
        await running.ask("POST", "/v1/models/other/score", 404, json={})
        running.service.metrics.look(0)
        page = ""
        while "vaekit_examples_total{" not in page:  # counted after the answer has gone
            page = await running.ask("GET", "/metrics")
        found = dict(re.findall(r"^(vaekit_[^ ]+) ([^ ]+)$", page, re.M))
        labels = 'model="toy",version="1"'

        def sample(name: str, more: str = "") -> float:
            wanted = {part for part in f"{labels},{more}".split(",") if part}
            (value,) = (
                value
                for key, value in found.items()
                if key.partition("{")[0] == f"vaekit_{name}"
                and set(key.partition("{")[2].rstrip("}").split(",")) == wanted
            )
            return float(value)

        assert sample("requests_total", 'verb="score",outcome="ok"') == 1
        assert sample("requests_total", 'verb="score",outcome="data"') == 1
        assert found['vaekit_requests_total{model="",outcome="notserved",verb="",version=""}'] == (
            "1.0"
        )
        assert sample("examples_total", 'verb="score"') == 3
        assert sample("request_seconds_count", 'verb="score"') == 2
        assert sample("batch_samples_sum", 'verb="score"') == 15
        assert sample("queue_seconds_count") == 1
        assert sample("score_mse_count") == 3
        # Prometheus knows no sum of what may be negative.
        assert sample("score_elbo_nats_per_dimension_count") == 3
        assert any(key.startswith("vaekit_model{") and 'alias="live"' in key for key in found)
        assert float(found["vaekit_process_resident_bytes"]) > 10**7

    run(folder, do)


def test_many_values_are_counted_as_one_by_one() -> None:
    values = np.array([0.05, 0.1, 0.5, 1.0, 3.0, 99.0, np.nan, np.inf])
    one, many = (
        Histogram("a", "a", registry=CollectorRegistry(), buckets=(0.1, 1, 10)) for _ in range(2)
    )
    for value in values[np.isfinite(values)]:
        one.observe(value)
    observe(many, values)
    observe(many, values[-2:-1])
    found = [
        [(s.name, s.labels, s.value) for s in next(iter(h.collect())).samples] for h in (one, many)
    ]
    assert [f for f in found[0] if "created" not in f[0]] == [
        f for f in found[1] if "created" not in f[0]
    ]


def test_records_are_there_when_the_service_has_ended(folder: Path, tmp_path: Path) -> None:
    async def do(running: Running) -> None:
        await running.score()

    run(folder, do, records={"folder": tmp_path / "records"})
    records = read(tmp_path / "records")
    assert [record["row"] for record in records] == [0, 1, 2]
    assert len(records[0]["z"]) == 2


def test_others_need_keys_unless_somebody_says_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VAEKIT_API_KEYS", raising=False)
    assert admitted(Settings(path=tmp_path)) is None
    with pytest.raises(SpecError, match="Everybody who reaches this address"):
        admitted(Settings(path=tmp_path, host="0.0.0.0"))
    assert admitted(Settings(path=tmp_path, host="0.0.0.0", no_auth=True)) is None
    _, key = new_key("a", ["infer"])
    (tmp_path / "keys").write_text(key.line)
    assert admitted(Settings(path=tmp_path, keys=tmp_path / "keys")) == (key,)
    (tmp_path / "none").touch()
    assert admitted(Settings(path=tmp_path, keys=tmp_path / "none")) == ()


def test_a_key_that_is_taken_back_does_not_open_any_more(folder: Path, tmp_path: Path) -> None:
    secret, key = new_key("a", ["infer"])
    (tmp_path / "keys").write_text(key.line)
    headers = {"Authorization": f"Bearer {secret}"}

    async def do(running: Running) -> None:
        await running.ask("GET", "/v1/models", headers=headers)
        await running.ask("GET", "/admin/models", 403, headers=headers)
        await running.ask("GET", "/metrics", 401)
        (tmp_path / "keys").write_text("")
        await running.service._look()
        await running.ask("GET", "/v1/models", 401, headers=headers)

    run(folder, do, keys=tmp_path / "keys")
