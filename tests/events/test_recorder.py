"""Events are kept once and published after that, and who tells of them never waits."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import gevent
import orjson
import pytest

from cloudbang.domain.events import Event
from cloudbang.domain.lines import format_time, parse_time
from cloudbang.errors import StorageFailed
from cloudbang.events import recorder as module
from cloudbang.events.recorder import EventRecorder
from cloudbang.storage.database import events as store
from cloudbang.storage.database.database import Database
from cloudbang.storage.database.events import EventStore
from tests.support import Stopwatch, wait_until

WHEN = "2026-07-01T12:00:00.000000000Z"
INSPECTION = {"source": "inspection"}


class Published:
    """What was published, and whether it was stored by then."""

    def __init__(self, events: EventStore) -> None:
        self.events = events
        self.sent: list[Event] = []

    def send(self, topic: str, header: bytes, body: bytes) -> None:
        told = orjson.loads(body)
        assert topic == f"event/{told['app']}/"
        assert orjson.loads(header) == {"v": 1}
        event = Event(**told)
        stored = self.events.list(event.app, event.time, event.time)
        assert event in stored, "published before it is stored"
        self.sent.append(event)


class Ground:
    def __init__(self, folder: Path, oldest: Callable[[], str]) -> None:
        self.database = Database(folder)
        self.database.open()
        self.events = EventStore(self.database)
        self.bus = Published(self.events)
        self.recorder = EventRecorder(self.events, self.bus, oldest)

    def kept(self, app: str = "web") -> list[Event]:
        wait_until(lambda: self.recorder.waiting == 0)
        return self.events.list(app, limit=100_000)

    def tell(self, *events: Event) -> list[tuple[str, str]]:
        """Kind and time of all that is kept afterwards."""
        self.recorder.record(*events)
        return [(event.kind, event.time) for event in self.kept()]


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Ground]:
    one = Ground(tmp_path, lambda: "2026")
    one.recorder.start()
    yield one
    one.recorder.stop()
    one.database.close()


def at(seconds: float) -> str:
    return format_time(parse_time(WHEN) + int(seconds * 10**9))


def event(kind: str = "start", seconds: float = 0, **data: object) -> Event:
    return Event("web", at(seconds), kind, "0123456789ab", data)


def found(kind: str = "start", seconds: float = 0) -> Event:
    return event(kind, seconds, **INSPECTION)


def test_stored_first_published_second(ground: Ground) -> None:
    """With the id that the store gave, in the order in which it was told."""
    ground.recorder.record(*(event("die", n, exit_code=n) for n in range(500)))
    kept = ground.kept()
    assert [e.data["exit_code"] for e in kept] == [*range(500)]
    assert ground.bus.sent == kept
    assert ground.recorder.recorded == 500


def test_what_is_told_twice_is_kept_once(ground: Ground) -> None:
    """After a reconnection the engine tells of its last 256 events again."""
    ground.tell(event(), event("pause", 1))
    assert ground.tell(event(), event("pause", 1)) == [("start", at(0)), ("pause", at(1))]
    assert len(ground.bus.sent) == 2


@pytest.mark.parametrize("apart", [0, 1.9, -1.9])
def test_found_out_after_it_was_told(ground: Ground, apart: float) -> None:
    """A container remembers its start by a time that is a little off."""
    assert ground.tell(event(), found(seconds=apart)) == [("start", at(0))]


@pytest.mark.parametrize("apart", [0, 1.9, -1.9])
def test_told_after_it_was_found_out(ground: Ground, apart: float) -> None:
    """It stays what it is; a second start so soon after is another."""
    ground.tell(found())
    assert ground.tell(event(seconds=apart)) == [("start", at(0))]
    again = apart + 0.5
    assert ground.tell(event(seconds=again)) == sorted(
        [("start", at(0)), ("start", at(again))], key=lambda one: one[1]
    )


@pytest.mark.parametrize("late", [2.9, 20])
@pytest.mark.parametrize("kind", ["start", "die", "oom", "create"])
def test_one_run_starts_and_ends_once_however_late_that_is_told(ground, kind, late) -> None:
    """On a busy machine the engine tells of a death seconds after the container remembers it."""
    ground.tell(found(kind))
    assert ground.tell(event(kind, late)) == [(kind, at(0))]
    assert ground.tell(event(kind, 100)) == [(kind, at(0)), (kind, at(100))]
    assert ground.tell(found(kind, 100 - late))[2:] == []


def test_two_runs_end_twice_however_short_they_are(ground: Ground) -> None:
    """A start between two ends, or another exit code, tells them apart."""
    code = {"exit_code": 1}
    ground.tell(event("die", 0, **code, **INSPECTION), event("start", 1), event("die", 3, **code))
    assert [kind for kind, _ in ground.tell()] == ["die", "start", "die"]
    ground.tell(event("die", 6, exit_code=2, **INSPECTION))
    assert len(ground.tell()) == 4


def test_an_end_of_a_crash_loop_costs_as_much_as_the_first(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many there were in the last minute: none of those is read for it."""
    read, row = [], store._event
    monkeypatch.setattr(store, "_event", lambda one: read.append(one) or row(one))
    ground.bus.send = lambda *_: None  # type: ignore[method-assign]
    ground.recorder.record(*(event("die", n / 10) for n in range(400)))
    wait_until(lambda: ground.recorder.waiting == 0)
    assert not read
    assert len(ground.kept()) == 400


