"""The live socket over real sockets, a real hub and a real store."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import gevent
import pytest
from websockets.exceptions import ConnectionClosed

from cloudbang.bus import Subscriber
from cloudbang.domain.lines import record
from cloudbang.errors import StorageFailed
from cloudbang.intake.log_sink import StoreSink
from tests.support import DEEP, patient, wait_until
from tests.web.live.live_support import ONE, TWO, LiveGround


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[LiveGround]:
    ground = LiveGround(tmp_path / "data")
    try:
        yield ground
    finally:
        ground.close()


@pytest.fixture
def beside_another_hub(tmp_path: Path) -> Iterator[LiveGround]:
    ground = LiveGround(tmp_path / "data", own_hub=False)
    try:
        yield ground
    finally:
        ground.close()


def seqs(lines: list[list[object]]) -> list[object]:
    return [line[0] for line in lines]


def test_tail_then_live(ground: LiveGround) -> None:
    """A viewer gets the last lines from the store and every later line from the bus."""
    ground.log("web", 300)
    with ground.client() as page:
        told = page.subscribe("log/web", tail=20)
        assert told == {"op": "subscribed", "channel": "log/web", "first": 1, "next": 301}
        assert seqs(page.lines(20)) == list(range(281, 301))
        wait_until(lambda: ground.publisher.wanted("log/web/"))
        ground.log("web", 5)
        assert seqs(page.lines(5)) == list(range(301, 306))


def test_a_row_is_what_the_protocol_says(ground: LiveGround) -> None:
    """A line is seq, time with nine digits, short container id, stream and text."""
    ground.log("web", 1)
    with ground.client() as page:
        page.subscribe("log/web", after=0)
        assert page.lines(1) == [
            [1, "2023-11-14T22:13:20.001000000Z", "0123456789ab", "stdout", "line 1"]
        ]


def test_an_entry_grows_while_it_is_looked_at(ground: LiveGround) -> None:
    """Levels come beside the lines; a frame takes in what came before it, told from its first line
    on, also to who looks at one container alone."""
    sink = StoreSink(ground.store, ground.publisher)
    when = b"2026-02-01T09:00:00.000000000Z"

    def log(text: bytes, container: bytes = ONE) -> None:
        sink.append("web", [record(when, container, b"stdout", text)]).wait()

    log(b"ERROR refused")
    with ground.client() as page, ground.client() as other:
        page.subscribe("log/web", tail=1)
        other.subscribe("log/web", tail=1, container=TWO.decode())
        message = page.hear()
        assert (message["levels"], "entries" in message) == (["error"], False)
        wait_until(lambda: ground.push.live_viewers["log/web"] == 2)
        log(b"java.lang.IllegalStateException: y")
        assert page.hear()["levels"] == ["error"]
        log(b"INFO of another", TWO)
        assert page.hear()["levels"] == other.hear()["levels"] == ["info"]
        log(b"\tat com.shop.Pay.take(Pay.java:40)")
        message = page.hear()
        assert "levels" not in message  # none of its lines says one
        assert message["entries"] == [[1, 4, "error", ONE.decode(), "stdout"]]
        log(b"  is alone", TWO)
        assert "entries" not in other.hear()


def test_joins_while_lines_pour_in(ground: LiveGround) -> None:
    """Viewers that join at any moment get every line from there on, once, in order."""
    ground.log("web", 1000)
    pouring = True

    def pour() -> None:
        while pouring:
            ground.log("web", 17)
            gevent.sleep(0.002)

    def look(after: int | None, tail: int | None) -> None:
        with ground.client() as page:
            options = {"after": after} if after is not None else {"tail": tail}
            told = page.subscribe("log/web", **options)
            expected = after + 1 if after is not None else told["next"] - (tail or 0)
            until = told["next"] + 1500
            while expected < until:
                for line in page.hear()["lines"]:
                    assert line[0] == expected
                    assert line[4] == f"line {expected}"
                    expected += 1

    writer = gevent.spawn(pour)
    viewers = []
    for n in range(12):
        after, tail = ((None, n * 10), (n * 90, None), (999, None))[n % 3]
        viewers.append(gevent.spawn(look, after, tail))
        gevent.sleep(0.02)
    gevent.joinall(viewers, timeout=patient(30), raise_error=True)
    assert all(viewer.ready() for viewer in viewers)
    pouring = False
    writer.join()


def test_what_the_bus_drops_the_store_fills_in(ground: LiveGround) -> None:
    """Lines whose messages never come are sent from the store, in their place."""
    ground.log("web", 10)
    with ground.client() as page:
        page.subscribe("log/web", after=0)
        page.lines(10)
        wait_until(lambda: ground.publisher.wanted("log/web/"))
        ground.log("web", 700, publish=False)  # a hole, seen by the next message
        ground.log("web", 1)
        assert seqs(page.lines(701)) == list(range(11, 712))
        ground.log("web", 3, publish=False)  # a hole at the end, which no message shows
        assert seqs(page.lines(3)) == [712, 713, 714]
        ground.log("web", 2)
        assert seqs(page.lines(2)) == [715, 716]


def test_a_store_that_cannot_be_read_for_a_moment_ends_no_channel(
    ground: LiveGround, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What the bus dropped is read again at the next look; it is said once, without a traceback."""
    ground.log("web", 1)
    with ground.client() as page:
        page.subscribe("log/web", after=0)
        page.lines(1)
        wait_until(lambda: ground.publisher.wanted("log/web/"))
        failed: list[int] = []
        really = ground.store.raw_after

        def fails(app: str, seq: int, *args: int) -> tuple[int, list[bytes]]:
            failed.append(seq)
            if len(failed) < 4:
                raise StorageFailed("/data", "Too many open files")
            return really(app, seq, *args)

        monkeypatch.setattr(ground.store, "raw_after", fails)
        ground.log("web", 3, publish=False)
        assert seqs(page.lines(3)) == [2, 3, 4]
    assert len(failed) >= 4
    said = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert [record.getMessage() for record in said if "Too many" in record.getMessage()] == [
        "log/web: cannot use /data: Too many open files"
    ]
    assert not any(record.exc_info for record in said)


