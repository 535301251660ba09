"""Who asks: how many different clients each app has now, and today. Nobody is known by an address."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from typing import Any

from cloudbang.core.loop import in_turns
from cloudbang.domain.metrics.clients import DAY_BITS, ERROR, WINDOW, Distinct, Online, hash_of
from cloudbang.errors import CloudBangError
from cloudbang.storage.traffic.store import AppState, Seen, TrafficStore

log = logging.getLogger(__name__)

MOST = 300_000  # clients of all apps that are remembered one by one
DAY = 86_400


class _Of:
    """Those of one app. ``day``: of which ``today`` is, since 1970."""

    __slots__ = ("day", "online", "today")

    def __init__(self) -> None:
        self.online = Online()
        self.day, self.today = 0, Distinct(DAY_BITS)


class Visitors:
    """Of all apps. Who is online is counted with a key that lives on as long as somebody is, over a
    restart as well; who came today with one that is kept for that day."""

    def __init__(self, store: TrafficStore) -> None:
        self._store = store
        self._apps: dict[str, _Of] = {}
        self._key = os.urandom(32)
        self._salt: tuple[int, bytes] = (-1, b"")

    def load(self, apps: Mapping[str, AppState], seen: Seen | None, now: float) -> None:
        """Go on from what the store has of the time before ``now``."""
        for app, state in apps.items():
            one = self._apps[app] = _Of()
            one.day, one.today = state.day, state.clients
        if seen is not None:
            self._key = seen.key
            for app, packed in in_turns(seen.apps.items()):
                self._of(app).online.load(packed, int(now))

    def add(self, app: str, client: str, second: int, now: float) -> None:
        """One who was seen in that second; what is not of these minutes, or this day, is nothing."""
        one = self._of(app)
        if second > now - WINDOW:
            one.online.add(hash_of(client, self._key), second)
        # The day is the clock's, not the line's: of a clock that was ahead nothing is left.
        day = int(now) // DAY
        if second // DAY != day:
            return
        if day != self._salt[0]:
            self._take_salt(day)
        if day != one.day:
            one.day, one.today = day, Distinct(DAY_BITS)
        one.today.add(hash_of(client, self._salt[1]))

    def _take_salt(self, day: int) -> None:
        try:
            self._salt = (day, self._store.salt(day))
        except CloudBangError as e:
            # Then a restart makes two of who comes before and after it.
            log.warning("the day's clients are counted with a key that is not kept: %s", e)
            self._salt = (day, os.urandom(32))

    def move(self, by: float) -> None:
        """The clock was set by so many seconds."""
        for one in self._apps.values():
            one.online.move(round(by))

    def forget(self, app: str) -> None:
        self._apps.pop(app, None)

    def bound(self) -> None:
        """Remember no more than there is room for."""
        counts = {app: len(one.online) for app, one in self._apps.items()}
        while sum(counts.values()) > MOST:
            most = max(counts, key=lambda app: counts[app])
            self._apps[most].online.give_up()
            counts[most] = 0

    def _of(self, app: str) -> _Of:
        found = self._apps.get(app)
        if found is None:
            found = self._apps[app] = _Of()
        return found

    # -- what is told

    def online(self, now: float) -> dict[str, int]:
        """By app."""
        return {app: one.online.count(int(now)) for app, one in in_turns(self._apps.items())}

    def report(self, app: str, now: float) -> dict[str, Any]:
        """``clients`` of ``docs/protocols/traffic.md``."""
        one = self._apps.get(app)
        if one is None:
            return {"online": 0, "day": 0, "error": 0}
        return {
            "online": one.online.count(int(now)),
            "day": one.today.count() if one.day == int(now) // DAY else 0,
            "error": 0 if one.online.exact else ERROR,
        }

    def of_today(self, app: str) -> tuple[int, Distinct]:
        """The day, and a copy of who came."""
        one = self._of(app)
        return one.day, Distinct(DAY_BITS, bytes(one.today))

    def news(self) -> Seen | None:
        """Who was seen since ``told``."""
        found = {app: one.online.news() for app, one in in_turns(self._apps.items())}
        seen = {app: news for app, news in found.items() if news}
        return Seen(self._key, seen) if seen else None

    def told(self) -> None:
        """The store has what ``news`` gave."""
        for one in self._apps.values():
            one.online.told()
