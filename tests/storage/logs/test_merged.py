"""Lines of several apps in the order of their times: what a plain sort of all of them would give."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloudbang.storage.logs import log_store, merged
from cloudbang.storage.logs.log_store import LogStore, Query
from cloudbang.storage.logs.merged_query import MergedLine, MergedQuery, Place, Progress
from cloudbang.web.api.search import matcher
from tests.storage.logs.records import NOON, SECOND, A, B, Clock, line, opened, searched_by

DAY = 86_400 * SECOND
APPS = ("api", "db", "web")
COUNT = 240  # lines of each

All = list[MergedLine]


def _fill(store: LogStore, written: All, count: int, chance: random.Random) -> None:
    """Times that go forth and back a little, many of them the same."""
    for _ in range(count // 10):
        for app in APPS:
            begins = store.next_seq(app)
            batch = []
            for n in range(10):
                at = begins + n + chance.choice((0, 0, 0, 0, -30, 5))
                text = f"{chance.randrange(10)} " + chance.randbytes(800).hex()
                batch.append(line(text, max(at, 0), chance.choice((A, B))))
            store.append(app, batch)
            written += [
                MergedLine(Place(raw[:30], app, begins + n), raw) for n, raw in enumerate(batch)
            ]


@pytest.fixture(scope="module", autouse=True)
def _small_blocks() -> Iterator[None]:
    """Of some lines each, so that there are many in a segment."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cloudbang.storage.logs.app_log.BLOCK_BYTES", 16 * 1024)
        yield


@pytest.fixture(scope="module", params=["threads", "process"])
def filled(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[LogStore, All]]:
    """Packed segments, closed plain ones and open ones of three apps."""
    root, clock, chance = tmp_path_factory.mktemp("merged"), Clock(), random.Random(4)
    written: All = []
    with opened(root, clock, segment_bytes=128 * 1024) as store:
        _fill(store, written, 80, chance)
        clock.ns += DAY
        store.tidy()
        _fill(store, written, 80, chance)
    with opened(root, clock, segment_bytes=64 * 1024 * 1024) as store:
        _fill(store, written, COUNT - 160, chance)
        written.sort()
        searched_by(store, request.param)
        yield store, written


def _read(store: LogStore, apps: tuple[str, ...], asked: MergedQuery) -> tuple[All, Progress]:
    """All that it gives, and how far it was in the end, with what was counted on the way."""
    found: All = []
    counted: list[tuple[bytes, str | None]] = []
    for lines, told in store.merged.read(apps, asked):
        found += lines
        counted += told.counted
    return found, replace(told, counted=counted)


times = st.none() | st.integers(-5, COUNT + 20).map(lambda s: NOON + s * SECOND)
picked = st.none() | st.integers(0, 3 * COUNT - 1)


@settings(
    deadline=None, max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    apps=st.lists(st.sampled_from(APPS), min_size=1, max_size=3, unique=True),
    backwards=st.booleans(),
    since=times,
    until=times,
    before=picked,
    after=picked,
    end=st.none() | st.integers(1, COUNT + 1),
    q=st.sampled_from(["", "", "7 ", "beef", "none of this"]),
    container=st.sampled_from([None, A]),
    limit=st.integers(1, 3 * COUNT),
    count=st.booleans(),
)
def test_lines_are_those_of_a_plain_sort(
    filled: tuple[LogStore, All],
    apps: list[str],
    backwards: bool,
    before: int | None,
    after: int | None,
    end: int | None,
    q: str,
    limit: int,
    count: bool,
    **asked: Any,
) -> None:
    """Every limit and filter, both ways; and how many there are without a limit."""
    store, written = filled
    low = None if after is None else written[after].place
    high = None if before is None else written[before].place
    ends = {} if end is None else {"db": end}
    since, until, container = asked["since"], asked["until"], asked["container"]

    def fits(place: Place, raw: bytes, _entry: object) -> bool:
        ns = (
            NOON
            + ((int(raw[11:13]) * 60 + int(raw[14:16])) * 60 + int(raw[17:19]) - 80_000) * SECOND
        )
        return (
            place.app in apps
            and (low is None or place > low)
            and (high is None or place < high)
            and (since is None or ns >= since)
            and (until is None or ns <= until)
            and (place.app != "db" or end is None or place.seq < end)
            and (container is None or raw[31:43] == container.encode())
            and (not q or q.encode() in raw[51:])
        )

    expected = [one for one in written if fits(*one)]
    if backwards:
        expected.reverse()
    query = Query(match=matcher(q) if q else None, limit=limit, **asked)
    merging = MergedQuery(query, backwards, high, low, ends, count)
    found, scan = _read(store, tuple(apps), merging)
    assert [(one.place, one.raw) for one in found] == [one[:2] for one in expected[:limit]]
    assert (scan.cursor is None) == (len(expected) < limit)
    if count:
        assert scan.found == len(expected)
        assert sorted(at for at, _ in scan.counted) == sorted(one.place.time for one in expected)