def test_what_comes_twice_is_sent_once(ground: LiveGround) -> None:
    """A message that repeats or overlaps what was sent adds only what is new."""
    records = ground.records("web", 20)
    ground.store.append("web", records)
    with ground.client() as page:
        page.subscribe("log/web")
        wait_until(lambda: ground.publisher.wanted("log/web/"))
        more = ground.records("web", 10)
        first = ground.store.append("web", more)
        ground.publish("web", first, more[:4])
        ground.publish("web", first, more[:4])
        ground.publish("web", 5, records[4:9])
        ground.publish("web", first + 2, more[2:])
        ground.publish("web", first, more)
        assert seqs(page.lines(10)) == list(range(21, 31))
        assert page.quiet()


def test_filters(ground: LiveGround) -> None:
    """A container or a stream is filtered in the tail, in the past and live, for many at once."""
    ground.log("web", 2000)
    one, both = "0123456789ab", {"container": "ba9876543210" + "0" * 52, "stream": "stderr"}
    with ground.client() as tail, ground.client() as past, ground.client() as twin:
        tail.subscribe("log/web", tail=50, container=one)
        assert seqs(tail.lines(50)) == list(range(1901, 2001, 2))
        past.subscribe("log/web", after=0, **both)
        assert seqs(past.lines(333)) == list(range(6, 2001, 6))
        twin.subscribe("log/web", container=one)
        wait_until(lambda: ground.publisher.wanted("log/web/"))
        ground.log("web", 12)
        for page in (tail, twin):
            live = page.lines(6)
            assert seqs(live) == list(range(2001, 2013, 2))
            assert {line[2] for line in live} == {one}
        assert seqs(past.lines(2)) == [2004, 2010]
        ground.log("web", 1)
        assert seqs(tail.lines(1)) == [2013]
        assert past.quiet(0.1)


def test_nothing_asked_for_is_only_what_comes(ground: LiveGround) -> None:
    """Without after and tail a viewer gets the lines from now on."""
    ground.log("web", 100)
    with ground.client() as page:
        assert page.subscribe("log/web")["next"] == 101
        ground.log("web", 1)
        assert seqs(page.lines(1)) == [101]


def test_a_position_from_the_future_is_now(ground: LiveGround) -> None:
    """Whoever comes with a seq beyond the end (a store begun anew) gets what comes from now on."""
    ground.log("web", 10)
    with ground.client() as page:
        assert page.subscribe("log/web", after=5000)["next"] == 11
        ground.log("web", 2)
        assert seqs(page.lines(2)) == [11, 12]


def test_asking_again_replaces_the_filter(ground: LiveGround) -> None:
    """A second subscription to a channel takes the place of the first."""
    ground.log("web", 10)
    with ground.client() as page:
        page.subscribe("log/web", tail=10)
        page.lines(10)
        page.subscribe("log/web", stream="stderr")
        ground.log("web", 6)
        assert seqs(page.lines(2)) == [12, 15]
        page.say("unsubscribe", "log/web")
        assert page.hear() == {"op": "unsubscribed", "channel": "log/web"}
        ground.log("web", 6)
        assert page.quiet()
        page.say("unsubscribe", "log/web")
        assert page.hear()["op"] == "unsubscribed"


