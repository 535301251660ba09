"""Entries of several apps: each once and whole, in the order of the first of their lines that fit."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloudbang.storage.logs.entry_pages import NO_LEVEL
from cloudbang.storage.logs.log_store import LogStore, Query
from cloudbang.storage.logs.merged_query import MergedLine, MergedQuery, Place
from cloudbang.web.api.search import matcher
from tests.storage.logs.records import NOON, SECOND, A, B, Clock, line, opened, searched_by
from tests.storage.logs.test_entry_pages import WRITTEN, entries_of

APPS = ("api", "db", "web")
COUNT = 500  # lines of each

Records = dict[str, list[bytes]]


@pytest.fixture(scope="module", params=["threads", "process"])
def filled(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[LogStore, Records]]:
    """Three apps of two streams each that write at once, over packed segments and several blocks."""
    chance = random.Random(17)
    written: Records = {app: [] for app in APPS}
    pending: dict[tuple[str, str], list[str]] = {(app, c): [] for app in APPS for c in (A, B)}
    at = 0.0
    while min(map(len, written.values())) < COUNT:
        app, container = key = chance.choice(list(pending))
        if not pending[key]:
            pending[key] = list(chance.choice(WRITTEN))
        at += chance.choice((0, 0.001, 0.002))
        padding = " " * chance.choice((0, 300))
        text = pending[key].pop(0) + padding
        written[app].append(line(text, at + chance.choice((0, 0, -0.003)), container))
    clock = Clock()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cloudbang.storage.logs.app_log.BLOCK_BYTES", 16 * 1024)
        with opened(tmp_path_factory.mktemp("merged"), clock, segment_bytes=64 * 1024) as store:
            for app, records in written.items():
                for begin in range(0, len(records), 50):
                    store.append(app, records[begin : begin + 50])
            clock.ns += 86_400 * SECOND
            store.tidy()
            searched_by(store, request.param)
        yield store, written


def read(store: LogStore, asked: MergedQuery) -> tuple[list[MergedLine], Place | None, int]:
    found: list[MergedLine] = []
    for lines, scan in store.merged.read(APPS, asked):  # noqa: B007
        found += lines
    return found, scan.cursor, scan.found


@settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    q=st.sampled_from(["", "needle", "paid", "Pay.java", "nothing of this"]),
    levels=st.sets(st.sampled_from(["error", "warning", "info", NO_LEVEL]), max_size=2),
    container=st.sampled_from([None, A]),
    backwards=st.booleans(),
    by_lines=st.booleans(),
    limit=st.sampled_from([1, 7, 40, 5_000]),
    since=st.none() | st.integers(0, 1_500),
    meet=st.integers(0, 3 * COUNT),
)
def test_pages_have_every_entry_once_and_whole(
    filled: tuple[LogStore, Records],
    q: str,
    levels: set[str],
    container: str | None,
    backwards: bool,
    by_lines: bool,
    limit: int,
    since: int | None,
    meet: int,
) -> None:
    """From a line on and back from it: together all that a reader of all lines would choose, also
    where that line is within an entry."""
    store, written = filled
    match = matcher(q) if q else None
    if not q and not levels:
        levels = {"error"}
    from_ns = None if since is None else NOON + since * 1_000_000
    places = sorted(
        Place(raw[:30], app, seq)
        for app, records in written.items()
        for seq, raw in enumerate(records, 1)
    )
    middle = places[min(meet, len(places) - 1)]
    expected: dict[Place, tuple[str | None, list[int]]] = {}
    for app, records in written.items():
        for level, its in entries_of(records).values():
            fitting = [
                seq
                for seq in its
                if (match is None or match(records[seq - 1]))
                and (not container or records[seq - 1][31:43] == container.encode())
            ]
            if from_ns is not None:
                begins = line("", (from_ns - NOON) / SECOND)[:30]
                fitting = [seq for seq in fitting if records[seq - 1][:30] >= begins]
            if fitting and (not levels or (level or NO_LEVEL) in levels):
                first = fitting[0]
                expected[Place(records[first - 1][:30], app, first)] = level, its
    query = Query(
        match=match,
        levels=frozenset(levels) or None,
        container=container,
        since=from_ns,
        limit=limit,
    )
    got: list[MergedLine] = []
    sides = (
        MergedQuery(query, True, before=middle, by_lines=by_lines),
        MergedQuery(query, False, after=middle, by_lines=by_lines),
    )
    counted = 0
    for side in sides if backwards else sides[::-1]:
        _, _, found = read(store, replace(side, count=True))
        counted += found
        part, pages = side, 0
        while True:
            page, cursor, _ = read(store, part)
            order = [one.place for one in page]
            assert order == sorted(order, reverse=part.backwards)
            got += page
            pages += 1
            if cursor is None:
                break
            if pages > 12:
                return  # a page at a time takes too long to see the end of it
            one = "before" if part.backwards else "after"
            part = replace(part, **{one: cursor})
    expected.pop(middle, None)  # it is on neither side
    assert sorted(one.place for one in got) == sorted(expected)
    for place, _, entry in got:
        assert entry is not None
        assert (entry.level, [seq for seq, _, _ in entry.lines]) == expected[place]
    assert counted == len(expected)
