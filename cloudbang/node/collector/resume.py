"""What of a log that is read again is new.

The engine gives a container's lines in the order in which it wrote them, and they are stored in
that order, but for what an engine skipped and gives later. So the newest record stored divides the log: what comes before it is stored, what
comes after it is new, and if it never comes, the engine dropped it and some that followed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

from cloudbang.domain.lines import TEXT_AT, record, record_ns
from cloudbang.domain.resume import fingerprint


def dropped(before: bytes, after: bytes) -> bytes:
    """The marker for lines that the engine lost between these two records."""
    text = b"lines between %b and %b were dropped by the engine before they could be read"
    return record(after[:30], after[31:43], b"marker", text % (before[:30], after[:30]))


def never_known(before: bytes, after: bytes) -> bytes:
    """The marker for a step in which the engine may have lost lines, and cannot be asked any more."""
    text = (
        b"whether lines between %b and %b were dropped by the engine is not known: "
        b"it could not be asked while it had them"
    )
    return record(after[:30], after[31:43], b"marker", text % (before[:30], after[:30]))


def said_by_engine(time: bytes, container: bytes, words: str) -> bytes:
    """The marker for what the engine itself said went wrong while it gave a log: lines may be
    missing there, and how many nobody knows."""
    text = " ".join(words.split())[:500].encode("utf-8", "replace")
    return record(time, container, b"marker", b"the engine said of this log: " + text)


def take_stored(records: list[bytes], stored: Counter[bytes]) -> list[bytes]:
    """Those of ``records`` that are not stored; ``stored``, by their fingerprints, loses those that
    are."""
    fresh = []
    for raw in records:
        if stored[its := fingerprint(raw)] > 0:
            stored[its] -= 1
        else:
            fresh.append(raw)
    return fresh


class SentAgain:
    """Lets through what is not stored of what a stream sends once more: an engine that lost its way
    in a rotated log may open a file again that it has read, each time that it is asked.

    What came is compared batch by batch, so that a large file sent again costs no memory.
    ``stored(since, until)`` counts what is stored of these times (ns, inclusive), by fingerprint.
    """

    def __init__(self, stored: Callable[[int, int], Counter[bytes]]) -> None:
        self._stored = stored
        self._until = 0  # ns: what is younger comes for the first time

    def begins(self, before: bytes, records: list[bytes]) -> list[bytes] | None:
        """``records`` come after ``before``, and begin with an older one: those that are not stored.
        None when none of them is: the container's clock was set back, say."""
        if records[0][:30] >= before[:30]:
            return None
        fresh = self._unless_stored(records)
        if len(fresh) == len(records):
            return None
        self._until = record_ns(before)
        return fresh

    def new(self, records: list[bytes]) -> list[bytes]:
        """Those of ``records``, which come next, that are not stored."""
        if not self._until:
            return records
        if record_ns(records[0]) > self._until:
            self._until = 0
            return records
        return self._unless_stored(records)

    def _unless_stored(self, records: list[bytes]) -> list[bytes]:
        times = [raw[:30] for raw in records]
        return take_stored(records, self._stored(record_ns(min(times)), record_ns(max(times))))


class Resume:
    """Lets through what comes after the records already stored.

    ``stored`` counts every stored record of the container from the moment on that the log is read
    from; ``last`` is the newest of them. The same record may stand there more than once.
    ``rests``: the moment may be within a line, as the parts of one have times of their own; it has
    the last one's, and so has what is read of it.
    """

    def __init__(
        self,
        stored: Mapping[bytes, int],
        last: bytes | None,
        *,
        gone: bool = False,
        rests: bool = False,
    ) -> None:
        self._stored = Counter(stored)
        self._gone = gone  # the engine is known to have nothing of what is stored
        self._last = last
        self._left = self._stored[last] if last is not None else 0
        self._cut = rests
        self._rests = [b"stdout", b"stderr"] if rests else []  # streams of which the first comes
        self._newest = max((r[:30] for r in self._stored), default=b"")
        self.done = not self._stored
        self.gap_after: bytes | None = None
        """The newest record stored, when lines after it turn out to be missing."""
        self.gap_at = 0  # which of the new lines comes after the missing ones
        self.hole = False
        """A line was not stored though younger ones are: perhaps others before it, too."""
        self.first_missing: bytes | None = None
        """The very first one read, when it was not: what is missing begins before the moment that the
        log is read from."""
        self._recognised = False

    def new(self, records: list[bytes]) -> list[bytes]:
        """Those of ``records`` that are not stored yet. Afterwards ``done`` may be set."""
        fresh: list[bytes] = []
        records = list(records)  # which grows where one turns out to be two
        for at, raw in enumerate(records):
            if raw[44:50] in self._rests:
                self._rests.remove(raw[44:50])
                raw = self._whole(raw)
            if self._cut and self._stored[raw] <= 0 and (first := self._end_of_run(raw)):
                records[at : at + 1] = [first, raw[:TEXT_AT] + raw[len(first) - 1 :]]
                raw = first
            if self._stored[raw] > 0:
                self._recognised = True
                self._stored[raw] -= 1
                if raw == self._last:
                    self._left -= 1
                    if self._left == 0:
                        self._last = None
                        if not self._younger(raw):
                            self.done = True
                            return fresh + records[at + 1 :]
            elif self._last is None:
                # What is not recognised is new, until all is.
                fresh.append(raw)
                if raw[:30] > self._newest:
                    self.done = True
                    return fresh + records[at + 1 :]
            elif self._gone or raw[:30] >= self._newest:
                self.done = True
                self.gap_after, self.gap_at = self._last, len(fresh)
                return fresh + records[at:]
            else:
                # An engine that lost its way in a rotated log skipped it, and what came after it
                # was stored before anyone saw that. What is stored still has to be recognised.
                if not (self.hole or self._recognised):
                    self.first_missing = raw
                self.hole = True
                fresh.append(raw)
        return fresh

    def _whole(self, raw: bytes) -> bytes:
        """The stored line that this is the rest of; itself, where there is none."""
        if self._stored[raw] > 0:
            return raw
        head, rest = raw[:TEXT_AT], raw[TEXT_AT:]
        found = (
            known for known in self._stored if known[:TEXT_AT] == head and known.endswith(rest)
        )
        return next(found, raw)

    def _end_of_run(self, raw: bytes) -> bytes | None:
        """The line stored that this one begins with: of a run that ended within a line, which read
        again looks like a part of the next run's first one."""
        for known, left in self._stored.items():
            text = known[TEXT_AT:-1]
            if (
                left > 0
                and text
                and known[31:TEXT_AT] == raw[31:TEXT_AT]
                and known[:30] <= raw[:30]
                and raw.startswith(text, TEXT_AT)
            ):
                return known
        return None

    def _younger(self, last: bytes) -> bool:
        """Whether lines were stored before ``last`` that the engine wrote after it."""
        return any(count > 0 and raw[:30] > last[:30] for raw, count in self._stored.items())


class SkipTo:
    """Lets through what comes after the ``count``-th ``last``: for a log read from its beginning.

    Times do not help when the clock was set back; the order does.
    """

    def __init__(self, last: bytes, count: int) -> None:
        self._last, self._left = last, count
        self.done = self.hole = False
        self.gap_after: bytes | None = None
        self.first_missing: bytes | None = None
        self.gap_at = 0

    def new(self, records: list[bytes]) -> list[bytes]:
        for at, raw in enumerate(records):
            if raw == self._last:
                self._left -= 1
                if self._left == 0:
                    self.done = True
                    return records[at + 1 :]
        return []
