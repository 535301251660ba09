"""The processes of this machine, by process session, from ``/proc``. Blocking: for a thread.

A process session is what ``setsid`` made: the first process of an exec with a terminal leads one,
its number is that process's, and all that it starts belong to it until they call ``setsid``
themselves, as daemons do. Background jobs stay in it, ``nohup`` or not.
"""

from __future__ import annotations

import os
import platform
import signal
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

MARKER = "CLOUDBANG_TERMINAL"  # the variable that names the session in each of its processes
LISTINGS = 20  # of all processes at most in one walk: on a busy machine there is always a new one
MOMENT = 0.005  # seconds in which most have ended that get a signal
NOTED = 0.5
"""Seconds that whoever started a process has to take note of its end before it is ended itself: it
needs a turn of a processor for that, which on a busy machine takes a while."""
MACHINE = platform.machine()
# The system's calls by which a shell waits for a key, by machine: read; poll, select, pselect6, ppoll.
_READ = {"x86_64": 0, "aarch64": 63}
_POLLS = {"x86_64": (7, 23, 270, 271), "aarch64": (72, 73)}
_ENDED = (b"Z", b"X", b"x")  # only a number is left, until the parent takes note


@dataclass(frozen=True, slots=True)
class Stat:
    """What ``/proc/PID/stat`` says, as far as it is used here."""

    state: bytes
    parent: int
    session: int
    tty: int  # the device, 0 for none
    foreground: int  # the process group that its terminal listens to, -1 for none
    started: int  # clock ticks since the machine's start


@dataclass(frozen=True, slots=True)
class ProcessSession:
    """The processes of one exec. Numbers get reused: all of it has to fit."""

    pid: int  # of its first process, which is also the number of its process session
    container: str  # 64 hex digits
    started: int = 0  # of its first process, as in Stat; 0 when that is not known
    # The id of our session. Where `started` is not known one of them at least has to carry it:
    # without either, none is taken for one of these.
    marker: str = ""


def stat(pid: int) -> Stat | None:
    """None when there is no such process."""
    text = _read(pid, "stat")
    if not text:
        return None
    # The name is in parentheses and may hold anything, these too.
    fields = text[text.rindex(b")") + 2 :].split()
    return Stat(
        fields[0], int(fields[1]), int(fields[3]), int(fields[4]), int(fields[5]), int(fields[19])
    )


def in_container(pid: int, container: str) -> bool:
    """Whether that process runs in that container, as seen from here."""
    return container.encode() in _read(pid, "cgroup")


def started_in(pid: int, container: str) -> int:
    """When that process of that container was started, as in Stat; 0 when there is none."""
    found = stat(pid) if in_container(pid, container) else None
    return found.started if found else 0


def marked(pid: int, session: str) -> bool:
    """Whether that process was started in that session of ours."""
    return f"{MARKER}={session}".encode() in _read(pid, "environ").split(b"\0")


def _read(pid: int, name: str) -> bytes:
    """``b""`` when the process has gone, or is not to be looked at.

    Any other OSError is raised: when no more files can be opened, nobody knows what there is.
    """
    try:
        with open(f"/proc/{pid}/{name}", "rb", buffering=0) as f:
            return f.readall()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return b""


def foreground(pid: int) -> int:
    """The process that the terminal of ``pid`` listens to, 0 when there is none."""
    found = stat(pid)
    if found is None:
        return 0
    return found.foreground if found.foreground > 0 and stat(found.foreground) else pid


def folder_of(pid: int) -> str:
    """The folder that a process works in, in its container's own names; "" if that is unknown."""
    try:
        path = os.readlink(f"/proc/{pid}/cwd")
    except OSError:
        return ""
    return "" if path.endswith(" (deleted)") or not path.startswith("/") else path


def in_own_root(pid: int, path: str) -> bool:
    """Whether a process that works in ``path`` finds that among its own files.

    With ``/proc/PID/root`` it may work in another container's.
    """
    try:
        return os.path.samestat(os.stat(f"/proc/{pid}/cwd"), os.stat(f"/proc/{pid}/root{path}"))
    except OSError:
        return False


def where(pid: int, container: str, outside: bool = False) -> str:
    """The folder that the foreground process of the terminal of ``pid`` works in; "" if that is
    unknown. ``outside``: only one that is not among that process's own files."""
    front = foreground(pid)
    if not front or not in_container(front, container):
        return ""
    path = folder_of(front)
    return "" if outside and in_own_root(front, path) else path


def waits_for_keys(pid: int, container: str) -> bool:
    """Whether that process of that container does nothing but wait for input, as a shell does after
    its prompt: not for a file, nor for a program that it has started."""
    if not in_container(pid, container):
        return False
    said = _read(pid, "syscall").split()
    if not said or not said[0].isdigit():
        return False  # it runs
    number = int(said[0])
    if number == _READ.get(MACHINE) and len(said) > 1:
        try:
            return os.readlink(f"/proc/{pid}/fd/{int(said[1], 16)}").startswith(
                ("/dev/pts/", "/dev/tty")
            )
        except (OSError, ValueError):
            return False
    return number in _POLLS.get(MACHINE, ())


def inner_pid(pid: int) -> int:
    """The number of a process in its own process namespace, 0 when that is unknown."""
    try:
        with open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as f:
            for line in f:
                if line.startswith("NSpid:"):
                    return int(line.split()[-1])
    except OSError:
        pass
    return 0


