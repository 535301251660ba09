"""The end of everything a terminal started, checked.

Closing an exec's socket ends nothing: shells, ``top``, loops and background jobs go on. So each
process of its process session gets SIGHUP, then SIGKILL, until none is left.

That is done from outside, by ``/proc``, where the host's processes can be seen. Where CloudBang
runs in a container itself or its engine is on another machine, a constant script does it from
within the container: it finds the processes of our sessions by a variable in their environment.
What comes from outside reaches it as arguments, never as text of the script.
"""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Iterable
from contextlib import suppress

import gevent
from gevent import Greenlet
from gevent.event import AsyncResult, Event
from gevent.pool import Pool
from gevent.threadpool import ThreadPool

from cloudbang.core.deadline import UNHURRIED, Deadline
from cloudbang.core.supervise import Supervisor, backoff
from cloudbang.core.threads import LimitedCalls, in_thread
from cloudbang.domain.terminals import Orphan
from cloudbang.engine import Engine
from cloudbang.errors import CloudBangError, EngineRefused, EngineUnreachable, NoSuchContainer
from cloudbang.node.terminals.environment import of_script
from cloudbang.node.terminals.processes import ProcessSession, find_marked, in_container, signal_all

log = logging.getLogger(__name__)

# Seconds that each kind of end is given: what was typed (^C ^D, by the source), then the signals.
# Together less than the 5 s that everything has to be over in.
TYPED, HUNG_UP, KILLED = 0.3, 0.7, 3.0
PAUSE_ASKED = 1.0  # seconds of these, for the engine to say whether a container is paused
# What a process's links in /proc lead to is a container's file system. One that hangs (NFS whose
# server is away, a FUSE program that has stopped) holds whoever looks at it.
LOOKS_AT_ONCE = 4  # threads; overload: when all of them hang, nobody is told anything more
LOOK_WITHIN = 2.0  # seconds
AT_ONCE = 16  # orphans looked at at the same time
LATE = 60.0  # seconds in which an engine that did not answer may still start what it was asked to
GIVEN_UP = 3600.0  # seconds after which a container without a shell, for instance, is left alone
AGAIN = 300.0  # seconds at most between two tries to end what could not be ended


