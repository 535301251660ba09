"""Where each app is shown: in the lists, behind "n gone apps", out of sight, or nowhere."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Literal

Place = Literal["listed", "gone", "away", "empty"]


class Places:
    """Each app is in one place of its team. Counted as it changes, so nothing walks all of them."""

    def __init__(self) -> None:
        self._names: dict[tuple[str, Place], set[str]] = {}
        self._place: dict[str, Place] = {}
        self._empty_since: dict[str, float] = {}

    def __getitem__(self, app: str) -> Place:
        """ "empty" also for one that nobody knows."""
        return self._place.get(app, "empty")

    def __contains__(self, app: str) -> bool:
        return app in self._place

    def move(self, app: str, team: str, place: Place, now: float) -> bool:
        """Put an app there; whether it was somewhere else."""
        if self._place.get(app) == place:
            return False
        self.remove(app, team)
        self._place[app] = place
        self._names.setdefault((team, place), set()).add(app)
        if place == "empty":
            self._empty_since[app] = now
        return True

    def remove(self, app: str, team: str) -> None:
        """It is nowhere any more."""
        place = self._place.pop(app, None)
        self._empty_since.pop(app, None)
        if place is not None:
            mates = self._names[team, place]
            mates.discard(app)
            if not mates:
                del self._names[team, place]

    def names(self, teams: Collection[str], place: Place) -> Iterator[str]:
        """The apps of some teams in one place, in no order."""
        for team in teams:
            yield from self._names.get((team, place), ())

    def all_in(self, place: Place) -> list[str]:
        """Those of every team."""
        return [n for (_, where), names in self._names.items() if where == place for n in names]

    def count(self, teams: Collection[str], place: Place) -> int:
        return sum(len(self._names.get((team, place), ())) for team in teams)

    def empty_until(self, moment: float) -> list[str]:
        """The apps of which nothing has been left since ``moment`` or longer."""
        return [app for app, since in self._empty_since.items() if since <= moment]

    def __len__(self) -> int:
        return len(self._place)
