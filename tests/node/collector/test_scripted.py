"""What a real engine does too rarely to wait for, said by a scripted one."""

from __future__ import annotations

import logging
import time

import gevent
import pytest

from cloudbang.domain.docker_stream import PART
from cloudbang.domain.lines import format_time
from cloudbang.domain.resume import ResumePoint
from cloudbang.intake.log_sink import StoreSink
from cloudbang.storage.logs.log_store import Append, LogStore
from tests.node.collector.rig import Rig
from tests.support import wait_until

ID = "a" * 64


def ago(seconds: float) -> str:
    return format_time(time.time_ns() - int(seconds * 1e9))


@pytest.mark.parametrize("chunked", [False, True])
def test_an_engine_that_insists_on_chunks_is_understood(rig, scripted, chunked):
    """The same lines, whichever way the body is sent."""
    scripted.chunked = chunked
    scripted.add(ID, "web")
    for n in range(100):
        scripted.log(ID, ago(100 - n), f"line {n}")
    one: Rig = rig(scripted.host)
    assert one.wait_for("web", 100) == [f"line {n}" for n in range(100)]
    scripted.log(ID, ago(0), "more")
    assert one.wait_for("web", 101)[-1] == "more"


def test_a_clock_set_back_loses_and_doubles_nothing(rig, scripted):
    """Lines with older times than those stored are new when they stand after them."""
    scripted.add(ID, "web")
    ahead = time.time_ns() + 3600 * 10**9  # what was logged before the clock was set back
    before = [(format_time(ahead + n), f"before {n}") for n in range(300)]
    scripted.logs[ID] = before[:]
    one: Rig = rig(scripted.host)
    one.wait_for("web", 300)
    one.close()
    for n in range(20):
        scripted.log(ID, ago(20 - n), f"after {n}")
    two: Rig = rig(scripted.host)
    wanted = [t for _, t in before] + [f"after {n}" for n in range(20)]
    assert two.wait_for("web", 320) == wanted
    scripted.log(ID, ago(0), "live")
    assert two.wait_for("web", 321)[-1] == "live"
    two.close()
    three: Rig = rig(scripted.host)
    scripted.log(ID, ago(0), "end")
    assert three.wait_for("web", 322) == [*wanted, "live", "end"]


def test_times_in_whole_seconds_double_nothing(rig, scripted):
    """Podman writes them so, but compares with the true ones: read again, each line is once."""
    scripted.whole_seconds = True
    scripted.add(ID, "web")
    for n in range(1000):
        scripted.log(ID, ago(10 - n / 500), f"line {n}")
    one: Rig = rig(scripted.host)
    one.wait_for("web", 1000)
    for n in range(2):
        one.close()
        scripted.log(ID, ago(0), f"more {n}")
        one = rig(scripted.host)
        one.wait_for("web", 1001 + n)
    scripted.log(ID, ago(0), "end")
    wait_until(lambda: "end" in one.texts("web"))
    assert one.texts("web") == [*(f"line {n}" for n in range(1000)), "more 0", "more 1", "end"]


def test_lines_gone_before_they_could_be_read_leave_a_marker(rig, scripted):
    """A rotated file took the end of what is stored with it: the gap is a line of its own."""
    scripted.add(ID, "web")
    old = [(ago(60 - n), f"old {n}") for n in range(10)]
    scripted.logs[ID] = old[:]
    one: Rig = rig(scripted.host)
    one.wait_for("web", 10)
    one.close()
    new = [(ago(10 - n), f"new {n}") for n in range(5)]
    scripted.logs[ID] = new
    two: Rig = rig(scripted.host)
    two.wait_for("web", 16)
    streams = [raw[44:50] for raw in two.records("web")]
    assert streams == [b"stdout"] * 10 + [b"marker"] + [b"stdout"] * 5
    marker = two.texts("web", b"marker")[0]
    assert old[-1][0] in marker
    assert new[0][0] in marker
    two.close()
    three: Rig = rig(scripted.host)
    scripted.log(ID, ago(0), "later")
    assert three.wait_for("web", 17)[-1] == "later"


