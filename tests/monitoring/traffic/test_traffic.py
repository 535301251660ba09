"""Each line of the access log counted once, as what it is, over restarts and rotations."""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import gevent
import pytest

from cloudbang.errors import StorageFailed, StorageFull
from cloudbang.monitoring.traffic import traffic as traffic_module
from cloudbang.storage.traffic.store import Loaded, TrafficStore
from tests.monitoring.traffic.ground import Ground, line
from tests.support import wait_until


@pytest.fixture
def ground(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ground]:
    monkeypatch.setattr(traffic_module, "COMMIT", 0.3)
    monkeypatch.setattr(traffic_module, "LOOK", 0.02)
    made = Ground(tmp_path)
    yield made
    made.stop()


def test_what_counts_as_what(ground: Ground) -> None:
    """Errors are the app's; who left, WebSockets, streams and HEAD are in no percentile."""
    ground.log.write(
        *[line(uri=f"/users/{n}?token=secret", took=0.1) for n in range(10)],
        line(uri="/users/7", status=503, took=0.2),
        line(uri="/slow", status=0, took=30.0),
        line(uri="/slow", status=499, took=31.0),
        line(uri="/ws", status=101, took=3600.0),
        line(uri="/events", took=1800.0, type="text/event-stream; charset=utf-8"),
        line(uri="/", method="HEAD", took=9.0),
        line(uri="/healthz", took=8.0),
        *[line(uri=f"/wp-{n}.php", status=404) for n in range(3)],
        line(app=None, uri="/nobodys"),
        line(uri="/odd", method="BREW", status=999),
        b"no JSON",
        b'{"app":"web"}',
    )
    ground.wait(21)
    found = ground.report()
    assert (found["requests"], found["errors"], found["left"]) == (21, 1, 2)
    assert found["latency"]["count"] == 15
    assert found["latency"]["quantiles"]["0.99"] < 0.21
    assert found["connections"] == {"ended": 2, "seconds": 5400.0, "open": 0}
    assert found["statuses"]["499"] == 2
    assert found["statuses"]["(other)"] == 1
    assert found["methods"] == {"GET": 19, "HEAD": 1, "(other)": 1}
    top = {(one["method"], one["path"]): one for one in found["top"]}
    users = top["GET", "/users/:id"]
    assert (users["count"], users["errors"]) == (11, 1)
    assert users["seconds"] == pytest.approx(1.2)
    assert users["most"] == 0.2
    assert top["GET", "(not found)"]["count"] == 3
    assert top["GET", "(health checks)"]["count"] == 1
    assert top["GET", "/ws"]["seconds"] == 0
    assert ("(other)", "/odd") in top
    assert "secret" not in str(found)
    assert (ground.traffic.nobodys, ground.traffic.unreadable) == (1, 2)


def test_nothing_of_a_query_is_kept(ground: Ground) -> None:
    """Nor who asked: neither stands in the file, in whatever form it is packed."""
    ground.log.write(line(uri="/reset?token=canary-of-a-query", client="203.0.113.77"))
    ground.wait(1)
    wait_until(lambda: not ground.traffic._pending, 5, "the commit")
    ground.store.close()
    kept = b"".join(path.read_bytes() for path in ground.folder.glob("traffic.db*"))
    assert b"canary" not in kept
    assert b"203.0.113.77" not in kept
    ground.store.open()


def test_killed_and_begun_again(ground: Ground) -> None:
    """At any moment: what was not committed is read again, what was is not."""
    chance, wrote = random.Random(1), 0
    for round_ in range(12):
        for _ in range(chance.randrange(1, 4)):
            n = chance.randrange(1, 200)
            ground.log.write(
                *[line(uri=f"/p/{i % 7}", status=500 if i == 0 else 200) for i in range(n)]
            )
            wrote += n
            if chance.random() < 0.4:
                ground.log.rotate(keep=100)
            gevent.sleep(chance.random() * 0.2)
        if round_ % 2:
            ground.kill()
        else:
            ground.stop()
        ground.begin()
    wait_until(lambda: ground.report()["requests"] >= wrote, 20, "all of it")
    ground.settle()
    assert ground.report()["requests"] == wrote
    assert sum(one["count"] for one in ground.report()["top"]) == wrote
    assert ground.traffic.lost == 0


def test_a_gateway_that_was_killed_within_a_line(ground: Ground) -> None:
    """The half costs itself alone: the next one's line, written right behind it, counts."""
    ground.log.write(line(uri="/a"))
    ground.log.write(line(uri="/b")[:90], end=b"")
    ground.wait(1)
    ground.log.write(line(uri="/c"), line(uri="/d"))
    ground.wait(3)
    assert {one["path"] for one in ground.report()["top"]} == {"/a", "/c", "/d"}


