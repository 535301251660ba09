"""How many apps programs may make by putting lines on names that nobody has used before.

Each app is a folder, a row of the database, a place on a page: what a program with a fault in its
topic (an id in it, a time) makes of them by the thousand is nobody's wish, and may not cost those
who put lines on apps that are there.
"""

from __future__ import annotations

from collections import OrderedDict

from cloudbang.core.rate import TokenBucket

OF_A_PROGRAM = (100, 0.5)  # at once, and a second after that
OF_ALL = (300, 5.0)
MOST = 20_000  # apps, whoever made them, after which programs make no more
PROGRAMS = (
    1_000  # that are told apart: what the one that is silent the longest has made is forgotten
)


class NewNames:
    """Admits new names; a program is who says so in its headers, so all of them have a rate too."""

    def __init__(self) -> None:
        self._all = TokenBucket(*OF_ALL)
        self._programs: OrderedDict[str, TokenBucket] = OrderedDict()

    def admits(self, program: str, apps: int) -> bool:
        """Whether ``program`` may make one more, where there are ``apps``."""
        bucket = self._programs.get(program)
        if bucket is None:
            bucket = self._programs[program] = TokenBucket(*OF_A_PROGRAM)
            if len(self._programs) > PROGRAMS:
                self._programs.popitem(last=False)
        self._programs.move_to_end(program)
        return apps < MOST and bucket.try_take() and self._all.try_take()