class Reaper:
    """Ends process sessions. All who wait at one moment share one walk through ``/proc``."""

    def __init__(self, engine: Engine) -> None:
        self.tasks = Supervisor("terminal-source")  # small pieces of work of the sources
        self.in_containers = ContainerReaper(engine, self.tasks)
        self.limited_calls = LimitedCalls(LOOKS_AT_ONCE, LOOK_WITHIN)
        self._engine = engine
        self._supervisor = Supervisor("reaper")
        self._pool = ThreadPool(1)
        # Signals to be sent: at most one for each session that is ending.
        self._asked: list[tuple[ProcessSession, int, AsyncResult]] = []
        self._told: set[tuple[int, int]] = set()  # processes that have had SIGHUP, see signal_all
        self._wake = Event()
        self._sighted = True  # whether the last walk could look at all

    def start(self) -> None:
        self._supervisor.run("walk", self._walk)

    def stop(self, deadline: Deadline = UNHURRIED) -> None:
        self.tasks.stop(deadline)
        self._supervisor.stop(deadline)
        self._pool.kill()
        self.limited_calls.stop()

    def end(self, target: ProcessSession, *, typed: bool = True) -> bool:
        """End every process of it; waits until none is left, for 4 s at most. Whether none is.

        ``typed``: ^C ^D has just been sent, which most shells end by themselves on.
        """
        began = time.monotonic()
        # By the clock, not one after the other: on a busy machine each look takes its time.
        phases: list[tuple[int, float]] = [
            (signal.SIGHUP, TYPED + HUNG_UP),
            (signal.SIGKILL, TYPED + HUNG_UP + KILLED),
        ]
        if typed:
            phases.insert(0, (0, TYPED))
        left, asked = 0, False
        for number, until in phases:
            left = self._signal(target, number)
            while left and time.monotonic() - began < until:
                gevent.sleep(0.05)
                # New ones may have been started meanwhile: a loop in a shell does nothing else.
                left = self._signal(target, number)
                if left and number == signal.SIGKILL and not asked:
                    asked = True
                    if self._paused(target.container):
                        log.info("what runs in %s ends when it goes on", target.container[:12])
                        return False
            if not left:
                return True
        log.warning("%d processes in %s cannot be ended", left, target.container[:12])
        return False

    def end_orphans(self, rows: Iterable[Orphan]) -> set[str]:
        """End what sessions of a killed server left behind; waits until it is done.

        Gives the sessions of which it is certain that nothing is left.
        """
        asked = list(rows)
        gone = Pool(AT_ONCE).imap(self.end_left, asked)
        return {row.session for row, sure in zip(asked, gone, strict=True) if sure}

    def end_left(self, row: Orphan) -> bool:
        """End what is left of a session; whether it is certain that nothing is."""
        session, container, exec_id, pid, _ = row
        try:
            state = self._engine.container_state(container)
            if not state.pid:
                return True
            try:
                found = self._engine.exec_inspect(exec_id) if exec_id else None
            except EngineRefused:
                found = None  # the engine was started anew as well
        except NoSuchContainer:
            return True
        except (EngineRefused, EngineUnreachable):
            return False
        if found and found.running and not found.pid:
            return False  # it is just being started
        pid = found.pid if found and found.pid else pid
        if not self.sees(state.pid, container):
            return self.in_containers.end(container, session)
        # The number alone could be another process's by now.
        targets = [ProcessSession(pid, container, marker=session)] if pid else None
        try:
            targets = targets or in_thread(self._pool, find_marked, container, session)
        except OSError as e:
            log.warning("nobody can look at processes: %s", e)
            return False
        gone = [self.end(target, typed=False) for target in targets]
        return all(gone)

    def end_later(self, row: Orphan, *, late: bool = False) -> Greenlet:
        """Go on trying to end what is left of a session until that is certain: as long as its
        container is there and this server runs, for an hour at most.

        ``late``: the engine was asked to start it and did not say whether it has. Then it is not
        certain before it was seen, or ``LATE`` seconds have passed.
        """
        return self.tasks.once("end-later", self._end_later, row, late)

    def _end_later(self, row: Orphan, late: bool) -> None:
        began = time.monotonic()
        for wait in backoff(0.5, AGAIN):
            gone, took = self.end_left(row), time.monotonic() - began
            late = late and took < LATE and not self._ran(row)
            if (gone and not late) or took > GIVEN_UP:
                break
            gevent.sleep(min(wait, 5.0) if late else wait)

    def _ran(self, row: Orphan) -> bool:
        try:
            return self._engine.exec_inspect(row.exec_id).pid > 0
        except EngineRefused:
            return True  # it is gone with its container, or with all that the engine knew
        except EngineUnreachable:
            return False

    @staticmethod
    def sees(pid: int, container: str) -> bool:
        """Whether that container's processes can be seen from here, by one of them."""
        # Seen by anybody, but of others' processes only root may say what they are, and end them.
        try:
            return pid > 0 and os.geteuid() == 0 and in_container(pid, container)
        except OSError:
            return False

    def _paused(self, container: str) -> bool:
        # cgroup v1 freezes processes so that not even SIGKILL reaches them before they go on.
        with suppress(CloudBangError), gevent.Timeout(PAUSE_ASKED, False):
            return self._engine.container_state(container).state == "paused"
        return False

    # --- the walk -----------------------------------------------------------------------------

    def _signal(self, target: ProcessSession, number: int) -> int:
        """Send all of it a signal (0: none); how many processes there were."""
        done = AsyncResult()
        self._asked.append((target, number, done))
        self._wake.set()
        return int(done.get())

    def _walk(self) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            asked, self._asked = self._asked, []
            try:
                wants = [(target, number) for target, number, _ in asked]
                counts = in_thread(self._pool, signal_all, wants, self._told)
                self._sighted = True
            except Exception as e:
                # No more files can be opened, for instance. There may be some: whoever waits
                # asks again.
                counts = [1] * len(asked)
                if self._sighted:
                    expected = isinstance(e, OSError)
                    log.warning("nobody can look at processes: %s", e, exc_info=not expected)
                self._sighted = False
            for (_, _, done), count in zip(asked, counts, strict=True):
                done.set(count)


# --- from within the container --------------------------------------------------------------------

WAIT_INSIDE = 4.5  # seconds that an end may take in all
LEAST_INSIDE = 1.0  # of them for those that root could not see, 0.3 of which nearly always do

# Only what every shell has built in, and `cat` (the shell drops NUL bytes of its output).
# Of the process sessions with the variable in them, ours has the terminal; when its leader has
# gone, it has none and no leader. A daemon that was started in it has neither the terminal nor
# lost its leader, or it is left alone as long as ours can be told from it: once seen, ours stays
# known when the list is gone through again. What moves a file has no terminal, and a mark of its
# own: file-….
_FIND = """
exec 2>/dev/null
stat_of() { read -r line < "/proc/$1/stat" || return 1; set -- ${line##*) }
  state=$1 session=$4 tty=$5 tpgid=$6; }
sure=" "
find_sessions() { maybe=" " found=" " blind=
  for d in /proc/[0-9]*; do p=${d#/proc/}
    all=$(cat "$d/environ") || { [ -d "$d" ] && blind=" blind"; }
    case "$all" in *CLOUDBANG_TERMINAL=*) ;; *) continue ;; esac
    id=${all#*CLOUDBANG_TERMINAL=} rest=${all#*CLOUDBANG_TERMINAL=????????????????}
    id=${id%"$rest"}
    case " $* " in *" $id "*) ;; *) continue ;; esac
    stat_of "$p" || continue
    if [ "$tty" != 0 ] || [ "${id#file-}" != "$id" ]; then sure="$sure$id:$session "
    elif ! stat_of "$session" || [ "$state" = Z ]; then
      stat_of "$p" && maybe="$maybe$id:$session "
    fi
  done
  for one in $sure; do found="$found${one#*:} "; done
  for one in $maybe; do
    case "$sure" in *" ${one%%:*}:"*) ;; *) found="$found${one#*:} " ;; esac
  done; }
find_sessions "$@"
"""

