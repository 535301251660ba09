"""What is typed into one session: counted for each tab, confirmed when it went through."""

from __future__ import annotations

import gevent

from cloudbang.supervise import Supervisor
from cloudbang.terminal.company import Company
from cloudbang.terminal.participant import Participant
from cloudbang.terminal.values import Source

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

    __slots__ = ("_company", "_confirming", "_source", "_supervisor", "_typed", "closed")

    def __init__(self, source: Source, company: Company, supervisor: Supervisor) -> None:
        self._source, self._company, self._supervisor = source, company, supervisor
        self._typed: dict[Tab, int] = {}  # bytes, by the tab they came from
        self._confirming = False
        self.closed = False  # the process has ended

    def of(self, one: Participant) -> int:
        """Bytes that came from their tab."""
        return self._typed.get(_tab(one), 0)

    @property
    def waits(self) -> int:
        """Bytes that the process has not read yet."""
        return self._source.pending

    def has_room(self, one: Participant) -> bool:
        """Whether more may come from them. Guests have a quarter of the room, so that they cannot
        lock the keyboard of the owner."""
        return self._source.pending <= (WAITS if one.mode == "own" else WAITS // 4)

    def put(self, one: Participant, data: bytes) -> None:
        """Hand it on; never waits."""
        tab = _tab(one)
        total = self._typed.pop(tab, 0) + len(data)
        self._typed[tab] = total
        while len(self._typed) > CLIENTS:
            del self._typed[next(iter(self._typed))]
        self._source.write(data)
        if not self._confirming:
            self._confirming = True
            self._supervisor.once("confirm", self._confirm)

    def _confirm(self) -> None:
        """Confirm what went through, a few times a second and not for every key."""
        try:
            more = True
            while more and not self.closed:
                gevent.sleep(CONFIRM)
                waits = self._source.pending
                more = False
                for one in self._company.members:
                    total = self.of(one)
                    through = max(one.typed, total - waits)
                    if through > one.typed:
                        one.typed = through
                        one.peer.tell({"op": "input", "offset": through})
                    more = more or through < total
        finally:
            self._confirming = False