def signal_all(
    wants: Sequence[tuple[ProcessSession, int]], told: set[tuple[int, int]] | None = None
) -> list[int]:
    """Send each target's processes a signal (0: none); how many each had that were alive.

    One walk through ``/proc`` for all of them. Who waits for another gets it after that one, and
    SIGHUP only once that has ended: of whoever ends when its parent has gone a number would be left,
    in containers whose first process takes no note of it, and there are only so many. ``told``
    keeps who has had SIGHUP, once is enough, from one call to the next.
    """
    sessions: dict[int, list[tuple[int, Stat]]] = {target.pid: [] for target, _ in wants}
    alive = set()
    for pid, found in _alive():
        alive.add((pid, found.started))
        if found.session in sessions:
            sessions[found.session].append((pid, found))
    told = set() if told is None else told
    told &= alive
    counts = []
    left: dict[int, tuple[Stat, int]] = {}
    for target, number in wants:
        members = _belonging(target, sessions[target.pid])
        counts.append(len(members))
        if number:
            left |= {pid: (found, number) for pid, found in members}
    _signal_youngest_first(left, told)
    return counts


def _signal_youngest_first(left: dict[int, tuple[Stat, int]], told: set[tuple[int, int]]) -> None:
    while left:
        parents = {found.parent for found, _ in left.values()}
        youngest = {pid: left[pid] for pid in left if pid not in parents} or dict(left)
        for pid, (found, number) in youngest.items():
            del left[pid]
            if number != signal.SIGHUP or (pid, found.started) not in told:
                _send(pid, found.started, number)
            if number == signal.SIGHUP:
                told.add((pid, found.started))
        if not left:
            return
        for pid in _still_there(youngest, left):
            found, number = youngest[pid]
            while number == signal.SIGHUP and (above := left.pop(found.parent, None)):
                found = above[0]


def _still_there(told: dict[int, tuple[Stat, int]], left: dict[int, tuple[Stat, int]]) -> set[int]:
    """Those of ``told`` that have not ended a moment later: some take no note of a signal, or take
    their time. Of those that do end, whoever of ``left`` started them has taken note then."""
    began = time.monotonic()
    while True:
        now = {pid: found for pid in told if (found := stat(pid))}
        there = {pid for pid, found in now.items() if found.started == told[pid][0].started}
        alive = {pid for pid in there if now[pid].state not in _ENDED}
        unnoticed = {pid for pid in there - alive if told[pid][0].parent in left}
        passed = time.monotonic() - began
        # SIGKILL ends them for certain; what gets SIGHUP may take no note of it.
        certain = {pid for pid in alive if told[pid][1] == signal.SIGKILL}
        wanted = alive if passed < MOMENT else certain
        if passed > NOTED or not wanted | unnoticed:
            return alive
        time.sleep(MOMENT / 20 if passed < MOMENT else MOMENT)


def find_marked(container: str, session: str) -> list[ProcessSession]:
    """The process sessions of one of our sessions of which no number is known, by its mark.

    Daemons that were started in it carry that as well: of those with the mark, ours has the
    terminal; when its first process has gone, it has none and no first process.
    """
    sure, maybe = set(), set()
    for pid, found in _alive():
        if not in_container(pid, container) or not marked(pid, session):
            continue
        first = stat(found.session)
        gone = first is None or first.state in _ENDED
        started = first.started if first and not gone else 0
        if found.tty:
            sure.add(ProcessSession(found.session, container, started, session))
        elif gone:
            maybe.add(ProcessSession(found.session, container, 0, session))
    return list(sure or maybe)


def _alive() -> Iterator[tuple[int, Stat]]:
    """All processes but those of which only the number is left.

    A process that starts another and ends while the list is gone through would hide it: a shell
    that gets its last command and then the end of its input does. So it is asked for what is new
    until there is nothing new: who is alive then was looked at.
    """
    seen: set[str] = set()
    for _ in range(LISTINGS):
        new = [name for name in os.listdir("/proc") if name.isdecimal() and name not in seen]
        if not new:
            return
        seen.update(new)
        for name in new:
            if (found := stat(int(name))) and found.state not in _ENDED:
                yield int(name), found


def _belonging(target: ProcessSession, members: list[tuple[int, Stat]]) -> list[tuple[int, Stat]]:
    """Those of a process session that are the target's.

    While one is left its number is not given away. So it is another session's when its leader
    lives and is not the one that we started.
    """
    leader = next((found for pid, found in members if pid == target.pid), None)
    if leader and target.started and leader.started != target.started:
        return []
    mine = [member for member in members if in_container(member[0], target.container)]
    known = target.started or any(marked(pid, target.marker) for pid, _ in mine)
    return mine if known else []


def _send(pid: int, started: int, number: int) -> None:
    """A signal to exactly that process, never to a later one of the same number."""
    try:
        handle = os.pidfd_open(pid)
    except OSError:
        return
    try:
        now = stat(pid)
        if now and now.started == started:
            signal.pidfd_send_signal(handle, number)
            if number == signal.SIGHUP:
                # A stopped job takes note of nothing else until it goes on.
                signal.pidfd_send_signal(handle, signal.SIGCONT)
    except OSError:
        pass  # it has ended
    finally:
        os.close(handle)
