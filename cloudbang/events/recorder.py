"""What happened to containers, kept as events and published: each once, whoever tells of it.

The engine tells of most as it happens. What happened while nobody listened is told by the
times that it remembers of each container.
"""

from __future__ import annotations

import logging
import time
from typing import Protocol

import orjson
from gevent.lock import BoundedSemaphore

from cloudbang.domain.apps import Instance
from cloudbang.domain.events import Event
from cloudbang.domain.lines import format_time, parse_time
from cloudbang.engine import EngineEvent
from cloudbang.errors import StorageFailed, StorageFull

log = logging.getLogger(__name__)

SAME_NS = 2 * 10**9
"""An event's time and the time remembered by the container differ a little: the engine stamps
them apart. Two of one kind within these nanoseconds are taken for the same when one was only
found out afterwards."""

_REMEMBERED = ("create", "start", "oom", "die")  # what an inspection tells, too

MOST = 500  # events of an app that are looked through at a time

_KINDS = {"destroy": "remove"} | {
    kind: kind for kind in ("create", "start", "restart", "die", "oom", "pause", "unpause")
}


class Events(Protocol):
    """The store of events."""

    def add(self, event: Event) -> Event | None: ...
    def list(
        self, app: str, since: str | None = None, until: str | None = None, limit: int = 500
    ) -> list[Event]: ...


class Bus(Protocol):
    def send(self, topic: str, header: bytes, body: bytes) -> None: ...


class EventRecorder:
    """Keeps and publishes the events of containers."""

    def __init__(self, events: Events, publisher: Bus) -> None:
        self._events, self._publisher = events, publisher
        # Looking whether something is known and keeping it is one step: two tell of the same.
        self._turn = BoundedSemaphore(1)
        self._told: dict[int, None] = {}  # found out by inspection, and told by the engine since

    def keep(self, told: EngineEvent, app: str) -> None:
        """One event as the engine told it; unknown again means nothing happens."""
        data: dict[str, object] = {}
        kind = _KINDS.get(told.action)
        if told.action.startswith("health_status: "):
            kind, data = "health", {"status": told.action.removeprefix("health_status: ")}
        if kind is None:
            return
        if kind == "die":
            code = told.attributes.get("exitCode", "")
            data = _exit(int(code) if code.isdecimal() else None)
        event = Event(app, told.time, kind, told.container[:12], data)
        with self._turn:
            if kind not in _REMEMBERED or not self._found_out_before(event):
                self._add(event)

    def _found_out_before(self, event: Event) -> bool:
        """Whether this is what an inspection told first: then it is known, by another time."""
        try:
            at = parse_time(event.time)
            near = self._between(event.app, at, at) or []
        except (StorageFull, StorageFailed):
            return False
        same = [e for e in near if e.kind == event.kind and e.container == event.container]
        if any(e.time == event.time for e in same):
            return True
        for known in same:
            # One inspection told of one event: a second one so soon is another.
            if known.data.get("source") == "inspection" and known.id not in self._told:
                self._told[known.id] = None
                while len(self._told) > MOST:
                    del self._told[next(iter(self._told))]
                return True
        return False

    def action(self, app: str, container: str, who: str, what: str) -> None:
        """What a person did; ``what`` is a word for programs, such as ``terminal-open``."""
        now = format_time(time.time_ns())
        self._add(Event(app, now, "action", container, {"who": who, "what": what}))

    def reconcile(self, instance: Instance) -> None:
        """What the container remembers of itself and nobody told."""
        ended = instance.state in ("exited", "dead")
        # The exit code of a run before the present one is not remembered.
        remembered: list[tuple[str, str | None, dict[str, object]]] = [
            ("create", instance.created, {}),
            ("start", instance.started_at, {}),
            ("oom", instance.finished_at if ended and instance.oom_killed else None, {}),
            ("die", instance.finished_at, _exit(instance.exit_code) if ended else {}),
        ]
        found = [(kind, time, data) for kind, time, data in remembered if time]
        times = [parse_time(time) for _, time, _ in found]
        with self._turn:
            self._keep_missing(instance, found, times)

    def _keep_missing(
        self,
        instance: Instance,
        found: list[tuple[str, str, dict[str, object]]],
        times: list[int],
    ) -> None:
        try:
            known = self._between(instance.app, min(times), max(times))
            for (kind, time, data), at in zip(found, times, strict=True):
                near = known if known is not None else self._between(instance.app, at, at) or []
                if not any(
                    e.kind == kind
                    and e.container == instance.short
                    and abs(parse_time(e.time) - at) <= SAME_NS
                    for e in near
                ):
                    found_out = {**data, "source": "inspection"}
                    self._add(Event(instance.app, time, kind, instance.short, found_out))
        except (StorageFull, StorageFailed) as e:
            log.warning("events cannot be read: %s", e)

    def _between(self, app: str, first: int, last: int) -> list[Event] | None:
        """The events of that time and a little around it (ns); None when they are too many."""
        since, until = format_time(max(first - SAME_NS, 0)), format_time(last + SAME_NS)
        found = self._events.list(app, since, until, MOST)
        return found if len(found) < MOST or first == last else None

    def _add(self, event: Event) -> None:
        """Stored first, published second."""
        try:
            kept = self._events.add(event)
        except (StorageFull, StorageFailed) as e:
            log.warning("an event of %s (%s) is not kept: %s", event.app, event.kind, e)
            return
        if kept is not None:
            self._publisher.send(f"event/{event.app}/", b'{"v":1}', orjson.dumps(kept.as_json()))


def _exit(code: int | None) -> dict[str, object]:
    """The exit code, and the signal that it stands for."""
    if code is None:
        return {}
    data: dict[str, object] = {"exit_code": code}
    if 128 < code < 193:
        data["signal"] = code - 128
    return data
