"""Pages of entries: whole, none missing and none twice, wherever one begins and however one goes."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloudbang.domain.entries import EntryReader
from cloudbang.storage.logs.entry_pages import NO_LEVEL, Extent
from cloudbang.storage.logs.log_store import LogStore, Query
from cloudbang.web.api.search import matcher
from tests.storage.logs.records import A, B, Clock, line, opened, searched_by

FRAME = "\tat com.shop.Pay.take(Pay.java:40)"
WRITTEN = (
    ["2026-02-01 09:00:00 INFO  paid"],
    ["2026-02-01 09:00:00 INFO  paid"],
    ["plain needle"],
    ["2026-02-01 09:00:01 ERROR refused", "java.lang.StockException: needle", FRAME, FRAME],
    ["2026-02-01 09:00:01 ERROR statement was:", "insert needle", "java.lang.X: y", FRAME],
    ["Traceback (most recent call last):", '  File "a.py", line 3, in f', "KeyError: needle"],
    ["info: Shop.Api[0]", "      ready"],
    ["2026-02-01 09:00:02 WARN  slow", "  needle"],
    ["java.lang.OutOfMemoryError: needle"],
    ["2026-02-01 09:00:02 ERROR long", *[FRAME] * 40],
)

Found = dict[int, tuple[str | None, list[int]]]


@pytest.fixture(scope="module", params=["threads", "process"])
def filled(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[LogStore, list[bytes]]]:
    """Four streams that write at once, over packed segments and several blocks."""
    chance = random.Random(13)
    writers = {(c, s): [] for c in (A, B) for s in ("stdout", "stderr")}
    records: list[bytes] = []
    while len(records) < 1_200:
        key = chance.choice(list(writers))
        if not writers[key]:
            writers[key] = list(chance.choice(WRITTEN))
        padding = " " * chance.choice((0, 300, 900))
        records.append(line(writers[key].pop(0) + padding, len(records) / 1000, *key))
    clock = Clock()
    with opened(tmp_path_factory.mktemp("entries"), clock, segment_bytes=256 * 1024) as store:
        for at in range(0, len(records), 100):
            store.append("web", records[at : at + 100])
        searched_by(store, request.param)
        yield store, records


def entries_of(records: list[bytes]) -> Found:
    """Every entry, by reading all lines from the first on: its level and its seqs."""
    reader, level_of, extents = EntryReader(), {}, {}
    for seq, raw in enumerate(records, 1):
        level_of[seq], entry = reader.feed(seq, raw)
        if entry is not None:
            extents[entry.first] = entry.extent
    found: Found = {}
    head_of: dict[int, int] = {}
    for first, last, level, container, stream in extents.values():
        key = f"{container} {stream}".encode()
        its = [s for s in range(first, last + 1) if records[s - 1][31:50] == key]
        found[first] = level, its
        head_of.update(dict.fromkeys(its, first))
    for seq in range(1, len(records) + 1):
        if seq not in head_of:
            found[seq] = level_of[seq], [seq]
    return found


@settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    q=st.sampled_from(["", "needle", "paid", "Pay.java", "nothing of this"]),
    levels=st.sets(st.sampled_from(["error", "warning", "info", NO_LEVEL]), max_size=2),
    container=st.sampled_from([None, A]),
    stream=st.sampled_from([None, "stderr"]),
    backwards=st.booleans(),
    limit=st.sampled_from([1, 7, 100, 5_000]),
    meet=st.integers(1, 1_201),
)
def test_pages_have_every_entry_once_and_whole(
    filled: tuple[LogStore, list[bytes]],
    q: str,
    levels: set[str],
    container: str | None,
    stream: str | None,
    backwards: bool,
    limit: int,
    meet: int,
) -> None:
    """From a line on, and back from it: together all that a reader of all lines would choose."""
    store, records = filled
    match = matcher(q) if q else None
    if not q and not levels:
        levels = {"error"}
    expected = {
        first: its
        for first, (level, its) in entries_of(records).items()
        if (not levels or (level or NO_LEVEL) in levels)
        and (match is None or any(match(records[seq - 1]) for seq in its))
        and (not container or records[first - 1][31:43] == container.encode())
        and (not stream or records[first - 1][44:50] == stream.encode())
    }
    query = Query(
        match=match,
        levels=frozenset(levels) or None,
        container=container,
        stream=stream,
        limit=limit,
    )
    got: list[int] = []
    for part in (replace(query, before=meet), replace(query, after=meet - 1)):
        pages = 0
        while True:
            page = store.read_entries("web", part).entries
            got += [seq for seq, _ in page.lines]
            assert [seq for seq, _ in page.lines] == sorted({seq for seq, _ in page.lines})
            assert len(page.levels) == len(page.lines)
            for first, last, level, *_ in page.extents:
                assert last == expected[first][-1]
                assert level in levels or not levels or level is None
            pages += 1
            if page.cursor is None or pages > 8:
                break
            one = "before" if part.backwards else "after"
            part = replace(part, **{one: page.cursor})
        if page.cursor is not None:
            return  # a page at a time takes too long to see the end of it
    assert sorted(got) == sorted(seq for its in expected.values() for seq in its)
    assert len(got) == len(set(got))


@settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(start=st.integers(1, 1_200), count=st.integers(1, 400), container=st.sampled_from([None, A]))
def test_what_lines_are_does_not_depend_on_where_one_begins(
    filled: tuple[LogStore, list[bytes]], start: int, count: int, container: str | None
) -> None:
    """Of any page the levels and entries are those of a reader of all lines."""
    store, records = filled
    query = Query(after=start - 1, limit=count, container=container)
    page = store.read_entries("web", query).entries
    reader = EntryReader()
    expected: dict[int, Extent] = {}
    levels = {}
    last = page.lines[-1][0] if page.lines else 0
    for seq, raw in enumerate(records[:last], 1):
        levels[seq], entry = reader.feed(seq, raw)
        if entry is not None:
            expected[entry.first] = entry.extent
    who = container or ""
    assert page.extents == sorted(
        e for e in expected.values() if e[1] >= page.lines[0][0] and e[3].startswith(who)
    )
    assert page.levels == [levels[seq] for seq, _ in page.lines]


def test_a_download_has_whole_entries(filled: tuple[LogStore, list[bytes]]) -> None:
    """All of them, in order of their lines where they do not cross a batch."""
    store, records = filled
    query = Query(levels=frozenset({"warning"}))
    got = [seq for batch in store.scan_entries("web", query) for seq, _ in batch]
    expected = [
        seq for level, its in entries_of(records).values() if level == "warning" for seq in its
    ]
    assert sorted(got) == sorted(expected)
    assert len(set(got)) == len(got)
