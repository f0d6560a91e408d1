"""Where data lies on this machine, and how files get there whole or not at all.

- `$VAEKIT_DATA`: a folder of the user's; read, never written.
- the cache: `$VAEKIT_CACHE`, else `$XDG_CACHE_HOME/vaekit`, else `~/.cache/vaekit`.
"""

import difflib
import os
from pathlib import Path

from vaekit.errors import DataError, VaekitError


def data_folder() -> Path | None:
    """The folder `$VAEKIT_DATA`, if the user has one."""
    given = os.environ.get("VAEKIT_DATA")
    if not given:
        return None
    folder = Path(given).expanduser()
    if not folder.is_dir():
        raise DataError(
            "VAEKIT_DATA is not a folder.",
            where="environment variable VAEKIT_DATA",
            expected="an existing folder",
            found=given,
            remedy="correct it, or unset it to use the cache and the network",
        )
    return folder


def cache_folder() -> Path:
    """The folder that fetched files are kept in; it may not exist yet."""
    if given := os.environ.get("VAEKIT_CACHE"):
        return Path(given).expanduser()
    if given := os.environ.get("XDG_CACHE_HOME"):
        return Path(given).expanduser() / "vaekit"
    return Path.home() / ".cache" / "vaekit"


def existing(path: Path, what: str = "file") -> Path:
    """`path`, with ~ replaced, if it is there and of the right kind.

    Args:
        path: File or folder.
        what: "file" or "folder".

    Raises:
        DataError: Offering names that look alike.
    """
    path = path.expanduser()
    if path.is_dir() if what == "folder" else path.is_file():
        return path
    neighbours = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
    near = difflib.get_close_matches(path.name, set(neighbours) - {path.name}, n=3)
    raise DataError(
        f"There is no such {what}.",
        where=path,
        expected=f"a {what}",
        found=_what_is_at(path),
        remedy=f"did you mean {' or '.join(near)}?" if near else _advice(path),
    )


def write_whole(path: Path, content: bytes, error: type[VaekitError] = DataError) -> None:
    """Writes a file so that it is never seen half-written, whatever interrupts.

    Args:
        path: Where it goes; its folder is made if need be.
        content: All of it.
        error: What is raised where it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            temporary.write_bytes(content)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as failure:
        cache = "; fetched data goes to VAEKIT_CACHE, if that is set" if error is DataError else ""
        raise error(
            "A file could not be written.",
            where=path,
            found=failure.strerror,
            remedy=f"make room or rights there{cache}",
        ) from failure


def _advice(path: Path) -> str:
    """What to do about a path that leads nowhere, and looks like no other."""
    if path.is_absolute():
        return "check the path"
    return f"check the path; it is looked for from {Path.cwd()}"


def _what_is_at(path: Path) -> str:
    if path.exists():
        return "a folder" if path.is_dir() else "a file"
    return "nothing" if path.parent.is_dir() else f"no folder {path.parent} either"