def test_lines_of_another_hub_reach_the_page(beside_another_hub: LiveGround) -> None:
    """Where the push side listens to another hub, what this process published is known by its mark
    after any number of hubs, and nothing else is believed."""
    ground = beside_another_hub
    bridge = ground.bridge
    assert bridge is not None
    ground.log("web", 1)
    with ground.client() as page:
        page.subscribe("log/web")
        wait_until(lambda: bridge.wanted("log/web/") and ground.publisher.wanted("log/web/"))
        row = b'["2023-11-14T22:13:20.001000000Z","0123456789ab","stdout","forged"]'
        ground.stranger.send("log/web/", b'{"v":1,"first":1,"next":2}', b"[[1,%b]]" % row[1:-1])
        wait_until(lambda: ground.push.malformed == 1)
        ground.log("web", 3)
        assert [line[4] for line in page.lines(3)] == ["line 2", "line 3", "line 4"]


def test_a_stranger_cannot_say_what_was_logged(ground: LiveGround) -> None:
    """What another program publishes as fact is counted and dropped, however well it is made: with
    lines that are stored, with the mark of a true message, or as a true message changed."""
    heard = Subscriber(ground.hub.subscribe_at)
    heard.subscribe("log/web/")
    ground.log("web", 1, publish=False)
    with ground.client() as page:
        page.subscribe("log/web")
        wait_until(lambda: ground.publisher.wanted("log/web/"))
        wait_until(lambda: ground.stranger.wanted("log/web/"))
        ground.log("web", 2)
        assert [line[4] for line in page.lines(2)] == ["line 2", "line 3"]
        true = next(heard.batches())[0]
        records = ground.records("web", 1)
        first = ground.store.append("web", records)
        row = b'["2023-11-14T22:13:20.001000000Z","0123456789ab","stdout","forged"]'
        plain = b'{"v":1,"first":%d,"next":%d}' % (first, first + 1)
        mark = true.header[true.header.index(b',"mark"') :]
        forged = [
            (plain, b"[[%d,%b]]" % (first, row[1:-1])),
            (plain[:-1] + mark, b"[[%d,%b]]" % (first, row[1:-1])),
            (true.header, b"[[2,%b],[3,%b]]" % (row[1:-1], row[1:-1])),
            (true.header.replace(b'"first":2,"next":4', b'"first":4,"next":5'), true.body),
        ]
        for header, body in forged:
            ground.stranger.send("log/web/", header, body)
        wait_until(lambda: ground.push.malformed == len(forged))
        # What was stored meanwhile comes all the same, from the store.
        assert [line[4] for line in page.lines(1)] == ["line 4"]
        # The true one, sent again, says nothing new.
        ground.stranger.send("log/web/", true.header, true.body)
        ground.log("web", 1)
        assert [line[4] for line in page.lines(1)] == ["line 5"]
        assert ground.push.malformed == len(forged)
    heard.close()


