"""What is still so is told again, to who knows of it; what flaps is told as that, and no more."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from cloudbang.domain.alerts.rules import DEFAULTS, REMIND, EventCondition, Rule
from tests.monitoring.alerts.ground import Ground, around, changes
from tests.monitoring.alerts.services import Service, answer

HOUR = 3600.0


@pytest.fixture
def made(made: Ground, hook: Service) -> Ground:
    made.rules("An app died")
    made.receiver(hook.address)
    return made


def passes(made: Ground, seconds: float) -> None:
    """Looked at and sent now and then, for so long."""
    for _ in range(int(seconds / 60)):
        made.clock.pass_(60)
        made.engine.look()
        made.pump()


def down(made: Ground, *apps: str) -> None:
    for app in apps:
        made.dies(app)
    made.look(12)
    made.pump()


def test_what_is_harm_is_told_again_each_four_hours_until_it_is_over(
    made: Ground, hook: Service
) -> None:
    """Also over a restart in between: neither at once after it, nor four hours after it."""
    down(made, "web")
    passes(made, REMIND - HOUR)
    made.restart()
    assert changes(hook.asked) == [("web", "began")]
    passes(made, HOUR + 120)
    assert changes(hook.asked) == [("web", "began"), ("web", "reminder")]
    assert hook.asked[1].json["title"] == "Still: web: An app died"
    (told,) = hook.asked[1].json["incidents"]
    assert told["text"] == "web died, exit code 1; after 4 h it still is so"
    assert made.store.open()[0].reminded
    passes(made, REMIND)
    made.world.has("web")
    made.look(75)
    passes(made, 2 * REMIND)
    assert [change for _, change in changes(hook.asked)] == [
        *("began", "reminder", "reminder", "ended")
    ]


def test_what_is_on_together_is_one_reminder(made: Ground, hook: Service) -> None:
    """Also what began an hour later: it comes along."""
    down(made, *(f"app{n}" for n in range(30)))
    passes(made, HOUR / 2)
    down(made, "late")
    passes(made, 2 * REMIND - HOUR)
    told = [one.json for one in hook.asked]
    assert [len(one["incidents"]) for one in told] == [30, 1, 31]
    assert told[2]["title"] == "31 alerts are still on: app0, app1, app2 …"


@pytest.mark.parametrize(
    ("remind", "told"), [(0.0, []), (HOUR, ["reminder"] * 3)], ids=["never", "each hour"]
)
def test_a_rule_says_how_often(made: Ground, hook: Service, remind: float, told: list[str]) -> None:
    made.settings.save_rule(replace(made.settings.rules()[0], remind=remind))
    made.engine.reload()
    down(made, "web")
    passes(made, 3 * HOUR + 300)
    assert [change for _, change in changes(hook.asked)] == ["began", *told]


def test_of_what_is_usual_only_lasting_harm_is_told_again() -> None:
    assert {rule.name for rule in DEFAULTS if not rule.remind} == {
        *("A deployment failed", "A certificate ends")
    }


def test_who_looks_at_it_is_not_reminded(made: Ground, hook: Service) -> None:
    down(made, "web")
    made.store.acknowledge(made.store.open()[0].id, "ada", "2026-07-01T12:00:00Z")
    passes(made, 2 * REMIND)
    assert changes(hook.asked) == [("web", "began")]


def test_nobody_is_reminded_of_what_nobody_knows(made: Ground, hook: Service) -> None:
    """The engine is away, or the app has just come back; then it is told again once it is known."""
    down(made, "web")
    made.world.engine_state = "connecting"
    passes(made, REMIND + HOUR)
    assert changes(hook.asked) == [("web", "began")]
    made.world.engine_state = "connected"
    passes(made, 300)
    assert changes(hook.asked) == [("web", "began"), ("web", "reminder")]


def test_a_clock_that_jumps_reminds_nobody(made: Ground, hook: Service) -> None:
    down(made, "web")
    for by in (26 * HOUR, -50 * HOUR):
        made.clock.set_by += by
        passes(made, 600)
    assert changes(hook.asked) == [("web", "began")]


def test_a_channel_that_is_away_is_not_filled_with_reminders(made: Ground, hook: Service) -> None:
    """Who has not even taken that it began is not reminded of it."""
    hook.answers = lambda asked: answer(503)
    down(made, "web")
    for _ in range(12):
        passes(made, HOUR)
    assert made.states() == ["pending"]
    hook.asked.clear()
    hook.answers = lambda asked: answer(200)
    passes(made, HOUR)
    assert changes(hook.asked) == [("web", "began")]


def test_a_reminder_wakes_nobody_and_is_dropped_when_it_is_over(
    made: Ground, hook: Service
) -> None:
    """In quiet hours it waits, however critical; what was over by their end is told as over alone."""
    down(made, "web", "db")
    passes(made, REMIND - 1800)
    one = made.settings.receivers()[0]
    quiet = replace(one, options=replace(one.options, quiet=around(made, 30, 90)))
    made.settings.save_receiver(quiet)
    passes(made, HOUR)
    assert len(hook.asked) == 1
    (waits,) = made.store.pending()
    assert (waits.why, len(waits.items)) == ("quiet hours", 2)
    made.world.has("web")
    made.look(75)
    passes(made, HOUR)
    assert sorted(changes(hook.asked)[2:]) == [("db", "reminder"), ("web", "ended")]


def test_thirty_changes_are_no_thirty_messages(made: Ground, hook: Service) -> None:
    """Two ends and two beginnings, then that it flaps; and once it is steady, how it is."""
    made.settings.save_rule(replace(made.settings.rules()[0], clear=5))
    made.engine.reload()
    for _ in range(15):
        down(made, "web")
        made.world.has("web")
        made.look(12)
        made.pump()
    assert Counter(change for _, change in changes(hook.asked)) == Counter(
        began=2, ended=2, flapping=1
    )
    assert hook.asked[-1].json["title"] == "Unsteady: web: An app died"
    made.look(700, 5)
    made.pump()
    assert [change for _, change in changes(hook.asked)][-2:] == ["flapping", "ended"]


def test_what_flaps_for_hours_is_told_again_as_that(made: Ground, hook: Service) -> None:
    """By a rule with a number, which nobody has to end: every four hours, and not in between."""
    values = iter([0.95, 0.1] * 100_000)

    class Numbers:
        def look(self, rules):
            from cloudbang.domain.alerts.machine import verdict_of
            from cloudbang.monitoring.alerts.about import Found

            return [
                Found(rule, "web", "", verdict_of(next(values), 0.9, 0.5), {})
                for rule in rules
                if rule.name == "Memory"
            ]

    made.world.has("web")
    made.measured.append(Numbers())
    rule = Rule(0, "", "", "Memory", EventCondition("disk", 0.9, 0.5), clear=0, remind=REMIND)
    made.settings.add_rule(rule)
    made.engine.reload()
    passes(made, REMIND + 600)
    told = Counter(change for _, change in changes(hook.asked))
    assert (told["flapping"], told["reminder"]) == (1, 1)
    assert "begins and ends again and again" in hook.asked[-1].json["text"]
