"""Pages of lines of several apps by their times."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from cloudbang.domain.events import Event
from tests.web.api.test_account import code
from tests.web.web_support import Client, WebGround

APPS = ("api", "db", "web")
COUNT = 40


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebGround]:
    """Three apps, with a line a second each at the same times."""
    made = WebGround(tmp_path_factory.mktemp("merged"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cloudbang.storage.logs.app_log.BLOCK_BYTES", 512)  # several blocks of each
        for app in APPS:
            made.log(app, [f"{app} {n}" if n % 10 else f"ERROR {app}" for n in range(COUNT)])
    yield made
    made.close()


@pytest.fixture(scope="module")
def program(full: WebGround) -> Client:
    return full.program("viewer")


def page(program: Client, query: str) -> Any:
    answer = program.get(f"/api/v1/lines?{query}")
    assert answer.status_code == 200, answer.text
    return answer.json


def places(page: Any) -> list[tuple[str, int]]:
    return [(page["apps"][line[5]]["name"], line[0]) for line in page["lines"]]


ALL = [(app, seq) for seq in range(1, COUNT + 1) for app in APPS]


def test_the_last_lines_oldest_first(program: Client) -> None:
    found = page(program, "limit=4")
    assert places(found) == ALL[-4:]
    assert found["apps"] == [{"name": app, "first": 1, "next": COUNT + 1} for app in APPS]
    assert found["lines"][-1][1:] == [
        "2025-06-15T15:07:19.000000000Z",
        "0123456789ab",
        "stderr" if (COUNT - 1) % 3 == 0 else "stdout",
        "web 39",
        2,
    ]


@pytest.mark.parametrize("backwards", [True, False])
def test_from_cursor_to_cursor_each_line_comes_once(program: Client, backwards: bool) -> None:
    """Either way, to the end; and the way back begins where it ended."""
    found: list[tuple[str, int]] = []
    side, other = ("before", "after") if backwards else ("after", "before")
    query = "limit=7" if backwards else "limit=7&since=2025-01-01T00:00:00Z"
    while True:
        one = page(program, query)
        found = places(one) + found if backwards else found + places(one)
        if one[side] is None:
            break
        query = f"limit=7&{side}={one[side]}"
    assert found == ALL
    back = page(program, f"limit=500&{other}={one[other]}")
    edge = places(one)[-1] if backwards else (places(one) or ALL)[0]
    rest = ALL[ALL.index(edge) + 1 :] if backwards else ALL[: ALL.index(edge)]
    assert places(back) == rest or not places(one)


def test_a_moment_has_lines_before_and_after_it(program: Client) -> None:
    """A cursor may be a time alone: before all lines of it, or after them."""
    moment = "2025-06-15T15:06:50.000000000Z"
    before, after = (
        page(program, f"limit=2&before={moment}_0_"),
        page(program, f"limit=4&after={moment}_0_"),
    )
    assert places(before) == [("db", 10), ("web", 10)]
    assert places(after) == [("api", 11), ("db", 11), ("web", 11), ("api", 12)]
    assert places(page(program, f"limit=1&after={moment}_0_~")) == [("api", 12)]


def test_apps_and_filters(program: Client) -> None:
    """As those of one app's lines."""
    assert places(page(program, "app=db&app=web&limit=3")) == [("web", 39), ("db", 40), ("web", 40)]
    assert places(page(program, "level=error&limit=2")) == [("db", 31), ("web", 31)]
    assert places(page(program, "q=api%203&limit=1")) == [("api", 40)]
    assert places(page(program, "stream=stderr&app=api&limit=1")) == [("api", 40)]