def test_a_flood_with_rotations(ground: Ground) -> None:
    """20,000 lines while the file is begun anew 40 times, and others have their turns."""
    late = 0.0

    def beat() -> None:
        nonlocal late
        while True:
            before = time.monotonic()
            gevent.sleep(0.005)
            late = max(late, time.monotonic() - before - 0.005)

    beating = gevent.spawn(beat)
    try:
        for n in range(40):
            ground.log.write(*[line(uri=f"/x/{n}/{i}") for i in range(500)])
            ground.log.rotate(keep=100)
            gevent.sleep(0.01)
        ground.wait(20_000)
    finally:
        beating.kill()
    assert ground.report()["requests"] == 20_000
    assert ground.traffic.lost == 0


def test_the_disk_does_not_take_it(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said, shown all the same, and committed once it can be; nothing counts twice."""

    def refuse(*_: object, **__: object) -> None:
        raise StorageFailed("traffic.db", "no")

    with monkeypatch.context() as patched:
        patched.setattr(ground.store, "commit", refuse)
        ground.log.write(*[line() for _ in range(5)])
        ground.wait(5)
        wait_until(lambda: ground.traffic.trouble == "storage", 5, "it to be said")
        ground.log.write(*[line() for _ in range(5)])
        ground.wait(10)
        assert ground.report()["requests"] == 10
    wait_until(lambda: ground.traffic.trouble is None, 5, "it to be well")
    assert ground.report()["requests"] == 10


def test_a_start_while_the_disk_lets_nobody_read(
    ground: Ground, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is said, once, and tried again; then it goes on from its place, and each line counts once."""
    ground.log.write(*[line() for _ in range(5)])
    ground.wait(5)
    ground.stop()
    load, tries = TrafficStore.load, []

    def refuse(store: TrafficStore, now: float) -> Loaded:
        tries.append(now)
        if len(tries) < 3:
            raise StorageFull(str(store.path))
        return load(store, now)

    monkeypatch.setattr(TrafficStore, "load", refuse)
    ground.begin()
    wait_until(lambda: ground.traffic.trouble == "storage", 5, "it to be said")
    ground.log.write(*[line() for _ in range(5)])
    ground.wait(5)
    wait_until(lambda: ground.traffic.trouble is None, 5, "it to be well")
    assert ground.report()["requests"] == 10
    said = [one.levelname for one in caplog.records if "waits for the store" in one.message]
    assert said == ["WARNING"]
    assert "Traceback" not in caplog.text


@pytest.mark.slow("ten seconds have to end")
def test_the_ten_seconds_of_a_series(ground: Ground) -> None:
    """A histogram of what ended in them, and how many clients were there in five minutes."""
    ground.log.write(*[line(took=0.1, client=f"192.0.2.{n}") for n in range(5)])
    begins = int(time.time()) // 10 * 10
    taken = ground.taken
    wait_until(lambda: taken.histograms.get("web"), 25, "the histogram")
    [(at, made)] = taken.histograms["web"].items()
    assert made.count == 5
    assert at in (begins, begins + 10)  # the lines may be of the ten seconds after
    assert at in taken.values["web", "http.clients"]
    assert 5.0 in taken.values["web", "http.clients"].values()


def test_clients_and_what_is_open(ground: Ground) -> None:
    ground.routes.busy = {"10.0.1.4:80": 3}
    ground.log.write(*[line(client=f"192.0.2.{n % 7}") for n in range(50)])
    ground.wait(50)
    found = ground.report()
    assert found["clients"] == {"online": 7, "day": 7, "error": 0}
    assert found["connections"]["open"] == 3
    ground.stop()
    ground.begin()
    ground.log.write(line(client="192.0.2.0"), line(client="192.0.2.200"))
    ground.wait(2)
    assert ground.report()["clients"]["day"] == 8  # over a restart as well


@pytest.mark.parametrize("ends", ["stop", "kill"])
def test_who_is_online_is_so_after_a_restart(ground: Ground, ends: str) -> None:
    """Each once: who was seen before it, after it, and both."""
    ground.log.write(*[line(client=f"192.0.2.{n}") for n in range(20)])
    ground.wait(20)
    wait_until(lambda: not ground.traffic._pending, 5, "the commit")
    ground.log.write(*[line(client=f"192.0.2.{n}") for n in range(15, 25)])
    ground.wait(30)
    getattr(ground, ends)()
    ground.begin()
    wait_until(lambda: ground.report()["clients"]["online"] == 25, 10, "all of them")
    ground.log.write(*[line(client=f"192.0.2.{n}") for n in range(22, 27)])
    wait_until(lambda: ground.report()["requests"] == 35, 10, "their lines")
    assert ground.report()["clients"] == {"online": 27, "day": 27, "error": 0}


def test_nobody_is_online_longer_than_five_minutes(ground: Ground) -> None:
    """By when somebody was seen, and not by when that was kept; and then nothing is left of them."""
    ground.log.write(*[line(client=f"192.0.2.{n}", at=time.time() - 290) for n in range(5)])
    ground.log.write(line(client="192.0.2.99"))
    ground.wait(6)
    assert ground.report()["clients"]["online"] == 6
    ground.stop()
    ground.ahead = 20.0
    ground.begin()
    wait_until(lambda: ground.report()["clients"]["online"] == 1, 10, "the others to be gone")
    ground.stop()
    ground.ahead = 400.0
    ground.begin()
    ground.log.write(line(client="192.0.2.7", at=time.time() + 400))
    ground.wait(1)
    wait_until(lambda: not ground.traffic._pending, 5, "the commit")
    assert ground.report()["clients"]["online"] == 1
    with sqlite3.connect(ground.store.path) as kept:
        assert kept.execute("SELECT count(*) FROM seen").fetchone() == (1,)
    kept.close()


@pytest.mark.parametrize("by", [3600.0, -3600.0])
def test_who_is_online_when_the_clock_jumps_an_hour(ground: Ground, by: float) -> None:
    """Stays so, and counts requests by the new time; what a day's count was of is that day's."""
    ground.log.write(*[line(client=f"192.0.2.{n}") for n in range(9)])
    ground.wait(9)
    ground.ahead = by
    ground.log.write(line(client="192.0.2.1", at=time.time() + by))
    ground.wait(10)
    found = ground.report()
    assert found["clients"]["online"] == 9
    assert found["requests"] == 1  # the others are of an hour ago, or ahead
    assert ground.traffic.trouble is None
    around = ground.report(since=time.time() - 4000, until=time.time() + 4000)
    assert around["requests"] == 10


def test_a_clock_that_was_years_ahead_leaves_nothing_behind(ground: Ground) -> None:
    """Today is counted, and what it counted then is neither kept for ever nor the end of the rest."""
    ground.log.write(*[line(client=f"192.0.2.{n}") for n in range(3)])
    ground.wait(3)
    ground.ahead = 5 * 365 * 86_400.0
    ground.log.write(line(at=time.time() + ground.ahead))
    ground.wait(4)
    wait_until(lambda: not ground.traffic._pending, 5, "the commit")
    ground.ahead = 0.0
    ground.log.write(*[line(client=f"192.0.2.{n}") for n in range(1, 5)])
    ground.wait(8)
    found = ground.report()
    assert found["requests"] == 7  # nothing was deleted though all was years old
    assert 4 <= found["clients"]["day"] <= 5


def test_what_is_over_is_put_together_while_it_runs(ground: Ground) -> None:
    """Ten minutes that are over are settled by the clock, not by when the first line came."""
    ground.log.write(line(at=time.time() - 1800))
    ground.wait(1)
    wait_until(lambda: not ground.traffic._pending, 5, "the commit")
    ground.ahead = 1800.0
    ground.log.write(line(at=time.time() + 1800))
    ground.wait(2)

    def settled() -> bool:
        with sqlite3.connect(ground.store.path) as kept:
            found = kept.execute("SELECT count(*) FROM tallies WHERE settled").fetchone()[0]
        kept.close()
        return bool(found)

    wait_until(settled, 10, "it to be settled")


def test_an_app_without_a_route_or_a_request(ground: Ground) -> None:
    found = ground.report("other")
    assert found["routed"] is False
    assert (found["requests"], found["top"]) == (0, [])
    assert found["latency"]["quantiles"] == {"0.5": None, "0.95": None, "0.99": None}
    assert found["heat"]["bounds"] == []


def test_an_app_that_is_forgotten(ground: Ground) -> None:
    ground.log.write(line())
    ground.wait(1)
    ground.traffic.forget("web")
    assert ground.report()["requests"] == 0


def test_words_become_any(ground: Ground) -> None:
    """What was listed under its own word is found again under the template that it became."""
    ground.log.write(
        *[line(uri=f"/blog/word{chr(97 + n // 26)}{chr(97 + n % 26)}") for n in range(60)]
    )
    ground.wait(60)
    [one] = ground.report()["top"]
    assert (one["path"], one["count"]) == ("/blog/:any", 60)


def test_times_and_columns(ground: Ground) -> None:
    """One column each width; what was before anything was counted is null, an idle one zero."""
    now = time.time()
    ground.log.write(line(at=now - 100, took=1.0), line(at=now - 40, took=2.0))
    ground.wait(2)
    found = ground.report()
    assert found["width"] == 10
    columns = found["columns"]
    assert [column[0] for column in columns] == list(range(found["since"], found["until"], 10))
    assert columns[0][1:] == [None] * 5
    assert [c[1] for c in columns if c[1]] == [1, 1]
    between = [c for c in columns if now - 80 < c[0] < now - 60]
    assert all(c[1:] == [0, 0, None, None, None] for c in between)
    bounds, counts = found["heat"]["bounds"], found["heat"]["columns"]
    assert len(counts) == len(columns)
    assert bounds[0] <= 1.0 < bounds[1]
    assert sum(map(sum, counts)) == 2
    hour = ground.report(since=now - 3600, until=now, points=10)
    assert hour["width"] == 600
    assert hour["requests"] == 2


def test_a_clock_that_is_set_back(ground: Ground) -> None:
    """Lines from what is now the past and the future count once, and the next ones too."""
    now = time.time()
    ground.log.write(line(at=now + 3600), line(at=now - 3600), line(at=now))
    ground.wait(3)
    assert (
        ground.report()["requests"] + ground.report(since=now - 4000, until=now - 3000)["requests"]
        == 3
    )
