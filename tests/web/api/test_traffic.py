"""What people get from an app, asked for and followed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.monitoring.traffic.ground import Log, line
from tests.support import wait_until
from tests.web.web_support import WebGround


@pytest.fixture
def log(ground: WebGround, monkeypatch: pytest.MonkeyPatch) -> Log:
    """The access log of a ground with an app ``web``, read all the time."""
    monkeypatch.setattr("cloudbang.monitoring.traffic.traffic.LOOK", 0.02)
    ground.log("web", ["a line"])
    made = Log(ground.gateway.run_folder / "log")
    ground.traffic.start()
    return made


def test_the_last_five_minutes(ground: WebGround, log: Log) -> None:
    """As it is described, with what was counted a moment ago."""
    log.write(*[line(uri=f"/users/{n}", took=0.1) for n in range(9)], line(status=500, took=0.3))
    wait_until(lambda: ground.traffic.lines == 10, 5, "the lines")
    found: dict[str, Any] = ground.person().get("/api/v1/apps/web/traffic").json
    assert (found["requests"], found["errors"], found["routed"]) == (10, 1, False)
    assert found["top"][0]["path"] == "/users/:id"
    assert found["latency"]["quantiles"]["0.99"] == pytest.approx(0.3, rel=0.011)
    assert found["trouble"] is None
    assert found["until"] - found["since"] <= 310


def test_another_time_order_and_length(ground: WebGround, log: Log) -> None:
    log.write(
        *[line(uri=f"/{c}", took=0.1 * n) for n, c in enumerate("abcd", 1) for _ in range(9 - n)]
    )
    wait_until(lambda: ground.traffic.lines == 26, 5, "the lines")
    me = ground.person()
    for by, first in (("count", "/a"), ("mean", "/d"), ("seconds", "/d")):
        found = me.get(f"/api/v1/apps/web/traffic?by={by}&top=1&points=3").json
        assert [one["path"] for one in found["top"]] == [first]
        assert found["others"]["count"] == 26 - found["top"][0]["count"]
        assert len(found["columns"]) <= 3
    assert me.get("/api/v1/apps/web/traffic?by=errors").json["top"] == []
    long_ago = me.get("/api/v1/apps/web/traffic?since=2026-01-01T00:00:00Z&until=1767312000").json
    assert (long_ago["requests"], long_ago["width"]) == (0, 3600)
    assert all(column[1] is None for column in long_ago["columns"])


@pytest.mark.parametrize(
    "query",
    [
        *("by=size", "top=0", "top=101", "points=301", "since=yesterday", "until=-1", "since=nan"),
        *("since=99999999999", "since=1764444600&until=1764444600"),
    ],
)
def test_what_cannot_be_asked(ground: WebGround, log: Log, query: str) -> None:
    answer = ground.person().get(f"/api/v1/apps/web/traffic?{query}")
    assert (answer.status_code, answer.json["code"]) == (400, "bad-request")


def test_why_the_newest_may_be_missing(
    ground: WebGround, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the language of who asks."""
    monkeypatch.setattr("cloudbang.monitoring.traffic.traffic.LATE", -1.0)
    me = ground.person()
    assert "access log" in me.get("/api/v1/apps/web/traffic").json["trouble"]
    headers = {"Accept-Language": "zh"}
    assert "日志" in me.get("/api/v1/apps/web/traffic", headers=headers).json["trouble"]


def test_an_app_that_is_deleted(ground: WebGround, log: Log) -> None:
    """Takes what was counted of it with it: a new one of that name begins with nothing."""
    log.write(line())
    wait_until(lambda: ground.traffic.lines == 1, 5, "the line")
    me = ground.person()
    assert me.delete("/api/v1/apps/web").status_code == 204
    ground.log("web", ["a line"])
    assert me.get("/api/v1/apps/web/traffic").json["requests"] == 0
