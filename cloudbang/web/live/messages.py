"""Lines as they come over the bus: looked through, filtered, joined. Nothing here waits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import orjson

from cloudbang.bus import Malformed, Message, read_header
from cloudbang.domain.lines import STREAMS
from cloudbang.domain.names import is_container_id
from cloudbang.errors import BadRequest

Row = Sequence[Any]


class Filter(NamedTuple):
    """What a viewer wants to see; None means all. Viewers with the same filter share frames."""

    container: str | None = None  # 12 hex digits
    stream: str | None = None

    @classmethod
    def of(cls, request: dict[str, Any]) -> Filter:
        """The filter a subscribe message asks for. Raises BadRequest."""
        container, stream = request.get("container"), request.get("stream")
        if container is not None and not (is_container_id(container)):
            raise BadRequest("container", container, "a container's id: 12 or 64 hex digits")
        if stream is not None and stream not in STREAMS:
            raise BadRequest("stream", stream, "one of " + ", ".join(STREAMS))
        return cls(container[:12] if container else None, stream)

    def keep(self, lines: Sequence[Row]) -> Sequence[Row]:
        """The rows that pass."""
        container, stream = self
        return [
            r
            for r in lines
            if (container is None or r[2] == container) and (stream is None or r[3] == stream)
        ]


EVERYTHING = Filter()


class Lines:
    """Consecutive lines from ``first`` up to but without ``next``; ``body`` their JSON array."""

    __slots__ = ("_rows", "body", "first", "next")

    def __init__(
        self, first: int, next_seq: int, body: bytes, found: Sequence[Row] | None = None
    ) -> None:
        self.first, self.next, self.body, self._rows = first, next_seq, body, found

    @property
    def rows(self) -> Sequence[Row]:
        """Taken from the body when somebody wants them: who sees everything does not."""
        if self._rows is None:
            self._rows = orjson.loads(self.body)
        return self._rows


def read_lines(received: Message, known: int) -> Lines:
    """The lines of a ``log/<app>/`` message that this process published. Raises Malformed.

    ``known`` is the seq that the app's next line will get: what is published was stored first. The
    body goes to browsers as it is, unread: the mark has proved it.
    """
    header = read_header(received.header)
    first, next_seq = header.get("first"), header.get("next")
    if type(first) is not int or type(next_seq) is not int or not 0 < first < next_seq <= known:
        raise Malformed(f"lines {first!r} to {next_seq!r} are not in the store")
    return Lines(first, next_seq, received.body)


def join(parts: Sequence[Lines]) -> Lines:
    """Consecutive parts as one: one frame costs less than several."""
    if len(parts) == 1:
        return parts[0]
    body = b"[%b]" % b",".join(part.body.strip()[1:-1] for part in parts)
    return Lines(parts[0].first, parts[-1].next, body)
