"""What opens terminals on one node, and ends what a killed server left of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cloudbang.domain.terminals import Orphan, Source, TerminalTarget
from cloudbang.engine import Engine
from cloudbang.node.terminals.debug_container import DebugContainerSource, remove_debug_containers
from cloudbang.node.terminals.exec_source import ExecSource
from cloudbang.node.terminals.reaper import Reaper


class TerminalSources:
    """``image`` is what debug containers are made of."""

    def __init__(self, engine: Engine, reaper: Reaper, image: str) -> None:
        self._engine, self._reaper, self._image = engine, reaper, image

    def new(self, target: TerminalTarget) -> Source:
        """The source of a terminal, not started yet."""
        if target.request.kind == "toolbox":
            return DebugContainerSource(self._engine, target, self._reaper, self._image)
        return ExecSource(self._engine, target, self._reaper)

    def end_orphans(self, orphans: Sequence[Orphan], is_over: Callable[[str], bool]) -> set[str]:
        """End what these sessions left running, and remove the debug containers of all that are
        over. Gives the sessions of which it is certain that nothing is left.

        Raises EngineUnreachable, and what ``is_over(session)`` raises: try again.
        """
        ours = {orphan.session for orphan in orphans}
        left = remove_debug_containers(
            self._engine, lambda session: session in ours or is_over(session)
        )
        execs = [orphan for orphan in orphans if orphan.kind != "toolbox"]
        # What ran in a debug container went with it.
        apart = ours - {orphan.session for orphan in execs} - left
        return self._reaper.end_orphans(execs) | apart
