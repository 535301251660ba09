"""A search over several apps: newest first, with what stands around it and counts over time."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from cloudbang.domain.lines import format_time
from cloudbang.domain.time_bins import TimeBins
from tests.web.api.test_account import code
from tests.web.web_support import Client, WebGround


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebGround]:
    """Three apps, with a line a second each at the same times."""
    made = WebGround(tmp_path_factory.mktemp("search"))
    made.log("api", [f"call {n}" for n in range(20)])
    made.log("db", [f"query {n}" if n != 7 else "ERROR deadlock" for n in range(20)])
    made.log("web", [f"page {n}" if n % 5 else f"deadlock {n} of another" for n in range(20)])
    yield made
    made.close()


@pytest.fixture(scope="module")
def program(full: WebGround) -> Client:
    return full.program("viewer")


def ask(program: Client, query: str) -> list[dict[str, Any]]:
    answer = program.get(f"/api/v1/search?{query}")
    assert answer.status_code == 200, answer.text
    assert answer.mimetype == "application/jsonl"
    said = [orjson.loads(text) for text in answer.data.splitlines()]
    assert said[0]["op"] == "begin"
    assert said[-1]["op"] == "end"
    return said


def hits(said: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [hit for one in said if one["op"] == "hits" for hit in one["hits"]]


def where(said: list[dict[str, Any]]) -> list[tuple[str, int]]:
    return [(hit["app"], hit["line"][0]) for hit in hits(said)]


FOUND = [("web", 16), ("web", 11), ("db", 8), ("web", 6), ("web", 1)]


def test_what_is_found_comes_newest_first_with_what_is_around_it(program: Client) -> None:
    said = ask(program, "q=deadlock&context=1")
    assert where(said) == FOUND
    db = next(hit for hit in hits(said) if hit["app"] == "db")
    assert [line[4] for line in (*db["before"], db["line"], *db["after"])] == [
        "query 6",
        "ERROR deadlock",
        "query 8",
    ]
    assert said[-1] == {"op": "end", "found": 5, "cursor": None, "failed": []}


def test_it_is_counted_over_time(program: Client) -> None:
    """All that is found, whatever is given of it; the last word of a bin is how many are in it."""
    said = ask(program, "q=deadlock&limit=1")
    assert where(said) == FOUND[:1]
    (over,) = [one for one in said if one["op"] == "range"]
    assert over["start"] == "2025-06-15T15:06:40.000000000Z"
    counts = [one for one in said if one["op"] == "counts"]
    bins = {at: count for one in counts for at, count in one["bins"]}
    assert (over["width"], over["bins"]) == (1, 20)
    assert bins == {0: 1, 5: 1, 7: 1, 10: 1, 15: 1}
    assert counts[-1]["found"] == 5
    assert counts[-1]["looked"] == counts[-1]["of"] > 0


def test_its_end_says_how_to_go_on(program: Client) -> None:
    """From cursor to cursor each is given once; without a count, only the lines."""
    found, cursor = [], ""
    while True:
        said = ask(program, f"q=deadlock&limit=2&count=0&cursor={cursor}")
        assert not [one for one in said if one["op"] == "range"]
        found += where(said)
        cursor = said[-1]["cursor"]
        if cursor is None:
            break
    assert found == FOUND


def test_apps_a_time_and_levels_are_filters(program: Client) -> None:
    assert where(ask(program, "q=deadlock&app=db")) == [("db", 8)]
    assert where(ask(program, "level=error")) == [("db", 8)]
    span = "since=2025-06-15T15:06:45Z&until=2025-06-15T15:06:50Z"
    assert where(ask(program, f"q=deadlock&{span}")) == FOUND[1:4]
    assert where(ask(program, "q=dead.*1.%20of&regex=1")) == FOUND[:2]
    assert where(ask(program, "q=DEADLOCK&case=1")) == []


@pytest.mark.parametrize(
    ("query", "status", "said"),
    [
        ("", 400, "bad-request"),
        ("q=x&limit=0", 400, "bad-request"),
        ("q=(&regex=1", 400, "bad-request"),
        ("q=x&cursor=x", 400, "bad-request"),
        ("q=x&context=11", 400, "bad-request"),
        ("q=x&" + "&".join(f"app=a{n}" for n in range(201)), 400, "bad-request"),
        ("q=x&app=nowhere", 404, "no-such-app"),
    ],
)
def test_what_cannot_be_asked_is_refused(
    program: Client, query: str, status: int, said: str
) -> None:
    answer = program.get(f"/api/v1/search?{query}")
    assert code(answer) == (status, said)


def test_a_hit_inside_a_trace_gives_the_whole_entry(full: WebGround, program: Client) -> None:
    """Its level, its lines, and what stands around all of it; and it counts once."""
    trace = [
        "2026-02-01 09:00:01 ERROR refused",
        "java.lang.StockException: no stock",
        "\tat com.shop.Pay.take(Pay.java:40)",
        "\tat com.shop.Pay.run(Pay.java:7)",
    ]
    calm = "2026-02-01 09:00:00 INFO  calm"
    full.log_of_one("shop", [calm, calm, *trace, calm, calm])
    for query in ("q=Pay.java&app=shop", "level=error&app=shop", "q=no%20stock&level=error"):
        said = ask(program, f"{query}&context=1")
        (hit,) = hits(said)
        assert hit["level"] == "error"
        assert hit["lines"] == 4
        assert [line[4] for line in hit["entry"]] == trace
        assert [line[0] for line in (*hit["before"], *hit["after"])] == [2, 7]
        assert said[-1]["found"] == 1
    assert hit["line"][4] == "java.lang.StockException: no stock"
    assert where(ask(program, "q=Pay.java&level=info&app=shop")) == []
    huge = [
        trace[0],
        *["\tat com.shop.Deep.down(Deep.java:1)"] * 300,
        "\tat com.shop.Far(F.java:2)",
    ]
    full.log_of_one("deep", huge)
    (hit,) = hits(ask(program, "q=Far&app=deep"))
    assert (hit["lines"], len(hit["entry"])) == (302, 60)
    assert hit["entry"][0][4] == trace[0]
    assert hit["line"] in hit["entry"]


def test_a_long_line_is_shortened(full: WebGround, program: Client) -> None:
    """What is found has its beginning, and how much is left out."""
    full.log("long", ["needle " + "x" * 10_000])
    (hit,) = hits(ask(program, "q=needle"))
    assert (len(hit["line"][4]), hit["cut"]) == (4_096, 10_007 - 4_096)


def test_what_one_may_not_view_is_not_searched_and_ends_a_search(tmp_path: Path) -> None:
    """Neither by name nor among all; and who loses an app meanwhile is sent no more of it."""
    ground = WebGround(tmp_path)
    try:
        accounts = ground.accounts
        accounts.teams.create("blue")
        ground.apps.create("blue-app", "blue", "put")
        ground.log("blue-app", ["a secret"])
        ground.log("web", ["no secret"] * 40)
        viewer = ground.person("vera", "viewer")
        assert where(ask(viewer, "q=secret&limit=1")) == [("web", 40)]
        assert b"blue" not in viewer.get("/api/v1/search?q=secret").data
        refused = viewer.get("/api/v1/search?q=secret&app=blue-app")
        assert code(refused) == (404, "no-such-app")
        budget = ground.app.extensions["cloudbang"].budget
        held = budget.held
        answer = viewer.get("/api/v1/search?q=secret", buffered=False)
        pieces = answer.response
        assert b'"begin"' in next(iter(pieces))
        account = next(one for one in accounts.list() if one.name == "vera")
        accounts.set_role(account.id, None)
        with pytest.raises(OSError, match=r"not allowed|signed out"):
            list(pieces)
        answer.close()
        assert budget.held == held
    finally:
        ground.close()


def test_bins_are_as_wide_as_a_person_would_have_them() -> None:
    """At most 120; what lies outside is in the first or the last."""
    chance = random.Random(3)
    for _ in range(200):
        since = chance.randrange(1_600_000_000, 1_700_000_000)
        until = since + int(10 ** (chance.random() * 8))
        bins = TimeBins(since, until)
        assert 1 <= len(bins.counts) <= 120
        assert bins.start <= since < bins.start + bins.width
        assert bins.start + len(bins.counts) * bins.width > until
        seconds = [chance.randrange(since, until + 1) for _ in range(5)]
        bins.add([format_time(s * 1_000_000_000).encode() for s in (*seconds, 0, 2_000_000_000)])
        wanted = [0] * len(bins.counts)
        for s in seconds:
            wanted[(s - bins.start) // bins.width] += 1
        wanted[0] += 1
        wanted[-1] += 1
        assert bins.counts == wanted
        assert bins.changed() == [(at, n) for at, n in enumerate(wanted) if n]
        assert bins.changed() == []
