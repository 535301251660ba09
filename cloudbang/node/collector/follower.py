"""The reader of one container's log, from its first sight to its end."""

from __future__ import annotations

import logging
import time
from collections import Counter
from contextlib import nullcontext
from functools import partial

from cloudbang.core.retry import Attempts
from cloudbang.domain.apps import Instance
from cloudbang.domain.docker_stream import StreamGarbled
from cloudbang.domain.lines import format_time, record_ns
from cloudbang.domain.masking import AnyDecoder
from cloudbang.domain.partial_line import PartialLine
from cloudbang.domain.resume import ResumePoint, fingerprint
from cloudbang.engine import EngineStream
from cloudbang.errors import (
    EngineRefused,
    EngineUnreachable,
    LogUnreadable,
    NoSuchContainer,
    StorageFailed,
)
from cloudbang.node.collector.context import ReaderContext
from cloudbang.node.collector.read_scheduler import ReadScheduler
from cloudbang.node.collector.resume import Resume, SentAgain, SkipTo, dropped, said_by_engine
from cloudbang.node.collector.rotation import RECALLED, RotationWatch, rotated_at
from cloudbang.node.collector.sink import Receipt
from cloudbang.node.collector.snapshot import between, resume_after_set_back, snapshot

log = logging.getLogger(__name__)

READ = 64 * 1024  # bytes a read may return; the engine's buffer holds about 28 KB
FULL_READS = 4  # full reads in a row before others get their turn

WELL = 10.0  # seconds of reading after which a failure before is over

SILENT = 3.0  # seconds between two looks (Follower.look) at who has read nothing since the last

TAIL = 1000
"""Lines looked back at first when a log is read again. Asked for a moment only, the engine would
read the whole log to find it, and mostly only a few lines are new."""

LONG_TAIL = 10_000  # the same for a log that floods

LOOKS = 4
"""How often in a row a log is read in which lines seem to be missing that the engine has: one that
rotates while it is read is skipped in parts, and the next reading finds them."""

STEPS = 8
"""Odd steps that are remembered. An engine may make several in each reading: with one of them alone
known, a log would be read for the others again and again, and never to its end."""


class Interrupted(Exception):
    """A reader was told to begin anew, and does."""


class _RereadFurther(Exception):
    """More lines are new than were asked for."""


class _RereadFully(Exception):
    """Lines are missing that the engine still has."""


class _StreamDiscontinuous(Exception):
    """The engine skipped lines or sent some again, or may have; by the cause."""


