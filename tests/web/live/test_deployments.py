"""The channels deployment/<id> and deployment/*: what becomes of deployments, and their logs."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path

import gevent
import pytest

from cloudbang.accounts import Caller
from cloudbang.deploy.log import log_name
from cloudbang.domain.apps import App
from cloudbang.domain.deploy.deployment import Deployment, steps_of
from cloudbang.domain.deploy.failure import Failure
from tests.support import wait_until
from tests.web.live.live_support import LiveGround, NarrowPage

WHEN = "2026-01-01T00:00:00.000000000Z"
LOG = log_name(7)


class Kept:
    """Deployments as a database has them; ``slow`` until it is set."""

    def __init__(self) -> None:
        self.all: dict[int, Deployment] = {}
        self.reads = 0

    def put(self, deployment: Deployment) -> Deployment:
        self.all[deployment.id] = deployment
        return deployment

    def get(self, id: int) -> Deployment | None:
        self.reads += 1
        found = self.all.get(id)
        gevent.sleep(0.05)
        return found

    def find(
        self,
        app: str | None = None,
        states: Collection[str] = (),
        before: int | None = None,
        limit: int = 50,
    ) -> list[Deployment]:
        self.reads += 1
        found = [one for _, one in sorted(self.all.items(), reverse=True)]
        gevent.sleep(0.05)
        return [one for one in found if not states or one.state in states][:limit]


def deployment(id: int = 7, app: str = "web") -> Deployment:
    steps = steps_of("image", replaces=True)
    made = Deployment(id, app, id, id, id - 1, "ann", WHEN, steps)
    return made.begin().enter("pull", WHEN)


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def ground(tmp_path: Path, kept: Kept) -> Iterator[LiveGround]:
    ground = LiveGround(tmp_path / "data", queue=256 * 1024, deployments=kept)
    try:
        yield ground
    finally:
        ground.close()


def change(ground: LiveGround, kept: Kept, deployment: Deployment) -> Deployment:
    """As who carries it out does: written down, then told."""
    kept.put(deployment)
    ground.push.deployment_changed(deployment)
    return deployment


def test_a_deployment_and_its_log(ground: LiveGround, kept: Kept) -> None:
    """How it is, its lines so far, then each change and each line; and again for who comes back."""
    one = kept.put(deployment())
    ground.log(LOG, 3)
    with ground.client() as page:
        told = page.subscribe("deployment/7", after=0)
        assert told == {"op": "subscribed", "channel": "deployment/7", "first": 1, "next": 4}
        now = page.hear()
        assert (now["op"], now["channel"], now["next"]) == ("deployment", "deployment/7", 4)
        assert now["deployment"]["steps"][0]["state"] == "running"
        assert [row[0] for row in page.lines(3)] == [1, 2, 3]
        one = change(ground, kept, one.progress("pull", {"percent": 40}))
        assert page.hear()["deployment"]["steps"][0]["progress"] == {"percent": 40}
        ground.log(LOG, 2)
        assert [row[0] for row in page.lines(2)] == [4, 5]
        change(ground, kept, one.complete("pull", WHEN))
        assert page.hear()["deployment"]["steps"][0]["state"] == "done"
    ground.log(LOG, 1)
    with ground.client() as page:
        page.subscribe("deployment/7", after=4)
        assert page.hear()["deployment"]["steps"][0]["state"] == "done"
        assert [row[0] for row in page.lines(2)] == [5, 6]


def test_why_it_failed_in_the_readers_language(ground: LiveGround, kept: Kept) -> None:
    """One sentence, with its facts."""
    one = kept.put(deployment())
    with ground.client() as english:
        english.subscribe("deployment/7")
        assert english.hear()["deployment"]["sentence"] is None
        ground.language = "zh"
        with ground.client() as chinese:
            chinese.subscribe("deployment/7")
            chinese.hear()
            failure = Failure("image-not-found", "manifest unknown", what="nginx:nope")
            change(ground, kept, one.fail(failure, WHEN))
            told, gesagt = english.hear()["deployment"], chinese.hear()["deployment"]
            assert told["sentence"].startswith("the image nginx:nope does not exist: manifest")
            assert "nginx:nope" in gesagt["sentence"]
            assert "镜像" in gesagt["sentence"]
            assert told["class"] == gesagt["class"] == "image-not-found"


def test_one_that_there_is_not(ground: LiveGround, kept: Kept) -> None:
    """Or that is not theirs to see, which is told the same."""
    kept.put(deployment(8, "theirs"))
    ground.apps.known["theirs"] = App("theirs", team="others")
    with ground.client() as page:
        for name, code in (
            ("deployment/9", "no-such-deployment"),
            ("deployment/8", "no-such-deployment"),
            ("deployment/x", "no-such-channel"),
            ("deployment/", "no-such-channel"),
            ("deployment/0", "no-such-channel"),
            (f"log/{log_name(8)}", "no-such-app"),
        ):
            told = page.subscribe(name)
            assert (told["op"], told["code"]) == ("error", code), name


def test_all_of_them(ground: LiveGround, kept: Kept) -> None:
    """First those that go on and the newest, then each change of state or step, without progress."""
    one = kept.put(deployment(7))
    kept.put(replace(deployment(6), state="serving"))
    with ground.client() as page:
        assert page.subscribe("deployment/*") == {"op": "subscribed", "channel": "deployment/*"}
        first = page.hear()
        assert first["op"] == "deployments"
        assert [told["id"] for told in first["deployments"]] == [7, 6]
        one = change(ground, kept, one.progress("pull", {"percent": 40}))
        one = change(ground, kept, one.complete("pull", WHEN))
        told = page.hear()["deployment"]
        assert told["steps"][0] == {
            "name": "pull",
            "state": "done",
            "started": WHEN,
            "finished": WHEN,
        }
        reads = kept.reads
        with ground.client() as other:
            other.subscribe("deployment/*")
            assert other.hear()["deployments"][0]["steps"][0]["state"] == "done"
        assert kept.reads == reads
        ground.push.deployments_forgotten("web", "default")
        assert page.hear() == {"op": "removed", "channel": "deployment/*", "app": "web"}


def test_who_sees_which(ground: LiveGround, kept: Kept) -> None:
    """Nobody is told of another team's."""
    ground.apps.known["theirs"] = App("theirs", team="others")
    kept.put(deployment(7))
    other = kept.put(deployment(8, "theirs"))
    with ground.client() as page:
        page.subscribe("deployment/*")
        assert [told["id"] for told in page.hear()["deployments"]] == [7]
        change(ground, kept, other.complete("pull", WHEN))
        assert page.quiet(0.2)
    ground.caller = Caller("s2", 2, "eve", {"others": "viewer"}, b"")
    with ground.client() as page:
        page.subscribe("deployment/*")
        assert [told["id"] for told in page.hear()["deployments"]] == [8]


def test_what_changes_while_somebody_comes(ground: LiveGround, kept: Kept) -> None:
    """Is not missed, whatever the database said a moment before."""
    one = kept.put(deployment())
    with ground.client() as page:
        reads = kept.reads
        page.say("subscribe", "deployment/7")
        wait_until(lambda: kept.reads > reads)
        change(ground, kept, one.complete("pull", WHEN))
        assert page.hear()["op"] == "subscribed"
        assert page.hear()["deployment"]["steps"][0]["state"] == "done"


def test_one_who_does_not_read(ground: LiveGround, kept: Kept) -> None:
    """Is told how it is once they read again, and costs nobody else anything."""
    one = kept.put(deployment())
    narrow = NarrowPage(ground.server.port)
    with narrow, ground.client() as page:
        narrow.subscribe("deployment/7")
        page.subscribe("deployment/7")
        assert page.hear()["op"] == "deployment"
        for n in range(300):
            one = change(ground, kept, one.progress("pull", {"n": n, "said": "x" * 4000}))
            while page.hear()["deployment"]["steps"][0]["progress"]["n"] < n:
                pass
        heard = narrow.hear()
        while heard["deployment"]["steps"][0].get("progress", {}).get("n") != 299:
            heard = narrow.hear()
