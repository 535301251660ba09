"""Any query gives what a plain search through all lines would give."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import gevent
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloudbang.storage.logs.index import Block
from cloudbang.storage.logs.log_store import LogStore, Query
from cloudbang.storage.logs.segment import Segment, read_block
from cloudbang.web.api.search import matcher
from tests.storage.logs.records import NOON, SECOND, A, B, Clock, line, opened, searched_by

COUNT = 600
DAY = 86_400 * SECOND

Lines = list[tuple[int, bytes]]


@pytest.fixture(scope="module", params=["threads", "process"])
def filled(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[LogStore, Lines]]:
    """Packed segments, closed plain ones and an active one with several blocks; times jump."""
    root = tmp_path_factory.mktemp("queries")
    chance = random.Random(8)
    written: Lines = []
    clock = Clock()

    def fill(store: LogStore, count: int) -> None:
        for _ in range(count // 10):
            batch = []
            for _ in range(10):
                at = len(written) + chance.choice((0, 0, 0, -50, 80))
                text = f"{chance.randrange(10)} " + chance.randbytes(900).hex()
                container = chance.choice((A, A, A, B))
                raw = line(text, max(at, 0), container, chance.choice(("stdout", "stderr")))
                batch.append(raw)
                written.append((len(written) + 1, raw))
            store.append("web", batch)

    with opened(root, clock, segment_bytes=128 * 1024) as store:
        fill(store, 200)
        clock.ns += DAY
        store.tidy()
        fill(store, 200)
    with opened(root, clock, segment_bytes=64 * 1024 * 1024) as store:
        fill(store, COUNT - 400)
        app = store._apps["web"]
        assert {s.compressed for s in app.closed} == {True, False}
        searched_by(store, request.param)
        yield store, written


seqs = st.none() | st.integers(-1, COUNT + 5)
times = st.none() | st.integers(-10, COUNT + 100).map(lambda s: NOON + s * SECOND)


@settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    after=seqs,
    before=seqs,
    since=times,
    until=times,
    container=st.sampled_from([None, A, B, "c" * 12]),
    stream=st.sampled_from([None, "stdout", "stderr"]),
    digit=st.none() | st.integers(0, 9),
    rare=st.none() | st.sampled_from(["f00d", "beef", "0 0", "none of this"]),
    limit=st.integers(1, COUNT + 1),
)
def test_a_page_is_what_a_plain_search_finds(
    filled: tuple[LogStore, Lines],
    after: int | None,
    before: int | None,
    since: int | None,
    until: int | None,
    container: str | None,
    stream: str | None,
    digit: int | None,
    rare: str | None,
    limit: int,
) -> None:
    """Every combination of limits and filters, over every kind of segment; whatever was found, and
    not found, in its blocks before."""
    store, written = filled

    def fits(seq: int, raw: bytes) -> bool:
        at = int(raw[51:53].strip())
        ns = NOON + _seconds(raw) * SECOND
        return (
            (after is None or seq > after)
            and (before is None or seq < before)
            and (since is None or ns >= since)
            and (until is None or ns <= until)
            and (container is None or raw[31:43] == container.encode())
            and (stream is None or raw[44:50] == stream.encode())
            and (digit is None or rare or at == digit)
            and (not rare or rare.encode() in raw)
        )

    expected = [x for x in written if fits(*x)]
    backwards = after is None and since is None and (before is not None or until is not None)
    match = None if digit is None else (lambda raw: raw[51:53] == b"%d " % digit)
    match = matcher(rare) if rare else match
    query = Query(after, before, since, until, container, stream, match, limit)
    page = store.read("web", query)
    assert page.lines == (expected[-limit:] if backwards else expected[:limit])
    assert (page.first, page.next) == (1, COUNT + 1)
    assert [x for batch in store.scan("web", query) for x in batch] == expected


def _seconds(raw: bytes) -> int:
    """Of a record's time since NOON, which is 22:13:20."""
    hours, minutes, seconds = raw[11:19].split(b":")
    return (int(hours) * 60 + int(minutes)) * 60 + int(seconds) - 80_000


