"""Seeing that the engine lost its way in a log that is rotated while it is followed.

An engine that follows a json-file reads on where it thinks the next file begins. When files are
rotated faster than it reads, it skips whole ones, or sends lines that it has sent already; it says
neither. Both show in the times of the lines. Whoever sees it reads the log again from what is
stored, which tells exactly what is new and what is missing.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Mapping
from math import ceil, inf
from typing import NamedTuple

from cloudbang.core.loop import in_turns
from cloudbang.core.supervise import backoff
from cloudbang.domain.lines import record_ns

FASTEST = 100 * 1024 * 1024
"""Bytes per second that no container gets into its log: a file takes at least its size over this,
so a shorter step in time hides no lost file."""

PARTS = 8
"""Parts of a file by which the rate is taken. One line after another says nothing: who writes twenty
lines at once and then waits is not fast. A fixed time says nothing of small files, which fill up in it
more than once."""

BURST = 4
"""How many times as fast as it was seen writing a container may have written in the step. A shorter
one than a file takes even so is a pause of the container's own. Reading again for each of those
would cost so much that files are lost by it."""

PATIENT = 1.0
"""Seconds of waiting for the disk after which a log may have to be read again from what is stored: an
engine that has to wait skips the files that were dropped meanwhile, and says nothing. Reading again
makes a slow disk slower still, so that is not done at each such wait."""

REREAD_AGAIN = (5.0, 300.0)  # seconds from one to the next: the first ones, and at most

ASK_AGAIN = (1.0, 30.0)
"""Seconds from one question about pauses to the next: each has the engine walk through the log."""

LASTING = 30.0
"""Seconds for which a flood counts as one. Reading again takes a while in which little comes, and just
then files are skipped."""

DOUBTFUL = 3.0
"""Seconds for which a step stays in doubt: a flood that had begun with it shows by then. By the lines'
own clock half of its length besides: what fills a file in it shows its rate in a quarter of that. One in
which a file may have been filled at the rate seen before it stays until somebody has asked."""
DOUBTS = 8  # the longest of them
STEADY = 10
"""In a flood only steps are looked at in which a file could be filled at a tenth of the fastest: each
line of a steady one would be."""

RECALLED = (30_000, 120.0)
"""Lines at most, and seconds before the newest that is stored, which a new process looks at again."""
AT_ONCE = 500  # of these lines,
WITHIN = 250_000_000  # and nanoseconds: what was written in a minute did not come in a moment

MIXED = 50_000_000  # nanoseconds by which stdout and stderr may be out of order

LOCAL_SIZE = 20 * 1024 * 1024  # what the `local` driver keeps in a file unless told otherwise

_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]?)i?b?\s*", re.IGNORECASE)


def rotated_at(driver: str, options: Mapping[str, str]) -> int | None:
    """Bytes after which this driver begins a new file; None when it never does."""
    if driver not in ("json-file", "local"):
        return None
    found = _SIZE.fullmatch(options.get("max-size", ""))
    if found is None:
        return LOCAL_SIZE if driver == "local" else None
    return int(float(found[1]) * 1024 ** " kmgt".index(found[2].lower() or " ")) or None


class RotationWatch:
    """Looks at the times of one container's lines as they come."""

    def __init__(self, file_bytes: int) -> None:
        self._file_bytes = file_bytes
        self._enough = file_bytes / 4  # bytes of a second that make it possible to lose a file
        self._least = int(file_bytes * 1e9 / FASTEST)  # ns in which a file can be filled at all
        self._step = 0  # ns between two lines that may hide a file
        self._rate = 0.0  # bytes per second at which it was seen writing, the fastest lately
        # What came in the last second by our clock, and what was written in the last second by the
        # lines' own: we may have been kept from reading just when files were dropped.
        self._came, self._written = _LastSecond(), _LastSecond()
        self._part = file_bytes / PARTS
        self._part_since: int | None = None  # ns: the first line of the part that is being filled
        self._part_filled = 0.0
        self._rereads = backoff(*REREAD_AGAIN)
        self._reread_from = 0.0
        self._asks = backoff(*ASK_AGAIN)
        self._ask_from = 0.0
        self._much = False  # enough to lose a file
        self._much_until = self._at = 0.0
        self._line_at = 0  # ns: the newest line that has told something of the rate
        self._before: dict[bytes, bytes] = {}  # by stream: its newest record
        self._newest = b""
        self._prior: bytes | None = None  # the newest record
        self._doubts: list[_Doubt] = []
        self.recalled: set[bytes] = set()
        """The records after steps that came before this process, and may be answered already."""

    def begin(self, last: bytes | None = None) -> None:
        """The log is read again: the next line comes after ``last``, or may be any."""
        self._before = {last[44:50]: last} if last else {}
        self._newest = last[:30] if last else b""
        self._prior = last
        self._part_since, self._part_filled = None, 0.0

    def recall(self, records: list[bytes], now: float) -> None:
        """These, by their times, were delivered by a process before this one, and end at the newest:
        what rate they came at, and which steps look like jumps that nobody may have asked about."""
        newest = _ns(records[-1][:30]) if records else 0
        for at, part in in_turns(_as_they_came(records)):
            then = now - (newest - _ns(part[-1][:30])) / 1e9
            while (odd := self.first_discontinuity(part, then)) is not None:
                before = part[odd - 1] if odd else records[max(0, at - 1)]
                pause = _apart(before[:30], part[odd][:30])
                if pause >= self._least:
                    self._doubts.append(_Doubt(then, pause, before, part[odd], True, self._much))
                self.begin()
                at, part = at + odd, part[odd:]
        self._doubts.sort(key=lambda doubt: -doubt.pause)
        del self._doubts[DOUBTS:]
        self.recalled = {doubt.after for doubt in self._doubts}

    def accept(self, raw: bytes) -> None:
        """``raw`` was odd, and the log read again is the same there: nothing is missing.

        It wrote more slowly than was thought. Taken for faster than it is, a container would have
        each of its pauses read twice, until files are dropped that could have been read.
        """
        if self._newest:
            self._paused(self._newest, raw)
        self.begin()

    def lost_by_waiting(self, since: float, now: float) -> bool:
        """Whether the log is to be read again since its reader waited for the disk: the container
        may have filled a file meanwhile, as fast as it was seen writing."""
        waited = now - since
        if waited < PATIENT or self._rate * BURST * waited < self._file_bytes:
            return False
        if since < self._reread_from:
            return False
        self._reread_from = now + next(self._rereads)
        return True

    def first_discontinuity(self, records: list[bytes], now: float) -> int | None:
        """The index of the first record that should not come after the one before it.

        ``now`` in seconds of any clock that does not jump. Everything before the index counts as
        seen; nothing is seen after an odd one.
        """
        # Not what was read: most of that may be stored already, and these few lines would seem to
        # have been written a hundred times as fast as they were.
        size = sum(map(len, records))
        self._came.add(now, size)
        if max(self._came.bytes, self._written.bytes) >= self._enough:
            self._much_until = now + LASTING
        # These may be what tells of the flood, and what was jumped over its beginning: what comes of
        # a step says nothing of the rate before it. So they are in doubt like any before.
        flooding, self._much = self._much, now < self._much_until
        self._note_doubts(records, now, flooding)
        self._prior = records[-1]
        times = [raw[:30] for raw in records]
        last, newest = self._newest, times[-1]
        # By time and not by batch: many small ones come just when files are being skipped. By the
        # lines' own as well: while a busy machine keeps us from reading, nothing new is seen of the
        # container; and lines from long ago come quickly.
        written = max(0, _ns(newest) - self._line_at) / 1e9
        kept = self._rate * 0.9 ** min(now - self._at, written)
        self._rate, self._at = max(self._fastest(times, size), kept), now
        self._line_at = _ns(newest)
        self._step = max(
            100_000, int(self._file_bytes * 1e9 / min(FASTEST, max(1.0, BURST * self._rate)))
        )
        if self._doubts:
            # What comes after a step may be the first to show how fast it writes.
            self._doubts = [
                d._replace(likely=True) if d.pause >= self._step else d for d in self._doubts
            ]
        if (
            (not last or times[0] > last)
            and times == sorted(times)
            and len(set(records)) == len(records)
            and (not self._much or _apart(last or times[0], newest) < self._step)
        ):
            self._newest = newest
            self._written.add(_ns(newest) / 1e9, size)
            self._before = {b"stdout": records[-1], b"stderr": records[-1]}
            return None
        for at, raw in enumerate(records):
            if self._odd(raw):
                # Who is told of it settles it: it is not asked about as well.
                self._doubts = [doubt for doubt in self._doubts if doubt.after != raw]
                return at
            self._before[raw[44:50]] = raw
            self._newest = raw[:30]
        self._written.add(_ns(newest) / 1e9, size)
        return None

    def doubts(self, now: float, *, last: bool = False) -> Iterator[tuple[bytes, bytes]]:
        """The records before and after steps that were taken for pauses, and about which the engine
        is to be asked. In a flood: those in which a file may have been filled, and all from before
        it was seen to be one, since a jump of the engine is often the first thing that is seen of
        it. Else, now and then, those in which a container that writes little at a time may have
        filled a file: an engine that was kept from its work for that long jumps as well. Each is in
        doubt until it is :meth:`answered`. ``last``: nothing comes any more, and there is no later."""
        if not self._doubts:
            return
        if self._much:
            asked = [doubt for doubt in self._doubts if doubt.likely or not doubt.flooding]
        else:
            asked = [doubt for doubt in self._doubts if doubt.likely]
            if not asked or (now < self._ask_from and not last):
                return
            self._ask_from = now + next(self._asks)
        for doubt in asked:
            # What was fetched for one of them may have been in another one, too.
            if doubt in self._doubts:
                yield doubt.before, doubt.after

    @property
    def in_doubt(self) -> bool:
        """Whether something is to be asked about, now or later, by whatever comes."""
        return any(doubt.likely for doubt in self._doubts)

    def suspect(self, before: bytes, after: bytes, now: float) -> None:
        """The engine jumped over what came just after ``after``: between these two it may have, too."""
        self._doubts = [doubt for doubt in self._doubts if doubt.after != after]
        pause = _apart(before[:30], after[:30])
        self._doubts.insert(0, _Doubt(now, pause, before, after, True, self._much))

    def answered(self, before: bytes, after: bytes, jumped: bool) -> None:
        """The engine has told what there is between these two: nothing, where it was a pause of
        the container's own."""
        # What has been delivered of it has narrowed it from the left.
        self._doubts = [doubt for doubt in self._doubts if doubt.after != after]
        if not jumped:
            self._paused(before, after)

    def delivered(self, records: list[bytes]) -> None:
        """These were handed over, late perhaps: what of a step in doubt they fill is not asked for."""
        left = []
        for doubt in self._doubts:
            start, end = doubt.before[:30], doubt.after[:30]
            inside = [raw for raw in records if start < raw[:30] < end]
            sides = [(doubt.before, doubt.after)]
            if inside:
                sides = [(doubt.before, inside[0]), (inside[-1], doubt.after)]
            for before, after in sides:
                if (pause := _apart(before[:30], after[:30])) >= self._least:
                    left.append(doubt._replace(pause=pause, before=before, after=after))
        self._doubts = left

    def _paused(self, before: bytes, after: bytes) -> None:
        if (pause := _apart(before[:30], after[:30])) > 0:
            self._rate = min(self._rate, self._file_bytes * 1e9 / (BURST * 2 * pause))

    def _note_doubts(self, records: list[bytes], now: float, flooding: bool) -> None:
        before = self._prior or records[0]
        if self._doubts:
            newest = _ns(before[:30])
            self._doubts = [
                doubt
                for doubt in self._doubts
                if doubt.likely
                or doubt.seen > now - DOUBTFUL
                or newest - _ns(doubt.after[:30]) < doubt.pause / 2
            ]
        least = self._least * (STEADY if flooding else 1)
        if _apart(before[:30], records[-1][:30]) < least:
            return
        for raw in records:
            if (pause := _apart(before[:30], raw[:30])) >= least:
                likely = pause >= self._suspicious(before)
                self._doubts.append(_Doubt(now, pause, before, raw, likely, flooding))
            before = raw
        self._doubts.sort(key=lambda doubt: -doubt.pause)
        del self._doubts[DOUBTS:]

    def _suspicious(self, before: bytes) -> float:
        """Nanoseconds from ``before`` on in which a file may have been filled: by the rate before
        it, since the pause itself has made the one of now smaller. Until a part of a file has shown
        a rate, by what has come of the part."""
        known = self._step if self._step > 0 else inf
        if self._part_since is None or self._part_filled < self._part / PARTS:
            return known
        # A second at least: some lines at once are no rate.
        span = max(10**9, _ns(before[:30]) - self._part_since)
        return min(known, self._file_bytes * span / (BURST * self._part_filled))

    def _fastest(self, times: list[bytes], size: int) -> float:
        """Bytes per second in the part of a file, ended by these lines, that was filled fastest."""
        each, at, found = size / len(times), 0, 0.0
        since = self._part_since if self._part_since is not None else _ns(times[0])
        filled = self._part_filled
        while (end := at + max(0, ceil((self._part - filled) / each))) < len(times):
            now = _ns(times[end])
            if now > since:
                found = max(found, self._part * 1e9 / (now - since))
            since, filled, at = now, 0.0, end
        self._part_since, self._part_filled = since, filled + (len(times) - at) * each
        return found

    def _odd(self, raw: bytes) -> bool:
        before = self._before.get(raw[44:50])
        # Within one stream times only grow: this was sent before. Between the two they may differ
        # by what it takes to write a line.
        if before is not None and (
            raw == before
            or (
                raw[:30] < before[:30]
                and (raw[44:50] == before[44:50] or _apart(raw[:30], before[:30]) > MIXED)
            )
        ):
            return True
        return bool(self._newest) and self._much and _apart(self._newest, raw[:30]) >= self._step


