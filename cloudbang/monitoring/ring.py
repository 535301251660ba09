"""The last 15 minutes of one series, in memory."""

from __future__ import annotations

from array import array
from math import isnan, nan
from typing import Literal

from cloudbang.domain.metrics.series import Aggregate, aggregate

KEPT = 900  # seconds


class Ring:
    """One value each ``step`` seconds, the newest over the oldest. What was not measured is NaN in
    here and None to everybody else. ``end``: the time after the newest value, a multiple of
    ``step``; 0 while there is none. It takes room for as much as was measured: there may be thousands,
    of containers that live for a moment."""

    __slots__ = ("_at", "_size", "_values", "end", "step")

    def __init__(self, step: int, kind: Literal["f", "d"] = "f") -> None:
        """``"f"`` is right to 7 digits, at half the room."""
        self.step = step
        self._size = KEPT // step
        self._values = array(kind)  # grows until it is full
        self._at = 0  # of the next value: at the end while it grows
        self.end = 0

    def put(self, time: int, value: float | None) -> None:
        """What was measured at ``time``; None: it could not be. A second value for one step takes
        the place of the first. What is older than all that is kept is not taken."""
        begin = time - time % self.step
        ahead = (begin - self.end) // self.step
        if ahead >= 0:
            if self.end:  # what lies between was not measured
                for _ in range(min(ahead, self._size)):
                    self._push(nan)
            self._push(nan if value is None else value)
            self.end = begin + self.step
        elif -ahead <= self._size:
            if (before := -ahead - len(self._values)) > 0:  # older than the first one
                more = array(self._values.typecode, [nan]) * before
                self._values = more + self._values
                self._at = len(self._values) % self._size
            self._values[(self._at + ahead) % self._size] = nan if value is None else value

    def _push(self, value: float) -> None:
        if len(self._values) < self._size:
            self._values.append(value)
        else:
            self._values[self._at] = value
        self._at = (self._at + 1) % self._size

    def cut(self, time: int) -> None:
        """Nothing is known any more of ``time`` and after it: the clock was set back to then."""
        begin = time - time % self.step
        behind = (self.end - begin) // self.step
        if not self.end or behind <= 0:
            return
        self.end = begin
        if len(self._values) < self._size:
            del self._values[max(len(self._values) - behind, 0) :]
            self._at = len(self._values)
            return
        for index in range(1, min(behind, self._size) + 1):
            self._values[(self._at - index) % self._size] = nan
        self._at = (self._at - behind) % self._size

    def last(self) -> tuple[int, float] | None:
        """The newest value there is, and of when."""
        for index in range(1, len(self._values) + 1):
            value = self._values[(self._at - index) % self._size]
            if not isnan(value):
                return self.end - index * self.step, value
        return None

    def between(self, since: int, until: int) -> list[float | None]:
        """One each step that begins in ``[since, until)``, from that of ``since`` on."""
        step, first = self.step, since - since % self.step
        count = max(-(-(until - first) // step), 0)
        begin = (self.end - first) // step  # how far before the next value the first one is
        found: list[float | None] = [None] * count
        if not self.end or begin <= 0:
            return found
        for index in range(max(begin - len(self._values), 0), min(count, begin)):
            value = self._values[(self._at - begin + index) % self._size]
            found[index] = None if value != value else value  # NaN alone is not itself
        return found

    def aggregate(self, since: int, until: int) -> Aggregate | None:
        """Of what was measured in ``[since, until)``; None where nothing was."""
        return aggregate([value for value in self.between(since, until) if value is not None])
