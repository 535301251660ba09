"""Which of the events that are told are news: the same is told by the engine as it happens, again
after a reconnection, and found out by inspecting the container when nobody listened."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from cloudbang.domain.events import Event
from cloudbang.domain.lines import parse_time

SAME_NS = 2 * 10**9
"""An event's time and the time remembered by the container differ a little: the engine stamps
them apart. Two of one kind within these nanoseconds are taken for the same when one was only
found out afterwards."""

LATE_NS = 60 * 10**9
"""On a busy machine it tells of something seconds after the container remembers it. Within these
nanoseconds the run tells: one ends once and starts once, whatever the times."""

REMEMBERED = ("create", "start", "oom", "die")  # what an inspection tells, too

# What lies between two of a kind that are of two runs.
BETWEEN = {"start": "die", "die": "start", "oom": "start"}

MOST_TOLD = 500  # events found out that are known to be told since; older ones matter no more


class Near(Protocol):
    def __call__(self, ns: int, kind: str = "", *, found_out: bool = False) -> Sequence[Event]:
        """The events that are kept of the same app and container, as near in time; of the same kind
        unless another is named; ``found_out``: only those that an inspection told of."""


def is_news(event: Event, near: Near, told: dict[int, None]) -> bool:
    """Whether this is to be kept. ``told``: ids of events that were found out by an inspection
    and that the engine has told of since; one more is noted there."""
    if event.kind not in REMEMBERED:
        return True
    # What the engine tells twice has the same time, and is kept once whoever asks. So of those that it
    # told of, nobody looks at a crash loop's for each of its ends.
    known_near = near(LATE_NS, found_out=not event.found_out)
    same = [known for known in known_near if _is_same(event, known, near)]
    if event.found_out:
        return not same
    at = parse_time(event.time)
    for known in sorted(same, key=lambda known: abs(parse_time(known.time) - at)):
        # One inspection told of one event: a second one so soon is another.
        if known.id not in told:
            told[known.id] = None
            while len(told) > MOST_TOLD:
                del told[next(iter(told))]
            return False
        if known.time == event.time:
            return False
    return True


def _is_same(event: Event, known: Event, near: Near) -> bool:
    if abs(parse_time(event.time) - parse_time(known.time)) <= SAME_NS:
        return True
    if event.found_out == known.found_out:
        return False  # either of them gives one time for one thing
    codes = {one.data.get("exit_code") for one in (event, known)} - {None}
    if len(codes) > 1:  # of a run before the present one it is not remembered
        return False
    between = BETWEEN.get(event.kind)
    if between is None:
        return True  # a container is created once
    first, last = sorted((event.time, known.time))
    return not any(first < other.time < last for other in near(LATE_NS, between))