class _Doubt(NamedTuple):
    """A step of time in which the engine may have jumped."""

    seen: float  # seconds, when
    pause: int  # ns
    before: bytes  # the records around it
    after: bytes
    likely: bool  # a file may have been filled in it at the rate seen before, or soon after
    flooding: bool  # it came in what counted as a flood already


class _LastSecond:
    """Bytes of the last second."""

    def __init__(self) -> None:
        self.bytes = 0
        self._parts: deque[tuple[float, int]] = deque()

    def add(self, at: float, size: int) -> None:
        self._parts.append((at, size))
        self.bytes += size
        while self._parts[0][0] < at - 1:
            self.bytes -= self._parts.popleft()[1]


def _as_they_came(records: list[bytes]) -> Iterator[tuple[int, list[bytes]]]:
    """Parts of them, each with its index, as one after the other may have been read."""
    at = 0
    while at < len(records):
        end = at + 1
        limit = min(len(records), at + AT_ONCE)
        while end < limit and _apart(records[at][:30], records[end][:30]) < WITHIN:
            end += 1
        yield at, records[at:end]
        at = end


def _apart(one: bytes, other: bytes) -> int:
    """Nanoseconds between two times of records."""
    if one[:19] == other[:19]:
        return int(other[20:29]) - int(one[20:29])
    return _ns(other) - _ns(one)


def _ns(time: bytes) -> int:
    return record_ns(time)
