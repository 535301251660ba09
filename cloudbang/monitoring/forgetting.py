"""Deleting an app takes away what was measured of it, as what happened to it."""

from __future__ import annotations

from typing import Protocol

from cloudbang.monitoring.series import Series


class Events(Protocol):
    """Who records events."""

    def forget(self, app: str) -> int: ...


class Forgetting:
    """Forgets both, the events first: of a half-forgotten app the rest goes at the next try."""

    def __init__(self, events: Events, series: Series) -> None:
        self._events, self._series = events, series

    def forget(self, app: str) -> int:
        """How many events there were. Raises StorageFailed, StorageFull."""
        count = self._events.forget(app)
        self._series.forget(app)
        return count
