"""Lines that are not ended, as they are now: told to who looks, a few times a second.

They are not stored: their readers read them again. Each is bounded (``domain/partial_line``), a
container has two at most, and of an app so many are told. Overload policy: what changed since
the last message is told in the next one; what was between is of no use to anybody.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Protocol

import gevent
import orjson
from gevent.event import Event

from cloudbang.core.deadline import UNHURRIED, Deadline
from cloudbang.core.supervise import Supervisor
from cloudbang.domain.partial_line import PartialLine

EVERY = 0.25  # seconds between two messages about an app
SETTLED = 0.3  # seconds after which a line is one that is not ended, and not one that just comes
TOLD = 20  # of an app, the newest


class Bus(Protocol):
    """What is asked of the publisher."""

    def send(self, topic: str, header: bytes, body: bytes) -> None: ...
    def wanted(self, topic: str) -> bool: ...


class PartialLines:
    """Of each app the lines that are not ended."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        # By app, container and stream: the line, and when it was first told of.
        self._lines: dict[str, dict[tuple[str, str], tuple[PartialLine, float]]] = {}
        self._told: dict[str, list[PartialLine]] = {}
        self._changed: set[str] = set()
        self._wake = Event()
        self._supervisor = Supervisor("partial-lines")

    def start(self) -> None:
        self._supervisor.run("tell", self._run)

    def stop(self, deadline: Deadline = UNHURRIED) -> None:
        self._supervisor.stop(deadline)

    def put(self, app: str, container: str, lines: Sequence[PartialLine]) -> None:
        """These and no others are the lines of ``container`` that are not ended."""
        known = self._lines.get(app, {})
        kept = {place: one for place, one in known.items() if place[0] != container}
        now = time.monotonic()
        for line in lines:
            before = known.get(line.place)
            since = before[1] if before and before[0].time == line.time else now
            kept[line.place] = (line, since)
        if kept:
            self._lines[app] = kept
        else:
            self._lines.pop(app, None)
        self._changed.add(app)
        self._wake.set()

    def of(self, app: str) -> list[PartialLine]:
        """Those that are not ended for a while, the oldest first."""
        since = time.monotonic() - SETTLED
        lines = [line for line, begun in self._lines.get(app, {}).values() if begun <= since]
        return sorted(lines)[-TOLD:]

    def _run(self) -> None:
        while True:
            self._wake.wait()
            gevent.sleep(EVERY)
            self._wake.clear()
            changed, self._changed = self._changed, set()
            for app in changed:
                self._tell(app)

    def _tell(self, app: str) -> None:
        lines = self.of(app)
        if len(lines) < min(TOLD, len(self._lines.get(app, ()))):
            self._changed.add(app)  # some may yet be
            self._wake.set()
        if lines != self._told.get(app, []):
            topic = f"partial/{app}/"
            if self._bus.wanted(topic):
                self._bus.send(topic, b'{"v":1}', orjson.dumps([list(line) for line in lines]))
            if lines:
                self._told[app] = lines
            else:
                self._told.pop(app, None)
