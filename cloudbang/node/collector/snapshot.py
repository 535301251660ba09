"""A container's log as the engine has it at one moment: its files as they are, none skipped.

A followed stream may jump over files that are rotated meanwhile; what is read without following
cannot. So this tells what a jump went over.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import gevent

from cloudbang.domain.apps import Instance
from cloudbang.domain.lines import record_ns
from cloudbang.domain.resume import ResumePoint
from cloudbang.node.collector.context import ReaderContext
from cloudbang.node.collector.resume import Resume, SkipTo, dropped, never_known, take_stored


def snapshot(
    context: ReaderContext, instance: Instance, since_ns: int = 0, until_ns: int = 0
) -> Iterator[list[bytes]]:
    """Its records, oldest first, both times inclusive. Raises what :meth:`Engine.logs` does, and
    StorageFailed."""
    decoder = context.decoder(instance)
    stream = context.engine.logs(instance.id, follow=False, since_ns=since_ns, until_ns=until_ns)
    try:
        while data := stream.read():
            yield decoder.feed(data)
            gevent.sleep(1e-5)
    finally:
        stream.close()


def between(
    context: ReaderContext,
    instance: Instance,
    before: bytes,
    after: bytes,
    stored: Counter[bytes],
    *,
    recalled: bool = False,
) -> Iterator[list[bytes]]:
    """What the engine has between two records, and first a marker if it has not even the earlier
    one any more. Nothing, when nothing was written between them. Where a process before this one
    may have asked (``recalled``), no second marker is set; and if the engine has none of it any
    more, one that says that nobody knows: this one was killed, perhaps, before it could ask.

    ``stored`` counts what is known of it: in a log that was read several times different parts may
    have been jumped over. That is left out, and counted down.
    """
    start, end = before[:30], after[:30]
    if start >= end:
        return
    begun = False
    there = recalled and any(raw[44:50] == b"marker" for raw in stored)
    for records in snapshot(context, instance, record_ns(before), record_ns(after)):
        there = there or before in records
        found = [raw for raw in records if start < raw[:30] < end]
        if found and not begun:
            begun = True
            if not there:
                found.insert(0, dropped(before, found[0]))
        if found:
            yield take_stored(found, stored)
    if not there and not begun:
        yield [(never_known if recalled else dropped)(before, after)]


def resume_after_set_back(
    context: ReaderContext, instance: Instance, point: ResumePoint
) -> Resume | SkipTo:
    """The clock is behind what is stored: new lines have older times, so all of the log is read."""
    assert point.last is not None
    all_there_is = snapshot(context, instance)
    count = sum(records.count(point.last) for records in all_there_is)
    wanted = point.stored[point.last]
    if count >= wanted:
        return SkipTo(point.last, wanted)
    # It is gone, and with it everything before: all that the engine has is new.
    return Resume({point.last: 1}, point.last, gone=True)