_END = (
    _FIND
    + """
signal_all() { left=0 backwards=
  # The youngest first: whoever has started them takes note of their end then.
  for d in /proc/[0-9]*; do backwards="$d $backwards"; done
  for d in $backwards; do p=${d#/proc/}
    stat_of "$p" || continue
    [ "$state" = Z ] && continue
    case "$found" in *" $session "*)
      left=$((left+1)); for s in "$@"; do kill -s "$s" "$p"; done ;;
    esac
  done; }
signal_all HUP CONT
for n in 1 2 3 4 5; do
  if [ $left = 0 ]; then
    # Who starts another and ends while the list is gone through hides it from one look.
    before=$found; find_sessions "$@"; found="$found$before"
    signal_all KILL
    [ $left = 0 ] && break
  else
    sleep 0.3 || sleep 1
    signal_all KILL
  fi
done
echo "left $left$blind"
"""
)

_FOLDER = (
    _FIND
    + """
set -- $found
stat_of "$1" && [ "$tpgid" -gt 0 ] && cd "/proc/$tpgid/cwd" && pwd -P
"""
)


class ContainerReaper:
    """Ends sessions by scripts in their containers. Those that end in the same container at the
    same time share one."""

    def __init__(self, engine: Engine, supervisor: Supervisor) -> None:
        self._engine, self._supervisor = engine, supervisor
        # By container and user: the sessions that the next script ends; each is in it once.
        self._waiting: dict[tuple[str, str], list[tuple[str, AsyncResult]]] = {}
        self._busy: set[tuple[str, str]] = set()

    def end(self, container: str, session: str, user: str = "") -> bool:
        """End every process of that session of ours; whether it is certain that none is left."""
        done = AsyncResult()
        key = (container, user)
        self._waiting.setdefault(key, []).append((session, done))
        if key not in self._busy:
            self._busy.add(key)
            self._supervisor.once("end-inside", self._end_all, key)
        return bool(done.get())

    def _end_all(self, key: tuple[str, str]) -> None:
        try:
            while asked := self._waiting.pop(key, None):
                gone = False
                try:
                    gone = self._end_these(*key, [session for session, _ in asked])
                finally:
                    for _, done in asked:
                        done.set(gone)
        finally:
            self._busy.discard(key)

    def _end_these(self, container: str, user: str, sessions: list[str]) -> bool:
        until = time.monotonic() + WAIT_INSIDE
        said = self._run(container, "0", WAIT_INSIDE, _END, *sessions).split()
        if said[:2] != ["left", "0"]:
            return False
        if said == ["left", "0"] or _is_root(user):
            return True
        # There are processes whose environment root may not read, others' than its own: it has
        # no more rights here than the container gives it. Whoever they belong to may.
        left = max(until - time.monotonic(), LEAST_INSIDE)
        return self._run(container, user, left, _END, *sessions).split()[:2] == ["left", "0"]

    def folder(self, container: str, session: str, user: str = "") -> str:
        """Where its foreground process works, "" when that cannot be found out."""
        for who in ("0", user):
            path = self._run(container, who, WAIT_INSIDE, _FOLDER, session).strip("\n")
            if path.startswith("/"):
                return path
            if _is_root(user):
                break
        return ""

    def _run(self, container: str, user: str, wait: float, script: str, *arguments: str) -> str:
        """What a script prints until it ends or ``wait`` seconds have passed, "" when it could not
        be run (no shell, not running, …).

        The shell is the container's own, whatever that is: it never gets more rights than the
        container has.
        """
        said = b""
        try:
            with gevent.Timeout(wait, False):
                env = of_script(self._engine.container_state(container).env)
                argv = ["sh", "-c", script, "sh", *arguments]
                exec_id = self._engine.exec_create(container, argv, user=user, env=env, stdin=False)
                stream, _ = self._engine.exec_start(exec_id)
                try:
                    said = stream.read_all(65536)
                finally:
                    stream.close()
                if not self._engine.exec_inspect(exec_id).pid:
                    said = b""  # the engine's own words
        except CloudBangError as e:
            log.debug("nothing can be run in %s: %s", container[:12], e)
            return ""
        return said.decode("utf-8", "replace").replace("\r\n", "\n")


def _is_root(user: str) -> bool:
    """Whether that is certain: the image may have a user of its own."""
    return user.partition(":")[0] in ("0", "root")
