"""A model that was exported without some verbs: they are listed nowhere, and asking says why."""

import asyncio
import io
import json
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from serving.test_process import ARTIFACT, X

from vaekit.artifacts import EXPORTED, json_bytes, open_artifact, write_artifact
from vaekit.errors import ArtifactError
from vaekit.runtime import open_runtime
from vaekit.serving import Service, Settings
from vaekit.serving.log import Log
from vaekit.serving.opening import try_out


def without(folder: Path, *verbs: str) -> Path:
    """The committed artifact, as if these verbs had had no graph."""
    found = open_artifact(ARTIFACT)
    document = json.loads(found.read(EXPORTED))
    for variant in document["variants"].values():
        for verb in verbs:
            del variant["graphs"][verb]
    gone = {f"{verb}.onnx" for verb in verbs}
    kept = {n: found.read(n) for n in found.digests if n.rpartition("/")[2] not in gone}
    return write_artifact(folder / "artifact", {**kept, EXPORTED: json_bytes(document)})


def asked(path: Path, *requests: tuple[str, str, Any]) -> list[httpx.Response]:
    async def whole() -> list[httpx.Response]:
        service = Service(Settings(path=path, name="toy"), log=Log(io.StringIO().write))
        await service.start()
        transport = httpx.ASGITransport(app=service)
        async with httpx.AsyncClient(transport=transport, base_url="http://toy") as client:
            found = [await client.request(m, p, json=body) for m, p, body in requests]
        await service.stop()
        return found

    return asyncio.run(whole())


def test_what_is_left_out_is_listed_nowhere(tmp_path: Path) -> None:
    card, index, document, metadata, page = asked(
        without(tmp_path, "sample"),
        ("GET", "/v1/models/toy", None),
        ("POST", "/v2/repository/index", None),
        ("GET", "/openapi.json", None),
        ("GET", "/v2/models/toy.sample", None),
        ("GET", "/look/pages/overview", None),
    )
    rest = ["encode", "decode", "reconstruct", "score"]
    assert card.json()["verbs"] == rest
    assert [entry["name"] for entry in index.json()] == [f"toy.{verb}" for verb in rest]
    verbs = [p.rpartition("/")[2] for p in document.json()["paths"] if p.startswith("/v1/models/{")]
    assert set(verbs) == {*rest, "{name}"}
    assert metadata.status_code == 404
    assert "gallery" not in page.text
    assert "explore" in page.text


@pytest.mark.parametrize(
    ("path", "document"),
    [
        ("/v1/models/toy/sample", {"n": 1}),
        ("/v1/models/toy/sample", {"nonsense": 1}),
        ("/v2/models/toy.sample/infer", {}),
        ("/v2/models/toy.sample/ready", None),
    ],
)
def test_asking_says_what_there_is_and_how_to_get_the_rest(
    tmp_path: Path, path: str, document: Any
) -> None:
    method = "GET" if document is None else "POST"
    (reply,) = asked(without(tmp_path, "sample"), (method, path, document))
    assert reply.status_code == 404
    for said in ("without verb 'sample'", "encode, decode, reconstruct, score", "vaekit export"):
        assert said in reply.json()["error"]


def test_a_verb_that_there_never_was_needs_no_export(tmp_path: Path) -> None:
    (reply,) = asked(without(tmp_path, "sample"), ("GET", "/v2/models/toy.train", None))
    assert reply.status_code == 404
    assert "export" not in reply.json()["error"]


def test_what_is_there_answers(tmp_path: Path) -> None:
    path = without(tmp_path, "encode", "score")
    runtime = open_runtime(path)
    assert runtime.verbs == ("decode", "sample")  # to reconstruct is to encode first
    made, refused = asked(
        path,
        ("POST", "/v1/models/toy/decode", {"z": [[0, 0]]}),
        ("POST", "/v1/models/toy/reconstruct", {"x": X.tolist()}),
    )
    np.testing.assert_allclose(made.json()["x"], open_runtime(ARTIFACT).decode([[0, 0]]), rtol=1e-6)
    assert refused.status_code == 404


def test_a_model_without_any_is_not_served(tmp_path: Path) -> None:
    path = without(tmp_path, "encode", "decode", "score", "sample")
    with pytest.raises(ArtifactError, match="no graph that could be asked"):
        try_out(open_runtime(path), path)
