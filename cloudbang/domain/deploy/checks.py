"""A check as Docker has it (a command, how often, how many tries, after which time) as SPEC has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cloudbang.domain.deploy.fields import seconds_of
from cloudbang.domain.deploy.spec_parts import DAY, plain

INTERVAL, RETRIES = 30.0, 3  # what Docker takes where nothing is said
MOST = 1000  # tries
CHECKED = ("test", "disable", "interval", "timeout", "start_period", "retries")
"""What of a Compose file's check is honoured."""
DISABLED: Mapping[str, object] = {"disabled": True}
SHORTEST, LONGEST = 0.5, 3600.0  # seconds between two tries that SPEC may have


def health_of(
    command: Sequence[str],
    interval: float | None = None,
    start: float | None = None,
    retries: int | None = None,
    timeout: float | None = None,
) -> dict[str, object]:
    """``interval``, ``start`` (the start period) and ``timeout`` in seconds; None where nothing is said
    of one.

    Docker calls it unhealthy once ``retries`` tries have failed that began after ``start``: so long
    it may take until it is healthy, as a database does that is just being made.
    """
    health: dict[str, object] = {"command": list(command)}
    if interval:
        health["interval"] = plain(min(LONGEST, max(SHORTEST, interval)))
    if start or retries:
        tries = (retries or 0) * (interval or INTERVAL)
        health["within"] = plain(min(DAY, max(1.0, (start or 0.0) + tries)))
    if retries:
        health["retries"] = min(MOST, retries)
    if timeout:
        health["timeout"] = plain(min(LONGEST, timeout))
    return health


def compose_check(its: Mapping[str, object]) -> dict[str, object] | None:
    """The check of a Compose file's service; None where the image's own stays."""
    test = its.get("test")
    words = [str(word) for word in test] if isinstance(test, list) else []
    if its.get("disable") or words[:1] == ["NONE"]:
        return dict(DISABLED)
    if not words:
        return None
    command = words[1:] if words[0] == "CMD" else ["sh", "-c", *words[1:]]
    interval, start = seconds_of(its.get("interval")), seconds_of(its.get("start_period"))
    retries, timeout = int(str(its.get("retries") or 0)), seconds_of(its.get("timeout"))
    return health_of(command, interval, start, retries, timeout)
