"""When a session has to end because of the time it took, or took nothing from anybody."""

from __future__ import annotations

from cloudbang.config import TerminalSettings
from cloudbang.terminals.session import Session

WARN = 300.0  # seconds before a limit ends a session that it is warned

_WARNINGS = {
    "idle": "nothing happens here: this terminal ends in {minutes:.0f} minutes",
    "lifetime": "this terminal has been open for long and ends in {minutes:.0f} minutes",
}


def overdue(session: Session, settings: TerminalSettings, now: float) -> str | None:
    """The limit that ``session`` has passed, if any: detached, idle or lifetime. Warns of the last
    two when they come near. ``now`` in monotonic seconds."""
    if session.spec.wish.kind == "share":
        return None  # it ends with its command
    away = session.detached_at
    if away is not None and now - away > settings.detached_minutes * 60:
        return "detached"
    for reason, since, hours in (
        ("idle", session.quiet_since, settings.idle_hours),
        ("lifetime", session.started_at, settings.lifetime_hours),
    ):
        left = since + hours * 3600 - now
        if left <= 0:
            return reason
        if left > min(WARN, hours * 1800):
            if session.warned == reason:
                session.warned = ""
        elif session.warned != reason:
            session.warned = reason
            session.notice("ending-soon", _WARNINGS[reason].format(minutes=max(left / 60, 1)))
    return None