def test_more_new_lines_than_are_looked_back_at(rig, scripted):
    """Far behind, the whole log is read, and still nothing is stored twice."""
    scripted.add(ID, "web")
    scripted.logs[ID] = [(ago(9000 - n), f"{n}") for n in range(50)]
    one: Rig = rig(scripted.host)
    one.wait_for("web", 50)
    one.close()
    scripted.logs[ID] += [(ago(8000 - n), f"{n}") for n in range(50, 3050)]
    two: Rig = rig(scripted.host)
    assert two.wait_for("web", 3050) == [str(n) for n in range(3050)]


@pytest.mark.slow("four hundred containers are inspected and read")
def test_hundreds_of_old_containers_do_not_hold_up_the_start(rig, scripted):
    """One listing is enough to show them all; they are inspected later, a few at a time."""
    for n in range(400):
        scripted.add(f"{n:064x}", f"old-{n}", running=False)
    for n in range(5):
        scripted.add(f"{n + 5000:064x}", f"live-{n}")
    one: Rig = rig(scripted.host)
    wait_until(one.inventory.ready.is_set, 10, "the first listing", every=0.005)
    # Not in how many seconds: that says more of the machine. It is before most were looked at.
    assert sum(i.inspected for i in one.inventory.instances()) < 100
    assert len(one.apps.apps({"default"})) == 405
    wait_until(lambda: all(i.inspected for i in one.inventory.instances()), 60, "every inspection")
    assert scripted.most_at_once <= 8


def test_what_happens_while_the_engine_begins_to_listen_is_not_missed(rig, scripted):
    """An engine answers who asks for its events before it listens itself. A container that begins
    after the listing and before that was told to nobody once, and was not known for a minute."""
    scripted.listens.clear()
    one: Rig = rig(scripted.host)
    wait_until(one.inventory.ready.is_set, 10, "the first listing")
    scripted.add(ID, "web")
    scripted.tell("create", ID, time.time_ns())
    scripted.tell("start", ID, time.time_ns())
    scripted.listens.set()
    wait_until(lambda: one.apps.get("web"), what="the container")


def test_a_lost_engine_is_said_and_found_again(rig, scripted):
    """The inventory tells that events ended, lists again, and goes on."""
    scripted.add(ID, "web")
    one: Rig = rig(scripted.host)
    wait_until(lambda: one.inventory.engine_state == "connected", what="the first connection")
    scripted.filtered.add("list")
    scripted.drop_events()
    wait_until(lambda: one.inventory.engine_error, what="the loss")
    scripted.filtered.clear()
    scripted.add("b" * 64, "second")  # nobody tells of it
    wait_until(lambda: one.apps.get("second"), what="what happened meanwhile")
    wait_until(lambda: one.inventory.engine_state == "connected", what="the connection")
    assert one.inventory.engine_error is None


def test_a_slow_disk_has_no_log_read_again_for_nothing(rig, scripted, monkeypatch):
    """Waiting for the disk is no sign of a lost file where the container fills none meanwhile."""
    monkeypatch.setattr("cloudbang.node.collector.rotation.PATIENT", 0.005)
    right = StoreSink.append

    def slowly(sink: StoreSink, app: str, records: list[bytes]) -> Append:
        gevent.sleep(0.02)
        return right(sink, app, records)

    monkeypatch.setattr(StoreSink, "append", slowly)
    scripted.add(ID, "web", max_size="10m")
    one: Rig = rig(scripted.host)
    wait_until(one.inventory.ready.is_set)
    for n in range(6):
        scripted.log(ID, ago(0), f"line {n}")
        one.wait_for("web", n + 1)
    assert sum("/logs" in target for target in scripted.asked) == 1
    assert one.collector.rereads == {}


def test_the_logs_that_are_lost_soonest_are_read_first(rig, scripted):
    """At a start: by how much they keep, those that keep all of it last."""
    sizes = {"a": None, "b": "100m", "c": "200k", "d": "1m"}
    for name, size in sizes.items():
        scripted.add(name * 64, name, max_size=size)
        scripted.log(name * 64, ago(1), name)
    one: Rig = rig(scripted.host)
    for name in sizes:
        one.wait_for(name, 1)
    asked = [target.split("/")[3][0] for target in scripted.asked if "/logs" in target]
    assert asked == ["c", "d", "b", "a"]


