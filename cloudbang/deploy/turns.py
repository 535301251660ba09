"""Whose turn it is: one deployment of an app at a time, and of those that wait only the newest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Turn:
    """Who has an app: a deployment by its id, or 0 for who operates it. ``since``: RFC 3339."""

    by: str
    since: str
    id: int = 0


class Turns:
    """All from memory: what is kept is the deployments' own state."""

    def __init__(self) -> None:
        self._has: dict[str, Turn] = {}
        self._waits: dict[str, int] = {}

    def who(self, app: str) -> Turn | None:
        """Who has it now."""
        return self._has.get(app)

    def waits(self, app: str) -> int | None:
        """The deployment that is next."""
        return self._waits.get(app)

    def take(self, app: str, turn: Turn) -> bool:
        """Have it, if nobody has, and nobody was there before."""
        if app in self._has or app in self._waits:
            return False
        self._has[app] = turn
        return True

    def resume(self, app: str, turn: Turn) -> None:
        """Have it again, after a restart."""
        self._has[app] = turn

    def wait(self, app: str, id: int) -> int | None:
        """Be next; gives the one that was, and is not any more."""
        before, self._waits[app] = self._waits.get(app), id
        return before

    def leave(self, app: str, id: int) -> None:
        """It does not wait any more."""
        if self._waits.get(app) == id:
            del self._waits[app]

    def done(self, app: str, turn: Turn) -> None:
        if self._has.get(app) == turn:
            del self._has[app]

    def next(self, app: str) -> int | None:
        """The deployment whose turn it is, if nobody has the app; it does not wait any more."""
        return None if app in self._has else self._waits.pop(app, None)

    def apps(self) -> Iterator[str]:
        """Of which some deployment waits."""
        yield from list(self._waits)
