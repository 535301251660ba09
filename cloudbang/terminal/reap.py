"""The end of everything a terminal started, checked.

Closing an exec's socket ends nothing: shells, ``top``, loops and background jobs go on. So each
process of its process session gets SIGHUP, then SIGKILL, until none is left.
"""

from __future__ import annotations

import logging
import signal
import time
from collections.abc import Iterable, Iterator

import gevent
from gevent.event import AsyncResult, Event
from gevent.pool import Pool
from gevent.threadpool import ThreadPool

from cloudbang.engine import Engine
from cloudbang.errors import CloudBangError, EngineRefused, EngineUnreachable, NoSuchContainer
from cloudbang.store.threads import in_thread
from cloudbang.supervise import Supervisor
from cloudbang.terminal.inside import Inside
from cloudbang.terminal.processes import Target, in_container, signal_all

log = logging.getLogger(__name__)

# Seconds that each kind of end is given: what was typed (^C ^D, by the source), then the signals.
# Together less than the 5 s that everything has to be over in.
TYPED, HUNG_UP, KILLED = 0.3, 0.7, 3.0
AT_ONCE = 16  # orphans looked at at the same time

Orphan = tuple[str, str, str, int]
"""Session id, container id, exec id, number of its first process (0: not known)."""


class Reaper:
    """Ends process sessions. All who wait at one moment share one walk through ``/proc``."""

    def __init__(self, engine: Engine) -> None:
        self.errands = Supervisor("terminal-source")  # small pieces of work of the sources
        self.inside = Inside(engine, self.errands)
        self._engine = engine
        self._supervisor = Supervisor("reaper")
        self._pool = ThreadPool(1)
        # Signals to be sent: at most one for each session that is ending.
        self._asked: list[tuple[Target, int, AsyncResult]] = []
        self._wake = Event()

    def start(self) -> None:
        self._supervisor.run("walk", self._walk)

    def stop(self) -> None:
        self.errands.stop()
        self._supervisor.stop()
        self._pool.kill()

    def end(self, target: Target, *, typed: bool = True) -> bool:
        """End every process of it; waits until none is left, for 4 s at most. Whether none is.

        ``typed``: ^C ^D has just been sent, which most shells end by themselves on.
        """
        left = 0
        for number, seconds in self._phases(typed):
            left = self._signal(target, number)
            until = time.monotonic() + seconds
            while left and time.monotonic() < until:
                gevent.sleep(0.05)
                # New ones may have been started meanwhile: a loop in a shell does nothing else.
                left = self._signal(target, signal.SIGKILL if number == signal.SIGKILL else 0)
            if not left:
                return True
            if number == signal.SIGHUP and self._paused(target.container):
                self._signal(target, signal.SIGKILL)
                log.info(
                    "%d processes in %s end when it is no longer paused",
                    left,
                    target.container[:12],
                )
                return False
        log.warning("%d processes in %s cannot be ended", left, target.container[:12])
        return False

    def end_orphans(self, rows: Iterable[Orphan]) -> None:
        """End what sessions of a killed server left behind; waits until it is done.

        Raises EngineUnreachable: try again.
        """
        for failure in Pool(AT_ONCE).imap_unordered(self._end_orphan, rows):
            if failure is not None:
                raise failure

    def _end_orphan(self, row: Orphan) -> EngineUnreachable | None:
        session, container, exec_id, pid = row
        try:
            state = self._engine.container_state(container)
            if not state.pid:
                return None
            # The number alone could be another process's by now.
            marker = session
            try:
                found = self._engine.exec_inspect(exec_id) if exec_id else None
            except EngineRefused:
                found = None  # the engine was started anew as well
            if found and found.pid:
                pid, marker = found.pid, ""
        except NoSuchContainer:
            return None
        except EngineUnreachable as e:
            return e
        if not self.sees(state.pid, container):
            self.inside.end(container, session)
        elif pid:
            self.end(Target(pid, container, marker=marker), typed=False)
        return None

    @staticmethod
    def sees(pid: int, container: str) -> bool:
        """Whether that container's processes can be seen from here, by one of them."""
        return pid > 0 and in_container(pid, container)

    @staticmethod
    def _phases(typed: bool) -> Iterator[tuple[int, float]]:
        if typed:
            yield 0, TYPED
        yield signal.SIGHUP, HUNG_UP
        yield signal.SIGKILL, KILLED

    def _paused(self, container: str) -> bool:
        # cgroup v1 freezes processes so that not even SIGKILL reaches them before they go on.
        try:
            return self._engine.container_state(container).state == "paused"
        except CloudBangError:
            return False

    # --- the walk -----------------------------------------------------------------------------

    def _signal(self, target: Target, number: int) -> int:
        """Send all of it a signal (0: none); how many processes there were."""
        done = AsyncResult()
        self._asked.append((target, number, done))
        self._wake.set()
        try:
            return int(done.get())
        except OSError:
            return 1  # nobody could look, which the walk has logged: there may be some

    def _walk(self) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            asked, self._asked = self._asked, []
            try:
                wants = [(target, number) for target, number, _ in asked]
                counts = in_thread(self._pool, signal_all, wants)
            except Exception as e:
                for _, _, done in asked:
                    done.set_exception(e)
                raise
            for (_, _, done), count in zip(asked, counts, strict=True):
                done.set(count)
