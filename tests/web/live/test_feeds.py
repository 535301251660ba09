"""The channels of states and events: app/*, event/<app>, status."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from cloudbang.bus import HEADER
from cloudbang.domain.apps import App, Instance
from cloudbang.domain.events import Event
from cloudbang.domain.partial_line import PartialLine
from cloudbang.web.live import base as live_viewers
from tests.support import wait_until
from tests.web.live.live_support import LiveGround, NarrowPage


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[LiveGround]:
    ground = LiveGround(tmp_path / "data", queue=256 * 1024)
    try:
        yield ground
    finally:
        ground.close()


def app(name: str, state: str = "running") -> App:
    instance = Instance(
        id="ab" * 32,
        name=name,
        app=name,
        stack=None,
        image="busybox",
        image_id="sha256:0",
        state=state,
        created="2026-01-01T00:00:00.000000000Z",
    )
    return App(name, instances=(instance,))


def tell(ground: LiveGround, name: str, kind: str = "app") -> None:
    """Publish a change of an app as the inventory does."""
    header = orjson.dumps({"v": 1, "kind": kind})
    found = ground.apps.get(name)
    ground.publisher.send(f"app/{name}/", header, orjson.dumps(found.as_json() if found else {}))


def test_terminals_tell_only_whom_it_concerns(ground: LiveGround) -> None:
    """A page hears that a terminal changed, without what it is; others hear nothing."""
    with ground.client() as page:
        assert page.subscribe("terminal/*") == {"op": "subscribed", "channel": "terminal/*"}
        assert page.hear() == {"op": "changed", "channel": "terminal/*"}
        ground.push.terminal_changed(lambda who: who.name != ground.caller.name)
        ground.push.terminal_changed(lambda who: who.name == ground.caller.name)
        assert page.hear() == {"op": "changed", "channel": "terminal/*"}
        assert page.quiet(0.1)


def test_lines_that_are_not_ended_as_they_are_now(ground: LiveGround) -> None:
    """All of them first and at each change; none when they have ended."""
    ground.apps.known["web"] = App("web")
    who, time = "0123456789ab", "2026-02-01T09:00:00.000000000Z"

    def put(*texts: str) -> None:
        ground.partial_lines.put("web", who, [PartialLine(time, who, "stdout", t) for t in texts])

    with ground.client() as page:
        assert page.subscribe("partial/web") == {"op": "subscribed", "channel": "partial/web"}
        assert page.hear() == {"op": "partial", "channel": "partial/web", "lines": []}
        put("10 %")
        assert page.hear()["lines"] == [[time, who, "stdout", "10 %"]]
        put("20 %")
        assert page.hear()["lines"] == [[time, who, "stdout", "20 %"]]
        with ground.client() as other:
            other.subscribe("partial/web")
            assert other.hear()["lines"] == [[time, who, "stdout", "20 %"]]
        put()
        assert page.hear()["lines"] == []


def test_apps_first_all_then_each_change(ground: LiveGround) -> None:
    """A page gets every app, with its last line, then each one as it changes or goes."""
    ground.apps.known["web"] = app("web")
    ground.log("web", 3)
    ground.log("old", 2)
    with ground.client() as page:
        assert page.subscribe("app/*") == {"op": "subscribed", "channel": "app/*"}
        first = page.hear()
        assert first["op"] == "apps"
        old, web = first["apps"]
        assert (old["name"], old["state"], old["instances"]) == ("old", "gone", [])
        assert (web["state"], web["first"], web["next"]) == ("running", 1, 4)
        assert web["last_line"][4] == "line 3"
        wait_until(lambda: ground.publisher.wanted("app/web/"))
        ground.apps.known["web"] = app("web", "exited")
        tell(ground, "web")
        changed = page.hear()
        assert (changed["op"], changed["app"]["state"]) == ("app", "exited")
        ground.apps.known["new"] = app("new")
        tell(ground, "new")
        assert page.hear()["app"]["name"] == "new"
        del ground.apps.known["new"]
        tell(ground, "new", "removed")
        assert page.hear() == {"op": "removed", "channel": "app/*", "app": "new"}
        del ground.apps.known["web"]
        tell(ground, "web", "removed")
        assert page.hear()["app"]["state"] == "gone"


def test_pages_that_come_at_one_moment_share_the_list(
    ground: LiveGround, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is made once for all of them, and anew after each change."""
    made: list[str] = []
    as_json = ground.apps.as_json

    def counted(one: App) -> dict[str, object]:
        made.append(one.name)
        return as_json(one)

    monkeypatch.setattr(ground.apps, "as_json", counted)
    ground.apps.known["web"] = app("web")
    with ground.client() as first, ground.client() as second:
        for page in (first, second):
            page.subscribe("app/*")
            assert [one["name"] for one in page.hear()["apps"]] == ["web"]
        assert made == ["web"]
        wait_until(lambda: ground.publisher.wanted("app/new/"))
        ground.apps.known["new"] = app("new")
        tell(ground, "new")
        assert first.hear()["app"]["name"] == "new"
        with ground.client() as third:
            third.subscribe("app/*")
            assert [one["name"] for one in third.hear()["apps"]] == ["new", "web"]


