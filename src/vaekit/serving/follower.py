"""Keeps what is served as its source says: every process does this by itself.

A new version is opened, verified and tried in another thread while the old one answers. Only
then does it take over; where it is refused, the old one stays, and the reason is told.
"""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias, final

from vaekit.artifacts import SUMS
from vaekit.errors import VaekitError
from vaekit.runtime import Runtime
from vaekit.serving.engine import Engine
from vaekit.serving.log import Log
from vaekit.serving.models import Models, Served, ServedModel
from vaekit.serving.opening import Opened, Opener, try_out
from vaekit.serving.sources import Source, Wanted

Fingerprint: TypeAlias = tuple[int, ...]
StartEngine: TypeAlias = Callable[[str, str, Runtime], Engine]
"""Puts a version of a model to work, by name and version."""

_GONE: Final[Fingerprint] = ()


class _AtWork(NamedTuple):
    fingerprint: Fingerprint
    served: Served


class _Look(NamedTuple):
    """What was seen of a model in its source."""

    wanted: Wanted
    fingerprints: Mapping[str, Fingerprint]


@final
class Follower:
    """Opens and closes versions, so that what is served is what is wanted.

    Args:
        source: Says what is wanted.
        models: What is served.
        opener: Opens an artifact.
        start: Puts it to work.
        log: Is told of every change and refusal.
    """

    def __init__(
        self, source: Source, models: Models, opener: Opener, start: StartEngine, log: Log
    ) -> None:
        self.source, self.models, self.problems = source, models, dict[str, str]()
        self._opener, self._start, self._log = opener, start, log
        self._at_work: dict[str, dict[str, _AtWork]] = {}
        self._refused: dict[tuple[str, str], tuple[Fingerprint, str]] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._turn = asyncio.Lock()

    async def follow(self) -> None:
        """Looks once, and does what is to be done."""
        async with self._turn:
            problems: dict[str, str] = {}
            try:
                looks = await asyncio.to_thread(self._look, problems)
            except VaekitError as error:  # the folder itself: everything stays
                self._tell({"": str(error)})
                return
            picture = {}
            for name, look in looks.items():
                picture[name] = await self._followed(name, look, problems)
            for name in problems.keys() & self.models.picture.keys():
                picture.setdefault(name, self.models.picture[name])
            self._replace({name: model for name, model in picture.items() if model.versions})
            self._tell(problems)

    async def keep_following(self, seconds: float) -> None:
        """Looks every so often, until it is cancelled."""
        while True:
            await asyncio.sleep(seconds)
            try:
                await self.follow()
            except Exception as error:  # whatever it is: what is served stays
                self._log.failure(error, where="the folder of models")

    async def check(self, folder: Path) -> None:
        """Opens and tries a version that is not served yet.

        Raises:
            VaekitError: It cannot be served.
        """
        await asyncio.to_thread(self._open, folder)

    async def close(self) -> None:
        """Ends all engines after the questions that they have."""
        self._replace({})
        await asyncio.gather(*self._closing)

    def _look(self, problems: dict[str, str]) -> dict[str, _Look]:
        looks = {}
        for name in self.source.names():
            try:
                wanted = self.source.wanted(name)
            except VaekitError as error:
                problems[name] = str(error)
                continue
            prints = {version: _fingerprint(path) for version, path in wanted.folders.items()}
            looks[name] = _Look(wanted, prints)
        return looks

    async def _followed(self, name: str, look: _Look, problems: dict[str, str]) -> ServedModel:
        before = self.models.picture.get(name, ServedModel({}, {}))
        at_work = self._at_work.setdefault(name, {})
        for version, folder in look.wanted.folders.items():
            fingerprint = look.fingerprints[version]
            if version in at_work and fingerprint in (_GONE, at_work[version].fingerprint):
                continue
            problem = await self._put_to_work(name, version, folder, fingerprint)
            if problem:
                problems[f"{name}/{version}"] = problem
        aliases = {}
        for alias, version in look.wanted.aliases.items():
            stays = before.aliases.get(alias, "")
            target = version if version in at_work else stays
            if target in at_work:
                aliases[alias] = target
        kept = {version: at_work[version].served for version in sorted({*aliases.values()})}
        return ServedModel(kept, aliases)

    async def _put_to_work(
        self, name: str, version: str, folder: Path, fingerprint: Fingerprint
    ) -> str | None:
        """Opens a version; where that cannot be, says why, and tries again when it changes."""
        known, why = self._refused.get((name, version), (None, ""))
        if known == fingerprint:
            return why
        try:
            opened = await asyncio.to_thread(self._open, folder)
        except Exception as error:
            why = str(error) if isinstance(error, VaekitError) else f"{type(error).__name__}"
            if not isinstance(error, VaekitError):
                self._log.failure(error, model=name, version=version)
            self._refused[name, version] = fingerprint, why
            return why
        self._refused.pop((name, version), None)
        engine = self._start(name, version, opened.runtime)
        served = Served(name, version, opened.digest, engine, opened.about)
        self._at_work[name][version] = _AtWork(fingerprint, served)
        return None

    def _open(self, folder: Path) -> Opened:
        opened = self._opener(folder)
        try_out(opened.runtime, folder)
        return opened

    def _replace(self, picture: dict[str, ServedModel]) -> None:
        """Switches, in one step; what nobody can find any more ends when it has answered."""
        before = {served.engine: served for served in _all(self.models.picture)}
        self.models.picture = picture
        after = {served.engine for served in _all(picture)}
        for engine, served in before.items():
            if engine not in after:
                self._log.write("info", "unloaded", model=served.name, version=served.version)
                task = asyncio.create_task(asyncio.to_thread(engine.close))
                self._closing.add(task)
                task.add_done_callback(self._closing.discard)
        for served in _all(picture):
            if served.engine not in before:
                self._log.write(
                    "info",
                    "loaded",
                    model=served.name,
                    version=served.version,
                    artifact=served.digest,
                )
        self._forget(picture)

    def _forget(self, picture: Mapping[str, ServedModel]) -> None:
        for name, at_work in self._at_work.items():
            kept = picture[name].versions if name in picture else {}
            for version in [v for v in at_work if v not in kept]:
                del at_work[version]

    def _tell(self, problems: dict[str, str]) -> None:
        for what, why in problems.items():
            if self.problems.get(what) != why:
                self._log.write("error", "refused", what=what, why=why)
        self.problems = problems


def _all(picture: Mapping[str, ServedModel]) -> list[Served]:
    return [served for model in picture.values() for served in model.versions.values()]


def _fingerprint(folder: Path) -> Fingerprint:
    """Changes when an artifact does: its list of hashes is written anew with it."""
    for file in (folder / SUMS, folder / "artifact" / SUMS):
        try:
            found = file.stat()
        except OSError:
            continue
        return found.st_mtime_ns, found.st_size, found.st_ino
    return _GONE
