"""What carries a session's output to those who look.

It reads the source as fast as whoever holds the keyboard draws, keeps the last megabyte, records,
and hands on to everybody. What lies between a key's echo and its page is kept short: on a processor
that has slept for some milliseconds every step costs ten times what it costs in a loop.
"""

from __future__ import annotations

import time

import gevent
from gevent.event import Event as Flag

from cloudbang.core.loop import yield_to_loop
from cloudbang.domain.scrollback import Cutter, Scrollback
from cloudbang.domain.terminals import ExitStatus, Recording, Source
from cloudbang.terminals.fairness import Fairness
from cloudbang.terminals.participant import WINDOW
from cloudbang.terminals.viewers import Viewers

KIB = 1024
READ = 128 * KIB  # bytes asked of the source at a time, in a flood
SHORT = 8 * KIB  # and otherwise
FEW = 64  # short reads in a row after which a look at the clock is worth its time
TURN = 0.002  # seconds a flood may work before the others get theirs


class Pump:
    """See the module. Times in monotonic seconds, offsets in bytes since the session's start."""

    __slots__ = (
        *("_company", "_cutter", "_fairness", "_session", "_source"),
        *("back", "changed", "ending", "lost", "lost_until", "quiet_since", "recording"),
    )

    def __init__(self, session: str, source: Source, company: Viewers, fairness: Fairness) -> None:
        self._session, self._source = session, source
        self._company, self._fairness = company, fairness
        self._cutter = Cutter()
        self.back = Scrollback()
        self.recording: Recording | None = None
        self.quiet_since = time.monotonic()  # nothing typed and nothing printed since then
        self.changed = Flag()  # somebody drew, came or went: there may be room
        self.lost, self.lost_until = 0, 0.0  # drawn by a page that was lost, and until when
        self.ending = False  # it was told to end: what still comes is not held up

    def run(self) -> ExitStatus:
        """Pump until the source has ended and every byte was read."""
        source, cutter, limit = self._source, self._cutter, SHORT
        since, in_row = time.monotonic(), 0
        while True:
            if not self._has_room():
                self._wait_for_room()
            data = source.read(limit)
            if not data:
                break
            if piece := cutter.feed(data):
                self._hand_on(piece)
                if self.recording is not None and self.recording.full:
                    self.recording.wait_for_room()
            # A large buffer for a single key would cost more than the key.
            limit = READ if len(data) >= SHORT else SHORT
            in_row = in_row + 1 if limit == SHORT else FEW
            if in_row < FEW:
                continue  # a source that has nothing more waits: everybody has their turn anyway
            in_row = 0
            if pause := self._fairness.pause(self._session, len(data)):
                gevent.sleep(pause)
            if time.monotonic() - since > TURN:
                yield_to_loop()
                since = time.monotonic()
        if rest := cutter.flush():
            self._hand_on(rest)
        return source.result()

    def _hand_on(self, data: bytes) -> None:
        """To everybody, and to the recording; never waits."""
        self.quiet_since = time.monotonic()
        self.back.append(data)
        company = self._company
        for one in tuple(company.members):
            one.push(self.back, one is company.keyboard, data)
        if self.recording is not None:
            self.recording.output(data)

    # --- the pace ---------------------------------------------------------------------------------

    def _has_room(self) -> bool:
        """Overload: who holds the keyboard sets the pace; the engine keeps what they cannot take
        yet. Where nobody does, output flows on and the oldest falls out."""
        if self.ending:
            return True  # the tail is kept and shown as far as it can be
        if (keyboard := self._company.keyboard) is not None:
            return self.back.end - keyboard.drawn < WINDOW
        if self.lost_until:
            return self.back.end - self.lost < WINDOW
        return True

    def _wait_for_room(self) -> None:
        while not self._has_room():
            self.changed.clear()
            left = None
            if self._company.keyboard is None and self.lost_until:
                left = self.lost_until - time.monotonic()
                if left <= 0:
                    self.lost_until = 0.0
                    return
            self.changed.wait(left)
