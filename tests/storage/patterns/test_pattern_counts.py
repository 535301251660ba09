"""How often patterns came: whole, in parts, over packed and growing files, with a process that dies."""

from __future__ import annotations

import os
import random
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cloudbang.domain.lines import TEXT_AT
from cloudbang.domain.patterns import Patterns, pattern_of
from cloudbang.storage.logs.log_store import LogStore
from cloudbang.storage.patterns import counter
from cloudbang.storage.patterns.pattern_counts import PatternCounts, Span
from tests.storage.logs.records import NOON, SECOND, Clock, line, opened

HOUR = 3_600
TEXTS = (
    "INFO order %d taken in %d ms",
    "ERROR order %d failed after %d ms",
    "GET /%d took %d s",
    "%d of %d",
)
PLENTY = 60.0  # seconds that no question here takes


def span(since: float, until: float) -> Span:
    return Span(NOON + round(since * SECOND), NOON + round(until * SECOND))


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LogStore, list[bytes]]]:
    """Two days, in blocks of several segments, some of them packed and one that grows."""
    chance = random.Random(5)
    records = []
    for at in range(9_000):
        text = chance.choice(TEXTS[: 2 if at < 4_500 else 4])
        said = text % (chance.randrange(10**6), at) + " " * chance.choice((1, 400))
        records.append(line(said, at * 18))
    clock = Clock()
    with opened(tmp_path_factory.mktemp("patterns"), clock, segment_bytes=512 * 1024) as store:
        for at in range(0, len(records), 500):
            store.append("web", records[at : at + 500])
            clock.ns = NOON + at * 18 * SECOND
            store.tidy()
        yield store, records


@pytest.fixture
def counts(filled: tuple[LogStore, list[bytes]]) -> Iterator[PatternCounts]:
    made = PatternCounts(filled[0])
    yield made
    made.stop()


def by_hand(records: list[bytes], of: Span) -> Counter[str]:
    known = Patterns()
    return Counter(
        known.of(raw[TEXT_AT:-1])
        for at, raw in enumerate(records)
        if of.since <= NOON + at * 18 * SECOND < of.until
    )


def told(answer: dict[str, Any], what: str) -> dict[str, int]:
    return {row["pattern"]: row[what] for row in answer["patterns"] if row[what]}


@pytest.mark.parametrize("now", [span(24.5 * HOUR, 40.25 * HOUR), span(0, 100 * HOUR), span(3, 4)])
def test_counts_are_those_of_each_line(
    filled: tuple[LogStore, list[bytes]], counts: PatternCounts, now: Span
) -> None:
    """Whatever the stretch begins and ends within; asked twice, of which the second reads little."""
    _store, records = filled
    before = Span(now.since - 24 * HOUR * SECOND, now.until - 24 * HOUR * SECOND)
    for _ in range(2):
        answer = counts.ask("web", now, before, limit=100, seconds=PLENTY)
        assert answer["looked"] == answer["of"]
        assert told(answer, "count") == by_hand(records, now)
        assert told(answer, "before") == by_hand(records, before)
    for row in answer["patterns"]:
        assert pattern_of(records[row["seq"] - 1][TEXT_AT:-1].decode()) == row["pattern"]
        assert row["first"] <= row["last"]
        assert sum(count for _, count in row["hours"]) == row["count"]


def test_errors_and_what_is_new_come_first(counts: PatternCounts) -> None:
    """And what is no more, last; with its level."""
    answer = counts.ask(
        "web", span(22.5 * HOUR, 45 * HOUR), span(0, 22.5 * HOUR), limit=100, seconds=PLENTY
    )
    rows = [(row["level"], row["pattern"][:5], row["before"] > 0) for row in answer["patterns"]]
    assert rows[0] == ("error", "ERROR", True)
    assert {row[1:] for row in rows[1:3]} == {("GET /", False), ("<n> o", False)}
    assert rows[3] == ("info", "INFO ", True)
    turned = counts.ask(
        "web", span(0, 22.5 * HOUR), span(22.5 * HOUR, 45 * HOUR), limit=100, seconds=PLENTY
    )
    assert [row["count"] for row in turned["patterns"][2:]] == [0, 0]


