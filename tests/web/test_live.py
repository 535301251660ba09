"""The live socket over real sockets, a real hub and a real store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import gevent
import pytest

from tests.support import wait_until
from tests.web.live_support import LiveGround


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[LiveGround]:
    ground = LiveGround(tmp_path / "data")
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
    gevent.joinall(viewers, timeout=30, raise_error=True)
    assert all(viewer.ready() for viewer in viewers)
    pouring = False
    writer.join()
