"""What was counted in the last minutes of what rules are about: 10 s at a time, packed.

It is what was committed; what was not yet is counted by whoever asks. Nothing is kept of what nobody
asks for.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from typing import NamedTuple

from gevent.event import Event

from cloudbang.core.wall_clock import passed
from cloudbang.domain.metrics.histogram import Histogram
from cloudbang.domain.metrics.tally import Tally
from cloudbang.errors import CloudBangError
from cloudbang.storage.traffic.store import FINE, TrafficStore

KEPT = 900 + 2 * FINE  # seconds: as far as a rule may look back, and those that are under way
ASKED = 120.0  # seconds after which what nobody asked for any more is let go of
LEAST = 30.0  # seconds of which something has to be known, before it says anything
LOOK_UP = 1.0  # seconds between two looks whether something has to be looked up


class Subject(NamedTuple):
    """``method`` "" for any, ``template`` "" for all that is asked of an app."""

    app: str
    method: str = ""
    template: str = ""


class Counted(NamedTuple):
    """Of 10 s that begin ``at``."""

    at: int
    requests: int
    errors: int
    latency: bytes


class Lately(NamedTuple):
    """What was counted in the last ``seconds``; ``latency`` of the answers alone."""

    requests: int
    errors: int
    latency: Histogram
    seconds: float


Fold = Callable[[str], str]
"""Of a template that was given earlier what it is now."""


Tallies = Mapping[tuple[str, int], Tally]


class RecentTraffic:
    """For the hub. What is asked for the first time is looked up in the store by a greenlet of its own,
    and not known until then: who asks waits for nothing."""

    def __init__(
        self,
        store: TrafficStore,
        turn: AbstractContextManager[object],
        waiting: Callable[[], Tallies],
        fold_of: Callable[[str], Fold],
        until: Callable[[], float | None],
    ) -> None:
        """``turn`` is held by who commits; ``waiting()``: what was counted and is not committed;
        ``fold_of(app)``: how its templates are called now; ``until()``: up to when all was counted,
        None while nobody knows."""
        self._store, self._turn, self._until = store, turn, until
        self._waiting, self._fold_of = waiting, fold_of
        self._parts: dict[Subject, deque[Counted]] = {}
        self._asked: dict[Subject, float] = {}  # by a clock that nobody sets
        self._since = 0.0

    def begin(self, since: float) -> None:
        """From then on every request was counted, or will be."""
        self._since = since

    def of(self, subject: Subject, seconds: float) -> Lately | None:
        """What was counted in the last ``seconds``; None where nobody knows."""
        self._asked[subject] = passed()
        parts, until = self._parts.get(subject), self._until()
        if parts is None or until is None:
            return None
        first = max(int(until - seconds) // FINE * FINE + FINE, int(self._since) // FINE * FINE)
        lasted = until - max(first, self._since)
        if lasted < min(LEAST, seconds / 2):
            return None
        fold = self._fold_of(subject.app)
        fresh = [
            found
            for (app, at), tally in self._waiting().items()
            if app == subject.app and (found := counted(subject, at, tally, fold))
        ]
        return _together([one for one in (*parts, *fresh) if first <= one.at <= until], lasted)

    def past(self, subject: Subject, width: int, since: int, until: int) -> list[Counted]:
        """What is kept of each ``width`` in which something was. Waits for the disk. Raises
        StorageFailed."""
        fold = self._fold_of(subject.app)
        return self._store.read(
            *(subject.app, width, since, until), lambda rows: _of_each(subject, rows, fold)
        )

    def run(self, stopping: Event) -> None:
        """Look up what is asked for, until then."""
        while not stopping.is_set():
            now = int(self._until() or 0)
            for subject in [one for one in self._asked if now and one not in self._parts]:
                since = max(now - KEPT, int(self._since))
                try:
                    # Nothing is committed meanwhile: each part is in the store or still waits.
                    with self._turn:
                        found = deque(self.past(subject, FINE, since, now + KEPT))
                        if subject in self._asked:  # still: its app may have been deleted
                            self._parts[subject] = found
                except CloudBangError:
                    break  # the store is away, which is said by who counts
            stopping.wait(LOOK_UP)

    # -- what the one who counts tells

    def committed(self, tallies: Tallies) -> None:
        by_app: dict[str, list[Subject]] = {}
        for subject in self._parts:
            by_app.setdefault(subject.app, []).append(subject)
        for (app, at), tally in tallies.items():
            for subject in by_app.get(app, ()):
                if found := counted(subject, at, tally, self._fold_of(app)):
                    self._parts[subject].append(found)

    def tidy(self, now: float) -> None:
        """Let go of what is too old, and of what nobody asks for any more."""
        for subject, asked in [*self._asked.items()]:
            if asked < passed() - ASKED:
                self._drop(subject)
        for parts in self._parts.values():
            while parts and parts[0].at < now - KEPT:
                parts.popleft()

    def forget(self, app: str) -> None:
        for subject in [one for one in self._asked if one.app == app]:
            self._drop(subject)

    def jump(self, now: float) -> None:
        """The clock was set, and says ``now``: what was counted by it before lies at no time that
        there is."""
        self._since = now
        for parts in self._parts.values():
            parts.clear()

    def _drop(self, subject: Subject) -> None:
        del self._asked[subject]
        self._parts.pop(subject, None)


def counted(subject: Subject, at: int, tally: Tally, fold: Fold) -> Counted | None:
    """What of a tally is about it; None where nothing is."""
    if not subject.template:
        if not tally.requests:
            return None
        return Counted(at, tally.requests, tally.errors, tally.latency.pack())
    wanted, latency, requests, errors = fold(subject.template), Histogram(), 0, 0
    for (method, template), entry in tally.entries:
        if subject.method in ("", method) and wanted in (template, fold(template)):
            requests += entry.count
            errors += entry.errors
            latency.merge(entry.latency)
    return Counted(at, requests, errors, latency.pack()) if requests else None


def _of_each(subject: Subject, rows: Iterable[tuple[int, Tally]], fold: Fold) -> list[Counted]:
    """What is about it in some tallies by their time."""
    made = (counted(subject, at, tally, fold) for at, tally in rows)
    return [one for one in made if one is not None]


def _together(parts: Iterable[Counted], seconds: float) -> Lately:
    """All of them."""
    requests = errors = 0
    latency = Histogram()
    for one in parts:
        requests += one.requests
        errors += one.errors
        latency.merge(Histogram.unpack(one.latency))
    return Lately(requests, errors, latency, seconds)