def test_what_is_beyond_the_limit_is_said(counts: PatternCounts, filled: Any) -> None:
    """How many patterns, and how often they came together."""
    now = span(22.5 * HOUR, 45 * HOUR)
    answer = counts.ask("web", now, span(0, 1), limit=1, seconds=PLENTY)
    assert len(answer["patterns"]) == 1
    assert answer["more"] == 3
    whole = by_hand(filled[1], now)
    assert answer["patterns"][0]["count"] + answer["others"][0] == whole.total()


def test_a_part_is_never_taken_for_the_whole(counts: PatternCounts, filled: Any) -> None:
    """A question without time counts a part and says how large it is, and its numbers are for the
    whole; each further one goes on, until nothing is left."""
    now, before = span(22.5 * HOUR, 45 * HOUR), span(0, 22.5 * HOUR)
    whole = by_hand(filled[1], now)
    shares = []
    for _ in range(60):
        answer = counts.ask("web", now, before, limit=100, seconds=0)
        shares.append(sum(answer["looked"]) / sum(answer["of"]))
        if shares[-1] == 1:
            break
        if answer["looked"][0]:
            assert sum(told(answer, "count").values()) == pytest.approx(whole.total(), rel=0.2)
    assert shares[0] < 1
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert told(answer, "count") == whole


def test_the_process_may_die(counts: PatternCounts) -> None:
    """Another one takes its place, and counts the same."""
    asked = span(0, 45 * HOUR), span(-HOUR, 0)
    first = counts.ask("web", *asked, limit=10, seconds=PLENTY)
    process = counts._counting.process
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    assert counts.ask("web", *asked, limit=10, seconds=PLENTY) == first
    assert counts._counting.process is not process
    assert counts.failed == 0


def test_an_app_without_lines_has_no_patterns(counts: PatternCounts) -> None:
    """Nor has one that nobody knows."""
    answer = counts.ask("nobody", span(0, 1), span(-1, 0), limit=10)
    assert answer["patterns"] == []
    assert answer["of"] == [0, 0]


def test_entries_are_counted_and_not_their_lines(tmp_path: Path) -> None:
    """A failure with its trace is one, by what failed; what goes on from an earlier block is none."""
    trace = ["Traceback (most recent call last):", '  File "a.py", line 3, in f', "KeyError: 'x7'"]
    java = [
        "2026-02-01 09:00:01 ERROR refused 7",
        "java.lang.X: y",
        "\tat com.shop.Pay.take(Pay.java:40)",
    ]
    with opened(tmp_path) as store:
        counts = PatternCounts(store)
        for n in range(5):
            store.append("web", [line(text, n * 10) for text in trace])
            store.append("web", [line(text, n * 10 + 5, stream="stderr") for text in java])
        store.append("web", [line("gap", 60, stream="marker")])
        try:
            answer = counts.ask("web", span(0, 100), span(-1, 0), limit=10)
        finally:
            counts.stop()
    assert {(r["level"], r["pattern"]): r["count"] for r in answer["patterns"]} == {
        ("error", "KeyError: <text>"): 5,
        ("error", "<time> ERROR refused <n>"): 5,
    }


def test_what_is_kept_is_bounded(filled: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What does not fit is counted again."""
    monkeypatch.setattr(counter, "KEPT_BYTES", 4_000)
    known = counter.Counter()
    app = known._app("web")
    for number in range(50):
        known._keep((f"s{number}", 0, 1, 1), known._pack(app, {}))
    assert known._held <= 4_000
    assert len(known._kept) < 50
    monkeypatch.setattr(counter, "PATTERNS", 5)
    keys = [app.number(("", f"pattern {chr(97 + n)}")) for n in range(10)]
    assert keys == [1, 2, 3, 4, 0, 0, 0, 0, 0, 0]