def test_found_out_twice(ground: Ground) -> None:
    """Each start of CloudBang inspects every container."""
    assert ground.tell(found(), found(), found(seconds=10)) == [("start", at(0)), ("start", at(10))]


def test_other_kinds_containers_and_apps_are_others(ground: Ground) -> None:
    """Only the same of the same container is the same."""
    other = Event("web", WHEN, "start", "ba9876543210", INSPECTION)
    ground.tell(event(), found("create"), other, Event("api", WHEN, "start", "0123456789ab"))
    assert len(ground.kept()) == 3
    assert len(ground.kept("api")) == 1


def test_what_is_too_old_is_not_kept(ground: Ground) -> None:
    """Else each start would find out again what retention has deleted."""
    ancient = Event("web", "2025-12-31T23:59:59.999999999Z", "create", "0123456789ab", INSPECTION)
    assert ground.tell(ancient, event()) == [("start", at(0))]
    assert ground.recorder.dropped == 0


def test_a_locked_database_keeps_nobody_waiting(
    ground: Ground, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What is told meanwhile waits and is kept afterwards, each once; it is said once."""
    ground.database.write(lambda c: c.exec_driver_sql("PRAGMA busy_timeout = 100").all())
    other = sqlite3.connect(ground.database.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    watch = Stopwatch()
    for n in range(300):
        ground.recorder.record(event("die", n))
    assert watch.seconds < 0.2
    wait_until(lambda: "events wait, they cannot be written down" in caplog.text, what="a try")
    gevent.sleep(0.3)  # of further ones
    assert ground.recorder.waiting == 300
    assert ground.bus.sent == []
    other.execute("COMMIT")
    other.close()
    assert len(ground.kept()) == 300
    assert ground.bus.sent == ground.kept()
    assert caplog.text.count("events wait, they cannot be written down") == 1


def test_too_many_are_dropped_and_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest, by number and by size; what waits is kept."""
    monkeypatch.setattr(module, "MOST_WAITING", 10)
    monkeypatch.setattr(module, "MOST_BYTES", 20_000)
    one = Ground(tmp_path, lambda: "")
    one.recorder.record(*(event("die", n) for n in range(15)))
    assert (one.recorder.waiting, one.recorder.dropped) == (10, 5)
    one.recorder.start()
    assert len(one.kept()) == 10
    one.recorder.record(*(event("pause", n, text="x" * 9_000) for n in range(3)))
    assert one.recorder.dropped == 6
    assert len(one.kept()) == 12
    one.recorder.stop()
    one.database.close()


def test_one_that_cannot_be_written_stops_no_other(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is counted and dropped, whether JSON or the database does not take it."""
    add_batch = ground.events.add_batch

    def refuse(batch, is_news):
        if any(e.kind == "cursed" for e in batch):
            raise ValueError("a bug")
        return add_batch(batch, is_news)

    monkeypatch.setattr(ground.events, "add_batch", refuse)
    ground.recorder.record(event("start"), event("cursed", 1), event("die", 2))
    ground.recorder.record(event("pause", 3, what=object()), event("unpause", 4))
    assert [e.kind for e in ground.kept()] == ["start", "die", "unpause"]
    assert ground.recorder.dropped == 2


def test_a_failed_batch_leaves_no_trace(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was seen in a transaction that failed is seen again when it is tried again."""
    ground.tell(found())
    add_batch, failed = ground.events.add_batch, []

    def fail_late(batch, is_news):
        def work(c):
            for one in batch:
                is_news(one, lambda ns, **_: ground_near)
            raise StorageFailed("x", "the disk went away")

        if not failed:
            failed.append(True)
            ground_near = ground.events.list("web")
            return ground.database.write(work)
        return add_batch(batch, is_news)

    monkeypatch.setattr(ground.events, "add_batch", fail_late)
    assert ground.tell(event(seconds=1)) == [("start", at(0))]
    assert failed


def test_what_waits_is_written_when_it_stops(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stop loses nothing that can be written in its time."""
    monkeypatch.setattr(module, "STOP_WITHIN", 600)  # however busy the disk is
    one = Ground(tmp_path, lambda: "")
    one.recorder.start()
    one.recorder.record(*(event("die", n) for n in range(1000)))
    one.recorder.stop()
    assert len(one.events.list("web", limit=2000)) == 1000
    one.database.close()


def test_an_app_is_forgotten(ground: Ground) -> None:
    """With what still waits; others keep theirs."""
    ground.tell(*(event("die", n) for n in range(1200)))
    ground.recorder.record(Event("api", WHEN, "start"), event("die", 5000))
    assert ground.recorder.forget("web") in (1200, 1201)
    assert ground.kept("web") == []
    assert len(ground.kept("api")) == 1
    assert ground.recorder.forget("web") == 0
    assert ground.tell(event()) == [("start", at(0))]


def test_an_action(ground: Ground) -> None:
    """What a person did, now."""
    ground.recorder.action("web", "0123456789ab", "ada", "terminal-open")
    (kept,) = ground.kept()
    assert kept.kind == "action"
    assert kept.data == {"who": "ada", "what": "terminal-open"}
    assert abs(parse_time(kept.time) - time.time_ns()) < 10**10