def test_a_followed_stream_that_never_ends_does_not_hold_its_reader(rig, scripted):
    """Asked to follow just while the container dies, the engine forgets to end the stream."""
    scripted.add(ID, "web")
    scripted.deaf.add(ID)
    scripted.log(ID, ago(5), "start")
    one: Rig = rig(scripted.host)
    one.wait_for("web", 1)
    scripted.stop(ID)
    scripted.tell("die", ID, time.time_ns())
    assert one.wait_ended("web") == ["start"]


@pytest.mark.parametrize("times", [1, 3])
def test_a_container_the_engine_did_not_tell_of_is_asked_about_again(rig, scripted, times, caplog):
    """Whether at the first listing or after an event: until it is told, and said once."""
    caplog.set_level(logging.INFO)
    scripted.add(ID, "web")
    scripted.log(ID, ago(5), "start")
    scripted.refused[ID] = times
    one: Rig = rig(scripted.host)
    one.wait_for("web", 1)
    other = "b" * 64
    scripted.add(other, "shop")
    scripted.log(other, ago(0), "momentary")
    scripted.refused[other] = times
    scripted.tell("start", other, time.time_ns())
    assert one.wait_for("shop", 1) == ["momentary"]
    for who in (ID, other):
        said = [r.getMessage() for r in caplog.records if who[:12] in r.getMessage()]
        assert sum("it is asked again" in text for text in said) == 1
        assert sum("tells of" in text for text in said) == 1


@pytest.mark.parametrize("call", ["inspect", "logs"])
def test_a_container_that_is_just_made_is_not_found_and_then_read(rig, scripted, call):
    """An engine may list one and not find it a moment later: it is not gone for ever."""
    scripted.add(ID, "web")
    scripted.log(ID, ago(0), "here all the same")
    if call == "inspect":
        scripted.containers[ID]["State"]["Status"] = "created"
    scripted.unfound[call, ID] = 1
    one: Rig = rig(scripted.host)
    wait_until(lambda: scripted.unfound[call, ID] == 0)
    if call == "inspect":
        wait_until(lambda: one.inventory.instance(ID) is None)
        scripted.containers[ID]["State"]["Status"] = "running"
        scripted.tell("start", ID, time.time_ns())
    assert one.wait_for("web", 1) == ["here all the same"]


def test_who_fails_for_long_keeps_nobody_else_waiting(rig, scripted, monkeypatch):
    """One is asked about again in a minute; another, that failed after it, in a moment."""
    monkeypatch.setattr("cloudbang.core.retry.backoff", lambda *_: iter([0.1, 3600.0]))
    scripted.add(ID, "web")
    scripted.refused[ID] = 2
    one: Rig = rig(scripted.host)
    wait_until(lambda: scripted.refused[ID] == 0)
    other = "b" * 64
    scripted.add(other, "shop")
    scripted.log(other, ago(0), "soon")
    scripted.refused[other] = 1
    scripted.tell("start", other, time.time_ns())
    assert one.wait_for("shop", 1) == ["soon"]


def test_what_no_event_told_of_is_found_in_the_engines_list(rig, scripted, monkeypatch):
    """A container that came, one that ended, one that went: each heals at the next comparison."""
    monkeypatch.setattr("cloudbang.node.inventory.COMPARE", 0.3)
    gone, ended, new = "a" * 64, "b" * 64, "c" * 64
    scripted.add(gone, "gone")
    scripted.add(ended, "ended")
    one: Rig = rig(scripted.host)
    wait_until(lambda: len(one.inventory.instances()) == 2)
    scripted.add(new, "new")
    scripted.log(new, ago(0), "unheard")
    scripted.stop(ended)
    del scripted.containers[gone]
    assert one.wait_for("new", 1) == ["unheard"]
    wait_until(lambda: one.inventory.instance(gone) is None)
    wait_until(lambda: one.inventory.instance(ended).state == "exited")


