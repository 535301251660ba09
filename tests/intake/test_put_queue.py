"""What waits between the bus and the lines: bounded in bytes, and nobody's alone."""

from __future__ import annotations

import gevent
import pytest
from gevent.event import Event

from cloudbang.bus import HEADER, Message
from cloudbang.intake import put_queue
from cloudbang.intake.log_sink import StoreSink
from cloudbang.intake.put_queue import PutQueue
from cloudbang.storage.logs.log_store import Append
from tests.intake.intake_support import Ground
from tests.support import wait_until

KIB = 1024


def message(topic: str, text: str, size: int = 0) -> Message:
    return Message(topic, HEADER, text.encode() + b"x" * size)


def test_topics_take_turns_and_keep_their_order() -> None:
    """A flood on one does not come before what another has to say."""
    queue = PutQueue()
    for n in range(100):
        assert queue.offer(message("flood", f"{n} ", 10 * KIB))
    assert queue.offer(message("calm", "one"))
    assert queue.offer(message("calm", "two"))
    taken = queue.take(600 * KIB)
    assert [m.body for m in taken if m.topic == "calm"] == [b"one", b"two"]
    flood = [m.body.split()[0] for m in taken if m.topic == "flood"]
    while len(queue):
        flood += [m.body.split()[0] for m in queue.take(600 * KIB)]
    assert flood == [b"%d" % n for n in range(100)]
    assert queue.waiting_bytes == 0


def test_bytes_are_bounded_for_each_and_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest are refused; one that takes all it may leaves room for another."""
    monkeypatch.setattr(put_queue, "MOST", 100 * KIB)
    monkeypatch.setattr(put_queue, "MOST_OF_ONE", 40 * KIB)
    queue = PutQueue()
    taken = [queue.offer(message("flood", "", 9 * KIB)) for _ in range(10)]
    assert taken == [True] * 4 + [False] * 6
    others = [queue.offer(message(f"calm{n}", "", 9 * KIB)) for n in range(10)]
    assert others == [True] * 6 + [False] * 4
    assert queue.waiting_bytes < 100 * KIB
    queue.take(1)
    assert queue.offer(message("calm7", "", 9 * KIB))


def test_the_bus_is_read_while_the_store_keeps_one_waiting(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the disk does: what comes is taken, what is too much is dropped and counted, and
    what is not is stored when the disk goes on."""
    going, right = Event(), StoreSink.offer

    def waits(sink: StoreSink, app: str, records: list[bytes], patience: float) -> Append | None:
        going.wait()
        return right(sink, app, records, patience)

    monkeypatch.setattr(StoreSink, "offer", waits)
    for _ in range(80):
        ground.put("x" * 200_000, app="flood")
        gevent.sleep(0.001)
    ground.put("here", app="calm")
    wait_until(lambda: ground.intake.dropped.total("room") > 40)
    wait_until(lambda: len(ground.intake._queue) == 2)
    assert ground.intake._queue.waiting_bytes < put_queue.MOST
    said = ground.notice("puts-dropped")
    assert said
    assert "faster than they can be stored" in said.message
    going.set()
    wait_until(lambda: ground.store.next_seq("calm") == 2)
    wait_until(lambda: ground.intake.lines + ground.intake.dropped.total("room") == 81)