@pytest.mark.parametrize("backwards", [False, True])
def test_a_search_that_takes_too_long_can_be_gone_on_with(
    filled: tuple[LogStore, Lines], backwards: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Out of time it gives what it has and a cursor; going on from there misses and repeats none."""
    store, written = filled
    monkeypatch.setattr("cloudbang.storage.logs.log_store.SLICE", 0.0)
    monkeypatch.setattr("cloudbang.storage.logs.log_store.SEARCH", 0.0)
    found: Lines = []
    query = Query(before=COUNT + 1) if backwards else Query(after=0)
    pages = 0
    while True:
        page = store.read("web", Query(query.after, query.before, limit=COUNT * 2))
        found = page.lines + found if backwards else found + page.lines
        pages += 1
        if page.cursor is None:
            break
        query = Query(before=page.cursor) if backwards else Query(after=page.cursor)
    assert found == written
    assert pages > 5


def test_a_long_search_lets_others_go_on(filled: tuple[LogStore, Lines]) -> None:
    """While a search runs in its thread the hub serves everybody else."""
    store, _ = filled
    ticks = []

    def tick() -> None:
        while True:
            ticks.append(1)
            gevent.sleep(0.001)

    def slow(raw: bytes) -> bool:
        return sum(raw) < 0  # never, and not cheap

    ticker = gevent.spawn(tick)
    try:
        for _ in range(5):
            assert store.read("web", Query(match=slow)).lines == []
    finally:
        ticker.kill()
    assert len(ticks) > 5


@settings(
    deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    after=seqs,
    before=seqs,
    since=times,
    until=times,
    container=st.sampled_from([None, A, B, "c" * 12]),
    stream=st.sampled_from([None, "stdout", "stderr"]),
    digit=st.none() | st.integers(0, 9),
    limit=st.integers(1, COUNT + 1),
    size=st.sampled_from([1, 5_000, 200_000, 1 << 40]),
)
def test_what_is_found_first_and_picked_later_is_the_page(
    filled: tuple[LogStore, Lines],
    digit: int | None,
    size: int,
    **asked: Any,
) -> None:
    """Going on from its cursor until there is none, a search that holds no line finds those of a
    page, and they are picked a few at a time."""
    store, _ = filled
    match = None if digit is None else (lambda raw: raw[51:52] == b"%d" % digit)
    query = Query(match=match, **asked)
    page = store.read("web", replace(query, size=1 << 40))
    assert page.cursor is None
    found: list[int] = []
    step = replace(query, size=size)
    while True:
        part = store.find("web", step)
        found = part.seqs + found if query.backwards else found + part.seqs
        if part.cursor is None:
            break
        left = query.limit - len(found)
        at = {"before": part.cursor} if query.backwards else {"after": part.cursor}
        step = replace(step, limit=left, **at)
    assert found == [seq for seq, _ in page.lines]
    picked: Lines = []
    while lines := store.pick("web", found[len(picked) :], replace(query, size=size)):
        picked += lines
    assert picked == page.lines


def test_what_held_nothing_is_not_read_again(
    filled: tuple[LogStore, Lines], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A closed block in which a search found nothing is known, to the same search and to longer
    words; the open segment is looked at each time."""
    store, _ = filled
    monkeypatch.setattr(store._processes, "of", lambda account: None)  # seen in this process
    looked: list[bool] = []

    def looking(fd: int, segment: Segment, block: Block, *how: Any) -> bytes:
        looked.append(segment.path == store._apps["web"].active.path)  # type: ignore[union-attr]
        return read_block(fd, segment, block, *how)

    monkeypatch.setattr("cloudbang.storage.logs.reader.read_block", looking)
    assert store.read("web", Query(match=matcher("nowhere"))).lines == []
    assert False in looked
    assert True in looked
    for words in ("nowhere", "Nowhere at all"):
        looked.clear()
        assert store.read("web", Query(match=matcher(words))).lines == []
        assert looked
        assert all(looked)
