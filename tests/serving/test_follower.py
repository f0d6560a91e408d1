"""The folder of models is followed, and nothing that is refused takes over."""

import asyncio
import io
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np
import pytest
from serving.folders import alias, fake_opener, put
from serving.linear_server import examples

from vaekit.errors import ArtifactError
from vaekit.serving.engine import Engine
from vaekit.serving.follower import Follower
from vaekit.serving.log import Log
from vaekit.serving.models import Models
from vaekit.serving.opening import Opened
from vaekit.serving.question import question
from vaekit.serving.refusals import ConflictError, NotServedError
from vaekit.serving.sources import ModelFolder, is_model_folder


class Place:
    """A folder, and a follower of it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.opened, self.written = folder, list[Path](), io.StringIO()
        self.models = Models()
        self.follower = Follower(
            ModelFolder(folder),
            self.models,
            self._open,
            lambda _name, _version, runtime: Engine(runtime),
            Log(self.written.write),
        )

    def _open(self, path: Path) -> Opened:
        self.opened.append(path)
        return fake_opener(path)

    def live(self, name: str = "toy") -> str:
        return self.models.find(name).version

    def events(self) -> list[str]:
        return [json.loads(line)["event"] for line in self.written.getvalue().splitlines()]


def run(tmp_path: Path, do: Callable[[Place], Awaitable[None]]) -> None:
    async def whole() -> None:
        place = Place(tmp_path)
        try:
            await do(place)
        finally:
            await place.follower.close()

    asyncio.run(whole())


def test_the_highest_version_is_live_without_a_file(tmp_path: Path) -> None:
    async def do(place: Place) -> None:
        for version in ("9", "10", "2"):
            put(tmp_path, "toy", version)
        (tmp_path / "toy" / "versions" / ".partial").mkdir()
        await place.follower.follow()
        assert place.live() == "10"
        assert list(place.models.picture["toy"].versions) == ["10"]
        assert place.models.is_ready

    assert not is_model_folder(tmp_path)
    run(tmp_path, do)
    assert is_model_folder(tmp_path)


def test_aliases_are_served_and_followed(tmp_path: Path) -> None:
    async def do(place: Place) -> None:
        for version in ("1", "2", "3"):
            put(tmp_path, "toy", version)
        alias(tmp_path, "toy", '{"live": "1", "canary": "2"}')
        await place.follower.follow()
        assert place.live() == "1"
        assert place.models.find("toy", "canary").version == "2"
        assert place.models.find("toy", "2").version == "2"
        with pytest.raises(NotServedError, match="no version '3'"):
            place.models.find("toy", "3")
        first = place.models.find("toy").engine
        alias(tmp_path, "toy", '{"live": "2"}')
        await place.follower.follow()
        assert place.live() == "2"
        while first.is_alive:
            await asyncio.sleep(0.001)
        assert len(place.opened) == 2  # the second was open already
        await place.follower.follow()
        assert len(place.opened) == 2
        assert place.events() == ["loaded", "loaded", "unloaded"]

    run(tmp_path, do)


@pytest.mark.parametrize("content", ["damaged", "broken", "infinite"])
def test_what_is_refused_does_not_take_over_until_it_is_mended(
    tmp_path: Path, content: str
) -> None:
    async def do(place: Place) -> None:
        put(tmp_path, "toy", "1")
        await place.follower.follow()
        put(tmp_path, "toy", "2", content)
        for _ in range(3):
            await place.follower.follow()
            assert place.live() == "1"
        assert list(place.follower.problems) == ["toy/2"]
        assert len(place.opened) == 2  # it is not tried again and again
        assert place.events().count("refused") == 1
        put(tmp_path, "toy", "2", "good again")
        await place.follower.follow()
        assert place.live() == "2"
        assert place.follower.problems == {}

    run(tmp_path, do)


@pytest.mark.parametrize(
    "text", ["{", "[" * 100_000, "[]", '{"live": 2}', '{"live": "../x"}', '{"a/b": "1"}']
)
def test_a_file_that_cannot_be_read_changes_nothing(tmp_path: Path, text: str) -> None:
    async def do(place: Place) -> None:
        put(tmp_path, "toy", "1")
        await place.follower.follow()
        alias(tmp_path, "toy", text)
        await place.follower.follow()
        assert place.live() == "1"
        assert list(place.follower.problems) == ["toy"]

    run(tmp_path, do)


def test_an_alias_to_nothing_stays_where_it_was(tmp_path: Path) -> None:
    async def do(place: Place) -> None:
        put(tmp_path, "toy", "1")
        alias(tmp_path, "toy", '{"live": "1"}')
        await place.follower.follow()
        alias(tmp_path, "toy", '{"live": "7", "canary": "8"}')
        await place.follower.follow()
        assert place.live() == "1"
        assert set(place.models.picture["toy"].aliases) == {"live"}
        put(tmp_path, "toy", "7")
        await place.follower.follow()
        assert place.live() == "7"

    run(tmp_path, do)


def test_models_come_and_go_and_the_folder_itself_may_be_away(tmp_path: Path) -> None:
    async def do(place: Place) -> None:
        folder = tmp_path / "models"
        place.follower.source = ModelFolder(folder)
        await place.follower.follow()
        assert place.follower.problems
        assert not place.models.is_ready
        put(folder, "toy", "1")
        put(folder, "other", "1")
        await place.follower.follow()
        assert set(place.models.picture) == {"toy", "other"}
        folder.rename(tmp_path / "away")
        await place.follower.follow()
        assert set(place.models.picture) == {"toy", "other"}
        (tmp_path / "away").rename(folder)
        (folder / "other").rename(tmp_path / "other")
        await place.follower.follow()
        assert set(place.models.picture) == {"toy"}
        assert place.follower.problems == {}

    run(tmp_path, do)


def test_a_version_that_changes_is_opened_again(tmp_path: Path) -> None:
    async def do(place: Place) -> None:
        put(tmp_path, "toy", "1")
        await place.follower.follow()
        before = place.models.find("toy")
        put(tmp_path, "toy", "1", "good, and other")
        await place.follower.follow()
        after = place.models.find("toy")
        assert (before.serving.description, after.serving.description) == (
            "good",
            "good, and other",
        )
        assert before.digest != after.digest

    run(tmp_path, do)


def test_no_question_is_lost_while_versions_change(tmp_path: Path) -> None:
    async def do(place: Place) -> None:
        put(tmp_path, "toy", "1")
        put(tmp_path, "toy", "2")
        alias(tmp_path, "toy", '{"live": "1"}')
        await place.follower.follow()
        is_over, seen = asyncio.Event(), set[str]()

        async def ask(seed: int) -> int:
            answered, x = 0, examples(2, seed)
            while not is_over.is_set():
                served = place.models.find("toy")
                seen.add(served.version)
                answer = await served.engine.ask(question(served.engine.runtime, "encode", x))
                assert np.allclose(answer["z"], served.engine.runtime.encode(x), atol=1e-6)
                answered += 1
            return answered

        asking = [asyncio.create_task(ask(seed)) for seed in range(8)]
        for turn in range(20):
            alias(tmp_path, "toy", json.dumps({"live": "12"[turn % 2]}))
            await place.follower.follow()
            await asyncio.sleep(0.01)
        is_over.set()
        assert min(await asyncio.gather(*asking)) > 20
        assert seen == {"1", "2"}

    run(tmp_path, do)


# -- changing the folder --------------------------------------------------------------------------


def test_aliases_are_written_whole_and_can_be_rolled_back(tmp_path: Path) -> None:
    folder = ModelFolder(tmp_path)
    for version in ("1", "2"):
        put(tmp_path, "toy", version)
    alias(tmp_path, "toy", '{"live": "1"}')
    assert folder.point("toy", "live", "2") == {"live": "2", "previous": "1"}
    assert folder.point("toy", "live", "2") == {"live": "2", "previous": "1"}
    assert folder.point("toy", "canary", "1")["canary"] == "1"
    assert folder.roll_back("toy") == {"live": "1", "previous": "2", "canary": "1"}
    assert folder.remove("toy", "canary") == folder.aliases("toy")
    assert {p.name for p in (tmp_path / "toy").iterdir()} == {
        "aliases.json",
        ".aliases.lock",
        "versions",
    }


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda f: f.point("toy", "live", "9"), NotServedError, "no version '9'"),
        (lambda f: f.point("other", "live", "1"), NotServedError, "no model 'other'"),
        (lambda f: f.point("toy", "../x", "1"), ConflictError, "cannot have this name"),
        (lambda f: f.point("toy", "previous", "1"), ConflictError, "cannot have this name"),
        (lambda f: f.point("toy", "live", "../1"), NotServedError, "no version"),
        (lambda f: f.remove("toy", "live"), ConflictError, "only replaced"),
        (lambda f: f.remove("toy", "canary"), NotServedError, "no alias"),
        (lambda f: f.roll_back("toy"), ConflictError, "no version of toy to go back to"),
        (lambda f: f.roll_back("no_live"), ConflictError, "no version of no_live to go back to"),
    ],
)
def test_changes_that_are_refused(
    tmp_path: Path,
    change: Callable[[ModelFolder], object],
    error: type[Exception],
    message: str,
) -> None:
    put(tmp_path, "toy", "1")
    put(tmp_path, "no_live", "1")
    alias(tmp_path, "no_live", '{"previous": "1"}')
    with pytest.raises(error, match=message):
        change(ModelFolder(tmp_path))
    assert not (tmp_path / "toy" / "aliases.json").exists()


def test_a_folder_that_cannot_be_written_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, "toy", "1")
    put(tmp_path, "toy", "2")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("vaekit.serving.sources.os.fsync", full)
    with pytest.raises(ArtifactError, match="No space left"):
        ModelFolder(tmp_path).point("toy", "live", "1")
    assert not (tmp_path / "toy" / "aliases.json").exists()
