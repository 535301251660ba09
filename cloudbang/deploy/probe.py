"""Whether an instance serves, asked from outside: it needs no shell, and no program, in the image."""

from __future__ import annotations

from contextlib import closing

import gevent
from gevent import socket

WITHIN = 3.0  # seconds that one answer may take
MOST = 64 * 1024  # bytes of an answer's head


def tcp(address: str, port: int, within: float = WITHIN) -> str:
    """Why nothing answers at that port; "" when something does."""
    try:
        socket.create_connection((address, port), within).close()
    except OSError as e:
        return f"port {port} does not answer: {_reason(e)}"
    return ""


def http(address: str, port: int, path: str, host: str = "", within: float = WITHIN) -> str:
    """Why ``GET path`` is not answered with 2xx or 3xx; "" when it is."""
    asked = (
        f"GET {path} HTTP/1.1\r\nHost: {host or address}\r\nUser-Agent: cloudbang-health\r\n"
        "Accept: */*\r\nConnection: close\r\n\r\n"
    )
    what = f"GET {path} at port {port}"
    with gevent.Timeout(within, False):
        try:
            with closing(socket.create_connection((address, port), within)) as sock:
                sock.sendall(asked.encode("utf-8", "surrogateescape"))
                head = b""
                while b"\n" not in head and len(head) < MOST:
                    more = sock.recv(4096)
                    if not more:
                        return f"{what} is not answered: the connection was closed"
                    head += more
        except OSError as e:
            return f"{what} is not answered: {_reason(e)}"
        parts = head.split(b"\n", 1)[0].split(b" ", 2)
        status = parts[1].strip() if len(parts) > 1 and parts[0].startswith(b"HTTP/") else b""
        if len(status) == 3 and status.isdigit():
            if status[:1] in (b"2", b"3"):
                return ""
            return f"{what} is answered with {status.decode()}"
        return f"{what} is answered by something that does not speak HTTP"
    return f"{what} is not answered within {within:g} s"


def _reason(error: OSError) -> str:
    return error.strerror or str(error) or type(error).__name__
