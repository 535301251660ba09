"""The series there are, with the numbers by which they are kept."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from typing import NamedTuple

from cloudbang.domain.metrics.catalogue import NODE, OF_APPS, OF_NODES
from cloudbang.domain.metrics.points import FLOATING
from cloudbang.domain.metrics.series import SeriesKey

DAY = 86400


class Entry(NamedTuple):
    """``scale`` stays what it was when the series began, whatever the catalogue says later: what is
    kept are multiples of it. ``last``: a day on which something came. ``instance``: of one container,
    which is kept by 10 s alone."""

    id: int
    unit: str
    scale: float
    last: int
    instance: bool


Name = tuple[SeriesKey, bool]
"""A series, and whether it is one of histograms: both may have the same key."""


def described(key: SeriesKey) -> tuple[str, float]:
    """The unit and scale that the catalogue gives."""
    metric = (OF_NODES if key.app == NODE else OF_APPS).get(key.name)
    return (metric.unit, metric.scale) if metric else ("", FLOATING)


class Registry:
    """All series, in memory. Changed on the hub alone, by what a transaction has written."""

    def __init__(self) -> None:
        self._entries: dict[Name, Entry] = {}
        self._by_app: dict[str, dict[Name, None]] = {}
        self._units: dict[SeriesKey, str] = {}  # told, and of a series that has no number yet

    def __len__(self) -> int:
        return len(self._entries)

    def load(self, found: dict[Name, Entry]) -> None:
        """Exactly these."""
        self._entries, self._by_app = {}, {}
        self.adopt(found)

    def adopt(self, found: dict[Name, Entry]) -> None:
        for name, entry in found.items():
            self._entries[name] = entry
            self._by_app.setdefault(name[0].app, {})[name] = None
            self._units.pop(name[0], None)

    def get(self, key: SeriesKey, histogram: bool = False) -> Entry | None:
        return self._entries.get((key, histogram))

    def apps(self) -> list[str]:
        return sorted(self._by_app)

    def of(self, app: str) -> list[SeriesKey]:
        return sorted({key for key, _ in self._by_app.get(app, {})})

    def forget(self, app: str) -> None:
        for name in self._by_app.pop(app, {}):
            self._entries.pop(name, None)
        for key in [key for key in self._units if key.app == app]:
            del self._units[key]

    def unit_of(self, key: SeriesKey) -> str:
        entry = self.get(key) or self.get(key, True)
        return self._units.get(key) or (entry.unit if entry else described(key)[0])

    def tell_unit(self, key: SeriesKey, unit: str) -> None:
        if self.unit_of(key) != unit:
            self._units[key] = unit

    def wanting(self, names: Iterable[Name], time: int) -> dict[Name, tuple[str, float]]:
        """Those of them that have no number yet, a unit to be written down, or were not written on
        this day: with unit and scale."""
        today = time // DAY * DAY
        found = {}
        for name in names:
            entry, key = self._entries.get(name), name[0]
            if entry is None:
                unit, scale = described(key)
                found[name] = (self._units.get(key, unit), scale)
            elif entry.last != today or key in self._units:
                found[name] = (self._units.get(key, entry.unit), entry.scale)
        return found


def is_of_instance(labels: str) -> bool:
    """Whether a series with these labels, as they are written down, is of one container."""
    return any(name == "container" for name, _ in json.loads(labels))


def is_rounded(unit: str, scale: float) -> bool:
    """Whether nobody asks for more than the first digits."""
    return unit == "bytes/s" and scale != FLOATING


# What runs in a thread.


def write(
    connection: sqlite3.Connection, wanted: dict[Name, tuple[str, float]], time: int
) -> dict[Name, Entry]:
    """Write these down. Of one that is there already the scale stays."""
    today, made = time // DAY * DAY, {}
    for (key, histogram), (unit, scale) in wanted.items():
        labels = json.dumps(key.labels, ensure_ascii=False, separators=(",", ":"))
        number, kept = connection.execute(
            "INSERT INTO series (app, name, labels, histogram, unit, scale, last)"
            " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE"
            " SET unit = excluded.unit, last = excluded.last RETURNING id, scale",
            (key.app, key.name, labels, histogram, unit, scale, today),
        ).fetchone()
        made[key, histogram] = Entry(number, unit, kept, today, is_of_instance(labels))
    return made


def read(connection: sqlite3.Connection) -> dict[Name, Entry]:
    found = {}
    for number, app, name, labels, histogram, unit, scale, last in connection.execute(
        "SELECT id, app, name, labels, histogram, unit, scale, last FROM series"
    ):
        key = SeriesKey(app, name, tuple((k, v) for k, v in json.loads(labels)))
        found[key, bool(histogram)] = Entry(number, unit, scale, last, is_of_instance(labels))
    return found


def forget(connection: sqlite3.Connection, app: str) -> None:
    connection.execute("INSERT INTO forgotten SELECT id FROM series WHERE app = ?", (app,))
    connection.execute("DELETE FROM series WHERE app = ?", (app,))