def test_rubbish_on_the_bus_reaches_nobody(ground: LiveGround) -> None:
    """Messages on a fact's topic that say nothing are counted and dropped: a stranger's, and were
    they our own."""
    ground.log("web", 10)
    with ground.client() as page:
        page.subscribe("log/web")
        wait_until(lambda: ground.publisher.wanted("log/web/"))
        wait_until(lambda: ground.stranger.wanted("log/web/"))
        good = b'{"v":1,"first":11,"next":12}'
        row = b'["2023-11-14T22:13:20.001000000Z","0123456789ab","stdout","x"]'
        rubbish = [
            (b"", b"[]"),
            (b"{", b"[]"),
            (b'{"v":1}', b"[]"),
            (b'{"v":2,"first":11,"next":12}', b"[[11,%b]]" % row[1:-1]),
            (b'{"v":1,"first":12,"next":11}', b"[]"),
            (b'{"v":1,"first":"11","next":12}', b"[]"),
            (good, b"["),
            (good, b"{}"),
            (good, b'"abcde"'),
            (good, b"[[11,1,2,3,4]]"),
            (good, b"[[12,%b]]" % row[1:-1]),
            (good, b'[{"0":11}]'),
            (good, b"\xff"),
            (b'{"v":1,"first":11,"next":13}', b"[[11,%b]]" % row[1:-1]),
            # Well-formed, but not in the store: published is what has been stored.
            (good, b"[[11,%b]]" % row[1:-1]),
            (b'{"v":1,"first":900,"next":901}', b"[[900,%b]]" % row[1:-1]),
        ]
        for header, body in rubbish:
            ground.stranger.send("log/web/", header, body)
        ours = rubbish[2:6] + rubbish[-2:]
        for header, body in ours:
            ground.publisher.send("log/web/", header, body)
        expected = {("log", "mark"): len(rubbish), ("log", "body"): len(ours)}
        wait_until(lambda: ground.push.drops == expected)
        ground.log("web", 3)
        assert [line[4] for line in page.lines(3)] == ["line 11", "line 12", "line 13"]


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ("nonsense", "bad-message"),
        ("[" * 1000 + "]" * 1000, "bad-message"),
        (f'{{"op":{DEEP},"channel":"log/web"}}', "bad-message"),
        (f'{{"op":"subscribe","channel":{DEEP}}}', "bad-message"),
        (f'{{"op":"subscribe","channel":"log/web","tail":{DEEP}}}', "bad-message"),
        ("[]", "bad-message"),
        ("17", "bad-message"),
        ("{}", "bad-message"),
        (b'{"op":"subscribe"}', "bad-message"),
        ('{"op":"dance","channel":"log/web"}', "bad-message"),
        ('{"op":["subscribe"],"channel":"log/web"}', "bad-message"),
        ('{"op":"subscribe"}', "bad-request"),
        ('{"op":"subscribe","channel":7}', "bad-request"),
        ('{"op":"subscribe","channel":"log/web","after":-1}', "bad-request"),
        ('{"op":"subscribe","channel":"log/web","after":"1"}', "bad-request"),
        ('{"op":"subscribe","channel":"log/web","after":true}', "bad-request"),
        ('{"op":"subscribe","channel":"log/web","after":1.5}', "bad-request"),
        ('{"op":"subscribe","channel":"log/web","tail":99999999}', "bad-request"),
        ('{"op":"subscribe","channel":"log/web","after":1,"tail":1}', "bad-request"),
        ('{"op":"subscribe","channel":"log/web","container":"web"}', "bad-request"),
        ('{"op":"subscribe","channel":"log/web","stream":"stdin"}', "bad-request"),
        ('{"op":"subscribe","channel":"log/web","stream":{}}', "bad-request"),
        ('{"op":"subscribe","channel":"log/"}', "no-such-channel"),
        ('{"op":"subscribe","channel":"log"}', "no-such-channel"),
        ('{"op":"subscribe","channel":""}', "no-such-channel"),
        ('{"op":"subscribe","channel":"metrics/web"}', "no-such-channel"),
        ('{"op":"subscribe","channel":"deployment/12"}', "no-such-channel"),
        ('{"op":"subscribe","channel":"app/web"}', "no-such-channel"),
        ('{"op":"subscribe","channel":"log/nobody"}', "no-such-app"),
        ('{"op":"subscribe","channel":"log/../../etc"}', "no-such-app"),
        ('{"op":"subscribe","channel":"event/nobody"}', "no-such-app"),
        ('{"op":"subscribe","channel":"metric/nobody"}', "no-such-app"),
        ('{"op":"subscribe","channel":"log/' + "x" * 5000 + '"}', "no-such-channel"),
    ],
)
def test_bad_asking_is_answered(ground: LiveGround, sent: str | bytes, code: str) -> None:
    """What cannot be done is answered with a stable code, and the connection stays."""
    ground.log("web", 1)
    with ground.client() as page:
        page.socket.send(sent)
        told = page.hear()
        assert told["op"] == "error"
        assert told["code"] == code
        assert told["message"]
        page.subscribe("log/web", after=0)
        assert seqs(page.lines(1)) == [1]


def test_a_ping_is_answered(ground: LiveGround) -> None:
    """A page, whose browser hides the server's pings from it, can ask whether anybody is there."""
    with ground.client() as page:
        page.socket.send('{"op":"ping"}')
        assert page.hear() == {"op": "pong"}


@pytest.mark.slow("ten thousand questions are sent and answered one by one")
def test_ten_thousand_subscriptions_to_one_channel(ground: LiveGround) -> None:
    """Asking ten thousand times for the same leaves one subscription, and others unharmed."""
    ground.log("web", 100)
    with ground.client() as greedy, ground.client() as other:
        other.subscribe("log/web")

        def ask() -> None:
            for _ in range(10_000):
                greedy.say("subscribe", "log/web", tail=1)

        asking = gevent.spawn(ask)
        answers = 0
        while answers < 10_000:
            answers += greedy.hear(20)["op"] == "subscribed"
            if answers % 1000 == 0:
                ground.log("web", 1)
                other.lines(1)
        asking.join()
        wait_until(lambda: ground.push.viewers["log/web"] == 2)
        while not greedy.quiet(0.2):
            pass
        ground.log("web", 1)
        assert len(greedy.lines(1)) == 1
        assert greedy.quiet(0.2)


