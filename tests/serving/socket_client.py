"""Bytes to a port, and the bytes that come back: what no client of a library would send."""

import socket


def post(body: bytes, *headers: str, path: str, length: str | None = None) -> bytes:
    """The bytes of a request."""
    said = str(len(body)) if length is None else length
    lines = [f"POST {path} HTTP/1.1", "Host: a", f"Content-Length: {said}", *headers]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def answer(port: int, request: bytes, is_cut: bool = False) -> tuple[int, str]:
    """Status and body of the answer; 0 where the connection ends without one.

    Args:
        port: Of this machine.
        request: Whatever it is.
        is_cut: Whether to end this half of the connection behind it.
    """
    found = bytearray()
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        try:
            client.sendall(request)
            if is_cut:
                client.shutdown(socket.SHUT_WR)
            while not _is_whole(found) and (more := client.recv(65536)):
                found += more
        except ConnectionError:  # it closed while it was sent to: what it said may be lost
            pass
    if not found:
        return 0, ""
    head, _, said = bytes(found).partition(b"\r\n\r\n")
    return int(head[9:12]), said.decode()


def _is_whole(found: bytearray) -> bool:
    head, end, said = bytes(found).partition(b"\r\n\r\n")
    length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
    return bool(end) and len(said) >= int(length)
