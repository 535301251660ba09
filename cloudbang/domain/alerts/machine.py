"""One rule about one thing: when it becomes an alert, when it is over, and when it only flaps.

What nobody knows (numbers that are stale, an engine that is away, a store that is locked) moves
nothing: neither does an alert begin by it nor end, and its time does not count.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import inf
from typing import Literal

Verdict = Literal["over", "between", "under", "unknown"]
State = Literal["ok", "pending", "firing"]
Change = Literal["began", "ended", "flapping"]

FLAPS = 4  # changes within FLAP_WITHIN; with one more it flaps
FLAP_WITHIN = 900.0  # seconds
STEADY = 600.0  # seconds without a change, and it flaps no more


def verdict_of(value: float | None, begin: float, end: float, below: bool = False) -> Verdict:
    """``value`` None: nobody knows."""
    if value is None or value != value:
        return "unknown"
    if below:
        value, begin, end = -value, -begin, -end
    return "over" if value >= begin else "under" if value <= end else "between"


@dataclass(slots=True)
class Machine:
    """Told a verdict again and again, with the seconds of a clock that nobody sets."""

    wait: float
    clear: float
    state: State = "ok"
    flapping: bool = False
    told: bool = False  # whether the last thing that was said is that it is on
    _held: float = 0.0  # seconds that count towards the next state
    _last: float | None = None
    _before: Verdict = "unknown"  # the last verdict
    _steady: float = 0.0  # seconds since the last change, while it flaps
    _changes: deque[float] = field(default_factory=deque)

    @classmethod
    def firing(
        cls, wait: float, clear: float, flapping: bool = False, changes: Iterable[float] = ()
    ) -> Machine:
        """As one that is on already, and was told. ``changes``: when it changed lately."""
        made = cls(wait, clear, "firing", flapping, True)
        made._changes.extend(changes)
        return made

    def step(self, now: float, verdict: Verdict, most: float = inf) -> Change | None:
        """What is to be said. ``most``: seconds that count at most since the last step: in a process
        that had no turn for longer nobody has looked."""
        passed = 0.0
        if self._last is not None and self._before == verdict:
            passed = min(max(now - self._last, 0.0), most)
        self._last, self._before = now, verdict
        if verdict == "unknown":
            return None
        changed = self._move(verdict, passed)
        return self._say(now, passed, changed)

    @property
    def still(self) -> bool:
        """Whether it is known to be so now, or to be unsteady."""
        if self.state != "firing" and not self.flapping:
            return False
        return self._before in (
            ("over", "between", "under") if self.flapping else ("over", "between")
        )

    @property
    def left(self) -> float | None:
        """Seconds until it begins, if it goes on as it is; None of one that is not about to."""
        return max(self.wait - self._held, 0.0) if self.state == "pending" else None

    def may_flap(self, now: float) -> bool:
        """Whether what it did lately still counts."""
        return self.flapping or (bool(self._changes) and self._changes[-1] > now - FLAP_WITHIN)

    def _move(self, verdict: Verdict, passed: float) -> bool:
        match self.state:
            case "ok" if verdict == "over":
                self.state, self._held = "pending", 0.0
                return self._fire_when_due()
            case "pending" if verdict == "over":
                self._held += passed
                return self._fire_when_due()
            case "pending":
                self.state = "ok"
            case "firing" if verdict == "under":
                self._held += passed
                if self._held >= self.clear:
                    self.state, self._held = "ok", 0.0
                    return True
            case "firing":
                self._held = 0.0
        return False

    def _fire_when_due(self) -> bool:
        if self._held < self.wait:
            return False
        self.state, self._held = "firing", 0.0
        return True

    def _say(self, now: float, passed: float, changed: bool) -> Change | None:
        if changed:
            self._changes.append(now)
            self._steady = 0.0
        elif self.flapping:
            self._steady += passed
        while self._changes and self._changes[0] <= now - FLAP_WITHIN:
            self._changes.popleft()
        on = self.state == "firing"
        if self.flapping:
            if self._steady < STEADY:
                return None
            self.flapping = False
            self._changes.clear()
            self.told = on
            return "began" if on else "ended"
        if not changed:
            return None
        if len(self._changes) > FLAPS:
            self.flapping, self._steady = True, 0.0
            self.told = True
            return "flapping"
        self.told = on
        return "began" if on else "ended"