def test_a_listener_that_fails_keeps_nobody_from_hearing(rig, scripted):
    """Containers are told to several; what one makes of it is its own affair."""

    def fails(*_changes: object) -> None:
        raise RuntimeError("not today")

    one: Rig = rig(scripted.host)
    one.inventory._listeners.insert(0, fails)
    scripted.add(ID, "web")
    scripted.log(ID, ago(0), "heard")
    scripted.tell("start", ID, time.time_ns())
    assert one.wait_for("web", 1) == ["heard"]


def test_a_reader_that_is_told_to_look_again_while_it_waits_for_its_next_try_goes_on(
    rig, scripted, monkeypatch
):
    """The disk fails once, the clock is set back while the reader waits: it is not gone for ever."""
    scripted.add(ID, "web")
    scripted.log(ID, ago(5), "start")
    failed: list[int] = []
    right = LogStore.resume_point

    def fails_once(store: LogStore, app: str, container: str) -> ResumePoint | None:
        if not failed:
            failed.append(1)
            raise OSError("not read")  # nobody expects it: the reader is started anew
        return right(store, app, container)

    monkeypatch.setattr(LogStore, "resume_point", fails_once)
    one: Rig = rig(scripted.host)
    wait_until(lambda: failed)
    for running in list(one.collector._followers.values()):
        running.follower.interrupt()
    one.wait_for("web", 1)
    for running in list(one.collector._followers.values()):
        running.follower.interrupt()
    scripted.log(ID, ago(0), "more")
    assert one.wait_for("web", 2) == ["start", "more"]


@pytest.mark.parametrize("tty", [False, True], ids=["frames", "tty"])
def test_progress_is_seen_while_its_line_goes_on_and_is_stored_once(rig, scripted, tty):
    """Its newest state comes with each part that the engine gives, also after a restart in the
    middle of it, beside lines of another time; its end is there, and no byte of it is lost."""
    scripted.add(ID, "web", tty=tty)
    scripted.log(ID, ago(60), "before")
    text = "".join(f"\r{n:06d} frames" for n in range(14_000)) + "\rDONE"
    parts = [text[i : i + PART] for i in range(0, len(text), PART)]
    began = ago(50)
    half = len(parts) // 2
    one: Rig = rig(scripted.host)
    for number, part in enumerate(parts[:half], 1):
        scripted.log(ID, began, part)
        # A part of a TTY has no size: where it ends is known when the next one begins.
        one.wait_for("web", 1 + number - tty)
    one.close()
    for part in parts[half:]:
        scripted.log(ID, began, part)
    scripted.log(ID, ago(1), "after")
    two: Rig = rig(scripted.host)
    found = two.wait_for("web", 2 + len(parts))
    assert (found[0], found[-1]) == ("before", "after")
    assert "".join(found[1:-1]) == text
    assert found[-2].endswith("\rDONE")
    assert found[half - 1].endswith(" frames")
    two.close()
    three: Rig = rig(scripted.host)
    scripted.log(ID, ago(0), "live")
    assert three.wait_for("web", 3 + len(parts)) == [*found, "live"]


@pytest.mark.parametrize("damaged", [b"2026-1X-28", b"2026-99-28", b"\xff\xfe26-11-28"])
@pytest.mark.parametrize("line", [-1, -20])
def test_a_damaged_time_stops_no_log(rig, scripted, tmp_path, damaged, line):
    """Of the newest line stored, or of one before: what is stored is recognised, the rest is read."""
    scripted.add(ID, "web")
    for n in range(50):
        scripted.log(ID, ago(100 - n), f"line {n}")
    one: Rig = rig(scripted.host)
    one.wait_for("web", 50)
    one.close()
    (file,) = (tmp_path / "data").rglob("*.log")
    lines = file.read_bytes().splitlines(keepends=True)
    lines[line] = damaged + lines[line][10:]
    file.write_bytes(b"".join(lines))
    scripted.log(ID, ago(1), "more")
    two: Rig = rig(scripted.host)
    wait_until(lambda: "more" in two.texts("web"), what="what came since")
    scripted.log(ID, ago(0), "live")
    wait_until(lambda: "live" in two.texts("web"), what="what comes now")
    texts = two.texts("web")
    # The line of the damaged time comes once more: the engine has it with its right time.
    assert sorted(texts) == sorted(
        [*(f"line {n}" for n in range(50)), f"line {50 + line}", "more", "live"]
    )
