"""What is put when there is trouble: of one app, of the disk, of a program's own making."""

from __future__ import annotations

import os
import re
import tracemalloc
from pathlib import Path

import gevent
import orjson
import pytest

from cloudbang.bus import HEADER, Publisher
from cloudbang.intake import drop_notices, new_names
from cloudbang.intake.log_sink import StoreSink
from tests.intake.intake_support import Ground
from tests.support import Stopwatch, wait_until

MIB = 1024 * 1024


def test_an_app_that_cannot_be_written_stops_no_other(ground: Ground, tmp_path: Path) -> None:
    """Its lines wait within a bound of its own and are then dropped, counted and said; another's
    are stored at once; what waited is stored, in order, when the folder is one."""
    blocked = tmp_path / "data" / "default" / "foo"
    blocked.write_text("a file where a folder should be")
    ground.put("0", app="foo")
    wait_until(lambda: ground.store.refuses("foo"))
    for n in range(1, 601):
        ground.put(f"{n} {'x' * 4000}", app="foo")
        if n % 100 == 0:
            watch = Stopwatch()
            seq = ground.store.next_seq("bar")
            ground.put("here", app="bar")
            wait_until(lambda seq=seq: ground.store.next_seq("bar") == seq + 1)
            assert watch.seconds < 0.5
    refused, said = ground.notice("storage-app-failed"), ground.notice("puts-dropped")
    assert refused
    assert (refused.app, refused.path.startswith(str(blocked))) == ("foo", True)
    assert said
    assert said.app == "foo"
    assert "messages that programs put were dropped: the folder of foo" in said.message
    assert ground.store.health is None
    lost = ground.intake.dropped.total("room")
    assert 601 - 300 < lost < 601 - 200  # a mebibyte of them waits
    blocked.unlink()
    wait_until(lambda: ground.store.next_seq("foo") == 601 - lost + 1)
    kept = [int(text.split()[0]) for *_, text in ground.rows("foo")]
    assert kept == sorted(set(kept))
    assert kept[:100] == [*range(100)]
    assert ground.notice("storage-app-failed") is None


def test_a_full_disk_costs_no_memory(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is put meanwhile, on however many apps: a few mebibytes wait, the rest is dropped,
    counted and said. What was put before is there, and so is what is put after."""
    apps = [f"app{n}" for n in range(20)]
    for app in apps:
        ground.put("before", app=app)
    wait_until(lambda: len(ground.store.apps()) == 20)
    ask = os.statvfs
    full = os.statvfs_result((4096, 4096, 1000, 0, 0, 1000, 1000, 1000, 0, 255))
    body = orjson.dumps(["x" * 4000] * 50)
    tracemalloc.start()
    try:
        monkeypatch.setattr(os, "statvfs", lambda path: full)
        began = tracemalloc.get_traced_memory()[0]
        for n in range(400):  # 80 MB, quicker than any program
            ground.put(body, app=apps[n % 20])
            gevent.sleep(0.001)
        wait_until(lambda: ground.notice("puts-dropped"))
        held, most = (size - began for size in tracemalloc.get_traced_memory())
    finally:
        tracemalloc.stop()
    assert held < 24 * MIB
    assert most < 40 * MIB
    assert ground.notice("storage-full")
    said = ground.notice("puts-dropped")
    assert said
    assert said.app == ""  # it is everybody's
    monkeypatch.setattr(os, "statvfs", ask)
    # Until it is seen that there is room, what is put is dropped as before.
    wait_until(lambda: not ground.notice("storage-full"), 20, "storing to go on")
    for app in apps:
        ground.put("after", app=app)
    wait_until(lambda: all(ground.rows(app)[-1][4] == "after" for app in apps), 20)
    assert all(ground.rows(app)[0][4] == "before" for app in apps)
    assert ground.intake.dropped.total("room") > 200


def test_a_flood_of_new_names_is_bounded_and_keeps_nobody_waiting(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that makes a name of each message makes some apps, and is told that it is too much;
    beside it another one's lines on an app that is there are stored within a second."""
    monkeypatch.setattr(new_names, "OF_A_PROGRAM", (100, 0.001))  # however long the flood takes
    ground.put("here", app="cron")
    wait_until(lambda: "cron" in ground.store)
    flood = Publisher(ground.hub.publish_to)
    wait_until(lambda: flood.wanted("put/log/x/"))
    longest = 0.0
    for n in range(10_000):
        flood.send(f"put/log/f{n:05}/", HEADER, b'"x"')
        if n % 1000 == 0:
            watch, seq = Stopwatch(), ground.store.next_seq("cron")
            ground.put("here", app="cron")
            wait_until(lambda seq=seq: ground.store.next_seq("cron") > seq)
            longest = max(longest, watch.seconds)
        elif n % 100 == 0:
            gevent.sleep(0.001)
    assert longest < 1
    wait_until(lambda: ground.intake.dropped.total() > 9_800)
    made = len(ground.store) - 1
    wait_until(lambda: ground.intake.dropped.total() == 10_000 - made)
    assert 99 <= made <= 100  # cron was one, too
    assert ground.intake.dropped.total("new") == 10_000 - made
    said = ground.notice("puts-too-many-apps")
    assert said
    assert re.search(r"such as f\d{5}$", said.message)
    flood.close()


def test_programs_make_apps_at_a_rate_each_and_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that made too many does not keep another from making one; who calls itself by a new
    name each time gets no further; and beyond a total nobody makes any."""
    monkeypatch.setattr(new_names, "OF_A_PROGRAM", (10, 0.001))
    monkeypatch.setattr(new_names, "OF_ALL", (50, 0.001))
    names = new_names.NewNames()
    assert sum(names.admits("one", 0) for _ in range(100)) == 10
    assert sum(names.admits("two", 0) for _ in range(100)) == 10
    assert sum(names.admits(f"name {n}", 0) for n in range(5_000)) == 30
    assert not new_names.NewNames().admits("one", new_names.MOST)


def test_what_is_dropped_is_said_with_its_number_while_it_goes_on(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At most once a second; a while after the last message that was dropped the notice is over."""
    now = [1000.0]
    monkeypatch.setattr(drop_notices.time, "monotonic", lambda: now[0])
    counted = drop_notices.DropNotices(ground.notices)
    for step in (0, 0.5, 0.6):
        now[0] += step
        counted.tell("puts-dropped", "why", messages=7, app="web")
    said = ground.notice("puts-dropped")
    assert said
    assert (said.app, said.message.split()[0]) == ("web", "21")
    now[0] += drop_notices.SAID_FOR + 1
    assert ground.notice("puts-dropped") is None
    counted.tell("puts-dropped", "why", app="web")
    said = ground.notice("puts-dropped")
    assert said
    assert said.message.startswith("1 ")


def test_who_is_new_and_refused_leaves_nothing(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name whose lines found no room at all is not remembered as an app."""
    monkeypatch.setattr(StoreSink, "trouble", "no room")
    monkeypatch.setattr(type(ground.store._commit), "_has_room", lambda *_, **__: False)
    monkeypatch.setattr(type(ground.store._commit.health), "refuses", lambda *_: True)
    ground.put("x", app="nobody")
    wait_until(lambda: ground.intake.dropped.total("room") == 1)
    assert len(ground.store) == 0
