"""The state machine of one rule: what it says, whatever it is told, and in whatever order."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from cloudbang.domain.alerts.machine import (
    FLAP_WITHIN,
    FLAPS,
    STEADY,
    Change,
    Machine,
    Verdict,
    verdict_of,
)

VERDICTS: tuple[Verdict, ...] = ("over", "between", "under", "unknown")


def told(machine: Machine, steps: Sequence[tuple[float, Verdict]]) -> list[tuple[float, Change]]:
    """What is said, and when; each step is seconds after the one before."""
    now, said = 0.0, []
    for passed, verdict in steps:
        now += passed
        if change := machine.step(now, verdict):
            said.append((now, change))
    return said


def test_it_begins_after_so_long_and_is_over_after_so_long() -> None:
    """Different thresholds: between them nothing begins and nothing ends."""
    steps = [(1.0, "over")] * 61 + [(1.0, "between")] * 100 + [(1.0, "under")] * 40
    machine = Machine(60, 30)
    assert told(machine, steps) == [(61.0, "began"), (192.0, "ended")]


def test_what_is_over_for_too_short_is_nothing() -> None:
    steps = ([(1.0, "over")] * 59 + [(1.0, "between")]) * 5
    assert told(Machine(60, 30), steps) == []


def test_what_nobody_knows_neither_begins_nor_ends_anything_nor_takes_time() -> None:
    """A store that is locked, an engine that is away: for an hour."""
    machine = Machine(60, 60)
    assert told(machine, [(1.0, "over"), (3600.0, "unknown"), (1.0, "over")]) == []
    assert machine.state == "pending"
    machine = Machine.firing(60, 60)
    assert told(machine, [(1.0, "under"), (3600.0, "unknown"), (1.0, "under")]) == []
    assert machine.state == "firing"


def test_a_starved_process_has_not_looked() -> None:
    """Of a minute without a turn as much counts as passes between two looks."""
    machine = Machine(60, 60)
    machine.step(0, "over", 10)
    assert machine.step(61, "over", 10) is None
    assert machine.step(62, "over", 10) is None


def test_what_flaps_is_said_once_and_then_when_it_is_steady() -> None:
    steps: list[tuple[float, Verdict]] = []
    for n in range(40):
        steps += [(5.0, "over" if n % 2 == 0 else "under")]
    quiet = [(10.0, "under")] * 70
    said = told(Machine(0, 0), steps + quiet)
    assert [change for _, change in said[: FLAPS + 1]] == [
        *("began", "ended", "began", "ended"),
        "flapping",
    ]
    assert [change for _, change in said[FLAPS + 1 :]] == ["ended"]
    assert said[-1][0] >= 200 + STEADY - 10


def test_what_flaps_and_stays_on_is_said_to_be_on() -> None:
    steps: list[tuple[float, Verdict]] = [(5.0, ("over", "under")[n % 2]) for n in range(9)]
    said = told(Machine(0, 0), [*steps, *[(10.0, "over")] * 70])
    assert [change for _, change in said][-2:] == ["flapping", "began"]


def test_thresholds_and_what_is_no_number() -> None:
    assert verdict_of(None, 1, 0) == verdict_of(float("nan"), 1, 0) == "unknown"
    assert [verdict_of(v, 0.9, 0.8) for v in (0.9, 0.85, 0.8)] == ["over", "between", "under"]
    below = [verdict_of(v, 14, 15, below=True) for v in (13.9, 14.5, 15.0)]
    assert below == ["over", "between", "under"]


STEPS = st.lists(
    st.tuples(st.floats(0.1, 400), st.sampled_from(VERDICTS)), min_size=1, max_size=120
)


class Model:
    """The same, said as plainly as it can be: by looking at the whole past at each step."""

    def __init__(self, wait: float, clear: float) -> None:
        self.wait, self.clear = wait, clear
        self.past: list[tuple[float, Verdict]] = []
        self.on, self.since = False, 0

    def step(self, passed: float, verdict: Verdict) -> bool:
        self.past.append((passed, verdict))
        wanted = "under" if self.on else "over"
        needed = self.clear if self.on else self.wait
        if verdict == "unknown":
            return False
        held, known, found = 0.0, False, False
        for before, one in self.past[self.since :]:
            if one == "unknown":
                known = False
            elif one == wanted:
                # Time counts from a look that knew it to be so to the next one that does.
                held = held + before if found and known else held
                found, known = True, True
            else:
                held, known, found = 0.0, True, False
        if verdict == wanted and held >= needed:
            self.on, self.since = not self.on, len(self.past)
            return True
        return False


@given(STEPS, st.sampled_from([0.0, 1.0, 60.0]), st.sampled_from([0.0, 1.0, 60.0]))
def test_it_does_what_the_model_does(steps, wait, clear) -> None:
    """State for state; what is said alternates, and is never more than the flapping allows."""
    machine, model = Machine(wait, clear), Model(wait, clear)
    now, said = 0.0, []
    for passed, verdict in steps:
        now += passed
        before = machine.state == "firing"
        if change := machine.step(now, verdict):
            said.append((now, change))
        changed = (machine.state == "firing") != before
        assert changed == model.step(passed, verdict)
        assert (machine.state == "firing") == model.on
    for (_, one), (_, other) in pairwise(said):
        assert one != other or "flapping" in (one, other)
    for at, change in said:
        if change == "flapping":
            near = [when for when, _ in said if at - FLAP_WITHIN < when <= at]
            assert len(near) <= FLAPS + 1


@given(STEPS)
def test_an_end_is_said_only_of_what_was_said_to_have_begun(steps) -> None:
    machine, on = Machine(10, 10), False
    now = 0.0
    for passed, verdict in steps:
        now += passed
        change = machine.step(now, verdict)
        if change == "ended":
            assert on
        on = on if change is None else change != "ended"
        assert machine.told == on
