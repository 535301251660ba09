"""Has the process run that rolls up: every ten minutes, and tells what it told."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gevent

from cloudbang.config import MetricsSettings
from cloudbang.core.counters import export
from cloudbang.core.notices import Notices
from cloudbang.core.wall_clock import WallClock, passed

log = logging.getLogger(__name__)

FIRST = 30.0  # seconds after a start: what was left behind
EVERY, AFTER = 600, 40  # seconds; once ten minutes are over nothing more comes into them
LIMIT = 540.0  # seconds that it may take
STEADY = 3600.0  # seconds for which a clock has to be right before it says what is old
SAID = 12 * 3600.0  # seconds for which it is shown that something had to go
HOUR, DAY = 3600, 86_400


class RollUp:
    """``on_done(series)`` is told how many series the file has now."""

    def __init__(
        self,
        path: Path,
        settings: MetricsSettings,
        notices: Notices,
        clock: Callable[[], float],
        on_done: Callable[[int], None],
    ) -> None:
        self._path, self._settings, self._notices = path, settings, notices
        self._on_done = on_done
        self._jumped = passed()
        self._clock = WallClock(clock, on_jump=self._on_jump)
        self.failed = self.damaged = 0
        self.used = 0
        export(
            self,
            "metrics_store",
            counters={
                "failed": "Times that measurements could not be rolled up.",
                "damaged": "Stretches of measurements that were found damaged.",
            },
            gauges={"used": "Bytes that measurements take."},
        )

    def loop(self) -> None:
        gevent.sleep(FIRST)
        while True:
            self.once()
            now = self._clock()
            gevent.sleep(EVERY - (now - AFTER) % EVERY)

    def once(self) -> bool:
        """Whether it went well."""
        now = self._clock()
        asked = {
            "now": int(now),
            "steady": passed() - self._jumped >= STEADY,
            "limits": {
                "hours": int(self._settings.ten_seconds_hours * HOUR),
                "quarters": int(self._settings.minute_days * DAY),
                "days": int(self._settings.ten_minutes_days * DAY),
                "max_bytes": self._settings.max_bytes,
            },
        }
        started = time.monotonic()
        told = _run(self._path, asked)
        if "error" in told:
            self.failed += 1
            self._notices.begin(
                "metrics-not-rolled-up",
                f"measurements cannot be rolled up: {told['reason']}",
                path=str(self._path),
            )
            return False
        self._notices.end("metrics-not-rolled-up", path=str(self._path))
        log.debug("measurements rolled up in %.1f s: %s", time.monotonic() - started, told)
        self.used = told["used"]
        self.say_damaged(told["damaged"])
        if told["shrunk"]:
            hours = (told["kept"] or 0) / HOUR
            self._notices.begin(
                "metrics-shrunk",
                f"measurements take the {self._settings.max_bytes / 1e6:,.0f} MB that they may: by "
                f"10 s those of {hours:.0f} hours are kept, not of "
                f"{self._settings.ten_seconds_hours:g}",
                path=str(self._path),
                setting="metrics.max_bytes",
                severity="warning",
                lasts=SAID,
            )
        self._on_done(told["series"])
        return True

    def say_damaged(self, count: int) -> None:
        """So many stretches could not be read."""
        if not count:
            return
        self.damaged += count
        self._notices.begin(
            "metrics-damaged",
            f"some of what was measured is damaged in {self._path}, and left out",
            path=str(self._path),
            severity="warning",
            lasts=SAID,
        )

    def _on_jump(self, by: float) -> None:
        log.info("the clock was set by %.0f s: for an hour nothing is too old", by)
        self._jumped = passed()


def _run(path: Path, asked: dict[str, Any]) -> dict[str, Any]:
    program = "cloudbang.storage.metrics.rolling_process"
    try:
        # From here and not from a thread: only the hub can wait for a child.
        done = subprocess.run(
            [sys.executable, "-m", program, str(path), json.dumps(asked)],
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as e:
        return {"error": "", "reason": str(e)}
    for line in done.stderr.splitlines()[-20:]:
        log.warning("rolling up: %s", line)
    try:
        told = json.loads(done.stdout)
    except ValueError:
        last = (done.stderr.strip() or f"it ended with {done.returncode}").splitlines()[-1]
        return {"error": "", "reason": last}
    return told if isinstance(told, dict) else {"error": "", "reason": "it said nothing"}
