"""How often over time: by what is known of files, by entries, and to the line in the end."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from cloudbang.config import StorageSettings
from cloudbang.domain.lines import format_time, record
from cloudbang.domain.time_bins import seconds_of
from cloudbang.storage.logs.index_cache import IndexCache
from cloudbang.storage.logs.log_store import LogStore, Query
from cloudbang.storage.logs.timeline import TimelineScan
from tests.web.api.test_account import code
from tests.web.web_support import Client, WebGround

START = 1_750_000_000  # as WebGround's logs


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebGround]:
    """Two apps, with a line a second each at the same times."""
    made = WebGround(tmp_path_factory.mktemp("timeline"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cloudbang.storage.logs.app_log.BLOCK_BYTES", 512)  # several blocks of each
        lines = ["ERROR lost" if n % 10 == 3 else f"WARN slow {n}" for n in range(40)]
        made.log("db", ["Traceback (most recent call last):", "  at x", *lines])
        made.log("web", [f"page {n}" for n in range(300)])
    yield made
    made.close()


@pytest.fixture(scope="module")
def program(full: WebGround) -> Client:
    return full.program("viewer")


def ask(program: Client, query: str) -> list[dict[str, Any]]:
    answer = program.get(f"/api/v1/timeline?{query}")
    assert answer.status_code == 200, answer.text
    assert answer.mimetype == "application/jsonl"
    return [orjson.loads(text) for text in answer.data.splitlines()]


def last(said: list[dict[str, Any]]) -> dict[int, list[Any]]:
    """What was told last of each bin."""
    return {one[0]: one[1:] for told in said if told["op"] == "counts" for one in told["bins"]}


def test_entries_of_a_small_log_are_counted_by_their_levels(program: Client) -> None:
    said = ask(program, "app=db")
    begin, end = said[0], said[-1]
    assert (begin["op"], begin["counts"], begin["width"]) == ("range", "entries", 1)
    assert begin["ends"] == [{"name": "db", "next": 43}]
    assert end == {"op": "end", "found": end["found"], "exact": True, "back_to": None, "failed": []}
    bars = last(said)
    assert sum(one[0] for one in bars.values()) == end["found"]
    assert sum(one[1] for one in bars.values()) >= 4
    assert sum(one[2] for one in bars.values()) == 36


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("app=web", 300),
        ("", None),
        ("app=web&q=page+1", 111),
        ("level=warning", 36),
        ("app=web&since=2025-06-15T15:06:50Z&until=2025-06-15T15:06:59.999Z", 10),
        ("app=web&q=nothing", 0),
        ("app=db&stream=stderr", None),
    ],
)
def test_a_filter_and_a_time_are_counted(program: Client, query: str, found: int | None) -> None:
    said = ask(program, query)
    total = sum(one[0] for one in last(said).values())
    assert total == said[-1]["found"]
    assert found is None or total == found


def test_what_is_known_of_files_says_lines(
    program: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a log that is large; errors are those that were measured, which here nobody did."""
    monkeypatch.setattr("cloudbang.web.api.timeline.SMALL", 0)
    said = ask(program, "app=web")
    assert said[0]["counts"] == "lines"
    assert said[-1] | {"op": "end"} == {
        "op": "end", "found": 300, "exact": True, "back_to": None, "failed": [],
    }  # fmt: skip
    width, bars = said[0]["width"], last(said)
    assert {at: one[0] for at, one in bars.items()} == Counter(
        (START + n) // width - (START // width) for n in range(300)
    )
    assert {one[1] for one in bars.values()} <= {None, 0}
    within = ask(program, "app=web&since=2025-06-15T15:06:50Z&until=2025-06-15T15:07:09.999Z")
    assert within[-1]["found"] == 20


def test_what_takes_longer_than_asked_for_says_how_far_it_came(
    program: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cloudbang.storage.logs.merged_logs.SLICE", 0.0)
    monkeypatch.setattr("cloudbang.web.api.timeline.number", lambda *_: 1e-9)
    said = ask(program, "app=web&q=page")
    assert said[-1]["back_to"] > "2025"
    assert not said[-1]["exact"]
    assert said[-1]["found"] < 300


@pytest.mark.parametrize(
    ("query", "status", "said"),
    [
        ("within=0", 400, "bad-request"),
        ("q=(&regex=1", 400, "bad-request"),
        ("app=nowhere", 404, "no-such-app"),
        ("since=yesterday", 400, "bad-request"),
    ],
)
def test_what_cannot_be_asked_is_refused(
    program: Client, query: str, status: int, said: str
) -> None:
    assert code(program.get(f"/api/v1/timeline?{query}")) == (status, said)


@pytest.mark.parametrize("seed", range(4))
def test_files_blocks_and_lines_come_to_the_same(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However lines lie in time: what is spread at first is counted where it is in the end, within a
    time as well; and each picture on the way has all lines in it."""
    chance = random.Random(seed)
    monkeypatch.setattr("cloudbang.storage.logs.app_log.BLOCK_BYTES", 2_000)
    monkeypatch.setattr("cloudbang.storage.logs.timeline.FINE", 1_000_000)
    store = LogStore(tmp_path, settings=StorageSettings(path=tmp_path))
    store.open()
    times: dict[str, list[int]] = {}
    for app in ("a", "b"):
        at, its = START, []
        for _ in range(chance.randrange(200, 2_000)):
            at += chance.choice((0, 0, 1, chance.randrange(500)))
            its.append(at - (chance.randrange(1_000) if chance.random() < 0.02 else 0))
        times[app] = its
        lines = [
            record(format_time(one * 10**9).encode(), b"0" * 12, b"stdout", b"x" * 40)
            for one in its
        ]
        for begin in range(0, len(lines), 100):
            store.append(app, lines[begin : begin + 100])
    every = sorted(at for its in times.values() for at in its)
    for since, until in ((None, None), (every[len(every) // 4], every[len(every) // 2])):
        query = Query(
            since=None if since is None else since * 10**9,
            until=None if until is None else until * 10**9,
        )
        scan = TimelineScan(IndexCache(), query, START)
        for app in times:
            scan.add(app, store._apps[app].view())
        within = [at for at in every if (since or 0) <= at <= (until or 1 << 40)]
        told = scan.progress
        while not told.done:
            scan.step(0.0)
            if told.bins is not None and since is None:
                assert abs(sum(told.counts) - len(within)) <= len(told.counts)
        assert told.bins is not None
        assert told.exact
        bins, counts = told.bins, told.counts
        last = len(counts) - 1
        expected = Counter(min(max((at - bins.start) // bins.width, 0), last) for at in within)
        assert {at: count for at, count in enumerate(counts) if count} == expected
        assert seconds_of(format_time(bins.start * 10**9).encode()) == bins.start
    store.close()
