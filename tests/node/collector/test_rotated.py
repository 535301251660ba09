"""Logs that are rotated while they are read, on an engine that says what a test writes down."""

from __future__ import annotations

import time

import pytest

from cloudbang.domain.lines import format_time
from cloudbang.node.collector.rotation import RotationWatch
from tests.node.collector.rig import Rig
from tests.node.collector.test_scripted import ID, ago
from tests.support import wait_until


@pytest.mark.slow("a steady writer is watched for as long as it takes to know its rate")
def test_a_steady_writer_is_not_taken_for_a_flood_when_its_log_is_read_again(rig, scripted):
    """Lines stored before do not count as written in the moment of the few new ones among them.

    They once did: each pause between two bursts looked like a lost file then, the log was read
    again for every burst, and the engine dropped files faster than they were read.
    """
    scripted.add(ID, "web", max_size="400k")
    began = time.time_ns() - 10 * 10**9

    def burst(n: int) -> None:
        """Twenty lines within 0.1 ms, 8 ms after the last twenty."""
        for i in range(20):
            at = began + n * 8_000_000 + i * 5_000
            scripted.logs[ID].append((format_time(at), f"line {n * 20 + i} {'x' * 60}"))
        scripted.changed.set()

    def readings() -> int:
        return sum("follow=1" in target for target in scripted.asked)

    for n in range(100):
        burst(n)
    one: Rig = rig(scripted.host)
    one.wait_for("web", 2000)
    scripted.again[ID] = 10  # the file is rotated: seen, and read again
    burst(100)
    wait_until(lambda: readings() > 1, what="the second reading")
    for n in range(101, 160):
        burst(n)
        one.wait_for("web", (n + 1) * 20)
    assert [int(text.split()[1]) for text in one.texts("web")] == list(range(3200))
    assert readings() <= 4


@pytest.mark.parametrize("dropped", [False, True], ids=["still there", "rotated away"])
@pytest.mark.parametrize("seen", [0, 1500], ids=["first thing of a flood", "in a flood"])
def test_what_a_followed_stream_jumps_over_every_time_is_fetched(rig, scripted, seen, dropped):
    """An engine that lost its way in files that are rotated may jump at the same place again, and
    as the first thing of a flood, when the step looks like any pause. What it has in its files is
    stored, late; what it has no more is a marker. Nothing is stored twice."""
    scripted.add(ID, "web", max_size="100k")
    began = time.time_ns() - 30 * 10**9
    lines = [(format_time(began), "before 0")]
    flood = began + 20 * 10**9
    lines += [(format_time(flood + n * 50_000), f"flood {n} {'x' * 60}") for n in range(4000)]
    at = 1 + seen
    scripted.logs[ID] = lines[:at]
    one: Rig = rig(scripted.host)
    one.wait_for("web", at)
    wanted = lines
    if dropped:
        gone = format_time(began - 10**9), "rotated away"
        wanted = [*lines[:at], *lines[at + 1000 :]]
        lines = [gone] * at + lines[at + 1000 :]
    else:
        scripted.jumps[ID] = range(at, at + 1000)
    if not seen:
        few = at + (5 if dropped else 1005)
        scripted.logs[ID][:] = lines[:few]
        scripted.changed.set()
        one.wait_for("web", at + 5)
    scripted.logs[ID][:] = lines
    scripted.changed.set()
    one.wait_for("web", len(wanted) + dropped)
    assert sorted(one.texts("web", b"stdout")) == sorted(text for _, text in wanted)
    assert [wanted[at - 1][0] in text for text in one.texts("web", b"marker")] == [True] * dropped
    one.close()
    two: Rig = rig(scripted.host)
    scripted.logs[ID].append((ago(0), "after 0"))
    scripted.changed.set()
    wait_until(lambda: "after 0" in two.texts("web"), what="what came after it")
    assert sorted(two.texts("web", b"stdout")) == sorted([*(text for _, text in wanted), "after 0"])
    # Of the pause before the flood the next process knows nothing, if the engine has it no more.
    later = two.texts("web", b"marker")[dropped:]
    assert all(text.startswith("whether lines between ") for text in later)
    assert len(later) <= dropped


