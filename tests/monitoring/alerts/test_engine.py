"""What becomes an alert, what does not, and when it is over."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from cloudbang.domain.alerts.rules import EventCondition, MetricCondition, Rule
from cloudbang.domain.events import Event
from cloudbang.domain.lines import format_time
from cloudbang.errors import StorageFailed
from cloudbang.monitoring.alerts.measured import MetricRules
from cloudbang.storage import sqlite
from tests.monitoring.alerts.ground import Ground, ground
from tests.monitoring.alerts.test_measured import Numbers


@pytest.fixture
def made(made: Ground) -> Ground:
    made.rules()
    return made


def found(made: Ground, state: str = "") -> list[tuple[str, str]]:
    """Occurrence and state, the oldest first."""
    return [(one.what, one.state) for one in made.store.find({"default"}, state=state)][::-1]


def test_an_app_that_died_is_an_alert_until_it_runs_again(made: Ground) -> None:
    """Within two seconds; also one that was restarted at once is one, and over after a minute."""
    made.world.has("web")
    made.look()
    made.dies("web", 137)
    made.look(2)
    assert found(made) == [("died", "firing")]
    made.world.has("web")
    made.look(59)
    assert found(made) == [("died", "firing")]
    made.look(3)
    assert found(made) == [("died", "resolved")]


def test_one_that_is_restarted_at_once_is_told_all_the_same(made: Ground) -> None:
    made.dies("web")
    made.world.has("web")
    made.look(3)
    assert found(made) == [("died", "firing")]


@pytest.mark.parametrize("code", [0, 137, 143])
def test_an_end_that_was_asked_for_is_none(made: Ground, code: int) -> None:
    """Whoever has asked the engine for it, here or elsewhere."""
    made.dies("web", code, asked=True)
    made.look(120)
    assert found(made) == []


def test_a_kill_by_a_person_here_is_none(made: Ground) -> None:
    made.happens("web", "action", who="ada", what="kill")
    made.dies("web", 137)
    made.look(120)
    assert found(made) == []


def test_what_is_removed_at_once_is_none(made: Ground) -> None:
    """``docker rm -f`` kills first."""
    made.dies("web", 137)
    made.look(0.5, 0.5)
    del made.world.found["web"]
    made.look(60)
    assert found(made) == []


def test_a_job_that_has_done_its_work_is_none(made: Ground) -> None:
    made.dies("job", 0)
    made.look(60)
    assert found(made) == []


def test_stopping_what_is_down_ends_its_alert(made: Ground) -> None:
    made.dies("web")
    made.look(5)
    made.happens("web", "action", who="ada", what="stop")
    made.look(20)
    made.world.has("web", "exited", exit_code=0)
    made.look(70)
    assert found(made, "firing") == [("died", "firing")]  # nobody has made it run
    del made.world.found["web"]
    made.look(70)
    assert found(made, "firing") == []


def test_a_crash_loop_is_three_ends_in_ten_minutes(made: Ground) -> None:
    """Over when there was none for as long; what died is one alert all the while."""
    made.world.has("web")
    for _ in range(3):
        made.dies("web")
        made.world.has("web", unsteady=True)
        made.look(20)
    assert sorted(found(made)) == [("crash-loop", "firing"), ("died", "firing")]
    made.world.has("web")
    made.look(500, 5)
    assert ("crash-loop", "firing") in found(made)
    made.look(200, 5)
    assert found(made, "firing") == []
    assert len(found(made)) == 2


def test_unhealthy_for_a_minute(made: Ground) -> None:
    made.world.has("web", health="unhealthy")
    made.happens("web", "health", status="unhealthy")
    made.look(55)
    made.world.has("web", health="healthy")
    made.happens("web", "health", status="healthy")
    made.look(120)
    assert found(made) == []
    made.world.has("web", health="unhealthy")
    made.happens("web", "health", status="unhealthy")
    made.look(65)
    assert found(made) == [("unhealthy", "firing")]


def test_memory_that_ran_out(made: Ground) -> None:
    made.happens("web", "oom")
    made.world.has("web")
    made.look(3)
    assert found(made) == [("oom", "firing")]
    made.look(305)
    assert found(made) == [("oom", "resolved")]


def test_a_deployment_that_failed_until_one_serves(made: Ground) -> None:
    made.world.has("web")
    made.happens("web", "deployment", outcome="began", number=3)
    made.dies("web")  # of the release that is being deployed: the deployment tells
    made.look(3)
    assert found(made) == []
    made.happens("web", "deployment", outcome="failed", number=3, **{"class": "exited"})
    made.look(3)
    assert found(made) == [("deployment-failed", "firing")]
    made.look(600, 10)
    assert found(made, "firing") == [("deployment-failed", "firing")]
    made.clock.pass_(1)
    made.happens("web", "deployment", outcome="serving", number=4)
    made.look(3)
    assert found(made, "firing") == []


def test_what_ended_with_the_engine_is_none(made: Ground) -> None:
    """It goes away, all that ran ends; it comes back, and some of it is started again."""
    made.world.has("web")
    made.world.has("db")
    made.look(5)
    made.dies("web", 137)
    made.look(0.4, 0.4)
    made.world.engine_state = "connecting"
    made.look(30)
    made.world.engine_state = "connected"
    made.happens("db", "die", ago=28, exit_code=255, source="inspection")
    made.happens("db", "die", ago=27, exit_code=1, source="inspection")
    made.look(2)
    made.world.has("web")
    made.world.has("db")
    made.look(120)
    assert found(made) == []


def test_what_ended_with_the_engine_counts_for_nothing_after_a_restart_either(made: Ground) -> None:
    """It was restarted three times, and then CloudBang itself: one real end is no crash loop."""
    made.world.has("web")
    made.look(5)
    for _ in range(3):
        made.dies("web", 137)
        made.look(1)
        made.world.engine_state = "connecting"
        made.look(10)
        made.world.engine_state = "connected"
        made.world.has("web")
        made.look(20)
    made.restart()
    made.look(20)
    made.dies("web")
    made.look(5)
    assert found(made) == [("died", "firing")]


def test_a_clock_that_is_set_is_none(made: Ground) -> None:
    """Forth and back, with an alert and without: by an hour nothing begins and nothing ends."""
    made.world.has("web", health="unhealthy")
    made.world.has("db")
    made.happens("web", "health", status="unhealthy")
    made.look(30)
    for by in (3600.0, -3600.0, -3600.0):
        made.clock.set_by += by
        made.look(5)
    assert found(made) == []
    made.dies("db")
    made.look(3)
    for by in (3600.0, -7200.0):
        made.clock.set_by += by
        made.look(20)
    assert found(made, "firing")[0] == ("died", "firing")


def test_a_starved_process_is_none(made: Ground) -> None:
    """A minute without a turn: what was so before need not have been so all the while."""
    made.world.has("web", health="unhealthy")
    made.happens("web", "health", status="unhealthy")
    made.look(20)
    made.clock.pass_(60)
    made.look(20)
    assert found(made) == []


def test_a_locked_database_is_none_and_loses_none(
    made: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What happens meanwhile is an alert afterwards; what runs is none."""
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.05)
    made.database.close()
    made.database.open()
    made.world.has("web")
    made.world.has("db")
    made.dies("web")
    lock = sqlite3.connect(made.database.path, isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    for _ in range(4):
        made.clock.pass_(1)
        try:
            made.engine.look()
        except StorageFailed:
            failed = True
    assert failed
    lock.execute("ROLLBACK")
    lock.close()
    assert found(made) == []
    made.look(3)
    assert found(made) == [("died", "firing")]
    assert [one.app for one in made.store.open()] == ["web"]


def test_a_restart_goes_on(made: Ground) -> None:
    """What is on stays one alert, what ended meanwhile ends, what happened meanwhile begins."""
    for app in ("web", "db"):
        made.world.has(app)
        made.dies(app)
    made.look(5)
    assert len(made.store.open()) == 2
    made.restart()
    made.world.has("web")
    made.world.has("cache")
    made.dies("cache")
    made.look(70)
    assert sorted((o.app, o.state) for o in made.store.find({"default"})) == [
        *(("cache", "firing"), ("db", "firing"), ("web", "resolved"))
    ]


def test_what_happened_long_ago_and_is_well_is_none(made: Ground) -> None:
    """While nobody looked it died, and it came back."""
    for app, state in (("web", "running"), ("db", "exited")):
        made.happens(app, "die", ago=3000, exit_code=1)
        made.world.has(app, state, exit_code=1)
    made.look(5)
    assert [one.app for one in made.store.find({"default"})] == ["db"]


def test_a_first_start_looks_at_nothing_that_was_before(tmp_path: Path) -> None:
    with ground(tmp_path) as one:
        one.database.write(lambda c: c.exec_driver_sql("DELETE FROM settings").rowcount)
        one.rules()
        one.dies("web")
        one.restart()
        one.look(60)
        assert one.store.open() == []


def test_a_rule_that_is_deleted_has_no_alert(made: Ground) -> None:
    made.dies("web")
    made.look(5)
    for rule in made.settings.rules():
        made.settings.delete_rule(rule.id)
    made.engine.reload()
    made.look(2)
    assert found(made, "firing") == []


@pytest.mark.parametrize("restarts", [False, True])
def test_a_rule_that_looks_at_something_else_has_no_alert_of_before(
    made: Ground, restarts: bool
) -> None:
    """Nothing would ever say that it is over. One whose numbers alone are others has it still."""
    (rule,) = (one for one in made.settings.rules() if one.what == "died")
    made.dies("web")
    made.look(5)
    assert found(made, "firing")
    changes: list[tuple[EventCondition, int]] = [
        (EventCondition("died", within=100), 1),
        (EventCondition("certificate", 14, 15), 0),
    ]
    for condition, alerts in changes:
        made.settings.save_rule(replace(rule, condition=condition))
        if restarts:
            made.restart()
        else:
            made.engine.reload()
        made.look(2)
        assert len(made.store.open()) == alerts


def test_a_rule_that_is_changed_while_rules_are_read_is_read_again(
    made: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules, (rule, *_) = made.settings.rules, made.settings.rules()

    def changed_meanwhile() -> list[Rule]:
        monkeypatch.undo()
        before = rules()
        made.settings.save_rule(replace(rule, name="Another"))
        made.engine.reload()
        return before

    monkeypatch.setattr(made.settings, "rules", changed_meanwhile)
    made.engine.reload()
    made.look(2)
    assert "Another" in [one.name for one in made.engine.rules()]


def test_markers_of_the_app(made: Ground) -> None:
    """An alert is an event of its app, and begins none itself."""
    made.dies("web")
    made.look(3)
    told = [(one.app, one.kind, one.data["change"]) for one in made.marked]
    assert told == [("web", "alert", "began")]
    made.events.add(Event("web", format_time(made.clock.wall_ns()), "alert", "", {}))
    made.look(3)
    assert len(made.store.open()) == 1


def test_what_is_measured_no_more_is_over(made: Ground) -> None:
    """An app that is deleted, a domain that is: nobody would ever look at them again."""
    numbers = Numbers()
    numbers.values = {"memory": [95.0]}
    made.world.has("web")
    made.settings.add_rule(Rule(0, "", "", "Memory", MetricCondition("memory", 90, 80)))
    made.engine.reload()
    made.measured.append(MetricRules(numbers, made.world, lambda: list(made.world.found)))
    made.look(10)
    assert found(made) == [("metric", "firing")]
    numbers.values = {"memory": [None]}  # of one that is there, nobody knows
    made.look(1200, 5)
    assert found(made) == [("metric", "firing")]
    del made.world.found["web"]
    made.look(700, 5)
    assert found(made) == [("metric", "resolved")]
    assert made.store.find({"default"})[0].facts["gone"] is True
