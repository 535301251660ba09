"""The channel of an app's traffic: at once, then each few seconds, once for all who look."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import gevent
import pytest

from cloudbang.domain.apps import App
from cloudbang.errors import StorageFailed
from cloudbang.web.live import traffic as traffic_module
from tests.support import wait_until
from tests.web.live.live_support import LiveGround


class Counted:
    """Who counts, by hand."""

    def __init__(self) -> None:
        self.asked = 0
        self.trouble: str | None = None
        self.fails = False

    def report(
        self,
        app: str,
        since: float | None = None,
        until: float | None = None,
        points: int = 60,
        top: int = 20,
        by: Sequence[str] = ("seconds",),
    ) -> dict[str, Any]:
        self.asked += 1
        if self.fails:
            raise StorageFailed("traffic.db", "no")
        return {"app": app, "requests": self.asked, "lists": list(by)}


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counted:
    monkeypatch.setattr(traffic_module, "EVERY", 0.1)
    return Counted()


@pytest.fixture
def ground(tmp_path: Path, counted: Counted) -> Iterator[LiveGround]:
    made = LiveGround(tmp_path / "data", traffic=counted)
    made.apps.known["web"] = App("web")
    yield made
    made.close()


def test_at_once_and_again(ground: LiveGround, counted: Counted) -> None:
    """Whoever comes second is sent what was made last; what is wrong is said in their language."""
    counted.trouble = "log"
    with ground.client() as page:
        assert page.subscribe("traffic/web") == {"op": "subscribed", "channel": "traffic/web"}
        first = page.hear()
        assert (first["op"], first["channel"]) == ("traffic", "traffic/web")
        told = first["traffic"]
        assert told["lists"] == ["seconds", "mean", "count"]
        assert told["trouble"] == "The gateway's access log cannot be read."
        assert page.hear()["traffic"]["requests"] > told["requests"]
        ground.language = "zh"
        with ground.client() as other:
            other.subscribe("traffic/web")
            assert "日志" in other.hear()["traffic"]["trouble"]
            before = counted.asked
            heard = [page.hear()["traffic"]["requests"] for _ in range(3)]
            assert heard == sorted(set(heard))
            assert counted.asked - before <= 6  # once for both


def test_a_store_that_is_away(ground: LiveGround, counted: Counted) -> None:
    """Nothing comes meanwhile, and what follows is there again with it."""
    with ground.client() as page:
        page.subscribe("traffic/web")
        page.hear()
        counted.fails = True
        before = counted.asked
        wait_until(lambda: counted.asked > before + 2, 5, "tries")
        counted.fails = False
        while page.hear()["traffic"]["requests"] <= before:
            pass


def test_nobody_looks(ground: LiveGround, counted: Counted) -> None:
    """Nothing is made then."""
    with ground.client() as page:
        page.subscribe("traffic/web")
        page.hear()
        page.say("unsubscribe", "traffic/web")
        wait_until(lambda: not ground.push.viewers, 5, "the channel to close")
        before = counted.asked
        gevent.sleep(0.4)
        assert counted.asked == before


def test_an_app_that_is_not_there(ground: LiveGround) -> None:
    with ground.client() as page:
        assert page.subscribe("traffic/none")["code"] == "no-such-app"
