"""What a program exposes: how long the largest answer that is taken is read for, beside the parser of
the usual library, and how long the loop has to wait meanwhile.

The answer is as real ones are: a sixth of the samples are buckets, each family has its type and its
help, each sample three labels.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

import gevent
from prometheus_client.parser import text_string_to_metric_families

from cloudbang.core.loop import yield_to_loop
from cloudbang.domain.metrics.adding_up import Counting, added_up
from cloudbang.domain.metrics.exposed import Exposed
from cloudbang.domain.metrics.exposition import MOST
from cloudbang.monitoring.scrape import read_lines
from cloudbang.monitoring.scrape_http import Answer

ROUNDS = 7
FAMILIES = 100
HELD = 50  # ms that the loop may be held at most


def answer() -> bytes:
    """``MOST`` samples."""
    lines = []
    of_each = MOST // FAMILIES
    for family in range(FAMILIES):
        kind = ("counter", "gauge", "counter", "gauge", "counter", "histogram")[family % 6]
        name = f"service_{family}_{'total' if kind == 'counter' else 'seconds'}"
        lines += [f"# HELP {name} What happened, and how long it took.", f"# TYPE {name} {kind}"]
        for n in range(of_each):
            labels = f'method="GET",path="/api/v1/things/{n // 10}"'
            if kind == "histogram":
                bound = f"{0.005 * 2 ** (n % 10):g}" if n % 10 < 9 else "+Inf"
                lines.append(f'{name}_bucket{{{labels},le="{bound}"}} {n % 10 * 7}')
            else:
                lines.append(f'{name}{{{labels},code="{n}"}} {n * 1.5}')
    return "\n".join([*lines, ""]).encode()


def cpu(work: Callable[[], None]) -> float:
    """ms of the processor, the median of some."""
    took = []
    for _ in range(ROUNDS):
        began = time.thread_time()
        work()
        took.append((time.thread_time() - began) * 1000)
    return median(took)


def longest_turn(work: Callable[[], None]) -> float:
    """ms of the processor for which ``work`` lets nobody else have a turn."""
    longest = [0.0]

    def wait() -> None:
        while True:
            before = time.thread_time()
            yield_to_loop()
            longest[0] = max(longest[0], (time.thread_time() - before) * 1000)

    waiting = gevent.spawn(wait)
    gevent.sleep(0.01)
    longest[0] = 0.0
    work()
    waiting.kill()
    return longest[0]


def run() -> list[dict[str, object]]:
    body, what = answer(), Exposed(9100, "/metrics")
    counting = Counting("a" * 12)
    now = [0.0]

    def ours() -> None:
        reading = read_lines(Answer(body, False), what)
        assert (reading.samples, reading.bad) == (MOST, 0)

    def all_of_it() -> None:
        now[0] += 10
        rated = counting.take(read_lines(Answer(body, False), what).points, now[0])
        assert len(list(added_up([rated], several=False, whole=True, now=1_764_444_600.0))) > 1_000

    def theirs() -> None:
        families = list(text_string_to_metric_families(body.decode()))
        assert sum(len(one.samples) for one in families) == MOST

    read, whole, library = cpu(ours), cpu(all_of_it), cpu(theirs)
    held = longest_turn(ours)
    return [
        row(f"{MOST:,} samples parsed", read, None),
        row("the same by the usual library's parser", library, None),
        row("ours of the library's", read / library, 1.0, unit="x"),
        row("with rates, ready to be kept", whole, None),
        row("the loop is held meanwhile, at most", held, HELD),
    ]


def row(name: str, value: float, limit: float | None, unit: str = "ms") -> dict[str, object]:
    return {"name": name, "value": value, "unit": unit, "limit": limit, "better": "lower"}
