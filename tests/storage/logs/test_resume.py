"""Where a reader of a container goes on: nothing lost, nothing doubled."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudbang.core import fair_threads
from cloudbang.node.collector.resume import take_stored
from cloudbang.storage.logs import retention
from cloudbang.storage.logs.log_store import LogStore
from tests.storage.logs.records import NOON, SECOND, A, B, Clock, line, lines, opened

DAY = 86_400 * SECOND


def _resumed(store: LogStore, engine: list[bytes], container: str = A) -> list[bytes]:
    """What a reader would store of what the engine has, as the collector does it."""
    point = store.resume_point("web", container)
    if not point:
        return engine
    stored = Counter(point.stored)
    since = line("", ns=point.since - NOON)[:30]
    new = []
    for raw in engine:
        if raw[:30] < since:
            continue
        if stored[raw]:
            stored[raw] -= 1
        else:
            new.append(raw)
    return new


def test_nothing_stored_means_no_resume_point(tmp_path: Path) -> None:
    """A container never seen is read from its beginning."""
    with opened(tmp_path) as store:
        assert store.resume_point("web", A) is None
        store.append("web", [line("other", 1, B), line("dropped lines", 2, A, "marker")])
        assert store.resume_point("web", A) is None


def test_the_point_lies_a_little_before_the_last_lines(tmp_path: Path) -> None:
    """It goes back 64 lines and half a second; markers do not count."""
    with opened(tmp_path) as store:
        written = [line(f"n{i}", i / 10) for i in range(200)]
        for raw in written:
            store.append("web", [raw, line("noise", 1000, B)])
        store.append("web", [line("dropped lines", 500, A, "marker")])
        point = store.resume_point("web", A + "0" * 52)
        assert point
        assert point.since == NOON + 13_100_000_000  # 200 - 64 = 136: 13.6 s, minus 0.5
        assert point.last == written[-1]
        assert point.stored == Counter(written[131:])


def test_what_is_stored_of_a_while_is_counted(tmp_path: Path) -> None:
    """Both ends included; a line of another container, or beyond, is not."""
    with opened(tmp_path) as store:
        assert store.stored_between("web", A, NOON, NOON + SECOND) == Counter()
        twice, first, last = line("twice", 0.5), line("first", 0), line("last", 1)
        store.append("web", [line("before", -1), first, twice, line("other", 0.5, B), last])
        store.append("web", [line("after", 1.1), twice])  # which came late
        found = store.stored_between("web", A + "0" * 52, NOON, NOON + SECOND)
        assert found == Counter({first: 1, twice: 2, last: 1})


def test_the_newest_lines_of_a_container(tmp_path: Path) -> None:
    """By their times, whatever came late; so many, of so long before the newest."""
    with opened(tmp_path) as store:
        assert store.newest_of("web", A, 10, 30) == []
        old, late = line("old", -40), line("late", 0.5)
        written = lines(1_000)
        store.append("web", [old, *written, line("other", 5, B), line("x", 6, A, "marker"), late])
        in_order = sorted([*written, late])
        assert store.newest_of("web", A, 5_000, 30) == [old, *in_order]
        assert store.newest_of("web", A, 10, 30) == in_order[-10:]
        assert store.newest_of("web", A, 5_000, 0.1) == in_order[-102:]
        assert store.newest_of("web", A, 5_000, 3600) == [old, *in_order]


def test_lines_of_a_megabyte_cost_little_to_compare(tmp_path: Path) -> None:
    """Of the newest some megabytes are enough, and what is counted is short."""
    with opened(tmp_path) as store:
        for n in range(12):
            store.append("web", [line(f"{n} " + "x" * 1_000_000, n / 10)])
        assert 4 <= len(store.newest_of("web", A, 30_000, 120)) < 9
        found = store.stored_between("web", A, NOON, NOON + SECOND)
        assert len(found) == 11
        assert max(map(len, found)) < 100
        again = [line(f"{n} " + "x" * 1_000_000, n / 10) for n in (3, 11)]
        assert take_stored(again, found) == again[1:]


def test_an_engine_that_writes_whole_seconds_is_asked_from_one_on(tmp_path: Path) -> None:
    """It compares with the true times: from a moment within a second it gives lines that say the
    second before."""
    with opened(tmp_path) as store:
        written = [line(f"n{i}", i // 20) for i in range(200)]
        store.append("web", written)
        point = store.resume_point("web", A)
        assert point
        assert point.since == NOON + 5 * SECOND  # 64 back: in the second 6, minus 0.5
        assert point.stored == Counter(written[100:])


def test_equal_lines_are_counted(tmp_path: Path) -> None:
    """The same line written twice at the same moment is stored twice, and known to be."""
    with opened(tmp_path) as store:
        store.append("web", [line("same"), line("same")])
        point = store.resume_point("web", A)
        assert point
        assert point.stored == Counter({line("same"): 2})
        assert _resumed(store, [line("same")] * 3) == [line("same")]


def test_an_old_quiet_container_is_found_behind_a_million_others(tmp_path: Path) -> None:
    """Its last line is many segments back: the indexes lead there."""
    with opened(tmp_path, segment_bytes=64 * 1024) as store:
        store.append("web", [line("quiet", 5.001, B)])
        for i in range(30):
            store.append("web", [line("x" * 100, 10 + i) for _ in range(500)])
        assert len(store._apps["web"].closed) > 15
        point = store.resume_point("web", B)
        assert point
        assert (point.since, point.last) == (NOON + 4_501_000_000, line("quiet", 5.001, B))
    with opened(tmp_path, segment_bytes=64 * 1024) as store:
        assert store.resume_point("web", B) == point


@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_a_stop_anywhere_loses_and_doubles_nothing(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Lines with shared moments, up to half a second out of order, stopped after any of them."""
    ats = data.draw(st.lists(st.integers(0, 40), min_size=1, max_size=150))
    engine = []
    now = 0
    for at in ats:
        now = max(now, now + at // 4 - 4)
        engine.append(line(f"t{at % 3}", (now * 100 + (at % 5) * 100) / 1000))
    stop = data.draw(st.integers(0, len(engine)))
    root = tmp_path_factory.mktemp("resume")
    with opened(root) as store:
        store.append("web", engine[:stop])
    with opened(root) as store:
        assert _resumed(store, engine) == engine[stop:]


@pytest.mark.parametrize("seconds_ago", [0, 3])
def test_deleted_lines_are_still_recognised(tmp_path: Path, seconds_ago: int) -> None:
    """Retention by size deletes a quiet container's last lines: they do not come again."""
    clock = Clock()
    limits = {"app_max_bytes": 300 * 1024}
    quiet = [line("q", i // 3, B) for i in range(100)] + [line(b"\xff\0caf\xc3", 34, B)]
    with opened(tmp_path, clock, **limits) as store:
        store.append("web", quiet)
        for i in range(20):
            store.append("web", [line("x" * 1000, 50 + i) for _ in range(64)])
            store.tidy()
        assert store.first_seq("web") > len(quiet)
        assert _resumed(store, quiet, B) == []
        more = [*quiet, line("new", 34, B), line("new", 90 - seconds_ago, B)]
        assert _resumed(store, more, B) == more[-2:]
    with opened(tmp_path, clock, **limits) as store:
        assert _resumed(store, more, B) == more[-2:]
        store.append("web", more[-2:])
        # Deleted and kept lines together make the point now.
        assert _resumed(store, more, B) == []
        point = store.resume_point("web", B)
        assert point
        assert point.last == more[-1]
        # Silent for longer than lines are kept: it need not be remembered.
        clock.ns += 60 * DAY
        store.append("web", [line("today", 60 * 86_400)])
        store.tidy()
        store.tidy()
        assert store.resume_point("web", B) is None


def test_lines_of_one_moment_on_both_sides_of_a_deletion(tmp_path: Path) -> None:
    """The deleted segment ended within a moment that the kept one goes on with."""
    with opened(tmp_path, app_max_bytes=256 * 1024) as store:
        engine = [line(f"{i:03d}" + "x" * 3000, 7) for i in range(100)]
        for raw in engine:
            store.append("web", [raw])
        store.tidy()
        assert store.first_seq("web") > 10
        assert _resumed(store, engine) == []


def test_a_stop_while_deleting_is_finished_at_the_next_start(tmp_path: Path) -> None:
    """What was remembered as deleted is deleted, and not counted twice."""
    with opened(tmp_path, segment_bytes=64 * 1024) as store:
        engine = [line(f"{i:03d}" + "x" * 3000, 7) for i in range(100)]
        for raw in engine:
            store.append("web", [raw])
        app = store._apps["web"]
        segment = app.closed[0]
        copies = {p: Path(p).read_bytes() for p in (segment.path, segment.index_path)}
        store._retention._drop(app, 1, 0)
        first = store.first_seq("web")
    for path, raw in copies.items():
        Path(path).write_bytes(raw)
    with opened(tmp_path, segment_bytes=64 * 1024) as store:
        assert store.first_seq("web") == first > 1
        assert _resumed(store, engine) == []
        assert not Path(segment.path).exists()


def test_a_clock_that_jumped_back(tmp_path: Path) -> None:
    """The newest lines have older times: the point goes back to them and knows all that follows."""
    engine = [line("before", i + 0.001) for i in range(1000, 1100)] + [
        line("after", i + 0.001) for i in range(100, 200)
    ]
    with opened(tmp_path) as store:
        store.append("web", engine)
        point = store.resume_point("web", A)
        assert point
        assert point.since == NOON + 135_501_000_000
        assert point.last == engine[-1]
        assert _resumed(store, engine) == []


def test_the_point_never_falls_within_a_line_of_many_parts(tmp_path: Path) -> None:
    """The engine stamps each 16 KiB part: asked from between two, it gives the rest as a line."""
    with opened(tmp_path) as store:
        long = line("x" * 60_000, 9.35)  # its parts are written until after 9.5 s
        written = [long, *(line(f"n{i}", 10 + i / 1000) for i in range(64))]
        store.append("web", written)
        point = store.resume_point("web", A)
        assert point
        assert point.since == NOON + 9_350_000_000
        assert point.stored == Counter(written)


def test_a_deletion_meanwhile_counts_nothing_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is remembered of deleted lines belongs to the files that it was taken from: a reader
    that asks just then sees each line once, in the file or in what is remembered of it."""
    with opened(tmp_path) as store:
        written = [line(f"n{i}", i / 10) for i in range(5)]
        store.append("web", written)
        found = store._apps["web"]
        store._commit.roll(found)
        store.append("web", [line("other", 1, B)])
        right, done = fair_threads.in_thread, []

        def meanwhile(pool: Any, function: Any, *args: Any) -> Any:
            """Between the look at the files and the reading of them."""
            if not done:
                done.append(1)
                store._retention._drop(found, 1, 0)
            return right(pool, function, *args)

        monkeypatch.setattr(fair_threads, "in_thread", meanwhile)
        monkeypatch.setattr(retention, "remove", lambda segment: None)  # that comes a little later
        point = store.resume_point("web", A)
        assert done
        assert point
        assert point.stored == Counter(written)
        assert point.last == written[-1]
