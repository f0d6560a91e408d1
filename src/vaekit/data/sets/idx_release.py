"""Data sets published as the four IDX files of the MNIST family."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal, TypeAlias, final

from vaekit.data.checks import checked_rows
from vaekit.data.dataset import Dataset
from vaekit.data.files.download import Unavailable, download, unzipped
from vaekit.data.files.idx import read_idx
from vaekit.data.files.places import cache_folder, data_folder, write_whole
from vaekit.data.sets.division import divided
from vaekit.data.splits import Rows, Split
from vaekit.errors import DataError
from vaekit.schema import Schema

Contents: TypeAlias = dict[str, bytes]
IdxSplit: TypeAlias = Literal["50000/10000/10000", "60000/-/10000"]


@final
@dataclass(frozen=True)
class IdxRelease:
    """What is published, where, and how to tell that it is the real thing.

    Args:
        name: Name of the data set, of its folders and of its schema.
        algorithm: Hash of `digests`, "sha256" or "md5".
        digests: Hash of every file, uncompressed, by file name.
        mirrors: Addresses that a file name with ".gz" is added to.
        last_resort: Another way to get the files, and what to call it.
    """

    name: str
    algorithm: str
    digests: Mapping[str, str]
    mirrors: tuple[str, ...]
    last_resort: tuple[str, Callable[[], Contents]] | None = None

    @property
    def cache(self) -> Path:
        """The folder that fetched files are kept in."""
        return cache_folder() / self.name

    def contents(self) -> tuple[Contents, str]:
        """The published bytes of every file, and where they came from.

        Looks into `$VAEKIT_DATA`, then the cache; then fetches into the cache.

        Raises:
            DataError: Where `$VAEKIT_DATA` holds something else, or no source has the files.
        """
        try:
            return self._local()
        except Unavailable as reason:
            return self._fetched([str(reason)])

    def check_here(self) -> None:
        """Checks the files on this machine, and fetches nothing.

        Raises:
            DataError: Where they are missing or damaged.
        """
        try:
            self._local()
        except Unavailable as reason:
            raise DataError(
                f"{self.name} is not on this machine as it was published.",
                found=reason,
                remedy=f"vaekit data fetch {self.name}",
            ) from reason

    def _local(self) -> tuple[Contents, str]:
        given = data_folder()
        for folder in () if given is None else (given / self.name, given):
            if any(self._paths(folder).values()):
                return self._given(folder), f"{folder} (VAEKIT_DATA)"
        try:
            return self._checked(self._read(self.cache)), f"cache {self.cache}"
        except Unavailable as reason:
            raise Unavailable(f"cache {self.cache}: {reason}") from reason

    def _given(self, folder: Path) -> Contents:
        """What the user gave: taken or refused, never passed over in silence."""
        try:
            return self._checked(self._read(folder))
        except Unavailable as reason:
            raise DataError(
                f"VAEKIT_DATA does not hold {self.name}.",
                where=folder,
                expected=f"the files {', '.join(self.digests)}, as published, or with .gz",
                found=reason,
                remedy="correct them, or move them away to have them fetched",
            ) from reason

    def _fetched(self, failures: list[str]) -> tuple[Contents, str]:
        for source, fetch in self._remote_sources():
            try:
                contents = self._checked(fetch())
            except Unavailable as reason:
                failures.append(f"{source}: {reason}")
            else:
                for name, content in contents.items():
                    write_whole(self.cache / name, content)
                return contents, source
        raise DataError(
            f"{self.name} could not be found or fetched.",
            expected=f"the files {', '.join(self.digests)}",
            found=("\n" + " " * 12).join(failures),
            remedy=f"put the files into a folder {self.name}, and its parent into VAEKIT_DATA",
        )

    def _remote_sources(self) -> Iterator[tuple[str, Callable[[], Contents]]]:
        for mirror in self.mirrors:
            yield mirror, partial(self._from_mirror, mirror)
        if self.last_resort is not None:
            yield self.last_resort

    def _paths(self, folder: Path) -> dict[str, Path | None]:
        candidates = {name: (folder / name, folder / f"{name}.gz") for name in self.digests}
        return {name: next(filter(Path.is_file, c), None) for name, c in candidates.items()}

    def _read(self, folder: Path) -> Contents:
        contents = {}
        for name, path in self._paths(folder).items():
            if path is None:
                raise Unavailable(f"no file {name}")
            try:
                content = path.read_bytes()
            except OSError as error:
                raise Unavailable(str(error)) from error
            contents[name] = unzipped(content) if path.suffix == ".gz" else content
        return contents

    def _from_mirror(self, mirror: str) -> Contents:
        return {name: unzipped(download(f"{mirror}{name}.gz")) for name in self.digests}

    def _checked(self, contents: Contents) -> Contents:
        for name, expected in self.digests.items():
            found = hashlib.new(self.algorithm, contents[name], usedforsecurity=False).hexdigest()
            if found != expected:
                raise Unavailable(
                    f"{name} is not the published file: damaged, or of another data set "
                    f"({self.algorithm} {found})"
                )
        return contents


def load_release(release: IdxRelease, split: IdxSplit) -> Dataset:
    """The data set in a release; validation is the end of the training file."""
    contents, source = release.contents()
    schema = ten_classes(release.name)
    train, test = (_rows(schema, contents, part) for part in ("train", "t10k"))
    sizes = [0 if size == "-" else int(size) for size in split.split("/")]
    splits: dict[str, Split] = divided(train, *sizes[:2], 0) | divided(test, 0, 0, sizes[2])
    return Dataset(release.name, schema, splits, source, split)


def ten_classes(name: str) -> Schema:
    """The form of one image of the MNIST family."""
    return Schema(
        name=name,
        kind="image",
        event_shape=(1, 28, 28),
        dtype="uint8",
        low=0,
        high=255,
        num_classes=10,
    )


def _rows(schema: Schema, contents: Contents, part: str) -> Rows:
    images, labels = f"{part}-images-idx3-ubyte", f"{part}-labels-idx1-ubyte"
    x = read_idx(contents[images], images)[:, None]
    return checked_rows(schema, x, read_idx(contents[labels], labels), where=images)