class Follower:
    """Reads one container's log into the sink.

    Every pass begins at what is stored, so nothing has to be remembered between two of them.
    """

    def __init__(self, context: ReaderContext, container: str, app: str) -> None:
        self.container, self.app = container, app
        self.since_ns = 0  # from where on the present pass reads
        self._context = context
        self._behind = False  # reading at full speed: there is more than was read
        self._newest = b""
        self._receipt: Receipt | None = None  # of what was handed over last
        self._watch: RotationWatch | None = None
        self._last: bytes | None = None  # the record before the next one
        # Two records each, that looked odd one after the other: the last few.
        self._steps: list[tuple[bytes | None, bytes]] = []
        self._again = SentAgain(self._stored_between)
        self._stream: EngineStream | None = None  # that is read now
        self._reads = self._reads_before = 0  # of it, and when somebody last looked
        self._ends = True  # it does by itself, or was given up
        self._interrupted = False
        self._began = 0.0  # the present try
        self._partial: list[PartialLine] = []  # lines that are not ended, as they were told
        said = partial(log.info, "the log of %s is read again", app)
        self._quick = Attempts(0.2, 3, begins=self._say_trouble, ends=said)
        self._slow = Attempts(1, 120, begins=lambda _: None, ends=self._log_readable)

    @property
    def lag(self) -> float:
        """Seconds by which the newest line read is behind, while there are more to read."""
        if not self._behind or not self._newest:
            return 0.0
        return max(0.0, time.time() - record_ns(self._newest) / 1e9)

    def look(self) -> None:
        """Called at intervals: give up a stream that will never end. An engine that is asked to follow
        a log just while its container dies may have closed that already, and never ends the stream."""
        if self._stream is not None and time.monotonic() - self._began > WELL:
            self._quick.went_well()
        if self._stream is not None and self._watch is not None and self._watch.in_doubt:
            self._stream.wake()  # nothing may come for long by which it would be asked about
        if self._stream is not None and self._reads == self._reads_before and not self._ends:
            known = self._context.containers.instance(self.container)
            if known is None or not known.alive:
                self._ends = True
                self._stream.wake()
        self._reads_before = self._reads

    def interrupt(self) -> None:
        """Have :meth:`run` raise Interrupted, at once where it waits for the engine: a flag that
        the reader looks at, since an exception thrown from outside may meet it anywhere."""
        self._interrupted = True
        self.retry()
        if self._stream is not None:
            self._stream.wake()

    def retry(self) -> None:
        """The engine is there again: not to wait any longer for the next try."""
        self._quick.now()
        self._slow.now()

    def drain(self) -> None:
        """Wait until everything handed over is stored: in order, so the last tells for all."""
        if self._receipt is not None:
            self._receipt.wait()

    def run(self) -> Instance | None:
        """Read until the container has ended and all of its log is stored; how it ended.

        None when the engine has it no more, or cannot read its log. Raises Interrupted.
        """
        while True:
            self._look_up()
            self._began = time.monotonic()
            tries, why = self._quick, ""
            try:
                instance = self._context.containers.instance(self.container)
                if instance is None:
                    return None
                with nullcontext() if instance.alive else self._context.old:
                    ended = self._pass(instance)
                self._quick.went_well()
                if ended is None:
                    return None
                if not ended.alive and not instance.alive and self._same_run(ended, instance):
                    return ended
                if not (ended.alive and self._same_run(ended, instance)):
                    continue
                # It runs and the stream ended all the same: not again right away.
            except NoSuchContainer:
                if self._is_gone():
                    return None
            except LogUnreadable as e:
                self._context.containers.unreadable(self.container, e.reason)
                return None
            except EngineUnreachable as e:
                log.debug("%s: %s", self.container[:12], e)
            except EngineRefused as e:
                why = str(e)
                if e.call == "logs":
                    tries = self._slow
                    self._context.containers.log_refused(self.container, e)
            except (StreamGarbled, StorageFailed) as e:
                why = str(e)
            if time.monotonic() - self._began > WELL:
                self._quick.went_well()
            tries.wait(tries.failed(why))

    def _say_trouble(self, reason: str) -> None:
        if reason:  # that the engine is away is said once, and not for each log
            log.warning("reading the log of %s: %s; it is tried again", self.app, reason)

    def _log_readable(self) -> None:
        self._context.containers.log_readable(self.container)

    def _look_up(self) -> None:
        if self._interrupted:
            self._interrupted = False
            raise Interrupted

    def _is_gone(self) -> bool:
        # One that the engine just makes may be unknown to one call and known to the next.
        try:
            return self._context.containers.refresh(self.container) is None
        except (EngineUnreachable, EngineRefused):
            return False

    def _same_run(self, one: Instance, other: Instance) -> bool:
        return one.started_at == other.started_at

    def _pass(self, instance: Instance) -> Instance | None:
        """Read from what is stored to the end of the stream; what the container is then.

        While it runs the log is followed. Once it has ended it is read once more without
        following: a followed stream may end before its last lines.
        """
        tail: int | None = TAIL
        looks = 0
        while True:
            self.drain()  # what is stored tells where to go on
            point = self._context.sink.resume_point(instance.app, instance.short)
            try:
                return self._read(instance, point, tail, surely=looks >= LOOKS)
            except _RereadFurther:
                tail = None
            except _RereadFully:
                tail, looks = None, looks + 1
                self._read_again("missing")
            except _StreamDiscontinuous as e:
                tail, looks = LONG_TAIL, 0
                self._read_again(str(e))

    def _read_again(self, cause: str) -> None:
        log.debug("%s is read again (%s); the last odd step: %s", self.app, cause, self._steps[-1:])
        self._context.count_reread(cause)

    def _read(
        self, instance: Instance, point: ResumePoint | None, tail: int | None, *, surely: bool
    ) -> Instance | None:
        """One reading. ``surely``: what seems to be missing is taken to be."""
        engine, now = self._context.engine, time.time_ns()
        resume: Resume | SkipTo | None = None
        if point is None or point.last is None or engine.is_podman:
            # Nothing to recognise what is stored by; or 4.3, which joins parts to the wrong lines.
            tail = None
        if point is None:
            self.since_ns = max(0, now - self._context.retention_ns)
        else:
            self.since_ns = point.since
            resume = Resume(point.stored, point.last, rests=engine.is_podman)
            if point.last is not None and record_ns(point.last) > now:
                resume, tail = resume_after_set_back(self._context, instance, point), None
                self.since_ns = 0
        self._last = point.newest if point else None
        watch = self._watched(instance)
        decoder = self._context.decoder(instance)
        stream = engine.logs(instance.id, follow=instance.alive, since_ns=self.since_ns, tail=tail)
        self._slow.went_well()
        missing = _RereadFurther if tail is not None else None if surely else _RereadFully
        self._stream, self._ends = stream, not instance.alive
        self._reads_before = -1  # not at the very next look
        try:
            self._pump(stream, decoder, resume, watch, missing, instance.alive)
        finally:
            self._stream = None
            stream.close()
            self._behind = False
            self._tell_partial([])
        self._mark_problems(instance, decoder.problems, point)
        # Its end looks the same whether the container exited or the engine was stopped, perhaps
        # within a line. If the engine is away this raises, and what is open is read again.
        ended = self._context.containers.refresh(instance.id)
        if ended is None or not (instance.alive or ended.alive):
            rest = decoder.flush()
            if rest and resume is not None and not resume.done:
                rest = resume.new(rest)
            self._append(rest)
            if watch and not instance.alive:
                self._ask_about(watch, last=True)
        self.drain()
        return ended

    def _mark_problems(
        self, instance: Instance, problems: list[str], point: ResumePoint | None
    ) -> None:
        """What the engine said went wrong stands in the log, behind what it gave before: once,
        however often the log is read again from there."""
        for words in problems:
            log.warning("the engine on the log of %s: %s", instance.app, words)
            newest = self._newest or (point.newest if point and point.newest else b"")
            at = newest[:30] or format_time(time.time_ns()).encode()
            marker = said_by_engine(at, instance.short.encode(), words)
            ns = record_ns(marker)
            if not self._stored_between(ns, ns)[fingerprint(marker)]:
                self._append([marker])

    def _engine_has(self, record: bytes) -> bool:
        """Whether the log that the engine keeps begins no later than this record."""
        instance = self._context.containers.instance(self.container)
        if instance is not None:
            for oldest in snapshot(self._context, instance):
                if oldest:
                    return oldest[0][:30] <= record[:30]
        return False

    def _pump(
        self,
        stream: EngineStream,
        decoder: AnyDecoder,
        resume: Resume | SkipTo | None,
        watch: RotationWatch | None,
        missing: type[_RereadFurther | _RereadFully] | None,
        live: bool,
    ) -> None:
        """From the stream to the sink, until the stream ends.

        ``missing`` says what to raise when lines seem to be missing: _RereadFully only if the engine
        still has what is older. Raises _StreamDiscontinuous with everything before that handed over.
        """
        watched = partial(self._context.sink.watched, self.app)
        pace = ReadScheduler(self._context.tick, watched, live=live)
        read_now, feed, append = stream.read_now, decoder.feed, self._append
        full = 0
        while True:
            if self._interrupted:
                self._look_up()
            data = read_now(READ)
            if data is None:
                self._behind = False
                if not pace.nothing_there():
                    if live and self._ends:
                        return  # given up
                    if watch and (resume is None or resume.done):
                        self._ask_about(watch)
                    stream.wait()
                    pace.woken()
                continue
            if not data:
                return
            self._reads += 1
            size = len(data)
            records = feed(data)
            if resume is not None and not resume.done:
                records = resume.new(records)
                if missing is _RereadFurther and (resume.hole or resume.gap_after is not None):
                    raise _RereadFurther
                if resume.gap_after is not None:
                    if missing is _RereadFully and self._engine_has(resume.gap_after):
                        raise _RereadFully
                    at = resume.gap_at
                    if watch:
                        watch.answered(resume.gap_after, records[at], True)
                        watch.begin()
                    records.insert(at, dropped(resume.gap_after, records[at]))
            if records and watch:
                try:
                    self._append_watched(records, watch, resume is None or resume.done)
                finally:  # an odd step settles what is known of it, and may lie just there
                    if resume is not None and resume.first_missing is not None:
                        self._suspect_before(resume.first_missing, watch)
                        resume.first_missing = None
            elif records:
                append(records)
            if decoder.is_open or self._partial:
                self._tell_partial(decoder.partial())
            if size >= READ and full < FULL_READS:
                full += 1
                continue
            full = 0
            self._behind = size >= READ // 4
            if not pace.after_read(size, len(records)):
                stream.wait()

    def _append_watched(self, records: list[bytes], watch: RotationWatch, up_to_date: bool) -> None:
        """Hand over what comes in order. Raises _StreamDiscontinuous at a step that was not seen before.

        The same step in a second reading is the container's own pause, or how it is written, if the
        engine has nothing between the two. ``up_to_date``: nothing comes that was jumped over before.
        """
        now = time.monotonic()
        records = self._again.new(records)
        while records and (odd := watch.first_discontinuity(records, now)) is not None:
            self._append(records[:odd])
            watch.delivered(records[:odd])
            step = (records[odd - 1] if odd else self._last, records[odd])
            if step not in self._steps:
                self._steps = [*self._steps[1 - STEPS :], step]
                raise _StreamDiscontinuous("order")
            records, self._last = records[odd:], step[0]
            if step[0] is None:
                watch.begin()
            elif (fresh := self._again.begins(step[0], records)) is not None:
                records = fresh
                watch.begin(step[0])
                continue
            elif self._fill(step[0], step[1]):
                watch.begin()
            else:
                watch.accept(step[1])
            self._last = step[1]
        if records:
            self._append(records)
            watch.delivered(records)
            self._last = records[-1]
        if up_to_date:
            self._ask_about(watch)
        if watch.lost_by_waiting(now, time.monotonic()):
            raise _StreamDiscontinuous("slow-disk")

    def _suspect_before(self, first: bytes, watch: RotationWatch) -> None:
        """What is read begins with a line that is not stored: what the engine jumped over may begin
        before the moment that is read from."""
        lately = self._context.sink.newest_of(self.app, self.container[:12], *RECALLED)
        before = next((raw for raw in reversed(lately) if raw[:30] < first[:30]), None)
        if before is not None:
            watch.suspect(before, first, time.monotonic())

    def _ask_about(self, watch: RotationWatch, *, last: bool = False) -> None:
        """What of the steps in doubt is due, or ``last`` all of it, is asked about, and what was jumped
        over handed over."""
        for before, after in watch.doubts(time.monotonic(), last=last):
            watch.answered(before, after, self._fill(before, after))

    def _fill(self, before: bytes, after: bytes) -> bool:
        """Hand over what the followed stream jumped over between these two, which may come late;
        whether there was something."""
        context, watch = self._context, self._watch
        if (instance := context.containers.instance(self.container)) is None or watch is None:
            return False
        stored = self._stored_between(*map(record_ns, (before, after)))
        step = (context, instance, before, after, stored)
        jumped, lines = False, 0
        recalled = after in watch.recalled
        for records in between(*step, recalled=recalled):
            jumped = True
            lines += len(records)
            self._append(records)
            watch.delivered(records)  # it may break off: this is not asked for again
        what = "%s, from %s to %s (recalled: %s): %d lines of the engine's were not stored"
        log.debug(what, self.app, before[:30], after[:30], recalled, lines)
        return jumped

    def _stored_between(self, since: int, until: int) -> Counter[bytes]:
        self.drain()
        return self._context.sink.stored_between(self.app, self.container[:12], since, until)

    def _watched(self, instance: Instance) -> RotationWatch | None:
        """The watch over a log that is rotated; it keeps what it knows of the rate of lines."""
        if (size := rotated_at(instance.log_driver, dict(instance.log_options))) is None:
            return None
        if self._watch is None:
            self._watch = RotationWatch(size)
            lately = self._context.sink.newest_of(self.app, instance.short, *RECALLED)
            self._watch.recall(lately, time.monotonic())
        # The seam to what is stored is looked at too: a log that rotates may be skipped just there.
        self._watch.begin(self._last)
        return self._watch

    def _tell_partial(self, lines: list[PartialLine]) -> None:
        """What is not ended is shown, and not stored."""
        if lines != self._partial:
            self._partial = lines
            self._context.sink.partial(self.app, self.container[:12], lines)

    def _append(self, records: list[bytes]) -> None:
        """Hand over what comes next. Waits while there is no room."""
        if not records:
            return
        if self._receipt is not None and self._receipt.error is not None:
            self._receipt = None
            raise _StreamDiscontinuous("not-stored")  # what was handed over last
        self._receipt = self._context.sink.append(self.app, records)
        self._newest = records[-1][:30]
