"""The processes of this machine, by process session, from ``/proc``. Blocking: for a thread.

A process session is what ``setsid`` made: the first process of an exec with a terminal leads one,
its number is that process's, and all that it starts belong to it until they call ``setsid``
themselves, as daemons do. Background jobs stay in it, ``nohup`` or not.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass

MARKER = "CLOUDBANG_TERMINAL"  # the variable that names the session in each of its processes
_ENDED = (b"Z", b"X", b"x")  # only a number is left, until the parent takes note


@dataclass(frozen=True, slots=True)
class Stat:
    """What ``/proc/PID/stat`` says, as far as it is used here."""

    state: bytes
    session: int
    foreground: int  # the process group that its terminal listens to, -1 for none
    started: int  # clock ticks since the machine's start


@dataclass(frozen=True, slots=True)
class Target:
    """The processes of one exec. Numbers get reused: all of it has to fit."""

    pid: int  # of its first process, which is also the number of its process session
    container: str  # 64 hex digits
    started: int = 0  # of its first process, as in Stat; 0 when that is not known
    marker: str = ""  # the id of our session, one of them at least has to carry it; "": no matter


def stat(pid: int) -> Stat | None:
    """None when there is no such process."""
    try:
        with open(f"/proc/{pid}/stat", "rb", buffering=0) as f:
            text = f.read(1024)
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The name is in parentheses and may hold anything, these too.
    fields = text[text.rindex(b")") + 2 :].split()
    return Stat(fields[0], int(fields[3]), int(fields[5]), int(fields[19]))


def in_container(pid: int, container: str) -> bool:
    """Whether that process runs in that container, as seen from here."""
    try:
        with open(f"/proc/{pid}/cgroup", encoding="utf-8", errors="replace") as f:
            return container in f.read()
    except OSError:
        return False


def marked(pid: int, session: str) -> bool:
    """Whether that process was started in that session of ours."""
    try:
        with open(f"/proc/{pid}/environ", "rb") as f:
            return f"{MARKER}={session}".encode() in f.read().split(b"\0")
    except OSError:
        return False


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


def signal_all(wants: Sequence[tuple[Target, int]]) -> list[int]:
    """Send each target's processes a signal (0: none); how many each had that were alive.

    One walk through ``/proc`` for all of them.
    """
    sessions: dict[int, list[tuple[int, Stat]]] = {target.pid: [] for target, _ in wants}
    for name in os.listdir("/proc"):
        if not name.isdecimal():
            continue
        found = stat(int(name))
        if found and found.session in sessions and found.state not in _ENDED:
            sessions[found.session].append((int(name), found))
    counts = []
    for target, number in wants:
        members = _belonging(target, sessions[target.pid])
        counts.append(len(members))
        if number:
            for pid, found in members:
                _send(pid, found.started, number)
    return counts


def _belonging(target: Target, members: list[tuple[int, Stat]]) -> list[tuple[int, Stat]]:
    """Those of a process session that are the target's.

    While one is left its number is not given away. So it is another session's when its leader
    lives and is not the one that we started.
    """
    leader = next((found for pid, found in members if pid == target.pid), None)
    if leader and target.started and leader.started != target.started:
        return []
    mine = [member for member in members if in_container(member[0], target.container)]
    if target.marker and not any(marked(pid, target.marker) for pid, _ in mine):
        return []
    return mine


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
