"""A filter that asks for a field, in a million lines of JSON of which one in a hundred fits, beside a search for
one word of text in the same lines. Both on one processor, files in the page cache: the time that the processor took,
the least of three rounds; each round asks for something else, so that nothing is known where nothing is.
"""

from __future__ import annotations

import os
import random

from bench.bench_search import _row, _timed, on_one_core, seconds_of
from bench.bench_store import _json
from cloudbang.storage.logs.block_search import Match
from cloudbang.storage.logs.log_store import LogStore, Query
from cloudbang.web.api.query_match import entry_filter, terms_of
from cloudbang.web.api.search import matcher

LINES = int(os.environ.get("CLOUDBANG_BENCH_QUERY_LINES", "1000000"))
ROUNDS = 3


def _fill(store: LogStore) -> None:
    texts = list(_json(20_000, random.Random(3)))
    texts = [
        text.replace(b'"status":200', b'"status":50%d' % (i // 100 % 5)) if i % 100 == 7 else text
        for i, text in enumerate(texts)
    ]
    for records in seconds_of(texts, LINES // 1000):
        store.append("shop", records)


def _found(store: LogStore, match: Match | None) -> int:
    found, at = 0, 0
    while True:
        page = store.read("shop", Query(after=at, match=match, limit=LINES))
        found += len(page.lines)
        if page.cursor is None:
            return found
        at = page.cursor


def run() -> list[dict[str, object]]:
    """Half a minute."""
    with on_one_core(_fill) as (store, _):
        wanted = entry_filter(terms_of("status:>=500"))[0]
        assert _found(store, wanted) == LINES // 100

        def by_word(at: int) -> int:
            return _found(store, matcher(f"nowhere-{at}"))

        def by_field(at: int) -> int:
            return _found(store, entry_filter(terms_of(f"status:>={500 - at}"))[0])

        def by_duration(at: int) -> int:
            return _found(store, entry_filter(terms_of(f"duration_ms:>{1_000 + at}"))[0])

        word, field, duration = (_timed(ROUNDS, one) for one in (by_word, by_field, by_duration))
    what = f"status:>=500 in {LINES / 1e6:g} million lines of JSON, 1 % of them"
    return [
        _row(
            f"filter: {what} ({field:.2f} s) against a word ({word:.2f} s)",
            field / word,
            "times",
            8.0,
        ),
        _row(
            f"the same, duration_ms:>1000, a few of them ({duration:.2f} s)",
            duration / word,
            "times",
            8.0,
        ),
    ]


if __name__ == "__main__":
    from gevent import monkey

    monkey.patch_all()
    for row in run():
        print(row)
