"""A request whose answer is a body that is read as it comes: logs, events, archives, pulls.

Asked over HTTP/1.0 the engine sends the bare body and closes at its end; one that insists on
chunks is understood too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from cloudbang.engine.connection import Address, EngineConnection

__all__ = ["Address", "EngineStream"]


class EngineStream(EngineConnection):
    """One answer, read as it comes. ``status`` is the HTTP status; the body follows.

    ``pieces``: a body that is sent as it is made. Not shared between greenlets. An end of the body is all the engine says, whether the container
    exited or the engine was stopped: ask the engine which.
    """

    def __init__(
        self,
        address: Address,
        path: str,
        timeout: float = 10.0,
        *,
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        pieces: Iterable[bytes] | None = None,
    ) -> None:
        version = "1.0" if pieces is None else "1.1"  # which knows of bodies without a length
        head = f"{method} {path} HTTP/{version}\r\nHost: docker\r\nUser-Agent: cloudbang\r\n"
        for name, value in (headers or {}).items():
            head += f"{name}: {value}\r\n"
        if body is not None:
            head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        if pieces is not None:
            head += "Connection: close\r\nTransfer-Encoding: chunked\r\n"
        request = f"{head}\r\n".encode() + (body or b"")
        super().__init__(address, request, timeout, () if pieces is None else _chunked(pieces))
        chunked = self.fields.get(b"transfer-encoding", b"").lower() == b"chunked"
        self._chunks = _Chunks() if chunked else None

    def read_now(self, limit: int = 65536) -> bytes | None:
        """What is there, at most ``limit`` bytes; None when nothing is; ``b""`` at the end."""
        data = super().read_now(limit)
        if self._chunks is None or not data:
            return data
        return self._chunks.feed(data)


def _chunked(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The transfer coding of HTTP/1.1 put on."""
    for piece in pieces:
        if piece:
            yield b"%x\r\n%b\r\n" % (len(piece), piece)
    yield b"0\r\n\r\n"


class _Chunks:
    """The transfer coding of HTTP/1.1 taken off."""

    def __init__(self) -> None:
        self._rest = b""
        self._left = 0  # bytes of the chunk that are still to come, its CR LF included
        self._ended = False

    def feed(self, data: bytes) -> bytes | None:
        """The body in these bytes; None when they hold none; ``b""`` at the end."""
        data = self._rest + data
        found, at = [], 0
        while not self._ended:
            if self._left:
                piece = data[at : at + self._left]
                if not piece:
                    break
                at += len(piece)
                self._left -= len(piece)
                # The last two bytes are CR LF.
                over = max(0, 2 - self._left)
                found.append(piece[: len(piece) - over] if over else piece)
                continue
            line_end = data.find(b"\r\n", at)
            if line_end < 0:
                break
            size = int(data[at:line_end].split(b";")[0] or b"0", 16)
            at = line_end + 2
            self._ended = size == 0
            self._left = size + 2 if size else 0
        self._rest = data[at:]
        body = b"".join(found)
        return body if body or self._ended else None