@pytest.mark.parametrize("after", [0, 200], ids=["nothing yet", "more"])
def test_what_a_followed_stream_sends_again_every_time_is_stored_once(rig, scripted, after):
    """An engine that opens the file that it has just read, and does so when it is asked once more:
    the same step back in a second reading is no way in which the container writes."""
    scripted.add(ID, "web", max_size="50k")
    began = time.time_ns() - 30 * 10**9
    lines = [(format_time(began + n * 3_333_333), f"line {n} {'x' * 50}") for n in range(300)]
    burst = began + 2 * 10**9  # an engine that was kept from its work writes all at once
    lines += [(format_time(burst + n * 3_400), f"line {300 + n} {'x' * 50}") for n in range(700)]
    scripted.logs[ID] = lines[:300]
    one: Rig = rig(scripted.host)
    one.wait_for("web", 300)
    scripted.twice[ID] = range(450, 900)
    scripted.logs[ID][:] = lines
    scripted.changed.set()
    later = burst + 10**9
    lines += [(format_time(later + n * 3_333_333), f"later {n}") for n in range(after)]
    scripted.logs[ID][:] = lines
    scripted.changed.set()
    one.wait_for("web", len(lines))
    lines.append((ago(0), "the end"))
    scripted.logs[ID][:] = lines
    scripted.changed.set()
    wait_until(lambda: "the end" in one.texts("web"), what="the last line")
    assert sorted(one.texts("web")) == sorted(text for _, text in lines)


def steadily(began: int, first: int, count: int) -> list[tuple[str, str]]:
    """Twenty lines of some 110 bytes a second: some 2 KB, so that 100k last for 45 s."""
    return [
        (format_time(began + n * 50_000_000), f"line {n} {'x' * 50}")
        for n in range(first, first + count)
    ]


@pytest.mark.parametrize("seen", [180, 40], ids=["rate known", "hardly seen"])
@pytest.mark.parametrize("answers", [True, False], ids=["answers", "does not answer once"])
@pytest.mark.parametrize("dropped", [False, True], ids=["still there", "rotated away"])
def test_what_is_jumped_over_in_the_log_of_a_slow_writer_is_fetched(
    rig, scripted, dropped, answers, seen
):
    """An engine that is kept from its work for a minute jumps over a file of that minute, and
    nothing that came in a second was ever enough to fill one."""
    scripted.add(ID, "web", max_size="100k")
    lines = steadily(time.time_ns() - 200 * 10**9, 0, 1600)
    scripted.logs[ID] = lines[:seen]
    one: Rig = rig(scripted.host)
    one.wait_for("web", seen)
    wanted = lines
    if dropped:
        wanted = lines[:seen] + lines[1580:]
        gone = format_time(time.time_ns() - 300 * 10**9), "rotated away"
        lines = [gone] * seen + lines[1580:]
    else:
        scripted.jumps[ID] = range(seen, 1580)
    scripted.unfound["logs", ID] = (
        0 if answers else 1
    )  # it is followed already: who asks is refused
    scripted.logs[ID][:] = lines
    scripted.changed.set()
    if not answers:
        wait_until(lambda: scripted.unfound["logs", ID] == 0, what="the question without an answer")
        scripted.logs[ID] += steadily(time.time_ns() - 100 * 10**9, 1600, 5)
        wanted = [*wanted, *scripted.logs[ID][-5:]]
        scripted.changed.set()
    one.wait_for("web", len(wanted) + dropped)
    assert sorted(one.texts("web", b"stdout")) == sorted(text for _, text in wanted)
    assert [wanted[seen - 1][0] in text for text in one.texts("web", b"marker")] == [True] * dropped
    one.close()
    scripted.jumps.clear()
    two: Rig = rig(scripted.host)  # which looks at it again
    scripted.logs[ID].append((ago(0), "after 0"))
    scripted.changed.set()
    assert two.wait_for("web", len(wanted) + dropped + 1)[-1] == "after 0"
    assert len(two.texts("web", b"marker")) == dropped


