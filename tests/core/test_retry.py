"""What fails is tried again, alone; said once when it begins and once when it ends."""

from __future__ import annotations

import gevent

from cloudbang.core.retry import Attempts, Retries
from tests.support import patient, wait_until


def test_trouble_is_said_when_it_begins_and_when_it_ends():
    """Not at each try in between; another reason is said, too. Afterwards waits are short again."""
    said: list[str] = []
    one = Attempts(1.0, 8.0, begins=said.append, ends=lambda: said.append("well"))
    one.went_well()
    waits = [one.failed("full") for _ in range(6)]
    assert said == ["full"]
    assert all(
        near * 0.8 <= wait <= near * 1.2 for near, wait in zip((1, 2, 4, 8, 8), waits, strict=False)
    )
    one.failed("gone")
    one.went_well()
    one.went_well()
    assert said == ["full", "gone", "well"]
    assert one.failed("again") <= 1.2


def test_a_wait_can_be_cut_short():
    """What was in the way is gone: nobody waits for the rest."""
    one = Attempts(1.0, 8.0, begins=lambda _: None, ends=lambda: None)
    waiting = gevent.spawn(one.wait, 3600)
    gevent.sleep(0)
    one.now()
    waiting.get(timeout=patient(1))


def test_what_comes_while_it_is_tried_cuts_the_next_wait_short():
    """The engine is back, or a reader is to begin anew, while the last try is about to fail."""
    one = Attempts(1.0, 8.0, begins=lambda _: None, ends=lambda: None)
    one.now()
    with gevent.Timeout(patient(5)):
        one.wait(3600)
    with gevent.Timeout(0.01, False):
        one.wait(3600)
        raise AssertionError("it is heard once")


def test_each_is_asked_again_by_itself():
    """One that is due in an hour keeps no other waiting, and what is gone is not asked for."""
    asked: list[str] = []
    said: list[tuple[str, ...]] = []
    times = iter([3600.0, 0.02, 0.02])
    retries = Retries(
        asked.append,
        1,
        1,
        begins=lambda *facts: said.append(facts),
        ends=lambda name: said.append((name,)),
    )
    loop = gevent.spawn(retries.loop)
    try:
        for name in ("long", "soon", "gone"):
            retries.failed(name, "no")
            retries._due[name] += next(times) - 1
            retries._earlier.set()
        retries.gone("gone")
        wait_until(lambda: asked)
        assert asked == ["soon"]
        retries.went_well("soon")
        assert said == [("long", "no"), ("soon", "no"), ("gone", "no"), ("soon",)]
        assert len(retries) == 1
    finally:
        loop.kill()
