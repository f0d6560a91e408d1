"""Fetching one public file, without patience: there is always another source to try."""

import gzip
import http.client
import urllib.error
import urllib.request
import zlib

TIMEOUT_SECONDS = 5.0
LARGEST_BYTES = 200_000_000


class Unavailable(Exception):
    """A source that did not give what was asked of it; the message says why."""


def download(url: str) -> bytes:
    """The content at `url`.

    Raises:
        Unavailable: Where it cannot be had, or not whole.
    """
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as response:
            content = response.read(LARGEST_BYTES)
            announced = response.headers.get("Content-Length")
    except urllib.error.URLError as error:
        raise Unavailable(str(error.reason)) from error
    except (OSError, http.client.HTTPException) as error:
        raise Unavailable(str(error) or type(error).__name__) from error
    if announced is not None and len(content) != int(announced):
        raise Unavailable(f"broke off after {len(content)} of {announced} bytes")
    return content


def unzipped(content: bytes) -> bytes:
    """What gzip packed.

    Raises:
        Unavailable: Where `content` is damaged.
    """
    try:
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise Unavailable(f"damaged gzip data ({error})") from error
