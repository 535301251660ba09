"""Those who look at one session: how far its output has gone to each, whose keyboard it is, and how
large its window may be.

What was printed is kept here for as long as anybody may still need it; whoever holds the keyboard
sets the pace at which more is read.
"""

from __future__ import annotations

import time

from gevent.event import Event as Flag

from cloudbang.domain.scrollback import Scrollback
from cloudbang.domain.terminals import ExitStatus, Size, SizedBy
from cloudbang.terminals.participant import PIECE, WINDOW, Begin, Participant

LOST_WAIT = 30.0  # seconds the output of a lost page waits for it to come back


class Viewers:
    """All participants of one session. ``keyboard`` is who typed last, or the owner; they set the
    pace."""

    __slots__ = (
        *("_changed", "_ended", "_lost", "_lost_until", "_numbers", "_unpaced"),
        *("back", "keyboard", "members", "size", "sized_by"),
    )

    def __init__(self, size: Size) -> None:
        self.back = Scrollback()
        self.members: list[Participant] = []
        self.keyboard: Participant | None = None
        self.size = size
        self.sized_by: SizedBy = "smallest"
        self.back.resized(size)
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

    def _counted(self) -> list[tuple[Participant, Size]]:
        """Those whose windows decide: of all who may type, of the owner, or of who has the
        keyboard. Where nobody has such a window, of all."""
        all_ = [(one, size) for one in self.members if (size := one.counts_as) is not None]
        some = [
            (one, size)
            for one, size in all_
            if (one.mode == "own" if self.sized_by == "owner" else one is self.keyboard)
        ]
        return all_ if self.sized_by == "smallest" else some or all_

    def fit(self) -> Size | None:
        """The smallest window of those that decide, when that has changed. All are told."""
        sizes = [size for _, size in self._counted()]
        if not sizes:
            return None
        size = Size(min(s.columns for s in sizes), min(s.rows for s in sizes))
        if size == self.size:
            return None
        self.size = size
        self.back.resized(size)
        for one in self.members:
            self.tell_size(one)
        return size

    # --- what they are told -----------------------------------------------------------------------

    def tell_size(self, one: Participant) -> None:
        """The size that all share, and whose windows it is the size of."""
        mine = self.size
        by = [
            other.id
            for other, its in self._counted()
            if its.columns == mine.columns or its.rows == mine.rows
        ]
        one.connection.tell(
            {
                "op": "size",
                "columns": mine.columns,
                "rows": mine.rows,
                "by": by,
                "rule": self.sized_by,
                "offset": self.back.end,
            }
        )

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