def test_activity(ground: LiveGround) -> None:
    """Once a second a page hears which apps log, how much, and what last."""
    ground.apps.known["web"] = app("web")
    with ground.client() as page:
        page.subscribe("app/*")
        page.hear()
        wait_until(lambda: ground.publisher.wanted("activity/"))
        activity: dict[str, list[object]] = {
            "web": [4, 2.5, [3, "2026-01-01T00:00:00.000000000Z", "0" * 12, "stdout", "x"]]
        }
        ground.publisher.send("activity/", HEADER, b"rubbish")
        ground.apps.activity = activity
        # That it logged is what the message says; how much and what, whoever sent it does not.
        sent = {"web": [999, 9, None], "nobody": [1, 1, None]}
        ground.publisher.send("activity/", HEADER, orjson.dumps(sent))
        assert page.hear() == {"op": "activity", "channel": "app/*", "activity": activity}
        assert ground.push.malformed == 1


def test_events_of_one_app(ground: LiveGround) -> None:
    """A page that follows an app's events gets those, and not those of another app."""
    ground.apps.known["web"] = app("web")
    with ground.client() as page:
        assert page.subscribe("event/web")["op"] == "subscribed"
        wait_until(lambda: ground.publisher.wanted("event/web/"))
        died = Event("web", "2026-01-01T00:00:00.000000000Z", "die", data={"exit_code": 137}, id=7)
        ground.publisher.send("event/web2/", HEADER, orjson.dumps(died.as_json()))
        ground.publisher.send("event/web/", HEADER, b"[]")
        ground.publisher.send("event/web/", HEADER, orjson.dumps(died.as_json()))
        assert page.hear() == {"op": "event", "channel": "event/web", "event": died.as_json()}
        assert ground.push.malformed == 1


def test_notices_come_and_go(ground: LiveGround) -> None:
    """The status channel tells what is wrong at once, and again whenever that changes."""
    with ground.client() as page:
        page.subscribe("status")
        assert page.hear() == {"op": "status", "channel": "status", "notices": []}
        ground.apps.engine_error = "no Docker Engine answers"
        (notice,) = page.hear()["notices"]
        assert notice["code"] == "engine-unreachable"
        assert notice["message"] == "no Docker Engine answers"
        ground.apps.engine_error = None
        assert page.hear()["notices"] == []


def test_a_notice_names_what_it_is_about(ground: LiveGround) -> None:
    """Of many that are alike the first ones are shown, and how many more there are."""
    with ground.client() as page:
        page.subscribe("status")
        page.hear()
        for n in range(8):
            ground.notices.begin("odd", f"app{n} is odd", app=f"app{n}", path=f"/data/app{n}")
        shown = page.hear()["notices"]
        assert [notice["app"] for notice in shown] == [f"app{n}" for n in range(5)]
        assert [notice.get("more") for notice in shown] == [None, None, None, None, 3]
        assert shown[0]["path"] == "/data/app0"
        assert shown[0]["message"] == "app0 is odd"
        ground.notices.end("odd", app="app0")
        assert page.hear()["notices"][-1]["more"] == 2


def test_a_slow_page_gets_the_newest_state(ground: LiveGround) -> None:
    """A page that missed changes of apps is sent all of them anew once it reads again."""
    ground.apps.known = {f"app{n}": app(f"app{n}") for n in range(50)}
    with NarrowPage(ground.server.port) as page:
        page.subscribe("app/*")
        wait_until(lambda: ground.publisher.wanted("app/app1/"))
        for n in range(100_000):
            tell(ground, f"app{n % 50}")
            if n % 50 == 0:
                wait_until(lambda n=n: ground.subscriber.received > n - 200)
            if not ground.push.live_viewers["app/*"]:
                break
        else:
            pytest.fail("the page was never too slow")
        ground.apps.known["app1"] = app("app1", "dead")
        newest: dict[str, str] = {}
        while newest.get("app1") != "dead":
            heard = page.hear()
            for one in heard.get("apps", [heard.get("app")]):
                newest[one["name"]] = one["state"]
        assert len(newest) == 50


def test_topics_are_let_go_some_time_after_the_last_viewer(
    ground: LiveGround, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reloaded page finds its topic still subscribed; one that nobody returns to is let go."""
    ground.log("web", 1)
    for seconds in (600, 600, 0.1):
        monkeypatch.setattr(live_viewers, "LINGER", seconds)
        with ground.client() as page:
            page.subscribe("log/web")
            wait_until(lambda: ground.publisher.wanted("log/web/"))
        wait_until(lambda: not ground.push.viewers)
        if seconds == 600:
            assert ground.publisher.wanted("log/web/")
    wait_until(lambda: not ground.publisher.wanted("log/web/"))


def test_gone_apps_are_a_number(ground: LiveGround) -> None:
    """First with the list, then whenever it changes."""
    ground.apps.known["web"] = app("web")
    ground.apps.gone = 3000
    with ground.client() as page:
        page.subscribe("app/*")
        first = page.hear()
        assert (len(first["apps"]), first["gone"], first["put_away"]) == (1, 3000, 0)
        wait_until(lambda: ground.publisher.wanted("app/web/"))
        ground.apps.gone = 3001
        tell(ground, "web")
        assert page.hear()["op"] == "app"
        assert page.hear() == {"op": "counts", "channel": "app/*", "gone": 3001, "put_away": 0}
        tell(ground, "web")
        assert page.hear()["op"] == "app"
        assert page.quiet(0.1)
