"""Where a reader's lines leave to: stored first, published second."""

from __future__ import annotations

import logging
import time
from typing import Protocol

import gevent
import orjson
from gevent.event import Event

from cloudbang.domain.lines import rows
from cloudbang.errors import StorageFailed, StorageFull

log = logging.getLogger(__name__)

ROOM = 2 * 1024 * 1024
"""Bytes that may wait for the disk. Overload policy: the reader waits, the engine holds the rest."""

PACE = 0.01
"""Seconds between the starts of two writes of one container: in a flood each write costs as much as
a hundred lines. Who has not logged for this long does not wait."""
MUCH = 512 * 1024  # bytes that do not wait for it

RETRY = 1.0  # seconds between two tries while the disk is full
MESSAGE_LINES, MESSAGE_BYTES = 500, 256 * 1024


class Store(Protocol):
    def append(self, app: str, records: list[bytes]) -> int: ...


class Bus(Protocol):
    def send(self, topic: str, header: bytes, body: bytes) -> None: ...
    def wanted(self, topic: str) -> bool: ...


class AppendQueue:
    """The lines of one container on their way to the store and the bus, in order.

    Reading goes on while the disk works, which is what keeps up with a flood.
    """

    def __init__(self, store: Store, publisher: Bus, app: str) -> None:
        self.app = app
        self.stored = 0  # lines
        self._store, self._publisher = store, publisher
        self._topic = f"log/{app}/"
        self._waiting: list[bytes] = []
        self._size = 0
        self._wake = Event()
        self._empty = Event()
        self._empty.set()

    def put(self, records: list[bytes], size: int) -> None:
        """Hand over lines of about ``size`` bytes; waits while there is no room."""
        self._waiting.extend(records)
        self._size += size
        if not self._wake.is_set():
            self._empty.clear()
            self._wake.set()
        while self._size > ROOM:
            gevent.sleep(0.005)

    def drain(self, timeout: float | None = None) -> bool:
        """Wait until everything handed over is stored; False when ``timeout`` passed first."""
        return bool(self._empty.wait(timeout))

    def run(self) -> None:
        """Store and publish what is handed over, for ever."""
        began = 0.0
        while True:
            self._wake.wait()
            early = began + PACE - time.monotonic()
            if early > 0 and self._size < MUCH:
                gevent.sleep(early)
            began = time.monotonic()
            # What comes while these lines are written goes with the next write.
            records, size = self._waiting, self._size
            self._waiting = []
            first = self._append(records)
            self._size -= size
            self.stored += len(records)
            if not self._waiting:
                self._wake.clear()
                self._empty.set()
            if self._publisher.wanted(self._topic):
                self._publish(first, records)

    def _append(self, records: list[bytes]) -> int:
        told = False
        while True:
            try:
                return self._store.append(self.app, records)
            except (StorageFull, StorageFailed) as e:
                # Nothing of these lines was written. They wait here, the rest with the engine.
                if not told:
                    log.warning("lines of %s wait: %s", self.app, e)
                told = True
                gevent.sleep(RETRY)

    def _publish(self, first: int, records: list[bytes]) -> None:
        for part in _portions(records):
            header = b'{"v":1,"first":%d,"next":%d}' % (first, first + len(part))
            self._publisher.send(self._topic, header, orjson.dumps(rows(first, part)))
            first += len(part)


def _portions(records: list[bytes]) -> list[list[bytes]]:
    """Messages of at most 500 lines and about 256 KiB."""
    if len(records) <= MESSAGE_LINES and sum(map(len, records)) <= MESSAGE_BYTES:
        return [records]
    found: list[list[bytes]] = [[]]
    size = 0
    for raw in records:
        if found[-1] and (len(found[-1]) >= MESSAGE_LINES or size + len(raw) > MESSAGE_BYTES):
            found.append([])
            size = 0
        found[-1].append(raw)
        size += len(raw)
    return found
