"""Events are kept and published, each once, whoever tells of it; nobody who tells waits for it.

What is told goes into a queue. One greenlet takes from it what is there, writes it in one
transaction, and publishes what was new. While the database is away (locked by another program, a
full disk) the queue holds what comes and the same batch is tried again.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import islice
from typing import Protocol

import orjson
from gevent.event import Event as Flag
from gevent.lock import BoundedSemaphore

from cloudbang.core.counters import export
from cloudbang.core.deadline import UNHURRIED, Deadline
from cloudbang.core.retry import Attempts
from cloudbang.core.supervise import Supervisor
from cloudbang.domain.events import Event
from cloudbang.domain.lines import format_time
from cloudbang.errors import StorageFailed, StorageFull
from cloudbang.events.reconcile import Near, is_news

log = logging.getLogger(__name__)

# Overload: the newest are dropped and counted. What the queue holds was told first; and what a
# container remembers of itself, its last start and end, is found out again by an inspection.
MOST_WAITING = 10_000  # events
MOST_BYTES = 8 * 1024 * 1024  # of them as JSON

STOP_WITHIN = 1.0  # seconds in which what waits is written at the end
BATCH = 200  # events in one transaction: some 50 ms, in which nobody else writes


class Events(Protocol):
    """The store of events."""

    def add_batch(
        self, batch: Sequence[Event], is_news: Callable[[Event, Near], bool]
    ) -> list[Event]: ...
    def forget(self, app: str) -> int: ...


class Bus(Protocol):
    def send(self, topic: str, header: bytes, body: bytes) -> None: ...


class EventRecorder:
    """The way of an event into the database and onto the bus; a sink of the inventory's."""

    def __init__(
        self, events: Events, publisher: Bus, oldest: Callable[[], str] = lambda: ""
    ) -> None:
        """``oldest()``: what happened before this time (RFC 3339) is not kept; see retention."""
        self.recorded = 0
        self.dropped = 0
        self._events, self._publisher, self._oldest = events, publisher, oldest
        self._waiting: deque[tuple[Event, int]] = deque()  # each with its size in bytes
        self._bytes = 0
        self._some, self._none = Flag(), Flag()
        self._none.set()
        # Held while the head of the queue is written, and while events are forgotten.
        self._turn = BoundedSemaphore(1)
        self._told: dict[int, None] = {}
        self._listeners: list[Callable[[], None]] = []
        self._facts: dict[str, Callable[[Event], dict[str, object]]] = {}
        self._supervisor = Supervisor("events")
        recorded, dropped = "Events stored and published.", "Events not kept: too many waited."
        export(self, "events", counters={"dropped": dropped})
        export(self, "events", gauges={"waiting": "Events told and not stored yet."})
        export(self, "events", counters={"recorded": recorded}, of_teams=True)

    @property
    def waiting(self) -> int:
        """How many are told and not written yet."""
        return len(self._waiting)

    # --- what others tell ---------------------------------------------------------------------

    def record(self, *events: Event) -> None:
        """Take these over, in their order. Never waits, never raises."""
        for event in map(self._completed, events):
            try:
                size = len(orjson.dumps(event.as_json()))
            except TypeError as e:
                self._drop(event, f"it cannot be written down: {e}")
                continue
            if len(self._waiting) >= MOST_WAITING or self._bytes + size > MOST_BYTES:
                self._drop(event, "too many wait to be written")
                continue
            self._waiting.append((event, size))
            self._bytes += size
        if self._waiting:
            self._none.clear()
            self._some.set()

    def action(self, app: str, container: str, who: str, what: str, **more: object) -> None:
        """What a person did; ``what`` is a word for programs, such as ``terminal-open``."""
        now = format_time(time.time_ns())
        self.record(Event(app, now, "action", container, {"who": who, "what": what, **more}))

    def complete(self, kind: str, facts: Callable[[Event], dict[str, object]]) -> None:
        """Have ``facts`` say what more is known of each event of a kind, at the moment in which it
        is told. On the hub; may not wait."""
        self._facts[kind] = facts

    def _completed(self, event: Event) -> Event:
        facts = self._facts.get(event.kind)
        if facts is None:
            return event
        try:
            return replace(event, data={**facts(event), **event.data})
        except Exception:
            log.exception("what more is known of an event was not found out")
            return event

    def listen(self, callback: Callable[[], None]) -> None:
        """Be told each time that new events are stored. On the hub; may neither wait nor raise."""
        self._listeners.append(callback)

    def forget(self, app: str) -> int:
        """Delete all events of an app, those that still wait as well; gives how many were kept.

        Blocks the calling greenlet. Raises StorageFull, StorageFailed.
        """
        with self._turn:
            rest = [(event, size) for event, size in self._waiting if event.app != app]
            self._waiting = deque(rest)
            self._bytes = sum(size for _, size in rest)
            self._look_whether_empty()
            return self._events.forget(app)

    # --- running ------------------------------------------------------------------------------

    def start(self) -> None:
        self._supervisor.run("record", self._write)

    def stop(self, deadline: Deadline = UNHURRIED) -> None:
        """Write what waits, as far as there is time for it."""
        if len(self._supervisor):
            self._none.wait(deadline.at_most(STOP_WITHIN))
        self._supervisor.stop(deadline)
        if self._waiting:
            log.warning("%d events were not written down any more", len(self._waiting))

    def _write(self) -> None:
        database = Attempts(
            *(0.2, 5),
            begins=lambda why: log.warning("events wait, they cannot be written down: %s", why),
            ends=lambda: log.info("events are written down again"),
        )
        while True:
            self._some.wait()
            try:
                with self._turn:
                    if self._waiting:  # else all of it was forgotten meanwhile
                        self._write_head()
            except (StorageFull, StorageFailed) as e:
                database.wait(database.failed(str(e)))
                continue
            database.went_well()

    def _write_head(self) -> None:
        """Write and publish the head of the queue, and only then take it off."""
        batch = [event for event, _ in islice(self._waiting, BATCH)]
        kept = self._keep(batch)
        self.recorded += len(kept)
        for event in kept:
            body = orjson.dumps(event.as_json())
            self._publisher.send(f"event/{event.app}/", b'{"v":1}', body)
        if kept:
            for listener in self._listeners:
                listener()
        for _ in batch:
            self._bytes -= self._waiting.popleft()[1]
        self._look_whether_empty()

    def _look_whether_empty(self) -> None:
        if not self._waiting:
            self._some.clear()
            self._none.set()

    def _keep(self, batch: Sequence[Event]) -> list[Event]:
        told = self._told.copy()  # if it fails, nothing of it was seen
        oldest = self._oldest()
        try:
            kept = self._events.add_batch(
                batch, lambda event, near: event.time >= oldest and is_news(event, near, told)
            )
        except (StorageFull, StorageFailed):
            raise
        except Exception as e:
            if len(batch) == 1:  # one that the database does not take stops no other
                self._drop(batch[0], f"it cannot be written down: {e!r}")
                return []
            return [event for one in batch for event in self._keep([one])]
        self._told = told
        return kept

    def _drop(self, event: Event, why: str) -> None:
        if self.dropped % 1000 == 0:  # the first, and of a flood few
            log.warning("an event of %s (%s) is not kept: %s", event.app, event.kind, why)
        self.dropped += 1
