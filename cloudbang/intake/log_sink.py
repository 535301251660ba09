"""Where lines come in: stored first, published second."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Protocol

import orjson

from cloudbang.domain.entries import EntryReader
from cloudbang.domain.lines import rows
from cloudbang.domain.partial_line import PartialLine
from cloudbang.domain.resume import ResumePoint
from cloudbang.intake.partial_lines import PartialLines
from cloudbang.storage.logs.log_store import Append, LogStore, Query, Stored

MESSAGE_LINES, MESSAGE_BYTES = 500, 256 * 1024  # of one message of the bus
CONTEXT = 200  # lines before those that are published first, which tell what these belong to


class Bus(Protocol):
    """What is asked of the publisher."""

    def send(self, topic: str, header: bytes, body: bytes) -> None: ...
    def wanted(self, topic: str) -> bool: ...


class StoreSink:
    """The :class:`~cloudbang.node.collector.sink.LogSink` of this process.

    Whoever appended, what a commit stored is published here, as few messages as hold it, and only
    for the apps that somebody listens to.
    """

    def __init__(self, store: LogStore, bus: Bus) -> None:
        self._store, self._bus = store, bus
        # By app, of those that somebody listens to: what is open, and the seq it goes on with.
        self._readers: dict[str, tuple[EntryReader, int]] = {}
        self.partial_lines = PartialLines(bus)
        store.on_stored.append(self._publish)

    def resume_point(self, app: str, container: str) -> ResumePoint | None:
        return self._store.resume_point(app, container)

    def stored_between(self, app: str, container: str, since: int, until: int) -> Counter[bytes]:
        return self._store.stored_between(app, container, since, until)

    def newest_of(self, app: str, container: str, lines: int, seconds: float) -> list[bytes]:
        return self._store.newest_of(app, container, lines, seconds)

    def append(self, app: str, records: list[bytes]) -> Append:
        return self._store.enqueue(app, records)

    def offer(self, app: str, records: list[bytes], patience: float) -> Append | None:
        """The same for who cannot wait; see :meth:`LogStore.offer`."""
        return self._store.offer(app, records, patience)

    def knows(self, app: str) -> bool:
        """Whether the app has a log already."""
        return app in self._store

    def __len__(self) -> int:
        """Apps that have one."""
        return len(self._store)

    def refuses(self, app: str) -> bool:
        """Whether the app's own folder takes nothing at the moment, while others' do."""
        return self._store.refuses(app)

    @property
    def trouble(self) -> str | None:
        """Why nothing can be stored at the moment, for anybody."""
        health = self._store.health
        return health.message if health else None

    def move(self, app: str, to: str, container: str) -> None:
        if self._store.resume_point(to, container) is not None:
            return
        others, receipt = False, None
        for lines in self._store.scan(app, Query()):
            its = [raw for _, raw in lines if raw[31:43] == container.encode()]
            others = others or len(its) != len(lines)
            if its:
                receipt = self._store.enqueue(to, its)
        if receipt is not None:
            receipt.wait()
            if receipt.error is not None:
                raise receipt.error
        if not others:
            self._store.delete_lines(app)

    def partial(self, app: str, container: str, lines: Sequence[PartialLine]) -> None:
        self.partial_lines.put(app, container, lines)

    def watched(self, app: str) -> bool:
        return self._bus.wanted(f"log/{app}/")

    def _publish(self, stored: Sequence[Stored]) -> None:
        for app, first, records in stored:
            topic = f"log/{app}/"
            if not self._bus.wanted(topic):
                self._readers.pop(app, None)
                continue
            reader = self._reader(app, first)
            for part in portions(records):
                following = first + len(part)
                levels, entries = reader.read(first, part)
                header = {
                    "v": 1,
                    "first": first,
                    "next": following,
                    "levels": levels,
                    "entries": [entry.extent for entry in entries.values()],
                }
                self._bus.send(topic, orjson.dumps(header), orjson.dumps(rows(first, part)))
                first = following
            self._readers[app] = reader, first

    def _reader(self, app: str, first: int) -> EntryReader:
        """What knows the entries that are open where the line ``first`` comes."""
        reader, following = self._readers.pop(app, (None, 0))
        if reader is None or following != first:
            reader = EntryReader()
            context = self._store.in_memory_before(app, first, CONTEXT)
            reader.read(first - len(context), context)
        return reader


def portions(records: list[bytes]) -> Iterator[list[bytes]]:
    """``records`` in pieces that fit a message: at most 500 lines and about 256 KiB."""
    if len(records) <= MESSAGE_LINES and sum(map(len, records)) <= MESSAGE_BYTES:
        yield records
        return
    part: list[bytes] = []
    size = 0
    for raw in records:
        if part and (len(part) >= MESSAGE_LINES or size + len(raw) > MESSAGE_BYTES):
            yield part
            part, size = [], 0
        part.append(raw)
        size += len(raw)
    yield part
