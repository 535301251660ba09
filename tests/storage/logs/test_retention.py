"""Age, size per app, size in all; what is packed and what stays plain."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import gevent
import pytest

from cloudbang.core import loop
from cloudbang.storage.logs import retention
from cloudbang.storage.logs.app_log import AppLog
from cloudbang.storage.logs.keeping import AS_USUAL, OwnKeeping
from cloudbang.storage.logs.log_store import LogStore, Query
from cloudbang.storage.logs.retention import beyond_size, to_pack
from cloudbang.storage.logs.segment import Segment
from tests.storage.logs.records import NOON, SECOND, Clock, line, opened
from tests.support import patient

DAY = 86_400 * SECOND
CHANCE = random.Random(3)


def _fill(store: LogStore, app: str, kib: int, at: float = 0) -> None:
    """1 KiB a line, of text that does not pack well."""
    for _ in range(kib // 8):
        store.append(app, [line(CHANCE.randbytes(486).hex(), at) for _ in range(8)])


def test_a_day_that_ends_begins_a_new_file(tmp_path: Path) -> None:
    """At midnight (UTC) an app that logs and one that does not both get a new file."""
    clock = Clock()
    with opened(tmp_path, clock) as store:
        store.append("busy", [line("1")])
        store.append("quiet", [line("1")])
        clock.ns += DAY
        store.append("busy", [line("2", 86_400)])
        store.tidy()
        names = sorted(p.name for p in (tmp_path / "default").glob("*/*.log*"))
        assert names == [
            "2023-11-14.000000000001.log.zst",
            "2023-11-14.000000000001.log.zst",
            "2023-11-15.000000000002.log",
            "2023-11-15.000000000002.log",
        ]
        assert store.next_seq("quiet") == 2
    with opened(tmp_path, clock) as store:
        clock.ns += DAY
        assert store.last("quiet") == (1, line("1"))
        assert store.append("quiet", [line("2", 172_800)]) == 2
        assert [seq for seq, _ in store.read("quiet", Query()).lines] == [1, 2]
    with opened(tmp_path, clock) as store:
        quiet = sorted(p.name for p in (tmp_path / "default" / "quiet").glob("*.log*"))
        assert quiet == ["2023-11-14.000000000001.log.zst", "2023-11-16.000000000002.log"]


def test_lines_older_than_the_limit_are_deleted(tmp_path: Path) -> None:
    """By the time of the lines, whole segments; the seqs of the others do not move."""
    clock = Clock()
    with opened(tmp_path, clock, retention_days=10) as store:
        for day in range(20):
            store.append("web", [line(f"day {day}", day * 86_400)] * 5)
            store.tidy()
            clock.ns += DAY
        store.tidy()
        page = store.read("web", Query())
        assert page.first == 51
        assert page.lines[0] == (51, line("day 10", 10 * 86_400))
        assert page.next == 101
    with opened(tmp_path, clock, retention_days=10) as store:
        assert store.first_seq("web") == 51
        clock.ns += 100 * DAY
        store.tidy()
        store.tidy()
        assert store.read("web", Query()).lines == []
        assert (store.first_seq("web"), store.next_seq("web")) == (101, 101)
    with opened(tmp_path, clock) as store:
        assert store.append("web", [line("again", 120 * 86_400)]) == 101


def test_an_app_is_cut_down_to_its_size(tmp_path: Path) -> None:
    """The oldest segments go until the app fits; the one that is written to never goes."""
    with opened(tmp_path, app_max_bytes=512 * 1024) as store:
        _fill(store, "web", 2048)
        store.append("small", [line("kept")])
        store.tidy()
        stats = store.stats()
        assert stats["web"].bytes <= 512 * 1024
        assert stats["web"].lines > 50
        assert stats["web"].next == 2049
        assert stats["small"].lines == 1
        on_disk = sum(p.stat().st_size for p in (tmp_path / "default" / "web").glob("*.log*"))
        assert on_disk == stats["web"].bytes


def test_all_apps_together_are_cut_down(tmp_path: Path) -> None:
    """The oldest days of whichever app go first."""
    clock = Clock()
    with opened(tmp_path, clock, total_max_bytes=300 * 1024, segment_bytes=64 * 1024) as store:
        _fill(store, "old", 256)
        clock.ns += DAY
        _fill(store, "new", 256, at=86_400)
        store.tidy()
        stats = store.stats()
        assert sum(s.bytes for s in stats.values()) <= 300 * 1024
        assert stats["new"].lines == 256
        assert stats["old"].lines < 100


def test_a_limit_of_zero_is_none() -> None:
    """Zero switches a size limit off."""
    assert beyond_size([], lambda _: 0, 0) == {}


def test_todays_newest_segments_stay_plain() -> None:
    """Four closed segments of today stay readable with cat; those of earlier days do not."""
    closed = [Segment("", "2023-11-13", 1), Segment("", "2023-11-14", 5, compressed=True)]
    closed += [Segment("", "2023-11-14", seq) for seq in range(10, 16)]
    assert [s.first for s in to_pack(closed, "2023-11-14")] == [1, 10, 11]


def test_readers_do_not_notice_packing_and_deleting(tmp_path: Path) -> None:
    """Pages read while segments are packed and deleted under them are whole, or begin later."""
    with opened(tmp_path, segment_bytes=64 * 1024, app_max_bytes=400 * 1024) as store:
        failures = []
        going = True

        def read() -> None:
            while going:
                page = store.read("web", Query(limit=5000))
                seqs = [seq for seq, _ in page.lines]
                if seqs and seqs != list(range(seqs[0], seqs[0] + len(seqs))):
                    failures.append(seqs)
                gevent.sleep(0)

        readers = [gevent.spawn(read) for _ in range(3)]
        for _ in range(16):
            _fill(store, "web", 96)
            store.tidy()
        going = False
        gevent.joinall(readers, raise_error=True)
        assert not failures
        assert store.first_seq("web") > 100


def test_a_plain_store_from_long_ago_is_packed_at_start(tmp_path: Path) -> None:
    """What was left over while the program did not run is done soon after it starts."""
    clock = Clock(NOON)
    with opened(tmp_path, clock, segment_bytes=64 * 1024) as store:
        _fill(store, "web", 256)
    clock.ns += 3 * DAY
    with opened(tmp_path, clock, segment_bytes=64 * 1024) as store, gevent.Timeout(patient(10)):
        while len(list((tmp_path / "default" / "web").glob("*.zst"))) < 4:
            gevent.sleep(0.02)
        assert len(store.read("web", Query(limit=5000)).lines) == 256


YEARS = 75 * 365


def test_a_clock_that_was_ahead_ends_no_retention(tmp_path: Path) -> None:
    """Ten seconds of 2099: that file is closed when the clock is right, and goes with what follows
    it, or, when nothing does, as long after the clock was set right as any other."""
    clock = Clock()
    with opened(tmp_path, clock, retention_days=10) as store:
        clock.ns += YEARS * DAY
        for app in ("web", "quiet"):
            store.append(app, [line("ahead", YEARS * 86_400)])
        clock.ns -= YEARS * DAY
        store.append("web", [line("after")])
        store.tidy()
        files = {app: _days(tmp_path, app) for app in ("web", "quiet")}
        assert files["web"] == {"2023-11-14", "2098-10-26"}
        assert files["quiet"] == {"2098-10-26", "2023-11-14"}  # and an empty one
        clock.ns += 9 * DAY
        store.tidy()
        assert [store.first_seq(app) for app in ("web", "quiet")] == [1, 1]
        clock.ns += 3 * DAY
        store.tidy()
        store.tidy()
        assert [store.first_seq(app) for app in ("web", "quiet")] == [3, 2]
        assert not store.has_lines("web")


def test_files_from_ahead_are_neither_fresh_nor_the_youngest() -> None:
    """They are packed at once, and where room is made for all they are no younger than today's."""
    ahead = Segment("", "2098-10-26", 1)
    assert to_pack([ahead], "2023-11-14") == [ahead]
    logs = [AppLog(name, Path()) for name in ("a", "b")]
    for found, day in zip(logs, ("2098-10-26", "2023-11-14"), strict=True):
        found.closed = [Segment("", day, seq, size=100) for seq in (1, 2, 3)]
    give = beyond_size(logs, lambda _: 0, 450, "2023-11-14")
    assert {found.name: count for found, count in give.items()} == {"a": 2}


