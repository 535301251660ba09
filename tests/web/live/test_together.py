"""What is due for one socket at one moment: handed over together, and still each a message of its own."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gevent
import pytest

from cloudbang.web.live.broadcast import TOGETHER, Parcel, broadcast
from cloudbang.web.live.lines import PATIENCE, LogChannel
from cloudbang.web.server.frames import SharedFrame
from tests.support import patient, wait_until
from tests.web.live.live_support import LiveGround, NarrowPage

APPS = ["api", "db", "web", "mail"]


class Line:
    """A connection by hand: what it was handed, and how many calls it takes."""

    def __init__(self, takes: int = 1000, *, batches: bool = False) -> None:
        self.got: list[bytes] = []
        self.takes, self.batches = takes, batches

    def offer(self, frame: Any) -> bool:
        if len(self.got) >= self.takes:
            return False
        self.got.append(frame.plain)
        return True


class Looker:
    """A viewer by hand."""

    def __init__(self, connection: Line) -> None:
        self.connection, self.offer, self.live = connection, connection.offer, True


def parcel(frame: bytes, *viewers: Looker, refused: list[Any] | None = None) -> Parcel:
    told = [] if refused is None else refused
    return Parcel(viewers, SharedFrame(frame), told.append)  # type: ignore[arg-type]


def test_what_is_due_for_a_socket_goes_in_one_call() -> None:
    """One behind the other, in the order of the channels; the same bytes for who follows the same."""
    one, two, other = Line(), Line(), Line()
    first, second, alone = SharedFrame(b"first"), SharedFrame(b"second"), Looker(other)
    a = Parcel((Looker(one), Looker(two)), first, print)  # type: ignore[arg-type]
    b = Parcel((Looker(two), alone, Looker(one)), second, print)  # type: ignore[arg-type]
    broadcast([a, b])
    assert one.got == two.got == [first.plain + second.plain]
    assert one.got[0] is two.got[0]
    assert other.got == [second.plain]


def test_who_takes_that_has_them_as_one_message() -> None:
    """Made once for all who are due the same; what is due alone is what it ever is."""
    one, two, plain = Line(batches=True), Line(batches=True), Line()
    first, second = SharedFrame(b'{"a":1}'), SharedFrame(b'{"b":2}')
    everybody = [Looker(line) for line in (one, two, plain)]
    parcels = [Parcel(tuple(everybody), frame, print) for frame in (first, second)]  # type: ignore[arg-type]
    broadcast(parcels)
    assert one.got == [SharedFrame(b'{"op":"batch","messages":[{"a":1},{"b":2}]}').plain]
    assert one.got[0] is two.got[0]
    assert plain.got == [first.plain + second.plain]
    broadcast(parcels[:1])
    assert one.got[1] == plain.got[1] == first.plain


def test_who_has_left_meanwhile_is_sent_nothing_of_that() -> None:
    """Also by what somebody else does in the middle of it."""
    one = Line()
    stays, leaves = Looker(one), Looker(one)
    leaves.live = False
    broadcast([parcel(b"left", leaves), parcel(b"followed", stays)])
    assert one.got == [SharedFrame(b"followed").plain]


def test_a_full_socket_loses_its_place_in_each_channel_it_was_refused_for() -> None:
    """In no other, and nobody else does. No call is larger than its bound, unless one message is."""
    lost: list[Any] = []
    full, free = Line(takes=1), Line()
    big = b"x" * (TOGETHER - 1)
    viewers = [Looker(full) for _ in range(4)]
    others = [Looker(free) for _ in range(4)]
    texts = [b"a", b"b", big, big * 2]
    broadcast(
        [
            parcel(text, viewer, other, refused=lost)
            for text, viewer, other in zip(texts, viewers, others, strict=True)
        ]
    )
    assert lost == viewers[2:]
    assert len(full.got) == 1
    assert len(free.got) == 3
    assert b"".join(free.got) == b"".join(SharedFrame(text).plain for text in texts)


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[LiveGround]:
    ground = LiveGround(tmp_path / "data", queue=256 * 1024)
    for app in APPS:
        ground.log(app, 1)
    try:
        yield ground
    finally:
        ground.close()


def test_several_apps_are_followed_for_one_call(ground: LiveGround) -> None:
    """Lines of four apps that are stored at one moment, deflated or not, come as they always did."""
    calls: list[int] = []
    turns = 10
    with (
        ground.client() as plain,
        ground.client(compression="deflate") as deflated,
        ground.client(compression="deflate") as batched,
    ):
        batched.socket.send('{"op":"batch"}')
        for page in (plain, deflated, batched):
            for app in APPS:
                page.subscribe(f"log/{app}")
        wait_until(lambda: all(ground.push.live_viewers.get(f"log/{app}") == 3 for app in APPS))
        wait_until(lambda: all(ground.publisher.wanted(f"log/{app}/") for app in APPS))
        for socket in ground.server.registry:
            hand = socket._hand
            socket._hand = lambda data, hand=hand: calls.append(len(data)) or hand(data)  # type: ignore[misc, func-returns-value]
        for first in range(2, 2 + 20 * turns, 20):
            found = [(app, ground.records(app, 20)) for app in APPS]
            stored = [(app, ground.store.append(app, records), records) for app, records in found]
            for app, at, records in stored:  # nothing here gives way
                ground.publish(app, at, records)
            for page in (plain, deflated, batched):
                told: list[Any] = []
                while len(told) < len(APPS):
                    message = page.hear()
                    assert page is batched or message["op"] == "lines"
                    told += message["messages"] if message["op"] == "batch" else [message]
                heard = {message["channel"]: message for message in told}
                assert set(heard) == {f"log/{app}" for app in APPS}
                for message in heard.values():
                    assert [line[0] for line in message["lines"]] == list(range(first, first + 20))
    assert len(calls) < turns * 3 * len(APPS), calls


def test_what_is_on_its_way_is_not_taken_from_the_store_as_well(ground: LiveGround) -> None:
    """While more has come than was taken from the bus, nothing counts as dropped, unless that lasts:
    else who has much to do sends it all alone, channel by channel, and has more to do."""
    begun: list[str] = []

    class Begins:
        def once(self, name: str, *work: Any) -> None:
            begun.append(name)

    channel = LogChannel("web", ground.store, Begins())  # type: ignore[arg-type]
    ground.log("web", 3, publish=False)
    for _ in range(1 + PATIENCE):
        channel.look(resting=False)
        assert not begun
    channel.look(resting=False)
    assert begun == ["fill log/web"]
    other = LogChannel("db", ground.store, Begins())  # type: ignore[arg-type]
    ground.log("db", 3, publish=False)
    other.look(resting=True)
    assert len(begun) == 1
    other.look(resting=True)
    assert begun[1:] == ["fill log/db"]


def test_each_line_of_several_apps_comes_once(ground: LiveGround) -> None:
    """Who joins, leaves and comes back in some of them, while lines of all pour in, and who reads
    too slowly: every line from there on, once, in order, or a gap in its place."""
    pouring = True
    chance = random.Random(3)

    def pour() -> None:
        while pouring:
            for app in chance.sample(APPS, 3):
                first = ground.store.append(app, records := ground.records(app, 40, size=300))
                ground.publish(app, first, records)
            gevent.sleep(0.002)

    def look(number: int) -> None:
        mine = random.Random(number)
        with ground.client() as page:
            expected: dict[str, int] = {}
            asked = dict.fromkeys(APPS, 0)
            heard = 0
            for app in APPS:
                page.say("subscribe", f"log/{app}")
                asked[app] += 1
            while heard < 150:
                message = page.hear()
                app = message["channel"].partition("/")[2]
                if message["op"] == "subscribed":
                    asked[app] -= 1
                    if not asked[app]:
                        expected[app] = message["next"]
                elif message["op"] == "unsubscribed":
                    assert app not in expected
                elif asked[app]:
                    continue  # of what was followed before
                else:
                    assert message["op"] == "lines", message
                    heard += 1
                    for line in message["lines"]:
                        assert line[0] == expected[app]
                        expected[app] += 1
                if mine.random() < 0.05:
                    app = mine.choice(APPS)
                    expected.pop(app, None)
                    page.say("unsubscribe", f"log/{app}")
                    page.say("subscribe", f"log/{app}")
                    asked[app] += 1

    def crawl() -> None:
        with NarrowPage(ground.server.port) as page:
            expected: dict[str, int] = {}
            for app in APPS:
                page.say("subscribe", f"log/{app}")
            while len(expected) < len(APPS):
                _follow(expected, page.hear())
            before = ground.push.slow_viewers
            wait_until(lambda: ground.push.slow_viewers > before + 2, 20)
            until = {app: ground.store.next_seq(app) + 100 for app in APPS}
            while any(expected[app] < until[app] for app in APPS):
                _follow(expected, page.hear())

    writer = gevent.spawn(pour)
    viewers = [gevent.spawn(look, number) for number in range(6)] + [gevent.spawn(crawl)]
    gevent.joinall(viewers, timeout=patient(40), raise_error=True)
    assert all(viewer.ready() for viewer in viewers)
    pouring = False
    writer.join()


def _follow(expected: dict[str, int], message: Any) -> None:
    app = message["channel"].partition("/")[2]
    if message["op"] == "subscribed":
        expected[app] = message["next"]
        return
    if message["op"] == "gap":
        assert (message["from"], message["reason"]) == (expected[app], "slow")
        expected[app] = message["to"] + 1
        return
    for line in message["lines"]:
        assert line[0] == expected[app], message["op"]
        expected[app] += 1
