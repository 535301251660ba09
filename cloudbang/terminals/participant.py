"""One who looks at a terminal: how far their page has come, and what its window counts."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from cloudbang.domain.scrollback import Scrollback
from cloudbang.domain.terminals import ExitStatus, Mode, Size

KIB = 1024
WINDOW = 512 * KIB
"""Bytes that may be on their way to a page without having been drawn. Less than what is kept, so
that whoever sets the pace always finds the next byte."""
PIECE = 64 * KIB  # bytes of one message at most
LEAST = 1 * KIB  # room below which it is waited for more: no rain of tiny messages
BEHIND = 384 * KIB  # bytes a watcher may lag; beyond, the next thing they get is a fresh screen
FRESH = 64 * KIB  # bytes that a fresh screen after a skip begins with
WATCHED = 256 * KIB  # bytes of the past that who does not set the pace is shown


LEAST_SIZE = Size(20, 6)  # a guest's window counts as this at least: less is nothing to work in

Tab = tuple[int | None, str, str]
"""Whose tab, and which: two people's pages may have chosen the same name."""


class Begin(NamedTuple):
    """Where somebody's output begins, and what their screen is told before."""

    offset: int
    reset: bool
    restore: str


class ParticipantConnection(Protocol):
    """The connection of one participant, in the words that it speaks. Nothing here waits."""

    counts_drawn: bool
    """Whether the page says what it has drawn. If not, what the kernel took counts as drawn."""

    def output(self, data: bytes) -> bool:
        """Send output; False: no room now, ``Participant.drained`` is called when there is."""

    def tell(self, message: dict[str, object]) -> None:
        """Send one message of the protocol's control part; unknown kinds are left out."""

    def ended(self, end: ExitStatus) -> None:
        """Say how it ended, and close."""

    def close(self, code: int, reason: str) -> None:
        """Close, after what was sent."""


class Participant:
    """One who looks. Offsets are bytes since the session's start."""

    __slots__ = (
        *("account", "account_id", "client", "connection", "drawn", "full", "id", "login", "mode"),
        *("sent", "size", "skipped", "tab", "typed"),
    )

    def __init__(
        self,
        connection: ParticipantConnection,
        *,
        mode: Mode,
        account: str,
        account_id: int | None,
        login: str,
        client: str = "",
        size: Size | None = None,
    ) -> None:
        self.connection = connection
        self.mode: Mode = mode
        self.account, self.account_id, self.login = account, account_id, login
        self.client = client  # which of their tabs
        self.tab: Tab = (account_id, account, client)
        self.size = size
        self.id = 0
        self.sent = 0  # offset of the next byte for them
        self.drawn = 0  # offset up to which their page has drawn
        self.full = False  # the connection has no room
        self.typed = 0  # bytes of input confirmed to them
        self.skipped = 0  # bytes they were not sent, in all

    @property
    def may_type(self) -> bool:
        return self.mode != "watch"

    def enter(self, number: int, typed: int) -> None:
        """They are the ``number``-th of the session; their tab is known to have typed so much."""
        self.id, self.typed = number, typed

    def resize(self, size: Size) -> bool:
        """Their window has changed. Whether it has another size now."""
        changed, self.size = self.size != size, size
        return changed

    @property
    def counts_as(self) -> Size | None:
        """The size of their window as far as it decides: of who only watches it does not, they
        scroll."""
        if self.size is None or self.mode == "watch":
            return None
        if self.mode == "own":
            return self.size
        least = LEAST_SIZE
        return Size(max(self.size.columns, least.columns), max(self.size.rows, least.rows))

    def begin(self, back: Scrollback, after: int | None, paces: bool) -> Begin:
        """Where their output begins: at ``after`` if that is kept, else with a cleared screen."""
        if after is not None and back.start <= after <= back.end:
            self.sent = self.drawn = after
            return Begin(after, False, "")
        begin, restore = back.fresh() if paces else back.fresh(WATCHED)
        self.sent = self.drawn = begin
        return Begin(begin, True, restore)

    def push(self, back: Scrollback, paces: bool) -> None:
        """Send what there is and what there is room for. ``paces``: the engine waits for them."""
        while not self.full and (left := back.end - self.sent) > 0:
            room = self.drawn + WINDOW - self.sent
            if room < min(left, LEAST):
                return
            # After the end nobody is left behind, but what has fallen out meanwhile is gone.
            if self.sent < back.start or (not paces and left > BEHIND):
                self._skip(back)
            piece = back.read(self.sent, min(room, PIECE))
            if not piece:
                return
            self.put(piece)

    def put(self, piece: bytes) -> None:
        """Send the next bytes for them."""
        # Before it is sent: a connection that takes it at once counts it as drawn.
        self.sent += len(piece)
        if not self.connection.output(piece):
            self.sent -= len(piece)
            self.full = True
        elif not self.connection.counts_drawn:
            self.drawn = self.sent

    def _skip(self, back: Scrollback) -> None:
        """Overload: a watcher who cannot keep up loses what is between and nobody waits."""
        begin, restore = back.fresh(FRESH)
        if begin <= self.sent:
            return
        gone, self.sent = begin - self.sent, begin
        self.drawn += gone  # what is under way to them still counts, what is left out does not
        self.skipped += gone
        self.connection.tell(
            {
                "op": "reset",
                "offset": begin,
                "end": back.end,
                "sizes": back.sizes(begin),
                "restore": restore,
                "skipped": gone,
            }
        )

    def drained(self) -> None:
        """Their connection was full and has room again."""
        self.full = False
        if not self.connection.counts_drawn:
            self.drawn = self.sent

    def confirm(self, offset: int) -> None:
        """Tell them up to where their input has gone through, when that is news."""
        if offset > self.typed:
            self.typed = offset
            self.connection.tell({"op": "input", "offset": offset})

    def demote(self) -> None:
        """They may only watch from now on."""
        self.mode = "watch"
        self.connection.tell({"op": "mode", "mode": "watch"})

    def drew(self, offset: int) -> None:
        """Their page has drawn up to ``offset``; nonsense is cut to what was sent."""
        self.drawn = max(self.drawn, min(offset, self.sent))

    def as_json(self, keyboard: bool) -> dict[str, object]:
        """As the others see them."""
        return {
            "id": self.id,
            "name": self.account,
            "mode": self.mode,
            "keyboard": keyboard,
            "columns": self.size.columns if self.size else None,
            "rows": self.size.rows if self.size else None,
        }
