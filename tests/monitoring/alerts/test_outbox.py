"""Messages reach who is to be told, whatever stands in the way: nothing is lost, and nothing comes
twice under two names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import gevent
import pytest

from cloudbang.domain.alerts.delivery import GIVE_UP
from cloudbang.monitoring.alerts import senders
from cloudbang.monitoring.alerts.outbox import UNDELIVERED
from cloudbang.monitoring.alerts.senders import Outcome
from tests.monitoring.alerts.ground import Ground, around, changes, ground
from tests.monitoring.alerts.services import Service, answer, service


@pytest.fixture
def made(made: Ground, hook: Service) -> Ground:
    made.rules("An app died")
    made.receiver(hook.address)
    return made


def die(made: Ground, *apps: str, seconds: float = 12) -> None:
    for app in apps:
        made.dies(app)
    made.look(seconds)


def well(made: Ground, *apps: str) -> None:
    for app in apps:
        made.world.has(app)
    made.look(75)


def test_a_death_is_told_and_so_is_that_it_runs_again(made: Ground, hook: Service) -> None:
    die(made, "web", seconds=4)
    made.pump()
    assert changes(hook.asked) == [("web", "began")]
    well(made, "web")
    made.pump()
    assert changes(hook.asked) == [("web", "began"), ("web", "ended")]
    assert made.states() == ["sent", "sent"]
    assert hook.asked[0].json["incidents"][0]["text"] == "web died, exit code 1"


def test_two_hundred_apps_together_are_one_message(made: Ground, hook: Service) -> None:
    """That names them; within ten seconds, and their return is one, too."""
    apps = [f"app{n}" for n in range(200)]
    began = made.clock.passed
    for app in apps:
        made.dies(app)
        if int(app[3:]) % 40 == 0:
            made.look(0.2, 0.2)
    while not hook.asked:
        made.look(0.5, 0.5)
        made.pump()
    assert made.clock.passed - began <= 10
    made.look(30)
    made.pump()
    assert len(hook.asked) == 1
    assert Counter(changes(hook.asked)) == Counter((app, "began") for app in apps)
    assert "and 170 more" in hook.asked[0].json["text"]
    well(made, *apps)
    made.pump()
    assert len(hook.asked) == 2


def test_an_hour_without_the_channel_and_a_restart(made: Ground, hook: Service) -> None:
    """Of ten alerts that begin and end meanwhile nothing is lost and nothing is told twice."""
    hook.answers = lambda asked: answer(503)
    for n in range(10):
        die(made, f"app{n}")
        made.pump(120, 10)
        if n % 2:
            well(made, f"app{n}")
        if n == 5:
            made.restart()
        made.pump(210, 10)
    assert made.clock.passed > 3600
    assert not [one for one in made.states() if one == "sent"]
    hook.asked.clear()
    hook.answers = lambda asked: answer(200)
    made.pump(1800, 30)
    assert Counter(changes(hook.asked)) == Counter(
        [(f"app{n}", "began") for n in range(10)] + [(f"app{n}", "ended") for n in range(1, 10, 2)]
    )
    order = changes(hook.asked)
    for n in range(1, 10, 2):
        assert order.index((f"app{n}", "began")) < order.index((f"app{n}", "ended"))


def test_one_that_does_not_take_it_is_said_until_it_does(made: Ground, hook: Service) -> None:
    """On the pages of its team, without its address."""
    hook.answers = lambda asked: answer(500, b"no room")
    die(made, "web")
    made.pump(60, 5)
    notice = next(one for one in made.notices.now() if one.code == UNDELIVERED)
    assert notice.team == "default"
    assert "no room" in notice.message
    assert "token-of-it" not in notice.message
    hook.answers = lambda asked: answer(200)
    made.pump(1000, 50)
    assert not made.notices.now()
    assert made.states() == ["sent"]


def test_it_is_told_another_way_after_three_failures(made: Ground, hook: Service) -> None:
    """Under the same name; and the end to both."""
    with service() as other:
        second = made.receiver(other.address, "second", everything=False)
        first = made.settings.receivers()[0]
        options = replace(first.options, second=second.id)
        made.settings.save_receiver(replace(first, options=options))
        hook.answers = lambda asked: answer(500)
        die(made, "web")
        made.pump(60, 5)
        assert len(hook.asked) >= 3
        assert changes(other.asked) == [("web", "began")]
        assert other.asked[0].json["id"] == hook.asked[0].json["id"]
        hook.answers = lambda asked: answer(200)
        well(made, "web")
        made.pump(1000, 50)
        assert changes(hook.asked) == changes(other.asked) == [("web", "began"), ("web", "ended")]


def test_what_a_service_asks_to_wait_is_waited(made: Ground, hook: Service) -> None:
    hook.answers = lambda asked: answer(429, Retry_After="300")
    die(made, "web")
    made.pump()
    made.pump(290, 10)
    assert len(hook.asked) == 1
    made.pump(20, 10)
    assert len(hook.asked) == 2


def test_one_that_is_refused_stands_in_the_way_of_no_other(made: Ground, hook: Service) -> None:
    hook.answers = lambda asked: answer(413 if b'"web"' in asked.body else 200)
    die(made, "web")
    made.pump()
    die(made, "db")
    made.pump(30, 5)
    assert ("db", "began") in changes(hook.asked)
    assert sorted(made.states()) == ["pending", "sent"]


def test_the_end_is_not_told_before_the_beginning(made: Ground, hook: Service) -> None:
    hook.answers = lambda asked: answer(413 if b'"began"' in asked.body else 200)
    die(made, "web")
    made.pump()
    well(made, "web")
    made.pump(30, 5)
    assert set(changes(hook.asked)) == {("web", "began")}


def test_it_is_given_up_after_a_day_and_then_its_end_is_not_told(
    made: Ground, hook: Service
) -> None:
    hook.answers = lambda asked: answer(500)
    die(made, "web")
    made.pump(GIVE_UP + 1000, 400)
    assert made.states() == ["failed"]
    hook.answers = lambda asked: answer(200)
    tried = len(hook.asked)
    well(made, "web")
    made.pump(2000, 100)
    assert len(hook.asked) == tried


def test_a_clock_that_jumps_gives_nothing_up_and_puts_nothing_off(
    made: Ground, hook: Service
) -> None:
    hook.answers = lambda asked: answer(500)
    die(made, "web")
    made.pump(30, 5)
    for by in (26 * 3600.0, -50 * 3600.0):
        made.clock.set_by += by
        made.pump(60, 5)
        assert made.states() == ["pending"]
    hook.answers = lambda asked: answer(200)
    made.pump(600, 10)
    assert made.states() == ["sent"]


def test_more_than_the_cap_becomes_a_digest(made: Ground, hook: Service) -> None:
    """Six in ten minutes, then one with all the rest."""
    for n in range(20):
        die(made, f"app{n}", seconds=10)
        made.pump()
    assert len(hook.asked) == 6
    made.pump(600, 20)
    assert len(hook.asked) == 7
    assert hook.asked[-1].json["kind"] == "digest"
    assert Counter(changes(hook.asked)) == Counter((f"app{n}", "began") for n in range(20))
    assert Counter(made.states())["merged"] == 14


def test_quiet_hours_hold_back_what_is_no_harm(made: Ground, hook: Service) -> None:
    """Until they are over; what is critical comes all the same."""
    rule = made.settings.rules()[0]
    made.settings.save_rule(replace(rule, severity="warning"))
    critical = made.settings.add_rule(replace(rule, id=0, app="db", name="The database"))
    assert critical.severity == "critical"
    made.engine.reload()
    one = made.settings.receivers()[0]
    made.settings.save_receiver(replace(one, options=replace(one.options, quiet=around(made))))
    die(made, "web")
    made.pump(120, 20)
    assert not hook.asked
    held = made.store.pending()[0]
    assert (held.state, held.why) == ("pending", "quiet hours")
    die(made, "db")
    made.pump(20, 5)
    assert ("db", "began") in changes(hook.asked)
    made.pump(3600, 120)
    assert ("web", "began") in changes(hook.asked)


def test_what_somebody_looks_at_is_told_no_more(made: Ground, hook: Service) -> None:
    hook.answers = lambda asked: answer(200)
    one = made.settings.receivers()[0]
    made.settings.save_receiver(
        replace(one, options=replace(one.options, quiet=around(made), quiet_all=True))
    )
    die(made, "web")
    made.pump()
    made.store.acknowledge(made.store.open()[0].id, "ada", "2026-07-01T12:00:00Z")
    well(made, "web")
    made.pump(7200, 100)
    assert not hook.asked
    assert [(one.state, one.why) for one in made.store.history({"default"})] == [
        ("held", "somebody looks at it")
    ]


def test_another_team_is_told_nothing(made: Ground, hook: Service) -> None:
    """Also where a rule of all apps names its receiver."""
    with service() as blue:
        theirs = made.receiver(blue.address, "blue's", team="blue")
        rule = made.settings.rules()[0]
        made.world.has("secret-app", team="blue")
        die(made, "secret-app", "web")
        made.pump()
        assert changes(hook.asked) == [("web", "began")]
        assert changes(blue.asked) == [("secret-app", "began")]
        made.settings.save_rule(replace(rule, receivers=(theirs.id,)))
        made.engine.reload()
        die(made, "db")
        made.pump(60, 10)
        assert ("db", "began") not in changes(blue.asked)


def test_who_is_named_and_deleted_leaves_no_rule_unheard(made: Ground, hook: Service) -> None:
    """Of two that a rule names the other is told; without both, who takes everything is, as the page of
    the rule says. One that is off is named all the same."""
    every = made.settings.receivers()[0]
    one, two = (made.receiver(hook.address, everything=False) for _ in range(2))
    for rule in made.settings.rules():
        made.settings.save_rule(replace(rule, receivers=(one.id, two.id)))
    made.engine.reload()

    def told(app: str) -> list[int]:
        die(made, app)
        found = made.store.history({"default"})
        return sorted(m.receiver for m in found if any(item.app == app for item in m.items))

    assert told("a") == [one.id, two.id]
    made.settings.delete_receiver(two.id)
    assert told("b") == [one.id]
    made.settings.save_receiver(replace(one, enabled=False))
    assert told("c") == []
    made.settings.delete_receiver(one.id)
    assert told("d") == [every.id]


def test_a_test_says_what_came_of_it(made: Ground, hook: Service) -> None:
    """At once and once; it is in the history as what it is."""
    one = made.settings.receivers()[0]
    assert made.outbox.test(one).accepted
    hook.answers = lambda asked: answer(200, {"errcode": 310000, "errmsg": "keywords"})
    assert made.outbox.test(one) == Outcome(False, "310000", "keywords", None, True)
    assert [(one.kind, one.state) for one in made.store.history({"default"})] == [
        *(("test", "failed"), ("test", "sent"))
    ]
    made.pump(600, 60)
    assert len(hook.asked) == 2


class Killed(BaseException):
    """The process ends here."""


class Mortal:
    """Ends the process at the n-th time that something is written or sent: before it, or after."""

    def __init__(self, n: int, after: bool) -> None:
        self.left, self.after, self.dead = n, after, False

    def around(self, work: Callable[..., Any]) -> Callable[..., Any]:
        def mortal(*arguments: Any, **more: Any) -> Any:
            if self.dead:
                raise gevent.GreenletExit
            self.left -= 1
            if self.left == 0 and not self.after:
                self.die()
            done = work(*arguments, **more)
            if self.left == 0:
                self.die()
            return done

        return mortal

    def die(self) -> None:
        self.dead = True
        raise Killed


def one_life(made: Ground, mortal: Mortal) -> bool:
    """Whether it lived to the end of what there is to do."""
    write, send = made.database.write, senders.send
    made.database.write = mortal.around(write)  # type: ignore[method-assign]
    made.restart_with(mortal.around(send))
    try:
        made.look(9)
        made.pump()
    except Killed:
        pass
    finally:
        made.database.write = write  # type: ignore[method-assign]
    return not mortal.dead


@pytest.mark.slow("it ends at each of some twenty points, each over a database of its own")
@pytest.mark.parametrize("after", [False, True])
def test_killed_at_any_point(tmp_path: Path, hook: Service, after: bool) -> None:
    """Before or after each write and each sending: all is told, and what came twice has one name."""
    for n in range(1, 100):
        hook.asked.clear()
        with ground(tmp_path / str(n)) as one:
            one.rules("An app died")
            one.receiver(hook.address)
            one.world.has("web")
            one.look(2)
            one.dies("web")
            lived = one_life(one, Mortal(n, after))
            one.restart_with(senders.send)
            one.look(12, 3)
            one.pump(30, 10)
            one.world.has("web")
            one.look(80, 10)
            one.pump(30, 10)
            assert changes(hook.asked) == [("web", "began"), ("web", "ended")], n
            assert not [state for state in one.states() if state == "pending"]
        if lived:
            break
    assert n > 5
