"""A place where one greenlet waits: no call is lost, none wakes who has gone."""

from __future__ import annotations

import os
from collections.abc import Iterator

import gevent
import pytest

from cloudbang.core.parking import Parking
from tests.support import patient, wait_until


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


def woken(parking: Parking, times: list[int]) -> None:
    while True:
        parking.wait()
        times.append(1)


def test_a_call_before_the_wait_is_not_lost_and_several_count_as_one() -> None:
    parking = Parking()
    parking.call()
    parking.call()
    with gevent.Timeout(patient(1)):
        parking.wait()
    with gevent.Timeout(0.02, False):
        parking.wait()
        pytest.fail("it was called once too often")


def test_a_call_wakes_who_waits() -> None:
    parking, times = Parking(), [0]
    waits = gevent.spawn(woken, parking, times)
    for n in range(1, 4):
        parking.call()
        wait_until(lambda n=n: len(times) == 1 + n)
    waits.kill()


def test_who_has_gone_is_not_woken() -> None:
    """Ended, or given up, between the call and the turn of the loop in which it counts."""
    parking, times = Parking(), [0]
    waits = gevent.spawn(woken, parking, times)
    gevent.sleep(0)
    gevent.get_hub().loop.run_callback(waits.throw, gevent.GreenletExit)
    parking.call()  # counts after that
    gevent.sleep(0.01)
    assert times == [0]
    assert waits.dead
    # The call is kept for who comes next: it cannot know that the other never saw it.
    with gevent.Timeout(patient(1)):
        parking.wait()


def test_a_wait_is_cut_short_by_a_timeout() -> None:
    parking = Parking()
    with pytest.raises(gevent.Timeout), gevent.Timeout(0.01):
        parking.wait()
    parking.call()
    gevent.sleep(0.01)  # nobody is switched to who waits for something else by now


def test_what_can_be_read_wakes_as_well(pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    parking, times = Parking(readable=reading), [0]
    waits = gevent.spawn(woken, parking, times)
    gevent.sleep(0.01)
    assert times == [0]
    os.write(writing, b"x")
    wait_until(lambda: len(times) > 3)  # for as long as it can be read
    os.read(reading, 1)
    gevent.sleep(0.01)
    before = len(times)
    gevent.sleep(0.01)  # nothing calls any more
    assert len(times) == before
    parking.call()
    wait_until(lambda: len(times) == before + 1)
    waits.kill()
    parking.close()


def test_both_at_once_wake_once_each_at_most(pipe: tuple[int, int]) -> None:
    """The descriptor and a call in the same turn: who goes on to wait elsewhere is left alone."""
    reading, writing = pipe
    parking, elsewhere, times = Parking(readable=reading), Parking(), [0]

    def wait_here_then_there() -> None:
        parking.wait()
        times.append(1)
        elsewhere.wait()
        times.append(2)

    waits = gevent.spawn(wait_here_then_there)
    gevent.sleep(0.01)
    os.write(writing, b"x")
    parking.call()
    wait_until(lambda: times == [0, 1])
    gevent.sleep(0.01)  # neither of the two calls again
    assert times == [0, 1]
    elsewhere.call()
    waits.join(patient(1))
    assert times == [0, 1, 2]
    parking.close()


def test_who_waits_when_it_is_closed_goes_on(pipe: tuple[int, int]) -> None:
    """It finds out by itself that there is nothing any more."""
    parking = Parking(readable=pipe[0])
    waits = gevent.spawn(parking.wait)
    gevent.sleep(0.01)
    parking.close()
    waits.join(patient(1))
    assert waits.dead
