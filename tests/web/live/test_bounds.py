"""What waits for viewers that do not read is bounded in bytes, and who reads gets every line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import gevent
import pytest

from cloudbang.accounts import Caller
from tests.support import wait_until
from tests.web.live.live_support import LiveGround, NarrowPage

SIZE = 1_000_000
LINES = 60
PAGE = 2 * SIZE  # of a line of 1 MB, its frame and what is being made of it


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveGround]:
    ground = LiveGround(tmp_path_factory.mktemp("bounds") / "data")
    for _ in range(LINES):
        ground.log("big", 1, publish=False, size=SIZE)
    yield ground
    ground.close()


@pytest.fixture(autouse=True)
def _nothing_left(ground: LiveGround) -> Iterator[None]:
    yield
    ground.caller = Caller("s1", 1, "ann", {"default": "viewer"}, b"")
    wait_until(lambda: ground.budget.held == 0)


def seqs_of(page: NarrowPage) -> Iterator[int]:
    while True:
        heard = page.hear()
        assert heard["op"] == "lines", heard
        yield from (line[0] for line in heard["lines"])


@pytest.mark.parametrize("filters", [{}, {"stream": "stdout"}])
def test_viewers_that_do_not_read_share_what_one_account_may_hold(
    ground: LiveGround, filters: dict[str, str]
) -> None:
    """Twenty sockets subscribe to 60 MB each and do not read: together they hold no more than one
    account may. One that then reads gets every line, in order."""
    with ExitStack() as stack:
        pages = [stack.enter_context(NarrowPage(ground.server.port)) for _ in range(20)]
        for page in pages:
            page.subscribe("log/big", tail=5000, **filters)
        wait_until(lambda: ground.budget.held > ground.budget.each - 2 * PAGE)
        for _ in range(20):
            gevent.sleep(0.01)
            assert ground.budget.held <= ground.budget.each + PAGE
        for page in pages[1:]:
            page.close()
        expected = [n for n in range(1, LINES + 1) if not filters or n % 3]
        came = seqs_of(pages[0])
        assert [next(came) for _ in expected] == expected


def test_another_account_waits_for_none_of_it(ground: LiveGround) -> None:
    """Beside an account that holds all it may, another one's page of the store comes at once."""
    with ExitStack() as stack:
        for _ in range(20):
            page = stack.enter_context(NarrowPage(ground.server.port))
            page.subscribe("log/big", tail=5000)
        wait_until(lambda: ground.budget.held > ground.budget.each - 2 * PAGE)
        ground.caller = Caller("s2", 2, "bob", {"default": "viewer"}, b"")
        other = stack.enter_context(NarrowPage(ground.server.port))
        other.subscribe("log/big", tail=3)
        came = seqs_of(other)
        assert [next(came) for _ in range(3)] == [LINES - 2, LINES - 1, LINES]


def test_a_filtered_tail_is_the_last_lines_that_pass_whatever_their_size(
    ground: LiveGround,
) -> None:
    """The tail counts lines that pass and is sent in pages, then the stream goes on."""
    with ground.client(max_size=None) as page:
        page.subscribe("log/big", tail=7, stream="stderr")
        passing = [n for n in range(1, LINES + 1) if n % 3 == 0]
        assert [line[0] for line in page.lines(7)] == passing[-7:]
        page.say("unsubscribe", "log/big")
        assert page.hear()["op"] == "unsubscribed"
        page.subscribe("log/big", tail=3, container="f" * 12)
        assert page.quiet(0.1)


def test_live_frames_that_queue_are_one_account_s(ground: LiveGround) -> None:
    """Queues of sockets that do not read hold a broadcast frame once, and are bounded together;
    beyond that a viewer loses its place, as one that is too slow alone does."""
    ground.log("flood", 1)
    with ExitStack() as stack:
        for _ in range(30):
            stack.enter_context(NarrowPage(ground.server.port)).subscribe("log/flood")
        wait_until(lambda: ground.publisher.wanted("log/flood/"))
        for _ in range(60):
            ground.log("flood", 1, size=200_000)
            gevent.sleep(0)
            assert ground.budget.held <= ground.budget.each + PAGE
        wait_until(lambda: ground.push.slow_viewers > 0)


def test_what_goes_to_them_together_is_bounded_as_well(ground: LiveGround) -> None:
    """The same of several apps: joined bytes are held once by an account, and count."""
    apps = ["flood-a", "flood-b", "flood-c"]
    for app in apps:
        ground.log(app, 1)
    with ExitStack() as stack:
        for number in range(30):
            page = stack.enter_context(NarrowPage(ground.server.port))
            if number % 2:
                page.say("batch", "")
            for app in apps:
                page.subscribe(f"log/{app}")
        wait_until(lambda: all(ground.publisher.wanted(f"log/{app}/") for app in apps))
        slow = ground.push.slow_viewers
        for _ in range(200):
            found = [(app, ground.records(app, 1, size=40_000)) for app in apps]
            for app, at, records in [(a, ground.store.append(a, r), r) for a, r in found]:
                ground.publish(app, at, records)
            gevent.sleep(0)
            assert ground.budget.held <= ground.budget.each + PAGE
        wait_until(lambda: ground.push.slow_viewers > slow)