@pytest.mark.parametrize("backwards", [True, False])
def test_pages_skip_and_double_nothing_while_lines_come(tmp_path: Any, backwards: bool) -> None:
    """Page after page from cursor to cursor, while lines are written that have older times."""
    chance = random.Random(5)
    written: All = []
    with opened(tmp_path, segment_bytes=128 * 1024) as store:
        _fill(store, written, 100, chance)
        ends = {app: store.next_seq(app) for app in APPS}
        expected = sorted(written, reverse=backwards)
        found: All = []
        asked = MergedQuery(Query(limit=37), backwards, ends=ends)
        while True:
            page, scan = _read(store, APPS, asked)
            found += page
            _fill(store, written, 10, chance)
            store.tidy()
            if scan.cursor is None:
                break
            side = {"before" if backwards else "after": scan.cursor}
            asked = replace(asked, **side)
        assert found == expected


def test_what_waits_for_its_turn_is_bounded(
    filled: tuple[LogStore, All], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With little room for lines that wait, a page is shorter, and the next goes on where it ended."""
    store, written = filled
    monkeypatch.setattr(merged, "HELD_BYTES", 40_000)
    found: All = []
    asked = MergedQuery(Query(limit=400))
    for _ in range(200):
        page, scan = _read(store, APPS, asked)
        found += page
        if scan.cursor is None:
            break
        asked = replace(asked, before=scan.cursor)
    assert found == written[::-1]


def test_a_file_that_is_packed_meanwhile_is_read_all_the_same(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And lines that are deleted meanwhile are gone, without an error."""
    clock, written = Clock(), []  # type: ignore[var-annotated]
    monkeypatch.setattr(log_store, "SLICE", 0.0)
    with opened(tmp_path, clock, segment_bytes=128 * 1024) as store:
        _fill(store, written, COUNT, random.Random(6))
        expected = sorted(written, reverse=True)
        found: All = []
        failed: dict[str, OSError] = {}
        asked = MergedQuery(Query(limit=10_000))
        for at, (lines, scan) in enumerate(store.merged.read(APPS, asked)):
            found += lines
            failed |= scan.failed
            if at == 2:
                clock.ns += DAY
                store.tidy()
            if at == 6:
                store.delete_lines("db")
        assert not failed
        kept = [one for one in found if one.place.app != "db"]
        assert kept == [one for one in expected if one.place.app != "db"]
        assert found == [one for one in expected if one in set(found)]


def test_an_app_that_cannot_be_read_costs_the_others_nothing(
    filled: tuple[LogStore, All], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its error is told, and the lines of the others come."""
    store, written = filled
    real = merged.BlockScan.lines

    def lines(self: Any, spot: Any, **kinds: Any) -> Any:
        if spot.segment.folder.endswith("/db"):
            raise OSError(5, "Input/output error")
        return real(self, spot, **kinds)

    monkeypatch.setattr(merged.BlockScan, "lines", lines)
    found, scan = _read(store, APPS, MergedQuery(Query(limit=10_000)))
    assert found == [one for one in reversed(written) if one.place.app != "db"]
    assert list(scan.failed) == ["db"]
