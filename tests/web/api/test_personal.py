"""Marks and saved searches over HTTP; and how many lines of the last hour a pinned one finds."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from cloudbang.domain.lines import format_time, record
from cloudbang.storage.logs.log_store import LogStore, Query
from cloudbang.storage.logs.merged_query import MergedQuery
from cloudbang.web.api import search_counts
from cloudbang.web.api.search import matcher
from cloudbang.web.api.search_counts import SearchCounts
from tests.storage.logs.records import opened
from tests.web.api.test_account import code
from tests.web.web_support import Client, WebGround

MINUTE = 60
NOW = 1_750_000_020.0
BOTH: Any = {"view": "logs", "apps": ["api", "web"], "query": "q=declined&hide=1"}


def write(store: LogStore, app: str, *lines: tuple[float, str]) -> None:
    """Lines so many seconds before NOW."""
    records = [
        record(format_time(int((NOW - ago) * 1e9)).encode(), b"0" * 12, b"stdout", text.encode())
        for ago, text in lines
    ]
    store.append(app, records)


@pytest.fixture
def me(ground: WebGround) -> Client:
    return ground.person("ada", "viewer")


def test_words_in_colour(ground: WebGround, me: Client) -> None:
    """Whoever may look may have some; an expression that is none is refused as in a search."""
    made = me.post("/api/v1/me/marks", {"text": "declined"})
    assert made.status_code == 201
    assert made.json == {"id": 1, "text": "declined", "regex": False, "hue": 1, "chosen": False}
    path = f"/api/v1/me/marks/{made.json['id']}"
    assert me.patch(path, {"chosen": True, "hue": 4}).json["hue"] == 4
    assert code(me.post("/api/v1/me/marks", {"text": "(", "regex": True})) == (400, "bad-request")
    assert code(me.post("/api/v1/me/marks", {"text": " "})) == (400, "bad-request")
    assert code(me.post("/api/v1/me/marks", {"text": "x", "hue": 9})) == (400, "bad-request")
    other = ground.person("ben", "viewer")
    assert other.get("/api/v1/me/marks").json == {"marks": []}
    assert code(other.delete(path)) == (404, "no-such-mark")
    assert me.delete(path).status_code == 204
    assert code(ground.program().get("/api/v1/me/marks")) == (403, "not-allowed")


def test_a_search_is_kept_and_found_again(ground: WebGround, me: Client) -> None:
    for app in ("api", "web"):
        ground.log(app, ["declined"])
    made = me.post("/api/v1/me/searches", {"name": "Declined", **BOTH}).json
    assert made["address"] == "/logs?app=api&app=web&q=declined&hide=1"
    assert (made["state"], made["gone"], made["pinned"]) == ("good", [], False)
    assert me.get("/api/v1/me/searches").json == {"searches": [made]}
    path = f"/api/v1/me/searches/{made['id']}"
    assert me.patch(path, {"name": "Cards", "pinned": True}).json["name"] == "Cards"
    assert code(me.post("/api/v1/me/searches", {"name": "cards", **BOTH})) == (409, "name-taken")
    for wrong, status in (
        ({"apps": ["api", "nobody"]}, (404, "no-such-app")),
        ({"view": "log"}, (400, "bad-request")),
        ({"query": "q=(&regex=1"}, (400, "bad-request")),
        ({"query": "level=loud"}, (400, "bad-request")),
        ({"view": "page"}, (400, "bad-request")),
    ):
        assert code(me.post("/api/v1/me/searches", {"name": "x", **BOTH, **wrong})) == status
    assert me.delete(path).status_code == 204
    assert code(me.delete(path)) == (404, "no-such-search")


def test_what_is_of_a_moment_is_not_kept(ground: WebGround, me: Client) -> None:
    """The line one was at, and apps in a query, which would name them past the look at who may."""
    ground.log("web", ["x"])
    body = {
        "name": "x",
        "view": "search",
        "apps": ["web"],
        "query": "?q=%20a%26b&line=7&app=secret",
    }
    made = me.post("/api/v1/me/searches", body).json
    assert made["query"] == "q=+a%26b"
    assert made["address"] == "/search?app=web&q=+a%26b"


def test_an_app_that_is_gone_says_so(ground: WebGround, me: Client) -> None:
    """And one of several that is left is looked at alone."""
    for app in ("api", "web"):
        ground.log(app, ["declined"])
    me.post("/api/v1/me/searches", {"name": "both", "pinned": True, **BOTH})
    me.post("/api/v1/me/searches", {"name": "web", "view": "log", "apps": ["web"], "pinned": True})
    ground.apps.delete("web")
    both, web = me.get("/api/v1/me/searches?counts=1").json["searches"]
    assert (both["state"], both["gone"], both["apps"]) == ("good", ["web"], ["api", "web"])
    assert (web["state"], web["address"], web["gone"]) == ("gone", "", ["web"])
    assert "count" in both
    assert "count" not in web


def test_who_may_not_view_an_app_any_more_sees_neither_name_nor_count(ground: WebGround) -> None:
    """Nor that of the search, which mostly says what it is of; the way out is to delete it."""
    ground.accounts.teams.create("blue")
    me = ground.person("ada", "viewer")
    ada = ground.accounts.named("ada").id
    ground.accounts.set_role(ada, "viewer", "blue")
    me = ground.person("ada", "viewer")
    ground.apps.create("secret", "blue", "put")
    ground.log("secret", ["declined"])
    ground.log("web", ["declined"])
    mixed = {"name": "mixed", "view": "logs", "apps": ["secret", "web"], "pinned": True}
    me.post("/api/v1/me/searches", {**mixed, "query": "q=declined"})
    own = {"name": "of secret", "view": "log", "apps": ["secret"], "pinned": True}
    id = me.post("/api/v1/me/searches", {**own, "query": "q=declined"}).json["id"]
    ground.accounts.set_role(ada, None, "blue")
    me = ground.person("ada", "viewer")
    answer = me.get("/api/v1/me/searches?counts=1")
    assert "secret" not in answer.text
    hidden = next(one for one in answer.json["searches"] if one["id"] == id)
    assert (hidden["state"], hidden["name"], hidden["query"]) == ("hidden", "", "")
    assert "count" not in hidden
    assert next(one for one in answer.json["searches"] if one["id"] != id)["apps"] == ["web"]
    renamed = me.patch(f"/api/v1/me/searches/{id}", {"pinned": False})
    assert "secret" not in renamed.text
    assert me.delete(f"/api/v1/me/searches/{id}").status_code == 204


def test_only_pinned_ones_are_counted_and_only_when_asked(ground: WebGround, me: Client) -> None:
    ground.log("web", ["x"])
    body = {"view": "search", "query": "level=warning"}
    me.post("/api/v1/me/searches", {"name": "pinned", "pinned": True, **body})
    me.post("/api/v1/me/searches", {"name": "other", **body})
    assert not any("count" in one for one in me.get("/api/v1/me/searches").json["searches"])
    other, pinned = me.get("/api/v1/me/searches?counts=1").json["searches"]
    assert "count" not in other
    assert (pinned["count"]["lines"], pinned["count"]["complete"]) == (0, True)


# -- counting


class Looked:
    """A store that tells which times it was asked to look at, in minutes before the clock."""

    def __init__(self, store: LogStore, clock: list[float]) -> None:
        self._store, self._clock = store, clock
        self.spans: list[tuple[int, int]] = []
        self.merged = self

    def read(self, apps: Any, asked: MergedQuery) -> Any:
        now = int(self._clock[0]) // MINUTE
        query = asked.query
        assert query.since is not None
        assert query.until is not None
        spans = (query.since // 60_000_000_000 - now, query.until // 60_000_000_000 - now)
        self.spans.append(spans)
        return self._store.merged.read(apps, asked)


def ask(counts: SearchCounts, store: Any, q: str = "declined") -> Any:
    query = Query(match=matcher(q))
    return counts.of(store, ["web"], query, q, time.monotonic() + 5)


def test_lines_of_the_last_hour_are_counted(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        write(store, "web", (7200, "declined"), (3500, "declined"), (30, "Declined"), (20, "x"))
        assert ask(SearchCounts(lambda: NOW), store) == (2, True, NOW)
        assert ask(SearchCounts(lambda: NOW + 3600), store)[:2] == (0, True)


def test_what_was_counted_is_not_read_again(tmp_path: Path) -> None:
    """For a while nothing; then the minutes of which lines may have come since; what is an hour ago
    leaves the count."""
    clock = [NOW]
    with opened(tmp_path) as real:
        store = Looked(real, clock)
        counts = SearchCounts(lambda: clock[0])
        write(real, "web", (3500, "declined"), (30, "declined"))
        assert ask(counts, store).lines == 2
        assert ask(counts, store).lines == 2
        assert store.spans == [(-60, 0)]
        clock[0] += 90
        write(real, "web", (-40, "declined"), (-80, "declined"))
        assert ask(counts, store) == (4, True, clock[0])
        assert len(store.spans) == 2
        assert store.spans[1][0] >= -4
        clock[0] += 3 * MINUTE
        assert ask(counts, store).lines == 3
        clock[0] += search_counts.ANEW
        write(real, "web", (200, "declined"))  # long after its time
        assert ask(counts, store).lines == 4
        assert store.spans[-1] == (-60, 0)


def test_an_hour_that_is_too_much_to_read_at_once_is_read_in_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the newest back; until then the count says that there may be more."""
    clock = [NOW]
    with opened(tmp_path, segment_bytes=64 * 1024) as store:
        for ago in range(3500, 0, -70):
            write(store, "web", *[(ago, f"declined {'x' * 1000}")] * 40)
        monkeypatch.setattr(search_counts, "EACH", 0.0)
        monkeypatch.setattr("cloudbang.storage.logs.merged_logs.SLICE", 0.0)
        counts = SearchCounts(lambda: clock[0])
        first = ask(counts, store)
        assert not first.complete
        monkeypatch.setattr(search_counts, "EACH", 5.0)
        clock[0] += MINUTE
        second = ask(counts, store)
        assert second.complete
        assert first.lines <= second.lines == 50 * 40


def test_nobody_waits_for_a_count_that_somebody_else_waits_for(tmp_path: Path) -> None:
    """Nor beyond the moment by which an answer has to be given: it is given as it is known."""
    with opened(tmp_path) as store:
        write(store, "web", (30, "declined"))
        counts = SearchCounts(lambda: NOW)
        query = Query(match=matcher("declined"))
        assert counts.of(store, ["web"], query, "declined", time.monotonic() - 1) is None
        entry = counts._entry((frozenset(["web"]), "declined"), ["web"], NOW)
        with entry.busy:
            assert ask(counts, store) is None
        assert ask(counts, store).lines == 1


def test_what_is_deleted_counts_no_more(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        write(store, "web", (30, "declined"))
        counts = SearchCounts(lambda: NOW)
        assert ask(counts, store).lines == 1
        store.delete_lines("web")
        counts.lines_deleted("web", 1, 2)
        assert ask(counts, store).lines == 0


def test_few_counts_are_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_counts, "KEPT", 3)
    with opened(tmp_path) as store:
        counts = SearchCounts(lambda: NOW)
        for q in ("a", "b", "c", "d", "e"):
            ask(counts, store, q)
        assert len(counts._known) == 3
