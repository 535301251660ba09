"""Which of the events that are told are news: the same is told by the engine as it happens, again
after a reconnection, and found out by inspecting the container when nobody listened."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cloudbang.domain.events import Event
from cloudbang.domain.lines import parse_time

SAME_NS = 2 * 10**9
"""An event's time and the time remembered by the container differ a little: the engine stamps
them apart. Two of one kind within these nanoseconds are taken for the same when one was only
found out afterwards."""

REMEMBERED = ("create", "start", "oom", "die")  # what an inspection tells, too

MOST_TOLD = 500  # events found out that are known to be told since; older ones matter no more

Near = Callable[[int], Sequence[Event]]
"""``near(ns)``: the events that are kept of the same app, container and kind, as near in time."""


def is_news(event: Event, near: Near, told: dict[int, None]) -> bool:
    """Whether this is to be kept. ``told``: ids of events that were found out by an inspection
    and that the engine has told of since; one more is noted there."""
    if event.kind not in REMEMBERED:
        return True
    same = near(SAME_NS)
    if event.found_out:
        return not same
    at = parse_time(event.time)
    for known in sorted(same, key=lambda known: abs(parse_time(known.time) - at)):
        # One inspection told of one event: a second one so soon is another.
        if known.found_out and known.id not in told:
            told[known.id] = None
            while len(told) > MOST_TOLD:
                del told[next(iter(told))]
            return False
        if known.time == event.time:
            return False
    return True
