"""The end of everything a terminal started, checked.

Closing an exec's socket ends nothing: shells, ``top``, loops and background jobs go on. So each
process of its process session gets SIGHUP, then SIGKILL, until none is left.
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

from cloudbang.core.limited_calls import LimitedCalls
from cloudbang.core.supervise import Supervisor, backoff
from cloudbang.core.threads import in_thread
from cloudbang.engine import Engine
from cloudbang.errors import CloudBangError, EngineRefused, EngineUnreachable, NoSuchContainer
from cloudbang.node.terminals.container_reaper import ContainerReaper
from cloudbang.node.terminals.processes import Target, find_marked, in_container, signal_all

log = logging.getLogger(__name__)

# Seconds that each kind of end is given: what was typed (^C ^D, by the source), then the signals.
# Together less than the 5 s that everything has to be over in.
TYPED, HUNG_UP, KILLED = 0.3, 0.7, 3.0
PAUSE_ASKED = 1.0  # seconds of these, for the engine to say whether a container is paused
AT_ONCE = 16  # orphans looked at at the same time
LATE = 60.0  # seconds in which an engine that did not answer may still start what it was asked to
GIVEN_UP = 3600.0  # seconds after which a container without a shell, for instance, is left alone
AGAIN = 300.0  # seconds at most between two tries to end what could not be ended

Orphan = tuple[str, str, str, int]
"""Session id, container id, exec id, number of its first process (0: not known)."""


class Reaper:
    """Ends process sessions. All who wait at one moment share one walk through ``/proc``."""

    def __init__(self, engine: Engine) -> None:
        self.tasks = Supervisor("terminal-source")  # small pieces of work of the sources
        self.inside = ContainerReaper(engine, self.tasks)
        self.look = LimitedCalls()
        self._engine = engine
        self._supervisor = Supervisor("reaper")
        self._pool = ThreadPool(1)
        # Signals to be sent: at most one for each session that is ending.
        self._asked: list[tuple[Target, int, AsyncResult]] = []
        self._wake = Event()
        self._sighted = True  # whether the last walk could look at all

    def start(self) -> None:
        self._supervisor.run("walk", self._walk)

    def stop(self) -> None:
        self.tasks.stop()
        self._supervisor.stop()
        self._pool.kill()
        self.look.stop()

    def end(self, target: Target, *, typed: bool = True) -> bool:
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
                left = self._signal(target, signal.SIGKILL if number == signal.SIGKILL else 0)
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
        return {session for (session, *_), sure in zip(asked, gone, strict=True) if sure}

    def end_left(self, row: Orphan) -> bool:
        """End what is left of a session; whether it is certain that nothing is."""
        session, container, exec_id, pid = row
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
            return self.inside.end(container, session)
        # The number alone could be another process's by now.
        targets = [Target(pid, container, marker=session)] if pid else None
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
            return self._engine.exec_inspect(row[2]).pid > 0
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

    def _signal(self, target: Target, number: int) -> int:
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
                counts = in_thread(self._pool, signal_all, wants)
                self._sighted = True
            except Exception as e:
                # No more files can be opened, for instance. There may be some: whoever waits
                # asks again.
                counts = [1] * len(asked)
                if self._sighted:
                    log.warning("nobody can look at processes: %s", e, exc_info=True)
                self._sighted = False
            for (_, _, done), count in zip(asked, counts, strict=True):
                done.set(count)
