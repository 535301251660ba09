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

    def keep(self, lines: Lines) -> Lines | None:
        """The lines that pass, with what they are; None when none does."""
        container, stream = self
        chosen = [
            (line, level)
            for line, level in zip(lines.rows, lines.levels, strict=True)
            if (container is None or line[2] == container) and (stream is None or line[3] == stream)
        ]
        if not chosen:
            return None
        kept = [line for line, _ in chosen]
        extents = [
            extent
            for extent in lines.extents
            if (container is None or extent[3] == container)
            and (stream is None or extent[4] == stream)
        ]
        levels = [level for _, level in chosen]
        return Lines(lines.first, lines.next, orjson.dumps(kept), kept, levels, extents)


EVERYTHING = Filter()


class Lines:
    """Consecutive lines from ``first`` up to but without ``next``; ``body`` their JSON array,
    ``levels`` what each says of itself, ``extents`` the entries of several lines that they are in."""

    __slots__ = ("_rows", "body", "extents", "first", "levels", "next")

    def __init__(
        self,
        first: int,
        next_seq: int,
        body: bytes,
        found: Sequence[Row] | None,
        levels: Sequence[str | None],
        extents: Sequence[Sequence[Any]],
    ) -> None:
        self.first, self.next, self.body, self._rows = first, next_seq, body, found
        self.levels, self.extents = levels, extents

    @property
    def rows(self) -> Sequence[Row]:
        """Taken from the body when somebody wants them: who sees everything does not."""
        if self._rows is None:
            self._rows = orjson.loads(self.body)
        return self._rows

    @property
    def message(self) -> bytes:
        """The members of the ``lines`` message, without its channel."""
        levels = extents = b""
        if any(self.levels):  # most programs' lines say nothing of themselves
            levels = b',"levels":%b' % orjson.dumps(self.levels)
        if self.extents:
            extents = b',"entries":%b' % orjson.dumps(self.extents)
        return b'"lines":%b%b%b}' % (self.body, levels, extents)


def read_lines(received: Message, known: int) -> Lines:
    """The lines of a ``log/<app>/`` message that this process published. Raises Malformed.

    ``known`` is the seq that the app's next line will get: what is published was stored first. The
    body goes to browsers as it is, unread: the mark has proved it.
    """
    header = read_header(received.header)
    first, next_seq = header.get("first"), header.get("next")
    if type(first) is not int or type(next_seq) is not int or not 0 < first < next_seq <= known:
        raise Malformed(f"lines {first!r} to {next_seq!r} are not in the store")
    levels, extents = header.get("levels"), header.get("entries")
    if type(levels) is not list or len(levels) != next_seq - first:
        levels = [None] * (next_seq - first)
    extents = extents if type(extents) is list else []
    return Lines(first, next_seq, received.body, None, levels, extents)


def join(parts: Sequence[Lines]) -> Lines:
    """Consecutive parts as one: one frame costs less than several."""
    if len(parts) == 1:
        return parts[0]
    body = b"[%b]" % b",".join(part.body.strip()[1:-1] for part in parts)
    levels = [level for part in parts for level in part.levels]
    extents = {extent[0]: extent for part in parts for extent in part.extents}
    return Lines(parts[0].first, parts[-1].next, body, None, levels, list(extents.values()))
