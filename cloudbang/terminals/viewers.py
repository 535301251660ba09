"""Those who look at one session: how far its output has gone to each, whose keyboard it is, and how
large its window may be.

What was printed is kept here for as long as anybody may still need it; whoever holds the keyboard
sets the pace at which more is read.
"""

from __future__ import annotations

import time
from typing import NamedTuple, Protocol

from gevent.event import Event as Flag

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
LOST_WAIT = 30.0  # seconds the output of a lost page waits for it to come back


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


class Viewers:
    """All participants of one session. ``keyboard`` is who typed last, or the owner; they set the
    pace."""

    __slots__ = (
        *("_changed", "_ended", "_lost", "_lost_until", "_numbers", "_unpaced"),
        *("back", "keyboard", "members", "size"),
    )

    def __init__(self, size: Size) -> None:
        self.back = Scrollback()
        self.members: list[Participant] = []
        self.keyboard: Participant | None = None
        self.size = size
        self._numbers = 0  # members so far
        self._changed = Flag()  # somebody drew, came or went: there may be room
        self._lost, self._lost_until = 0, 0.0  # drawn by a page that was lost, and until when
        self._unpaced = False  # the session was told to end: what still comes is not held up
        self._ended: ExitStatus | None = None

    # --- coming and going -------------------------------------------------------------------------

    def join(self, one: Participant, after: int | None, typed: int = 0) -> Begin:
        """Somebody has come, from whose tab ``typed`` bytes came before. Gives where their output
        begins; :meth:`show` sends it.

        A second connection of the same tab replaces the first. The owner's newest page has the
        keyboard unless a guest types.
        """
        older = [o for o in self.members if o.client == one.client and o.login == one.login]
        self._numbers += 1
        one.enter(self._numbers, typed)
        self.members.append(one)
        if one.mode == "own" and (self.keyboard is None or self.keyboard.mode == "own"):
            self.keyboard = one
        for other in older:
            if self.keyboard is other:
                self.keyboard = one  # before the other goes: nobody else is to get it
            self._remove(other)
            other.connection.close(4409, "this terminal was opened again by the same page")
        if self.keyboard is not None:
            self._lost_until = 0.0  # output waits for somebody who is here
        return one.begin(self.back, after, self.keyboard is one)

    def show(self, one: Participant) -> None:
        """Send somebody what there is for them."""
        self._push(one)
        self._changed.set()

    def leave(self, one: Participant, *, lost: bool) -> bool:
        """Somebody has gone; ``lost`` when their connection broke and they may come back for
        what they have not seen. Whether they were here."""
        if one not in self.members:
            return False
        held = self._remove(one)
        if held and lost and self.keyboard is None:
            self._lost, self._lost_until = one.drawn, time.monotonic() + LOST_WAIT
        self._changed.set()
        return True

    def _remove(self, one: Participant) -> bool:
        """Whether they had the keyboard; the next who may type has it then."""
        self.members.remove(one)
        if self.keyboard is not one:
            return False
        able = [other for other in self.members if other.may_type]
        self.keyboard = next((o for o in able if o.mode == "own"), able[0] if able else None)
        return True

    # --- output -----------------------------------------------------------------------------------

    def hand_on(self, data: bytes) -> None:
        """Keep what was printed (it ends with a whole character) and send it to everybody; never
        waits."""
        back, size = self.back, len(data)
        begin = back.end
        back.append(data)
        drawn = back.end - WINDOW
        for one in tuple(self.members):
            # Up to date, as they mostly are: the echo of a key has to be quick.
            if one.sent == begin and one.drawn >= drawn and size <= PIECE and not one.full:
                one.put(data)
            else:
                one.push(back, one is self.keyboard)

    def drew(self, one: Participant, offset: int) -> None:
        """A page has drawn up to ``offset``."""
        one.drew(offset)
        self.show(one)

    def drained(self, one: Participant) -> None:
        """A connection that was full has room again."""
        one.drained()
        self.show(one)

    def finish(self, end: ExitStatus) -> None:
        """Everything was printed: whoever has got all of it is told how it ended."""
        self._ended = end
        for one in list(self.members):
            self._push(one)

    def _push(self, one: Participant) -> None:
        one.push(self.back, one is self.keyboard or self._ended is not None)
        if self._ended is not None and one.sent == self.back.end:
            one.connection.ended(self._ended)

    # --- the pace ---------------------------------------------------------------------------------

    @property
    def has_room(self) -> bool:
        """Overload: who holds the keyboard sets the pace; the engine keeps what they cannot take
        yet. Where nobody does, output flows on and the oldest falls out."""
        if self._unpaced:
            return True  # the tail is kept and shown as far as it can be
        if (keyboard := self.keyboard) is not None:
            return self.back.end - keyboard.drawn < WINDOW
        if self._lost_until:
            return self.back.end - self._lost < WINDOW
        return True

    def wait_for_room(self) -> None:
        while not self.has_room:
            self._changed.clear()
            left = None
            if self.keyboard is None and self._lost_until:
                left = self._lost_until - time.monotonic()
                if left <= 0:
                    self._lost_until = 0.0
                    return
            self._changed.wait(left)

    def stop_pacing(self) -> None:
        """It was told to end: nobody is waited for any more."""
        self._unpaced = True
        self._changed.set()

    # --- the keyboard -----------------------------------------------------------------------------

    def take(self, one: Participant) -> None:
        """The keyboard is theirs."""
        if self.keyboard is not one:
            self.keyboard = one
            self.tell_people()
            self._changed.set()

    def demote_guests(self) -> None:
        """Whoever types by a link does so no more."""
        own = next((o for o in self.members if o.mode == "own"), None)
        for other in self.members:
            if other.mode == "type":
                other.demote()
                if self.keyboard is other:
                    self.keyboard = own
        self.tell_people()
        self._changed.set()

    # --- the window -------------------------------------------------------------------------------

    def fit(self) -> Size | None:
        """The smallest window of all, when that has changed. All are told."""
        sizes = [one.size for one in self.members if one.size is not None]
        if not sizes:
            return None
        size = Size(min(s.columns for s in sizes), min(s.rows for s in sizes))
        if size == self.size:
            return None
        self.size = size
        for one in self.members:
            self.tell_size(one)
        return size

    # --- what they are told -----------------------------------------------------------------------

    def tell_size(self, one: Participant) -> None:
        """The size that all share, and whose windows it is the size of."""
        mine = self.size
        by = [
            other.id
            for other in self.members
            if (its := other.size) and (its.columns == mine.columns or its.rows == mine.rows)
        ]
        one.connection.tell({"op": "size", "columns": mine.columns, "rows": mine.rows, "by": by})

    def people(self) -> list[dict[str, object]]:
        return [one.as_json(one is self.keyboard) for one in self.members]

    def names(self) -> list[str]:
        """The accounts that look, each once."""
        return list(dict.fromkeys(one.account for one in self.members))

    def tell_people(self) -> None:
        """Tell everybody who is there."""
        people = self.people()
        for one in self.members:
            one.connection.tell({"op": "people", "people": people})

    def notice(self, code: str, message: str) -> None:
        """Tell everybody something in words."""
        for one in self.members:
            one.connection.tell({"op": "notice", "code": code, "message": message})
