"""API keys: who may ask, for what, and how often. Kept as hashes; the keys are with their owners.

A file of keys, or the environment variable VAEKIT_API_KEYS, has a line for each:

    NAME SCOPES SHA256 [PER_SECOND]
    frontend infer 6d1f... 50
    release  infer,admin 0b77...

Keys are 256 random bits, so that a plain hash of one cannot be turned back.
"""

import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, NoReturn, TypeAlias, final, get_args

from vaekit.errors import SpecError
from vaekit.serving.exchange import Exchange
from vaekit.serving.refusals import ForbiddenError, UnauthenticatedError

VARIABLE: Final = "VAEKIT_API_KEYS"
PREFIX: Final = "vk_"
Scope: TypeAlias = Literal["infer", "admin"]
SCOPES: Final[tuple[Scope, ...]] = get_args(Scope)
_NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_A_KEY: Final = re.compile(rf"{PREFIX}[\w-]{{20,}}")


def without_keys(text: str) -> str:
    """A text without what looks like a key in it, wherever somebody has put one.

    Example:
        >>> without_keys("/v1/models/vk_0123456789abcdefghij")
        '/v1/models/(a key)'
    """
    return _A_KEY.sub("(a key)", text)


@final
@dataclass(frozen=True, slots=True)
class Key:
    """What is known of one key.

    Args:
        name: For logs and metrics.
        scopes: What it opens.
        digest: sha256 of the key, in hexadecimal digits.
        per_second: Requests that it may make; as many as it likes where absent.
    """

    name: str
    scopes: frozenset[str]
    digest: str
    per_second: float | None = None

    @property
    def line(self) -> str:
        """As it stands in a file."""
        rate = "" if self.per_second is None else f" {self.per_second:g}"
        scopes = ",".join(scope for scope in SCOPES if scope in self.scopes)
        return f"{self.name} {scopes} {self.digest}{rate}"


def new_key(name: str, scopes: Iterable[str], per_second: float | None = None) -> tuple[str, Key]:
    """A new key: itself, which is kept nowhere here, and what to write down of it.

    Raises:
        SpecError: A name or a scope cannot be used.
    """
    secret = PREFIX + secrets.token_urlsafe(32)
    made = Key(name, frozenset(scopes), _digest(secret), per_second)
    return secret, keys_from_text(made.line, "the new key")[0]


def keys_from_text(text: str, where: str) -> tuple[Key, ...]:
    """Keys of a file, or of the environment variable, where `;` may end a line.

    Raises:
        SpecError: A line is none.
    """
    found: dict[str, Key] = {}
    for number, line in enumerate(re.split(r"[\n;]", text), start=1):
        fields = line.split()
        if not fields or fields[0].startswith("#"):
            continue
        key = _key(fields, f"{where}, line {number}")
        if key.name in found:
            _wrong(f"{where}, line {number}", f"the name {key.name} twice")
        found[key.name] = key
    return tuple(found.values())


def configured_keys(file: Path | None) -> tuple[Key, ...]:
    """Keys of a file and of the environment.

    Raises:
        SpecError: The file cannot be read, or holds a line that is none.
    """
    keys = keys_from_text(os.environ.get(VARIABLE, ""), VARIABLE)
    return keys if file is None else keys + keys_from_file(file)


def keys_from_file(file: Path) -> tuple[Key, ...]:
    """Keys of a file.

    Raises:
        SpecError: It cannot be read, or holds a line that is none.
    """
    try:
        content = file.expanduser().read_text()
    except (OSError, ValueError) as error:
        raise SpecError(
            "The file of keys cannot be read.",
            where=file,
            found=getattr(error, "strerror", "no text"),
            remedy=f"vaekit keys new NAME --file {file}",
        ) from error
    return keys_from_text(content, str(file))


def add_to_file(file: Path, key: Key) -> None:
    """Adds a key to a file, which only its owner can read.

    Raises:
        SpecError: The name is taken, or the file cannot be written.
    """
    known = keys_from_file(file) if file.exists() else ()
    keys_from_text("\n".join(k.line for k in (*known, key)), str(file))
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "w") as opened:
            opened.write(key.line + "\n")
    except OSError as error:
        raise SpecError(
            "The file of keys cannot be written.", where=file, found=error.strerror
        ) from error


@final
class Keyring:
    """Knows who asks.

    Args:
        keys: Who may; None where everybody may do everything.
    """

    def __init__(self, keys: Iterable[Key] | None) -> None:
        self.keys = None if keys is None else tuple(keys)

    def admit(self, exchange: Exchange, scope: Scope) -> Key | None:
        """Who asks, if that is somebody who may.

        Raises:
            UnauthenticatedError: It is nobody that is known.
            ForbiddenError: The key does not open this.
        """
        if self.keys is None:
            return None
        given = _presented(exchange)
        digest, found = _digest(given), None
        for key in self.keys:  # all of them, so that the time says nothing
            if hmac.compare_digest(key.digest, digest):
                found = key
        if found is None or not given:
            raise UnauthenticatedError(
                "This needs a key." if not given else "This key is not known here.",
                expected="Authorization: Bearer KEY, or X-API-Key: KEY",
            )
        exchange.key = found.name
        if scope not in found.scopes:
            raise ForbiddenError(
                "This key does not open this.",
                expected=f"the scope {scope}",
                found=", ".join(sorted(found.scopes)),
            )
        return found


def _presented(exchange: Exchange) -> str:
    kind, _, value = exchange.headers.get(b"authorization", b"").partition(b" ")
    if kind.lower() != b"bearer":
        value = exchange.headers.get(b"x-api-key", b"")
    return value.strip().decode("latin-1")


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _key(fields: list[str], where: str) -> Key:
    if len(fields) not in (3, 4):
        _wrong(where, f"{len(fields)} fields")
    name, scopes, digest = fields[0], frozenset(fields[1].split(",")), fields[2].lower()
    if not _NAME.fullmatch(name):
        _wrong(where, f"the name {_shown(name)}")
    if not scopes <= {*SCOPES}:
        _wrong(where, f"the scopes {_shown(fields[1])}")
    if not re.fullmatch("[0-9a-f]{64}", digest):
        _wrong(where, "something else where the hash would be")
    try:
        per_second = float(fields[3]) if len(fields) == 4 else None
    except ValueError:
        _wrong(where, f"the rate {_shown(fields[3])}")
    if per_second is not None and not 0 < per_second < float("inf"):
        _wrong(where, f"the rate {_shown(fields[3])}")
    return Key(name, scopes, digest, per_second)


def _shown(field: str) -> str:
    """A field for a message, which goes into a log: a key in a wrong place is not shown."""
    return "that is a key" if PREFIX in field else repr(field[:20])


def _wrong(where: str, found: str) -> NoReturn:
    raise SpecError(
        "A key cannot be read.",
        where=where,
        expected="NAME SCOPES SHA256 [PER_SECOND], as `vaekit keys new` writes it; "
        f"scopes are {' and '.join(SCOPES)}, with a comma between",
        found=found,
    )
