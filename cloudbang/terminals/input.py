"""What is typed into one session: counted for each tab, confirmed when it went through."""

from __future__ import annotations

from typing import Any

import gevent

from cloudbang.domain.terminals import Source
from cloudbang.terminals.participant import Participant
from cloudbang.terminals.viewers import Viewers

WAITS = 4 * 1024 * 1024  # bytes of input that may wait for the process to read them
CONFIRM = 0.05  # seconds between confirmations
CLIENTS = (
    64  # tabs whose count is remembered; overload: the one that typed longest ago is new again
)


Tab = tuple[int | None, str, str]


def _tab(one: Participant) -> Tab:
    """Whose tab, and which: two people's pages may have chosen the same name."""
    return one.account_id, one.account, one.client


class Input:
    """See the module."""

    __slots__ = ("_company", "_source", "_timer", "_typed", "closed")

    def __init__(self, source: Source, company: Viewers) -> None:
        self._source, self._company = source, company
        self._typed: dict[Tab, int] = {}  # bytes, by the tab they came from
        self._timer: Any = None  # while something waits to be confirmed
        self.closed = False  # the process has ended

    def of(self, one: Participant) -> int:
        """Bytes that came from their tab."""
        return self._typed.get(_tab(one), 0)

    @property
    def waits(self) -> int:
        """Bytes that the process has not read yet."""
        return self._source.pending

    def put(self, one: Participant, data: bytes) -> bool:
        """Hand it on; never waits. False: there is no room, and it went nowhere. Guests have a
        quarter of the room, so that they cannot lock the keyboard of the owner."""
        if self._source.pending > (WAITS if one.mode == "own" else WAITS // 4):
            return False
        self._source.write(data)
        tab = _tab(one)
        self._typed[tab] = self._typed.pop(tab, 0) + len(data)
        while len(self._typed) > CLIENTS:
            del self._typed[next(iter(self._typed))]
        if self._timer is None:
            # Again and again until it is closed: one that is started anew in its own callback
            # fires at once.
            self._timer = gevent.get_hub().loop.timer(CONFIRM, CONFIRM)
            self._timer.start(self._confirm)
        return True

    def _confirm(self) -> None:
        """Confirm what went through, a few times a second and not for every key. On the hub: a
        greenlet for it would cost more than the key."""
        more = False
        waits = self._source.pending
        for one in () if self.closed else tuple(self._company.members):
            total = self.of(one)
            through = max(one.typed, total - waits)
            if through > one.typed:
                one.typed = through
                one.peer.tell({"op": "input", "offset": through})
            more = more or through < total
        if not more:
            self._timer.close()
            self._timer = None
