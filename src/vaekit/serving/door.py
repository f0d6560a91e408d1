"""The socket that all processes of a service share: how it opens, and how it is shut.

A socket that is closed sends away whoever has connected and was not accepted yet, though that
client may have sent its request already. So the door is shut first: the kernel lets nobody new
in, the processes accept who is there, and only then is it closed.
"""

import contextlib
import ctypes
import socket
import struct
from typing import Final

from vaekit.errors import SpecError
from vaekit.serving.settings import Settings

SO_ATTACH_FILTER: Final = 26
"""Of Linux; Python's `socket` does not know it."""
_INSTRUCTIONS: Final = (
    (0x30, 0, 0, 13),  # load the flags, byte 13 of the TCP header
    (0x45, 0, 1, 0x02),  # SYN, which asks for a connection? the next line; else the one after it
    (0x06, 0, 0, 0),  # drop
    (0x06, 0, 0, 0xFFFF_FFFF),  # keep
)


def listening(settings: Settings) -> socket.socket:
    """The socket that all processes share.

    Raises:
        SpecError: The address cannot be had.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # With its protocol named, asyncio sends without Nagle's delay of forty milliseconds.
    door = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        door.bind((settings.host, settings.port))
        door.listen(2048)
    except OSError as error:
        door.close()
        raise SpecError(
            "This address cannot be listened on.",
            where=f"--host {settings.host} --port {settings.port}",
            found=error.strerror or error,
            remedy="choose another port, or end what listens there",
        ) from error
    door.set_inheritable(True)
    return door


def shut(door: socket.socket) -> None:
    """Lets nobody new in, through any process; who has begun to come in still does.

    Where the kernel has no such filter, it is as if nothing had been asked for.
    """
    program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *i) for i in _INSTRUCTIONS))
    described = struct.pack("HP", len(_INSTRUCTIONS), ctypes.addressof(program))
    with contextlib.suppress(OSError):
        door.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, described)