def test_the_pauses_of_a_slow_writer_are_asked_about_now_and_then(rig, scripted):
    """Each answer costs the engine a walk through the whole log."""
    scripted.add(ID, "web", max_size="100k")
    began = time.time_ns() - 600 * 10**9
    scripted.logs[ID] = steadily(began, 0, 160)
    one: Rig = rig(scripted.host)
    one.wait_for("web", 160)
    for n in range(1, 9):
        began += 60 * 10**9
        scripted.logs[ID] += steadily(began, 160 * n, 10)
        scripted.changed.set()
        one.wait_for("web", 160 + 10 * n)
    assert sum("follow=0" in target for target in scripted.asked) <= 3
    assert one.texts("web", b"marker") == []


def test_what_is_read_again_is_not_asked_for_as_well(rig, scripted):
    """A jump that is in doubt, and whose lines come when the log is read again for another reason."""
    scripted.add(ID, "web", max_size="100k")
    began = time.time_ns() - 300 * 10**9
    first, later = steadily(began, 0, 180), began + 70 * 10**9
    second = steadily(later, 180, 30)  # after a pause of its own, which is asked about
    scripted.logs[ID] = [*first]
    one: Rig = rig(scripted.host)
    one.wait_for("web", 180)
    scripted.logs[ID] += second
    scripted.changed.set()
    one.wait_for("web", 210)
    hidden = steadily(later, 210, 1200)
    scripted.jumps[ID] = range(210, 1410)
    scripted.logs[ID] += hidden + steadily(later, 1410, 10)
    scripted.changed.set()
    one.wait_for("web", 220)  # in doubt, and not asked about yet
    scripted.jumps.clear()
    scripted.again[ID] = 5  # the file is rotated: seen, and read again
    scripted.logs[ID] += steadily(later, 1420, 10)
    scripted.changed.set()
    one.wait_for("web", 1430)
    time.sleep(1.3)  # until it could be asked about
    scripted.logs[ID] += steadily(later, 1430, 10)
    scripted.changed.set()
    one.wait_for("web", 1440)
    scripted.stop(ID)
    scripted.tell("die", ID, time.time_ns())
    numbers = sorted(int(text.split()[1]) for text in one.wait_ended("web"))
    assert numbers == list(range(1440))


def test_what_is_in_doubt_when_its_container_ends_is_asked_about(rig, scripted, monkeypatch):
    """Also where that would have been due later: there is no later. More came after it than is looked
    at when a log is read again."""
    monkeypatch.setattr("cloudbang.node.collector.rotation.ASK_AGAIN", (600.0, 600.0))
    scripted.add(ID, "web", max_size="100k")
    began = time.time_ns() - 300 * 10**9
    first, later = steadily(began, 0, 180), began + 70 * 10**9
    scripted.logs[ID] = [*first]
    one: Rig = rig(scripted.host)
    one.wait_for("web", 180)
    scripted.logs[ID] += steadily(later, 180, 30)  # after a pause of its own, which is asked about
    scripted.changed.set()
    one.wait_for("web", 210)
    wait_until(lambda: any("follow=0" in target for target in scripted.asked), what="the question")
    time.sleep(1.1)  # or it would seem to flood
    scripted.jumps[ID] = range(210, 1410)
    for at in range(1410, 1490, 20):
        if at == 1410:
            scripted.logs[ID] += steadily(later, 210, 1200)
        scripted.logs[ID] += steadily(later, at, 20)
        scripted.changed.set()
        one.wait_for("web", at + 20 - 1200)
    scripted.stop(ID)
    scripted.tell("die", ID, time.time_ns())
    numbers = sorted(int(text.split()[1]) for text in one.wait_ended("web"))
    assert numbers == list(range(1490))


