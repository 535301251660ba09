"""When a message is sent: what is put together, what waits for the morning, and how long is waited
after a failure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import inf

QUIET = 1.5  # seconds without anything new, and what there is is told: where more may be coming
AT_LATEST = 8.0  # seconds after the first of it
FLOOD = 5  # in one message, and what follows it is likely more of the same
AFTER_FLOOD = 20.0  # seconds that it is waited for then

FIRST, CEILING = 5.0, 900.0  # seconds between tries
GIVE_UP = 24 * 3600.0  # seconds after which a message is given up
TRIES = 20  # and so many tries: a clock that jumps ahead gives up nothing
LONGEST_WAIT = 3600.0  # seconds; whatever a service asks for
SECOND = 3  # failures after which another receiver is told as well
CAP, CAP_WITHIN = 6, 600.0  # messages to a receiver, and in how many seconds; more are one digest


class Grouping:
    """What comes shortly one after the other is one message. What comes alone waits for nothing; what
    follows it soon does, as everything does that comes with others."""

    def __init__(self) -> None:
        self._first: float | None = None
        self._newest = 0.0
        self._alone = False
        self._told_at = -inf
        self._flood_until = -inf

    def add(self, now: float, alone: bool = False) -> None:
        """``alone``: it is about one thing, and nothing else is about to be told."""
        self._alone = alone and self._first is None and now >= self._told_at + AT_LATEST
        if self._first is None:
            self._first = now
        self._newest = now

    def due(self) -> float | None:
        """When what there is is told; None: there is nothing."""
        if self._first is None:
            return None
        if self._first < self._flood_until:
            return self._flood_until
        if self._alone:
            return self._first
        return min(self._newest + QUIET, self._first + AT_LATEST)

    def told(self, now: float, count: int) -> None:
        self._first, self._told_at = None, now
        self._flood_until = now + AFTER_FLOOD if count >= FLOOD else -inf


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Minutes of a day, from and until; over midnight where the end is the smaller one."""

    begin: int
    end: int

    def __contains__(self, minute: int) -> bool:
        if self.begin <= self.end:
            return self.begin <= minute < self.end
        return minute >= self.begin or minute < self.end

    def left(self, minute: int) -> int:
        """Minutes until they are over."""
        return (self.end - minute) % (24 * 60)


def quiet_hours(text: str) -> QuietHours | None:
    """Of "22:00-07:00"; None of "". Raises ValueError."""
    if not text:
        return None
    match = re.fullmatch(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)", text)
    if match is None:
        raise ValueError(text)
    h1, m1, h2, m2 = (int(part) for part in match.groups())
    if (h1, m1) == (h2, m2):
        raise ValueError(text)
    return QuietHours(h1 * 60 + m1, h2 * 60 + m2)


def wait_after(failures: int, retry_after: float | None = None) -> float:
    """Seconds until the next try, after so many failures in a row."""
    wait = min(FIRST * 2 ** min(failures - 1, 20), CEILING)
    if retry_after is not None and retry_after > 0:
        wait = max(wait, min(retry_after, LONGEST_WAIT))
    return wait


def is_given_up(age: float, tries: int) -> bool:
    return age >= GIVE_UP and tries >= TRIES