def test_a_filter_gives_whole_entries(full: WebGround, program: Client) -> None:
    """As that of one app's lines: all of a trace, by its level, or by a line of it."""
    trace = ["ERROR refused", "java.lang.StockException: x", "\tat com.shop.Pay.take(Pay.java:40)"]
    full.log_of_one("shop", [*trace, "INFO  calm"])
    for query in ("q=Pay.java&app=shop&app=api", "level=error&app=shop"):
        found = page(program, query)
        assert [line[4] for line in found["lines"]] == trace
        assert found["levels"] == ["error", "error", None]
        ((app, first, last, level, *_),) = found["entries"]
        assert (found["apps"][app]["name"], first, last, level) == ("shop", 1, 3, "error")
    one = page(program, "level=error&limit=1")  # the entry that makes it full is whole
    assert one["before"] is not None
    older = page(program, f"level=error&limit=1&before={one['before']}&app=shop")
    assert places(older) == [("shop", 1), ("shop", 2), ("shop", 3)]


def test_what_happened_to_several_apps(full: WebGround, program: Client) -> None:
    """By time, the newest; of those apps alone that are named."""
    at = "2025-06-15T15:06:4{}.000000000Z"
    for n, app in enumerate(("api", "db", "web", "api")):
        full.events.add(Event(app, at.format(n), "die", "0123456789ab", {"exit_code": n}))

    def told(query: str) -> list[int]:
        found = program.get(f"/api/v1/events?{query}").json["events"]
        return [event["data"]["exit_code"] for event in found]

    assert told("") == [0, 1, 2, 3]
    assert told("app=api&app=db") == [0, 1, 3]
    assert told("limit=2") == [2, 3]
    assert told(f"since={at.format(1)}&until={at.format(2)}") == [1, 2]
    assert code(program.get("/api/v1/events?app=nowhere")) == (404, "no-such-app")


def test_all_of_them_are_written_to_a_file(full: WebGround, program: Client) -> None:
    """As text with the app in front, as JSON lines with what each says of itself; by the filters."""
    answer = program.get("/api/v1/download?app=api&app=db")
    assert "logs-" in answer.headers["Content-Disposition"]
    texts = answer.text.splitlines()
    assert len(texts) == 2 * COUNT
    assert texts[0] == "api 2025-06-15T15:06:40.000000000Z ba9876543210 stderr ERROR api"
    assert [text.split()[0] for text in texts[:4]] == ["api", "db", "api", "db"]
    rows = program.get("/api/v1/download?app=api&app=db&format=jsonl&level=error").text.splitlines()
    objects = [orjson.loads(one) for one in rows]
    assert [one["app"] for one in objects] == ["api", "db"] * (COUNT // 10)
    assert {one["level"] for one in objects} == {"error"}
    assert objects[0]["seq"] == 1
    refused = program.get("/api/v1/download?format=odd")
    assert code(refused) == (400, "bad-request")


def test_a_file_is_whole_though_much_waits_for_its_turn(
    full: WebGround, program: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cloudbang.storage.logs.merged.HELD_BYTES", 600)
    texts = program.get("/api/v1/download?app=api&app=db&app=web").text.splitlines()
    assert len(texts) == len(set(texts)) == 3 * COUNT


def test_a_page_that_took_long_says_how_far_it_is(
    program: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the next one goes on there."""
    monkeypatch.setattr("cloudbang.web.api.merged_lines.WITHIN", 0.0)
    monkeypatch.setattr("cloudbang.storage.logs.merged_logs.SLICE", 0.0)
    for side in ("before", "after"):
        query, found, pages = "q=ERROR%20db", [], 0
        if side == "after":
            query += "&since=2025-01-01T00:00:00Z"
        while True:
            one = page(program, query)
            found += places(one)
            pages += 1
            if one[side] is None:
                break
            query = f"q=ERROR%20db&{side}={one[side]}"
        assert sorted(found) == [("db", seq) for seq in range(1, COUNT, 10)]
        assert pages > 1


@pytest.mark.parametrize(
    ("query", "status", "said"),
    [
        ("before=7", 400, "bad-request"),
        ("after=2025-06-15T15:06:50.000000000Z_1_", 400, "bad-request"),
        ("limit=5001", 400, "bad-request"),
        ("app=nowhere", 404, "no-such-app"),
    ],
)
def test_what_cannot_be_asked_is_refused(
    program: Client, query: str, status: int, said: str
) -> None:
    assert code(program.get(f"/api/v1/lines?{query}")) == (status, said)
