"""What a stranger publishes as fact reaches no page, whatever it is about, and is counted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from cloudbang.bus import HEADER, Subscriber
from cloudbang.bus.sockets import MAX_FROM_OUTSIDE
from cloudbang.domain.apps import App
from cloudbang.domain.events import Event
from tests.support import wait_until
from tests.web.live.live_support import LiveGround

ROW = ["2023-11-14T22:13:20.001000000Z", "0123456789ab", "stdout", "forged"]


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[LiveGround]:
    ground = LiveGround(tmp_path / "data")
    ground.apps.known["web"] = App("web")
    try:
        yield ground
    finally:
        ground.close()


def happened(number: int, **data: Any) -> bytes:
    time = "2026-01-01T00:00:00.000000000Z"
    return orjson.dumps(Event("web", time, "action", data=data, id=number).as_json())


# Of each topic that pages read: the channel, and what a stranger says on it.
FORGED = {
    "log/web/": ("log/web", b'{"v":1,"first":1,"next":2}', orjson.dumps([[1, *ROW]])),
    "event/web/": ("event/web", HEADER, happened(9, who="admin", what="terminal-open")),
    "app/web/": ("app/*", b'{"v":1,"kind":"app"}', orjson.dumps(App("web").as_json({}))),
    "app/nosuch/": ("app/*", b'{"v":1,"kind":"removed"}', b"{}"),
    "metric/web/": ("metric/web", b'{"v":1,"time":1764444600}', b'[["cpu",{},9]]'),
    "overview/": ("metric/*", b'{"v":1,"time":1764444600}', b'{"apps":{"web":[9,9]},"node":[]}'),
    "activity/": ("app/*", HEADER, orjson.dumps({"web": [9, 9, [9, *ROW]]})),
}


FIRST = {"app/*": "apps", "metric/web": "history", "metric/*": "overview"}


@pytest.mark.parametrize("topic", FORGED)
def test_what_a_stranger_publishes_reaches_no_page(ground: LiveGround, topic: str) -> None:
    """Without a mark, with the mark of a true message, with a mark that is none, cut, and as large
    as comes in at all: dropped, counted by topic and cause, and no page hears of it."""
    channel, header, body = FORGED[topic]
    heard = Subscriber(ground.hub.subscribe_at)
    heard.subscribe("true/")
    wait_until(lambda: ground.publisher.wanted("true/"))
    ground.publisher.send("true/", header, body)
    true = next(heard.batches())[0].header
    mark = true[true.index(b',"mark"') :]
    heard.close()
    with ground.client() as page:
        told = page.subscribe(channel)
        assert told["op"] == "subscribed"
        if channel in FIRST:
            assert page.hear()["op"] == FIRST[channel]
        wait_until(lambda: ground.stranger.wanted(topic))
        forged = [
            (header, body),
            (header[:-1] + mark, body),
            (true, body),
            (header[:-1] + b',"mark":"' + b"0" * 32 + b'"}', body),
            (b"", body),
            (header, body[:-1]),
            (header, b" " * (MAX_FROM_OUTSIDE - 1_000) + body),
        ]
        for one in forged:
            ground.stranger.send(topic, *one)
        key = (topic.partition("/")[0], "mark")
        wait_until(lambda: ground.push.drops.get(key) == len(forged))
        assert ground.push.drops == {key: len(forged)}
        assert page.quiet(0.1)


def test_an_event_that_is_sent_again_is_told_once(ground: LiveGround) -> None:
    """A true event is heard by any program of the machine, which may send it as it was."""
    heard = Subscriber(ground.hub.subscribe_at)
    heard.subscribe("event/web/")
    with ground.client() as page:
        page.subscribe("event/web")
        wait_until(lambda: ground.publisher.wanted("event/web/"))
        wait_until(lambda: ground.stranger.wanted("event/web/"))
        ground.publisher.send("event/web/", HEADER, happened(7, who="ann", what="terminal-open"))
        assert page.hear()["event"]["id"] == 7
        true = next(heard.batches())[0]
        for _ in range(3):
            ground.stranger.send("event/web/", true.header, true.body)
        wait_until(lambda: ground.push.drops == {("event", "body"): 3})
        ground.publisher.send("event/web/", HEADER, happened(8, who="ann", what="log-delete"))
        assert page.hear()["event"]["id"] == 8
    heard.close()


def test_a_topic_of_a_strangers_own_is_counted_without_its_name(ground: LiveGround) -> None:
    """What nobody publishes here has no place of its own in the numbers."""
    with ground.client() as page:
        page.subscribe("event/web")
        wait_until(lambda: ground.stranger.wanted("event/web/"))
        ground.subscriber.subscribe("strange")
        wait_until(lambda: ground.stranger.wanted("strange/0/"))
        for n in range(100):
            ground.stranger.send(f"strange{n}/", HEADER, b"{}")
        wait_until(lambda: ground.push.drops == {("other", "mark"): 100})
