"""Nothing a terminal started is left behind, and nothing else is touched."""

from __future__ import annotations

import os
import resource
import signal
import subprocess

import gevent
import pytest
from docker.models.containers import Container

from cloudbang.domain.terminals import Orphan, Size
from cloudbang.engine import Engine
from cloudbang.node.terminals import processes
from cloudbang.node.terminals.exec_source import ExecSource
from cloudbang.node.terminals.processes import ProcessSession, signal_all
from cloudbang.node.terminals.reaper import Reaper
from tests.conftest import ContainerFactory
from tests.node.terminals.conftest import SESSION, Opener, Shown, session, target_of
from tests.support import Stopwatch, patient, wait_until

INIT = ["sleep", "1000000"]  # the first process of the containers here

# What people leave behind: typed into a shell, and what shows that it has begun.
LEFT = {
    "idle shell": "",
    "top": "top",
    "vi": "vi /tmp/file",
    "loop": "while true; do sleep 0.01; done",
    "busy loop": "while :; do :; done",
    "background job": "sleep 4242 &",
    "job without ears": "(trap '' HUP TERM INT; sleep 4242; sleep 4243) &",
    "nohup": "nohup sleep 4242 >/dev/null 2>&1 &",
    "stopped": "sleep 4242 & kill -STOP $!",
    "deaf shell": "trap '' INT HUP TERM; set -o ignoreeof; while :; do read x; done",
    "own group": "set -m; (sleep 4242 & sleep 4243 &)",
}


def alive(container: Container) -> list[str]:
    """The command lines of its processes, but for the first and for zombies."""
    rows = container.top(ps_args="-eo pid,stat,args")["Processes"]
    return [
        " ".join(row[2:])
        for row in rows
        if row[0] != str(container.attrs["State"]["Pid"]) and not row[1].startswith("Z")
    ]


@pytest.fixture
def one(container: ContainerFactory) -> Container:
    return container(INIT)


def leave(shown: Shown, typed: str) -> None:
    shown.until(b"# ")
    shown.run("echo be''gun; " + typed)
    shown.until(b"begun")


