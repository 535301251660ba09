"""How long an app's log is kept, over HTTP: who may say it, what would go, and what does."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from cloudbang.domain.lines import format_time, record
from tests.support import wait_until
from tests.web.api.test_account import code
from tests.web.api.test_removal import told
from tests.web.web_support import WebGround

DAY = 86_400 * 1_000_000_000
PATH = "/api/v1/apps/web/retention"


@pytest.fixture
def aged(ground: WebGround) -> WebGround:
    """An app with a line of each of the last five days, in a file each."""
    store, now = ground.store, time.time_ns()
    for ago in range(5, 0, -1):
        store._commit._clock = lambda ago=ago: now - ago * DAY
        when = format_time(now - ago * DAY).encode()
        store.append("web", [record(when, b"0" * 12, b"stdout", b"a line")])
    store._commit._clock = time.time_ns
    return ground


def test_a_log_says_how_large_it_is_and_how_long_it_is_kept(aged: WebGround) -> None:
    shown = aged.person("ada", "viewer").get(PATH).json
    assert shown["own"] == {"days": None, "bytes": None}
    assert shown["usual"]["days"] == aged.settings.storage.retention_days
    assert shown["lines"] == 5
    assert shown["bytes"] > 0
    assert shown["first_time"] < shown["last_time"]
    assert not shown["may_change"]


def test_what_would_go_is_what_goes(aged: WebGround) -> None:
    """Nothing goes for having asked; it goes once it was said, and who said it is told."""
    me = aged.person()
    would = me.post(f"{PATH}/preview", {"days": 3.5}).json
    assert would["lines"] == 2
    assert me.get(PATH).json["lines"] == 5
    kept = me.put(PATH, {"days": 3.5}).json
    assert (kept["own"], kept["may_change"]) == ({"days": 3.5, "bytes": None}, True)
    wait_until(lambda: me.get(PATH).json["lines"] == 3)
    assert told(aged, "web") == [{"who": "admin", "what": "log-keep"}]
    assert me.put(PATH, {}).json["own"] == {"days": None, "bytes": None}
    assert me.post(f"{PATH}/preview", {}).json == {"bytes": 0, "lines": 0, "until": None}


def test_only_who_may_delete_says_it(aged: WebGround) -> None:
    viewer = aged.person("ada", "viewer")
    for asked in (viewer.put(PATH, {"days": 1}), viewer.post(f"{PATH}/preview", {"days": 1})):
        assert code(asked) == (403, "not-allowed")
    me = aged.person()
    for wrong in ({"days": 0.5}, {"bytes": 1000}, {"days": 40_000}, {"hours": 3}):
        assert me.put(PATH, wrong).status_code == 400
    assert code(me.get("/api/v1/apps/nobody/retention")) == (404, "no-such-app")


def test_it_is_known_after_a_restart_and_gone_with_the_app(aged: WebGround, tmp_path: Path) -> None:
    me = aged.person()
    me.put(PATH, {"days": 3, "bytes": 2**21})
    keeping = aged.apps.log_keeping
    keeping.load()
    assert keeping.own("web").bytes == 2**21
    aged.apps.delete("web")
    assert keeping.own("web").bytes is None
    keeping.load()
    assert keeping.own("web").bytes is None
