"""What happened is told as soon as it can be known to be an alert: counted in looks and in what is
waited for, never in what a machine takes."""

from __future__ import annotations

import gevent
import pytest

from cloudbang.domain.alerts.delivery import AFTER_FLOOD, AT_LATEST, QUIET, Grouping
from cloudbang.domain.alerts.occurrences import SETTLES
from cloudbang.monitoring.alerts import engine as engine_module
from cloudbang.monitoring.alerts.engine import LEAST
from tests.monitoring.alerts.ground import Ground, changes
from tests.monitoring.alerts.services import Service
from tests.support import wait_until


@pytest.fixture
def made(made: Ground, hook: Service) -> Ground:
    made.rules("An app died", "Out of memory")
    made.receiver(hook.address)
    return made


def waits(made: Ground, most: int = 40) -> float:
    """Looks as the engine does, until something is to be sent; the seconds that it waited for in all."""
    waited = 0.0
    for _ in range(most):
        made.engine.look()
        if made.store.pending():
            return waited
        wait = made.engine._until_next()
        made.clock.pass_(wait)
        waited += wait
    raise AssertionError("nothing is to be sent")


@pytest.mark.parametrize("kind", ["died", "oom"])
def test_what_comes_alone_waits_until_it_has_settled_and_for_nothing_else(
    made: Ground, kind: str
) -> None:
    made.world.has("web")
    made.look(5)
    made.dies("web") if kind == "died" else made.happens("web", "oom")
    assert waits(made) <= SETTLES + LEAST


def test_what_belongs_together_is_one_message(made: Ground, hook: Service) -> None:
    """The kernel kills the first process: the container dies a moment later."""
    made.world.has("web")
    made.happens("web", "oom")
    made.look()
    made.clock.pass_(0.3)
    made.dies("web", 137)
    waits(made)
    made.pump()
    made.look(20)
    made.pump()
    assert len(hook.asked) == 1
    assert len(changes(hook.asked)) == 2


def test_the_first_of_a_flood_is_told_and_the_others_are_one_message(
    made: Ground, hook: Service
) -> None:
    """Where nothing shows yet that more will come; what comes after that is grouped as ever."""
    made.dies("first")
    assert waits(made) <= SETTLES + LEAST
    made.pump()
    for n in range(100):
        made.dies(f"app{n}")
        made.look(0.05, 0.05)
    made.look(AT_LATEST)
    made.pump()
    assert [len(asked.json["incidents"]) for asked in hook.asked] == [1, 100]


def test_what_comes_while_something_else_settles_waits_for_it(made: Ground, hook: Service) -> None:
    made.dies("web")
    made.look(0.9, 0.1)
    made.dies("db")
    made.look(0.1, 0.1)
    assert not made.store.pending()
    waits(made)
    made.pump()
    assert sorted(changes(hook.asked)) == [("db", "began"), ("web", "began")]
    assert len(hook.asked) == 1


def test_an_app_that_ends_again_and_again_puts_off_nothing(made: Ground) -> None:
    """Each half second, for a minute: what happens meanwhile is no reason to wait for more."""
    for _ in range(4):
        made.dies("web")
        made.look()
        made.clock.pass_(SETTLES / 2)
    assert [one.what for one in made.store.open()] == ["died"]


def test_what_nobody_can_know_is_not_looked_at_all_the_time(made: Ground) -> None:
    """An engine that is away for an hour, right after something happened."""
    made.look()
    made.happens("web", "oom")
    made.look()
    made.world.engine_state = "connecting"
    made.clock.pass_(SETTLES)
    made.look()
    assert made.engine._until_next() == 1.0


def test_events_are_looked_at_as_they_come(made: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first at once; those that come right after it together."""
    looks = [0]
    look = made.engine.look

    def counting() -> None:
        looks[0] += 1
        look()

    monkeypatch.setattr(made.engine, "look", counting)
    monkeypatch.setattr(engine_module, "TOGETHER", 3600.0)
    made.engine._every = 3600.0
    made.engine.start()
    wait_until(lambda: looks[0] == 1)
    gevent.sleep(0.05)
    monkeypatch.setattr(engine_module, "TOGETHER", 0.0)
    made.engine._wake.set()
    wait_until(lambda: looks[0] == 2)
    monkeypatch.setattr(engine_module, "TOGETHER", 3600.0)
    made.engine._wake.set()
    gevent.sleep(0.1)
    assert looks[0] == 2


def test_grouping() -> None:
    """Alone: at once. Soon after it, or with others: when it is quiet; after a flood later."""
    one = Grouping()
    assert one.due() is None
    one.add(0.0, alone=True)
    assert one.due() == 0.0
    one.told(0.0, 1)
    one.add(1.0, alone=True)
    assert one.due() == 1.0 + QUIET
    one.add(2.0)
    assert one.due() == 2.0 + QUIET
    one.told(4.0, 2)
    one.add(4.0 + AT_LATEST, alone=True)
    assert one.due() == 4.0 + AT_LATEST
    one.add(4.1 + AT_LATEST, alone=True)  # nobody was told yet: it is not alone any more
    assert one.due() == 4.1 + AT_LATEST + QUIET
    one.told(20.0, 50)
    one.add(21.0, alone=True)
    assert one.due() == 20.0 + AFTER_FLOOD
