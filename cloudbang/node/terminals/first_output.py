"""Whether what a shell prints is lost.

containerd's shim loses all output of a terminal at times (seen with 1.6, once in some thousand that
were begun beside others): its shell runs and waits, what is typed reaches it, nothing it prints
ever comes.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import gevent

from cloudbang.engine import Engine
from cloudbang.errors import EngineRefused, EngineUnreachable
from cloudbang.node.terminals import processes
from cloudbang.node.terminals.reaper import Reaper

SILENT = 1.0  # seconds between two looks why it has printed nothing; two have to say the same
SILENT_UNSEEN = 5.0  # until one is, where nobody can see what it does: it may be at its start still


class FirstOutput:
    """Of one exec of ``container``; ``visible``: whether its processes can be seen from here."""

    def __init__(
        self, engine: Engine, reaper: Reaper, container: str, exec_id: str, *, visible: bool
    ) -> None:
        self._engine, self._reaper = engine, reaper
        self._container, self._exec_id, self._visible = container, exec_id, visible

    def lost_after(self, is_awaited: Callable[[], bool]) -> float | None:
        """Waits until it is certain that nothing will come, and gives the seconds; None once it is
        not awaited any more."""
        began, seen = time.monotonic(), 0
        while True:
            gevent.sleep(SILENT)
            if not is_awaited():
                return None
            silent = time.monotonic() - began
            # What came meanwhile is no silence.
            seen = seen + 1 if self._waits_unheard(silent) and is_awaited() else 0
            if seen == 2:
                return silent

    def _waits_unheard(self, silent: float) -> bool:
        """Whether it waits for keys, and has printed what it had to say before."""
        try:
            state = self._engine.exec_inspect(self._exec_id)
        except (EngineRefused, EngineUnreachable):
            return False
        if not state.running or not state.pid:
            return False
        if not self._visible:
            return silent > SILENT_UNSEEN
        call = self._reaper.limited_calls
        return call(False, processes.waits_for_keys, state.pid, self._container)