@pytest.mark.parametrize("dropped", [False, True], ids=["still there", "rotated away"])
def test_a_jump_that_nobody_could_ask_about_before_a_kill_is_asked_about_after_it(
    rig, scripted, monkeypatch, dropped
):
    """More was stored after it than is looked at when a log is read again. What the engine has no
    more by then is marked, once: nobody can tell it from a pause."""
    scripted.add(ID, "web", max_size="100k")
    lines = steadily(time.time_ns() - 200 * 10**9, 0, 1_800)
    scripted.logs[ID] = lines[:180]
    one: Rig = rig(scripted.host)
    one.wait_for("web", 180)
    time.sleep(1.1)  # or it would seem to flood
    scripted.jumps[ID] = range(180, 1_580)
    # As with an engine that is halted.
    monkeypatch.setattr(RotationWatch, "doubts", lambda watch, now, **_: iter(()))
    scripted.logs[ID][:] = lines
    scripted.changed.set()
    one.wait_for("web", 400)
    one.close()
    monkeypatch.undo()
    scripted.jumps.clear()
    wanted = list(range(1_800))
    if dropped:
        wanted = [*range(180), *range(1_580, 1_800)]
        gone = format_time(time.time_ns() - 300 * 10**9), "rotated away"
        scripted.logs[ID][:] = [gone] * 1_650 + lines[1_650:]
    two: Rig = rig(scripted.host)
    two.wait_for("web", len(wanted) + dropped)
    two.close()
    three: Rig = rig(scripted.host)
    three.wait_for("web", len(wanted) + dropped)
    scripted.stop(ID)
    scripted.tell("die", ID, time.time_ns())
    numbers = [int(t.split()[1]) for t in three.wait_ended("web") if t.startswith("line")]
    assert sorted(numbers) == wanted
    assert [lines[179][0] in text for text in three.texts("web", b"marker")] == [True] * dropped


@pytest.mark.parametrize("dropped", [False, True], ids=["still there", "rotated away"])
def test_a_log_read_again_from_within_a_jump_is_looked_at_further_back(
    rig, scripted, monkeypatch, dropped
):
    """What is read first is not stored: so what comes before it may not be, either. The step had been
    taken for a pause of a slow writer."""
    monkeypatch.setattr("cloudbang.node.collector.rotation.DOUBTFUL", 0.1)
    scripted.add(ID, "web", max_size="100k")
    began = time.time_ns() - 100 * 10**9
    lines = steadily(began, 0, 180)
    burst = began + 10 * 10**9
    lines += [
        (format_time(burst + n * 500_000), f"line {180 + n} {'x' * 50}") for n in range(1_400)
    ]
    scripted.logs[ID] = lines[:180]
    one: Rig = rig(scripted.host)
    one.wait_for("web", 180)
    time.sleep(1.1)  # or it would seem to flood
    scripted.jumps[ID] = range(180, 1_480)
    scripted.logs[ID][:] = lines
    scripted.changed.set()
    one.wait_for("web", 280)
    time.sleep(0.2)
    lines += steadily(burst + 2 * 10**9, 1_580, 1)
    scripted.logs[ID][:] = lines
    scripted.changed.set()
    one.wait_for("web", 281)  # and the step is not in doubt any more
    scripted.go_away()
    scripted.jumps.clear()
    wanted = list(range(1_581))
    if dropped:
        wanted = [*range(180), *range(900, 1_581)]
        gone = format_time(began - 10**9), "rotated away"
        scripted.logs[ID][:] = [gone] * 900 + lines[900:]
    scripted.come_back()
    one.wait_for("web", len(wanted) + dropped)
    assert sorted(int(text.split()[1]) for text in one.texts("web", b"stdout")) == wanted
    assert [lines[179][0] in text for text in one.texts("web", b"marker")] == [True] * dropped