def test_a_clock_set_back_over_midnight_goes_on_in_the_same_file(tmp_path: Path) -> None:
    """A minute back is not a day begun again."""
    clock = Clock(NOON + 2 * 3600 * SECOND)  # the 15th, a quarter past midnight
    with opened(tmp_path, clock) as store:
        store.append("web", [line("1")])
        clock.ns -= 3600 * SECOND
        store.append("web", [line("2")])
        store.tidy()
        assert _days(tmp_path, "web") == {"2023-11-15"}


def _days(root: Path, app: str) -> set[str]:
    return {path.name[:10] for path in (root / "default" / app).glob("*.log*")}


def test_who_is_young_costs_no_look_at_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of very many apps whose lines are kept, none is asked about in a thread once it is known;
    others have their turn meanwhile."""
    clock = Clock()
    with opened(tmp_path, clock, retention_days=10) as store:
        for n in range(50):
            store.append(f"app{n}", [line("x")])
        clock.ns += DAY
        store.tidy()
        store.tidy()
        asked: list[object] = []
        right = retention.in_thread

        def counted(pool: Any, function: Any, *args: Any) -> Any:
            asked.append(function)
            return right(pool, function, *args)

        monkeypatch.setattr(retention, "in_thread", counted)
        monkeypatch.setattr(loop, "TURN", 0.0)
        turns = []
        others = gevent.spawn(lambda: [turns.append(gevent.sleep(0)) for _ in range(30)])
        store.tidy()
        assert asked == []
        assert len(turns) == 30
        others.join()
        clock.ns += 10 * DAY
        store.tidy()
        assert asked.count(retention.beyond_age) == 50
        assert store.apps() == []


def _own(store: LogStore, app: str, days: float | None, size: int | None = None) -> None:
    store.own_keeping = lambda name: OwnKeeping(days, size) if name == app else AS_USUAL


def _write_days(store: LogStore, clock: Clock, apps: tuple[str, ...], days: int) -> None:
    for day in range(days):
        for app in apps:
            store.append(app, [line(f"day {day}", day * 86_400)] * 5)
        store.tidy()
        clock.ns += DAY


def test_a_log_is_kept_for_a_time_of_its_own(tmp_path: Path) -> None:
    """Shorter or longer than the others are; what would go was told before."""
    clock = Clock()
    with opened(tmp_path, clock, retention_days=10) as store:
        _write_days(store, clock, ("web", "db"), 9)
        going = store.would_go("web", OwnKeeping(days=3))
        assert (going.lines, going.newest.decode()[:10]) == (30, "2023-11-19")
        _own(store, "web", 3)
        assert store.first_seq("web") == 1
        store.tidy()
        assert (store.first_seq("web"), store.first_seq("db")) == (31, 1)
        assert 0 < going.size < 30 * 100
        assert store.would_go("web", OwnKeeping(days=3)).lines == 0
        _own(store, "db", 100)
        clock.ns += 20 * DAY
        store.tidy()
        store.tidy()
        assert not store.has_lines("web")
        assert store.first_seq("db") == 1


def test_a_log_is_cut_down_to_a_size_of_its_own(tmp_path: Path) -> None:
    """Also one whose newest file was larger than that before anybody said it; the others stay."""
    with opened(tmp_path) as store:
        _fill(store, "web", 1536)
        _fill(store, "db", 1536)
        assert len(list((tmp_path / "default" / "web").glob("*.log"))) == 1
        going = store.would_go("web", OwnKeeping(bytes=1024 * 1024))
        assert going.lines == 1536
        _own(store, "web", None, 1024 * 1024)
        store.tidy()
        assert not store.has_lines("web")
        assert store.next_seq("web") == 1537
        _fill(store, "web", 1536)
        store.tidy()
        stats = store.stats()
        assert 512 * 1024 < stats["web"].bytes <= 1024 * 1024
        assert stats["db"].lines == 1536
        assert store.would_go("web", OwnKeeping(bytes=1024 * 1024)) == (0, 0, b"")


def test_a_log_that_is_kept_for_longer_stays_within_the_size_of_all(tmp_path: Path) -> None:
    clock = Clock()
    with opened(tmp_path, clock, total_max_bytes=300 * 1024, segment_bytes=64 * 1024) as store:
        _own(store, "old", 1000, 10 * 1024 * 1024)
        _fill(store, "old", 256)
        clock.ns += DAY
        _fill(store, "new", 256, at=86_400)
        store.tidy()
        assert sum(s.bytes for s in store.stats().values()) <= 300 * 1024


def test_what_goes_early_is_not_stored_once_more(tmp_path: Path) -> None:
    """The engine still has lines that are kept for a shorter time here: which those are is known for
    as long as the others are kept."""
    clock = Clock()
    with opened(tmp_path, clock, retention_days=30) as store:
        _own(store, "web", 1)
        store.append("web", [line("old")])
        clock.ns += 5 * DAY
        store.append("web", [line("new", 5 * 86_400, container="b" * 12)])
        store.tidy()
        assert store.first_seq("web") == 2
        assert store.resume_point("web", "a" * 12) is not None
