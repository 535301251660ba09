"""How long a session may go on in which nothing happens, and at all; and the warning before."""

from __future__ import annotations

from cloudbang.config import TerminalSettings

WARN = 300.0  # seconds before a limit ends a session that it is warned
WARNINGS = {
    "idle": "nothing happens here: this terminal ends in {minutes:.0f} minutes",
    "lifetime": "this terminal has been open for long and ends in {minutes:.0f} minutes",
}


class TimeLimits:
    """Of one session. Times in monotonic seconds."""

    __slots__ = ("_warned",)

    def __init__(self) -> None:
        self._warned = ""  # the limit it was warned of

    def passed(
        self, settings: TerminalSettings, quiet_since: float, started_at: float, now: float
    ) -> tuple[str | None, str]:
        """The limit that it has passed, if any, and a warning for people, once before each."""
        for reason, since, hours in (
            ("idle", quiet_since, settings.idle_hours),
            ("lifetime", started_at, settings.lifetime_hours),
        ):
            left = since + hours * 3600 - now
            if left <= 0:
                return reason, ""
            if left > min(WARN, hours * 1800):
                if self._warned == reason:
                    self._warned = ""
            elif self._warned != reason:
                self._warned = reason
                return None, WARNINGS[reason].format(minutes=max(left / 60, 1))
        return None, ""