def test_ten_thousand_channels_of_one_connection(ground: LiveGround) -> None:
    """A connection follows 64 channels; more are refused, and what it leaves is let go."""
    for n in range(70):
        ground.log(f"app{n}", 1)
    with ground.client() as greedy:
        codes = []
        for n in range(300):
            greedy.say("subscribe", f"log/app{n % 70}" if n < 70 else f"log/nobody{n}")
        while len(codes) < 300:
            heard = greedy.hear()
            if heard["op"] in ("subscribed", "error"):
                codes.append(heard.get("code", "ok"))
        assert codes == ["ok"] * 64 + ["too-many-subscriptions"] * 236
        greedy.say("unsubscribe", "log/app0")
        assert greedy.hear()["op"] == "unsubscribed"
        assert greedy.subscribe("log/app69")["op"] == "subscribed"
    wait_until(lambda: not ground.push.viewers and not ground.push.connections)


def test_an_ended_session_closes_its_sockets(ground: LiveGround) -> None:
    """When a session ends its sockets are closed with 4401; those of others stay."""
    ground.log("web", 1)
    with ground.client() as page:
        page.subscribe("log/web")
        ground.caller = replace(ground.caller, login="s2")
        with ground.client() as other:
            other.subscribe("log/web")
            ground.push.close_login("s1")
            with pytest.raises(ConnectionClosed) as caught:
                page.hear()
            assert caught.value.rcvd is not None
            assert caught.value.rcvd.code == 4401
            ground.log("web", 1)
            assert seqs(other.lines(1)) == [2]


def test_changing_a_subscription_all_the_time(
    ground: LiveGround, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each change started a read of the store beside those that still ran, without end."""
    ground.log("web", 10)
    running = most = 0
    read = ground.store.read

    def slow(*args: Any) -> Any:
        nonlocal running, most
        running += 1
        most = max(most, running)
        gevent.sleep(0.05)
        running -= 1
        return read(*args)

    monkeypatch.setattr(ground.store, "read", slow)
    with ground.client() as page:
        for _ in range(40):
            page.say("subscribe", "log/web", tail=5, stream="stdout")
        heard = [page.hear()["op"] for _ in range(40)]
        assert heard.count("subscribed") >= 30
    assert most <= 5


def test_one_page_of_the_store_at_a_time_for_a_connection(
    ground: LiveGround, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page that did not read and followed 64 apps had 64 pages of the store held for it."""
    apps = [f"app{n}" for n in range(20)]
    for app in apps:
        ground.log(app, 10)
    running = most = 0
    read = ground.store.read

    def slow(*args: Any) -> Any:
        nonlocal running, most
        running += 1
        most = max(most, running)
        gevent.sleep(0.01)
        running -= 1
        return read(*args)

    monkeypatch.setattr(ground.store, "read", slow)
    with ground.client() as page:
        for app in apps:
            page.say("subscribe", f"log/{app}", tail=5, stream="stdout")
        heard = [page.hear() for _ in range(40)]
    assert sum(one["op"] == "lines" for one in heard) == 20
    assert most == 1


def test_a_deleted_log_is_told_to_who_looks(ground: LiveGround) -> None:
    """Pages are told which lines are gone, then get what comes, with the next seqs; a page that
    opens later hears of nothing before."""
    ground.log("web", 10)
    with ground.client() as page, ground.client() as filtered, ground.client() as late:
        page.subscribe("log/web", tail=5)
        filtered.subscribe("log/web", tail=5, stream="stdout")
        assert page.lines(5)[-1][0] == 10
        filtered.lines(1)
        wait_until(lambda: ground.push.viewers["log/web"] == 2)
        wait_until(lambda: ground.push.live_viewers["log/web"] == 2)
        done = ground.store.delete_lines("web")
        ground.push.lines_deleted("web", done.first, done.end)
        gap = {"op": "gap", "channel": "log/web", "from": 1, "to": 10, "reason": "expired"}
        assert page.hear() == gap
        while (heard := filtered.hear())["op"] == "lines":
            pass
        assert heard == gap
        ground.log("web", 2)
        assert [line[0] for line in page.lines(2)] == [11, 12]
        assert late.subscribe("log/web", after=0)["first"] == 11
        assert late.hear() == gap
        assert [line[0] for line in late.lines(2)] == [11, 12]
