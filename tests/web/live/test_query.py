"""A live channel with a query: what pages of lines with it would give, as it comes, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cloudbang.domain.lines import record
from cloudbang.storage.logs.log_store import Query
from cloudbang.web.api.query_match import entry_filter, terms_of
from tests.support import wait_until
from tests.web.live.live_support import ONE, TWO, Client, LiveGround

WHEN = b"2026-02-01T09:00:0%d.000000000Z"


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[LiveGround]:
    ground = LiveGround(tmp_path / "data")
    try:
        yield ground
    finally:
        ground.close()


def log(ground: LiveGround, *texts: str, container: bytes = ONE, second: int = 0) -> None:
    when = WHEN % second
    ground.store.append("web", [record(when, container, b"stdout", t.encode()) for t in texts])


def heard(page: Client, count: int) -> list[tuple[int, str]]:
    return [(line[0], line[4]) for line in page.lines(count)]


def test_what_a_query_finds_comes_and_nothing_else(ground: LiveGround) -> None:
    """Entries come whole, though their lines are stored one by one; once, in the order of seqs."""
    log(ground, "INFO ready")
    with ground.client() as page:
        told = page.subscribe("log/web", query="level:error -path:/healthz")
        assert told == {"op": "subscribed", "channel": "log/web", "first": 1, "next": 2}
        log(ground, "INFO fine", "ERROR refused by db")
        assert heard(page, 1) == [(3, "ERROR refused by db")]
        log(ground, "java.lang.IllegalStateException: y")
        log(ground, "INFO of another", container=TWO)
        log(ground, "\tat com.shop.Pay.take(Pay.java:40)")
        log(ground, "INFO ready again", "ERROR path=/healthz")
        first, frame = page.hear(), None
        rows = [(line[0], line[4]) for line in first["lines"]]
        if len(rows) < 2:
            frame = page.hear()
            rows += [(line[0], line[4]) for line in frame["lines"]]
        assert rows == [
            (4, "java.lang.IllegalStateException: y"),
            (6, "\tat com.shop.Pay.take(Pay.java:40)"),
        ]
        assert (frame or first)["entries"] == [[3, 6, "error", ONE.decode(), "stdout"]]
        log(ground, "ERROR again", second=5)
        message = page.hear()
        assert [line[0] for line in message["lines"]] == [9]
        assert message["levels"] == ["error"]
        assert page.quiet(0.5)


def test_a_later_line_makes_an_entry_of_what_was_not_wanted(ground: LiveGround) -> None:
    """Its earlier lines come with it, and nobody is sent a line twice."""
    log(ground, "start")
    with ground.client() as page:
        page.subscribe("log/web", query="late /Pay.take/")
        log(ground, "java.lang.IllegalStateException: late")
        log(ground, "INFO else", container=TWO)
        assert page.quiet(0.5)
        log(ground, "\tat com.shop.Pay.take(Pay.java:40)")
        assert heard(page, 2) == [
            (2, "java.lang.IllegalStateException: late"),
            (4, "\tat com.shop.Pay.take(Pay.java:40)"),
        ]
        assert page.quiet(0.3)


def test_the_last_that_it_finds_then_what_comes(ground: LiveGround) -> None:
    """``tail`` counts what is found; ``after`` goes on behind it, also within an entry."""
    for n in range(1, 41):
        log(ground, f"GET /pay/{n} {200 + n % 2 * 300} 3 ms - 7", "INFO ready")
    with ground.client() as page:
        page.subscribe("log/web", query="status:>=500", tail=3)
        assert [seq for seq, _ in heard(page, 3)] == [69, 73, 77]
        log(ground, "GET /pay/41 500 3 ms - 7")
        assert [seq for seq, _ in heard(page, 1)] == [81]
        page.subscribe("log/web", query="status:>=500", after=70)
        assert [seq for seq, _ in heard(page, 3)] == [73, 77, 81]
    log(ground, "ERROR refused", "java.lang.IllegalStateException: y", second=3)
    with ground.client() as page:
        page.subscribe("log/web", query="refused", after=82)
        log(ground, "\tat com.shop.Pay.take(Pay.java:40)", second=3)
        assert [seq for seq, _ in heard(page, 2)] == [83, 84]


def test_it_is_what_pages_of_lines_would_give(ground: LiveGround) -> None:
    """Over many lines of two streams, in messages as they come: the same rows, levels and entries."""
    texts = []
    for n in range(600):
        texts += [f"INFO order {n}", f"ERROR order {n} refused"]
        texts += ["java.lang.IllegalStateException: y", "\tat com.shop.Pay.take(Pay.java:40)"]
    log(ground, "INFO ready")
    query = "refused -/order [0-9]*7 /"
    with ground.client() as page:
        page.subscribe("log/web", query=query, after=1)
        for at in range(0, len(texts), 7):
            log(ground, *texts[at : at + 7], container=ONE if at % 2 else TWO, second=at // 400)
        match, levels = entry_filter(terms_of(query))
        asked = Query(after=1, match=match, levels=levels, limit=10**6, size=10**9)
        expected = ground.store.read_entries("web", asked).entries
        rows = page.lines(len(expected.lines))
        assert sorted(row[0] for row in rows) == [seq for seq, _ in expected.lines]
        assert page.quiet(0.5)


@pytest.mark.parametrize(
    ("query", "part"), [("status:>=x", "no number"), (7, "a text"), ("level:purple", "no level")]
)
def test_a_query_that_cannot_be_understood(ground: LiveGround, query: Any, part: str) -> None:
    """Is answered with why; the connection stays."""
    log(ground, "INFO ready")
    with ground.client() as page:
        told = page.subscribe("log/web", query=query)
        assert (told["op"], told["code"]) == ("error", "bad-request")
        assert part in told["message"]
        assert page.subscribe("log/web")["op"] == "subscribed"


def test_who_leaves_leaves_nothing_behind(ground: LiveGround) -> None:
    """Neither a viewer nor a greenlet that looks; what was deleted is told while it is followed."""
    log(ground, "ERROR one", "ERROR two")
    with ground.client() as page:
        page.subscribe("log/web", query="level:error", after=0)
        assert [seq for seq, _ in heard(page, 2)] == [1, 2]
        ground.store.delete_lines("web")
        ground.push.lines_deleted("web", 1, 3)
        gap = page.hear()
        assert (gap["op"], gap["from"], gap["to"], gap["reason"]) == ("gap", 1, 2, "expired")
        log(ground, "ERROR three")
        assert [seq for seq, _ in heard(page, 1)] == [3]
        page.say("unsubscribe", "log/web")
        assert page.hear()["op"] == "unsubscribed"
        wait_until(lambda: not ground.push.viewers)
        log(ground, "ERROR four")
        assert page.quiet(0.5)


@pytest.mark.parametrize(
    ("filters", "reads"), [({"query": "ERROR"}, "read_entries"), ({"stream": "stdout"}, "read")]
)
def test_lines_that_are_deleted_while_they_are_read_are_a_gap(
    ground: LiveGround, monkeypatch: pytest.MonkeyPatch, filters: dict[str, str], reads: str
) -> None:
    """Neither is nothing said, nor does what comes then wait."""
    log(ground, *(f"ERROR {n}" for n in range(20)))
    read = getattr(ground.store, reads)

    def delete_first(*args: Any) -> Any:
        monkeypatch.setattr(ground.store, reads, read)
        ground.store.delete_lines("web")
        return read(*args)

    monkeypatch.setattr(ground.store, reads, delete_first)
    with ground.client() as page:
        page.subscribe("log/web", after=5, **filters)
        gap = page.hear()
        assert (gap["op"], gap["from"], gap["to"], gap["reason"]) == ("gap", 6, 20, "expired")
        log(ground, "ERROR again")
        assert heard(page, 1) == [(21, "ERROR again")]
