"""What counting patterns costs: by kind of text, and of an app with a gigabyte."""

from __future__ import annotations

import json
import random
import tempfile
import time
from pathlib import Path

from cloudbang.config import StorageSettings
from cloudbang.domain.lines import format_time, record
from cloudbang.domain.patterns import Patterns
from cloudbang.storage.logs.log_store import LogStore
from cloudbang.storage.patterns.block_counts import count_block
from cloudbang.storage.patterns.pattern_counts import SECONDS, PatternCounts, Span

Row = dict[str, object]

LINES = 20_000  # of each kind
SIZE = 100 * 1024 * 1024  # bytes of the app that is asked about
WORDS = ["alpha", "beta", "gamma", "order", "user", "login", "failed", "ok", "retry", "queue"]
START = 1_750_000_000_000_000_000


def text(kind: str, n: int, chance: random.Random) -> str:
    if kind == "text":
        return f"2026-11-30 02:48:13,{n % 1000:03d} INFO [worker-{n % 8}] order {n} of u{n % 99}@shop.de took {n % 500} ms"
    if kind == "access":
        status = chance.choice((200, 200, 404, 503))
        return f'10.0.{n % 9}.{n % 250} - - [30/Nov/2026:02:48:13 +0000] "GET /{WORDS[n % 10]}/{n} HTTP/1.1" {status} {n * 7 % 9999} "-" "Mozilla/5.0"'
    if kind == "json":
        told = {
            "level": "info",
            "msg": f"order {n} taken",
            "user": chance.choice(WORDS),
            "ms": n % 77,
        }
        return json.dumps(told)
    return "INFO " + " ".join(chance.choice(WORDS) for _ in range(7))


def lines(kind: str, count: int, at: int = 0) -> list[bytes]:
    chance = random.Random(at)
    return [
        record(
            format_time(START + n * 8_000_000).encode(),
            b"0123456789ab",
            b"stdout",
            text(kind, n, chance).encode(),
        )
        for n in range(at, at + count)
    ]


def run() -> list[Row]:
    return [*by_kind(), *an_app()]


def by_kind() -> list[Row]:
    rows: list[Row] = []
    for kind in ("text", "access", "json", "words"):
        plain = b"".join(lines(kind, LINES))
        patterns = Patterns()
        count_block(plain, 1, patterns)  # most lines of a day are like those of the day before
        began = time.process_time()
        count_block(plain, 1, patterns)
        took = time.process_time() - began
        rows.append(
            {
                "name": f"patterns: µs a line, {kind}",
                "value": took / LINES * 1e6,
                "unit": "µs",
                "limit": 40.0,
                "better": "lower",
            }
        )
    return rows


def an_app() -> list[Row]:
    """Asked until all of it is counted, then once more."""
    with tempfile.TemporaryDirectory() as folder:
        store = LogStore(
            Path(folder), settings=StorageSettings(path=Path(folder), keep_free_bytes=0)
        )
        store.open()
        counts = PatternCounts(store)
        try:
            some = lines("text", LINES)
            each, at = sum(map(len, some)), 0
            while at * each < SIZE:
                store.append("web", some)
                at += 1
            span = Span(START, START + 86_400 * 10**9)
            before = Span(START - 86_400 * 10**9, START)
            shares, took = [], []
            while not shares or shares[-1] < 1:
                began = time.perf_counter()
                answer = counts.ask("web", span, before, limit=300)
                took.append(time.perf_counter() - began)
                shares.append(sum(answer["looked"]) / sum(answer["of"]))
            began = time.perf_counter()
            counts.ask("web", span, before, limit=300)
            again = time.perf_counter() - began
        finally:
            counts.stop()
            store.close()
    return [
        {
            "name": "patterns: the first answer of 100 MB",
            "value": took[0],
            "unit": "s",
            "limit": SECONDS + 1,
            "better": "lower",
        },
        {
            "name": "patterns: what it is of",
            "value": shares[0] * 100,
            "unit": "%",
            "limit": None,
            "better": "higher",
        },
        {
            "name": "patterns: answers until it is whole",
            "value": len(shares),
            "unit": "",
            "limit": None,
            "better": "lower",
        },
        {
            "name": "patterns: asked again",
            "value": again,
            "unit": "s",
            "limit": 0.5,
            "better": "lower",
        },
    ]
