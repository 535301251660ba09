"""Entries of a log: a line, and the lines that belong to it.

Programs write one thing over several lines: a failure and its trace, a message that has lines, a
statement below its error. An *entry* is all lines of one container and stream from its first to its
last; what others write between is none of it. An entry is known from its lines alone, read in
order: it may grow, and take in lines that stood alone until a frame proved that they are its own; it
never gives one back. So who has read from an earlier line on knows of an entry at least what who
began later does.

A line that begins as a line of a log does, with a time or its level, belongs to no line before it
but for the few that a database or a logger of two lines writes so.
"""

from __future__ import annotations

from collections.abc import Iterable

from cloudbang.domain.entry import Entry
from cloudbang.domain.entry_stream import EntryStream
from cloudbang.domain.line_shape import DIGITS, KNOWN_BYTES, Shape, known, shape_of
from cloudbang.domain.lines import TEXT_AT

STREAMS_AT_MOST = 1_000  # of containers that are gone


class EntryReader:
    """Finds the entries of one log, of whose lines it is given every one in order."""

    def __init__(self) -> None:
        self._streams: dict[bytes, EntryStream] = {}

    def read(
        self, first: int, records: Iterable[bytes]
    ) -> tuple[list[str | None], dict[int, Entry]]:
        """Of consecutive records: the level that each gives itself, and by their first seq the
        entries of several lines that these made or made longer."""
        levels: list[str | None] = []
        grown: dict[int, Entry] = {}
        tell, get = levels.append, known.get
        key, stream = b"", None
        # Written for speed: what :meth:`feed` does, with little more than look-ups for most lines.
        for seq, raw in enumerate(records, first):
            if raw[31:50] != key:
                key = raw[31:50]
                stream = self._stream(key)
            if stream is None:
                tell(None)
                continue
            shape = get(raw[TEXT_AT:].translate(DIGITS)) if len(raw) <= KNOWN_BYTES else None
            if shape is None:
                shape = shape_of(raw)
            tell(shape.level)
            lone = stream.lone
            if (shape.alone and not stream.stamp) or (
                lone is not None and shape.plain and lone[2].dull
            ):
                stream.lone, stream.last = (seq, raw, shape), raw
            elif (entry := stream.feed(seq, raw, shape)) is not None:
                grown[entry.first] = entry
        return levels, grown

    def errors(self, first: int, records: Iterable[bytes]) -> int:
        """How many entries of consecutive records are errors, or have become one: a failure and all
        it is told with counts once."""
        count = 0
        for seq, raw in enumerate(records, first):
            stream = self._streams.get(raw[31:50])
            before = stream.open if stream else (0, None)
            self.feed(seq, raw)
            stream = stream or self._streams.get(raw[31:50])
            now = stream.open if stream else (0, None)
            count += now[1] == "error" and now != before
        return count

    def feed(
        self, seq: int, raw: bytes, shape: Shape | None = None
    ) -> tuple[str | None, Entry | None]:
        """The same of one record, with its LF; ``shape`` where it is known."""
        stream = self._stream(raw[31:50])
        if stream is None:
            return None, None
        if shape is None:
            shape = shape_of(raw)
        return shape.level, stream.feed(seq, raw, shape)

    def _stream(self, key: bytes) -> EntryStream | None:
        """Of a container and stream; None of what CloudBang itself says."""
        if key[13:] == b"marker":
            return None
        stream = self._streams.get(key)
        if stream is None:
            if len(self._streams) >= STREAMS_AT_MOST:
                self._streams.pop(next(iter(self._streams)))
            stream = self._streams[key] = EntryStream()
        return stream