@pytest.mark.parametrize("seen", [True, False], ids=["seen from the host", "from within"])
def test_all_that_people_leave_behind_is_ended(
    one: Container, open_source: Opener, seen: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of it at once, within 5 s: where the host's processes can be seen and where not."""
    if not seen:
        monkeypatch.setattr(Reaper, "sees", staticmethod(lambda pid, container: False))
    sources = []
    for n, typed in enumerate(LEFT.values()):
        shown = open_source(one, session=session(n))
        leave(shown, typed)
        sources.append(shown)
    assert len(alive(one)) > len(LEFT)
    readers = [gevent.spawn(shown.rest) for shown in sources]
    watch = Stopwatch()
    gevent.joinall([gevent.spawn(shown.source.end) for shown in sources], raise_error=True)
    took = watch.seconds
    assert alive(one) == []
    assert took < 5.0
    gevent.joinall(readers, raise_error=True)


def test_who_waits_for_another_is_ended_after_it(
    container: ContainerFactory, open_source: Opener
) -> None:
    """So that somebody takes note of its end, where the first process of the container does not."""
    one = container(["sleep", "1000000"])
    waits = "trap '' INT HUP; sleep 4242; exit 3"
    deeper = "sh -c 'trap \"\" INT HUP; sleep 4242; :'; :"
    sources = [
        open_source(one, "sh", "-c", command, session=session(n))
        for n, command in enumerate((waits, deeper) * 4)
    ]
    wait_until(lambda: alive(one).count("sleep 4242") == len(sources), 15)
    readers = [gevent.spawn(shown.rest) for shown in sources]
    gevent.joinall([gevent.spawn(shown.source.end) for shown in sources], raise_error=True)
    gevent.joinall(readers, raise_error=True)

    def unnoticed() -> int:
        _, said = one.exec_run(["sh", "-c", "cat /proc/[0-9]*/stat"])
        return int(said.count(b") Z "))

    # Of an exec's own process the engine takes note, in a moment; of any other nobody ever would.
    wait_until(lambda: unnoticed() == 0, 5, "what ended to be noticed")


@pytest.mark.parametrize("seen", [True, False], ids=["seen from the host", "from within"])
def test_jobs_of_a_shell_that_has_gone_are_ended(
    one: Container, open_source: Opener, seen: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process session outlives its leader."""
    if not seen:
        monkeypatch.setattr(Reaper, "sees", staticmethod(lambda pid, container: False))
    shown = open_source(one)
    leave(shown, "trap '' HUP; sleep 4242 &")
    wait_until(lambda: shown.source.pid, 5, "its number")
    wait_until(lambda: "sleep 4242" in alive(one), 5, "the job")
    os.kill(shown.source.pid, signal.SIGKILL)
    shown.rest()
    assert alive(one) == ["sleep 4242"]
    shown.source.end()
    assert alive(one) == []


@pytest.mark.parametrize("seen", [True, False], ids=["seen from the host", "from within"])
def test_daemons_and_other_terminals_are_left_alone(
    one: Container, open_source: Opener, seen: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What took a process session of its own is meant to stay: a server somebody restarted."""
    if not seen:
        monkeypatch.setattr(Reaper, "sees", staticmethod(lambda pid, container: False))
    shown = open_source(one, session="1" * 16)
    other = open_source(one, session="2" * 16)
    leave(shown, "setsid sleep 5151 >/dev/null 2>&1 </dev/null &")
    shown.run("setsid sh -c 'sleep 5353 &' >/dev/null 2>&1 </dev/null")  # its leader has gone
    leave(other, "sleep 5252 &")
    wait_until(lambda: {"sleep 5151", "sleep 5353"} <= set(alive(one)), 5, "the daemons")
    wait_until(
        lambda: not any("sleep 5353 &" in line for line in alive(one)), 5, "its leader's end"
    )
    shown.source.end()
    left = alive(one)
    assert "sleep 5151" in left
    # From within, one whose leader has gone can be told from a shell that has gone by nothing.
    assert ("sleep 5353" in left) or not seen
    assert "sleep 5252" in left
    assert any("ash" in line for line in left)
    assert len(left) == 3 + ("sleep 5353" in left)


def test_a_number_alone_is_not_trusted(
    one: Container, container: ContainerFactory, open_source: Opener
) -> None:
    """Numbers get reused: container, start time and the mark have to fit, too."""
    other = container(INIT)
    shown = open_source(one)
    shown.until(b"# ")
    pid = wait_until(lambda: shown.source.pid, 5, "its number")
    found = processes.stat(pid)
    assert found is not None
    mine, theirs = str(one.id), str(other.id)
    wrong = [
        ProcessSession(pid, theirs),
        ProcessSession(pid, mine, started=found.started + 1),
        ProcessSession(pid, mine, marker="f" * 16),
        ProcessSession(pid, mine),  # neither is known
        ProcessSession(2**22 + 1, mine),
    ]
    assert signal_all([(target, signal.SIGKILL) for target in wrong]) == [0] * len(wrong)
    right = [
        ProcessSession(pid, mine, marker=SESSION),
        ProcessSession(pid, mine, started=found.started, marker="f" * 16),
    ]
    assert signal_all([(target, 0) for target in right]) == [1, 1]
    shown.run("echo still he''re")
    shown.until(b"still here")


@pytest.mark.parametrize("seen", [True, False], ids=["seen from the host", "from within"])
@pytest.mark.slow("a server is killed and another finds what it left")
def test_orphans_of_a_killed_server_are_found(
    one: Container,
    container: ContainerFactory,
    engine: Engine,
    reaper: Reaper,
    seen: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By what was written down of them: also without their number, without anything (the server
    was killed before it knew more), and in containers long gone."""
    if not seen:
        monkeypatch.setattr(Reaper, "sees", staticmethod(lambda pid, container: False))
    gone = container(INIT)
    rows = []
    for n in range(9):
        source = ExecSource(engine, target_of(one, session=session(n)), reaper)
        source.start(Size())
        shown = Shown(source)
        leave(shown, "trap '' HUP; sleep 4242 &")
        pid = wait_until(lambda source=source: source.pid, 5, "its number")
        known = [("", 0), (source.exec_id, 0), (source.exec_id, pid)]
        rows.append(Orphan(session(n), str(one.id), *known[n % 3]))
        source._close()  # as when the server's process is killed
    bystander = ExecSource(engine, target_of(one, session=session(0xB)), reaper)
    bystander.start(Size())
    Shown(bystander).until(b"# ")
    pid = wait_until(lambda: bystander.pid, 5, "its number")
    # The number of another session now; the engine does not know the exec any more.
    rows.append(Orphan(session(0xA), str(one.id), "0" * 64, pid))
    rows.append(Orphan(session(0xD), str(one.id)))
    rows.append(Orphan(session(0xC), str(gone.id), "0" * 64, 4242))
    gone.remove(force=True)
    assert reaper.end_orphans(rows) == {row.session for row in rows}
    assert len(alive(one)) == 1
    # And this one it does not know either, but the processes say whose they are.
    assert reaper.end_orphans([Orphan(session(0xB), str(one.id), "0" * 64, pid)]) == {session(0xB)}
    assert alive(one) == []
    Shown(bystander).rest()


@pytest.mark.parametrize("seen", [True, False], ids=["seen from the host", "from within"])
def test_a_daemon_of_an_orphan_is_left_alone(
    one: Container, engine: Engine, reaper: Reaper, seen: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It carries the session's mark as well, and nothing else is known."""
    if not seen:
        monkeypatch.setattr(Reaper, "sees", staticmethod(lambda pid, container: False))
    source = ExecSource(engine, target_of(one), reaper)
    source.start(Size())
    leave(Shown(source), "setsid sleep 5151 >/dev/null 2>&1 </dev/null &")
    wait_until(lambda: "sleep 5151" in alive(one), 5, "the daemon")
    source._close()
    assert reaper.end_orphans([Orphan(SESSION, str(one.id))]) == {SESSION}
    assert alive(one) == ["sleep 5151"]


@pytest.mark.parametrize("seen", [True, False], ids=["seen from the host", "from within"])
def test_an_orphan_in_a_paused_container_is_not_certain_to_have_ended(
    one: Container, engine: Engine, reaper: Reaper, seen: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is to be tried again, and then it has."""
    if not seen:
        monkeypatch.setattr(Reaper, "sees", staticmethod(lambda pid, container: False))
    source = ExecSource(engine, target_of(one), reaper)
    source.start(Size())
    leave(Shown(source), "trap '' HUP; sleep 4242 &")
    source._close()
    row = Orphan(SESSION, str(one.id), source.exec_id)
    one.pause()
    assert reaper.end_orphans([row]) == set()
    one.unpause()
    assert reaper.end_orphans([row]) == {SESSION}
    assert alive(one) == []


def test_an_end_that_found_a_paused_container_is_made_up_for(
    one: Container, open_source: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From within nothing can be done in one that is paused: it is once it goes on."""
    monkeypatch.setattr(Reaper, "sees", staticmethod(lambda pid, container: False))
    shown = open_source(one)
    leave(shown, "trap '' HUP; sleep 4242 &")
    one.pause()
    reader = gevent.spawn(shown.rest)
    shown.source.end()
    reader.get(timeout=patient(5))
    one.unpause()
    wait_until(lambda: alive(one) == [], 15, "their end")


def test_from_within_the_containers_shell_gets_no_more_rights_than_it_has(
    one: Container, open_source: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be anything: here one that writes down what it was given."""
    monkeypatch.setattr(Reaper, "sees", staticmethod(lambda pid, container: False))
    spy = (
        '#!/bin/busybox ash\ngrep CapEff /proc/self/status >> /rights\nexec /bin/busybox ash "$@"\n'
    )
    put = (
        "printf '%s' \"$0\" > /spy; chmod 755 /spy; grep CapEff /proc/self/status; mv /spy /bin/sh"
    )
    said = one.exec_run(["/bin/busybox", "ash", "-c", put, spy]).output
    assert said.startswith(b"CapEff"), said
    shown = open_source(one, "/bin/busybox", "ash")
    leave(shown, "cd /tmp")
    wait_until(lambda: shown.source.folder() == "/tmp", 5, "its folder")
    reader = gevent.spawn(shown.rest)
    shown.source.end()
    reader.get(timeout=patient(5))
    assert alive(one) == []
    written = one.exec_run(["cat", "/rights"]).output
    assert len(written.splitlines()) >= 2
    assert set(written.splitlines()) == set(said.splitlines())


def test_ends_wait_while_no_more_files_can_be_opened(
    one: Container, open_source: Opener, reaper: Reaper
) -> None:
    """Nobody can look at processes then. No session fails of that, nor is taken for ended."""
    sources = [open_source(one, session=session(n)) for n in range(3)]
    for shown in sources:
        leave(shown, "trap '' HUP; sleep 4242 &")
        wait_until(lambda shown=shown: shown.source.pid, 5, "its number")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    ends = []
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        for shown in sources:
            target = shown.source._leader
            ends.append(gevent.spawn(reaper.end, target, typed=False))
        wait_until(lambda: not reaper._sighted, 5, "a look that fails")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    gevent.joinall(ends, raise_error=True)
    assert all(end.value for end in ends)
    assert alive(one) == []
    for shown in sources:
        shown.rest()


def test_in_a_paused_container_they_end_when_it_goes_on(
    one: Container, open_source: Opener, engine: Engine
) -> None:
    """A frozen process takes no signal on cgroup v1; the page is told at once nevertheless."""
    shown = open_source(one)
    leave(shown, "trap '' HUP; sleep 4242 &")
    wait_until(lambda: shown.source.pid, 5, "its number")
    one.pause()
    reader = gevent.spawn(shown.rest)
    watch = Stopwatch()
    shown.source.end()  # the promise is 5 s
    assert watch.seconds < 5
    reader.get(timeout=patient(5))
    one.unpause()
    wait_until(lambda: alive(one) == [], 5, "their end")


def test_ending_twice_and_before_the_start(
    one: Container, engine: Engine, reaper: Reaper, open_source: Opener
) -> None:
    ExecSource(engine, target_of(one), reaper).end()
    shown = open_source(one)
    # At once: the process is just being started.
    reader = gevent.spawn(shown.rest)
    ends = [gevent.spawn(shown.source.end) for _ in range(3)]
    gevent.joinall(ends, timeout=patient(6), raise_error=True)
    assert all(end.dead for end in ends)
    reader.get(timeout=patient(5))
    assert alive(one) == []


def test_what_is_started_while_the_list_is_gone_through_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A shell takes its last command and the end of its input just before it is looked at."""
    shell = subprocess.Popen(["sh"], stdin=subprocess.PIPE, start_new_session=True)
    target = ProcessSession(shell.pid, "", processes.started_in(shell.pid, ""))
    look = processes.stat

    def late(pid: int) -> processes.Stat | None:
        if pid == shell.pid and shell.returncode is None:
            shell.communicate(b"sleep 4242 &\n", timeout=patient(5))
        return look(pid)

    monkeypatch.setattr(processes, "stat", late)
    assert signal_all([(target, signal.SIGKILL)]) == [1]
    assert shell.returncode == 0
    wait_until(lambda: signal_all([(target, 0)]) == [0], 5, "the job to end")


def test_from_within_other_users_processes_are_found_too(
    one: Container, open_source: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the folder they work in."""
    monkeypatch.setattr(Reaper, "sees", staticmethod(lambda pid, container: False))
    shown = open_source(one, user="1234:1234", folder="/tmp")
    shown.until(b"$ ")
    shown.run("cd /proc; echo be''gun; trap '' HUP; sleep 4242 & sleep 4243")
    shown.until(b"begun")
    wait_until(lambda: shown.source.folder() == "/proc", 5, "its folder")
    reader = gevent.spawn(shown.rest)
    shown.source.end()
    assert alive(one) == []
    reader.get()
