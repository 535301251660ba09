"""What the sessions of this server are made of: the parts of ``app.py``, joined."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cloudbang.config import TerminalSettings
from cloudbang.domain.terminals import Recording, Source, TerminalTarget
from cloudbang.engine import Engine
from cloudbang.errors import NoSuchTerminal
from cloudbang.node.terminals.debug_container import DebugContainerSource, remove_toolboxes
from cloudbang.node.terminals.exec_source import ExecSource
from cloudbang.node.terminals.reaper import Reaper
from cloudbang.storage.database.terminals import TerminalRecord, TerminalStore
from cloudbang.storage.recordings.recordings import Recordings
from cloudbang.terminals.session import Session

STOPPED = {
    "limit": "recording has stopped here: it reached its limit; the terminal goes on",
    "disk-full": "recording has stopped here: the disk is full; the terminal goes on",
    "failed": "recording has stopped here: it could not be written; the terminal goes on",
}


def new_source(
    engine: Engine, reaper: Reaper, settings: TerminalSettings
) -> Callable[[TerminalTarget], Source]:
    """Makes the source of a session, not started yet."""

    def make(spec: TerminalTarget) -> Source:
        if spec.wish.kind == "toolbox":
            return DebugContainerSource(engine, spec, reaper, settings.toolbox_image)
        return ExecSource(engine, spec, reaper)

    return make


def new_recording(recordings: Recordings) -> Callable[[Session], Recording]:
    """Begins the recording of a session, which is told when it stops before its time."""

    def begin(session: Session) -> Recording:
        spec = session.spec

        def stopped(reason: str) -> None:
            session.notice("recording-stopped", STOPPED.get(reason, STOPPED["failed"]))

        return recordings.begin(
            session.id,
            columns=session.size.columns,
            rows=session.size.rows,
            command=spec.wish.command,
            title=session.title or " · ".join(filter(None, (spec.app, spec.container_name))),
            started=session.started,
            on_stopped=stopped,
        )

    return begin


def end_orphans(
    engine: Engine, reaper: Reaper, store: TerminalStore, left: Sequence[TerminalRecord]
) -> set[str]:
    """End what a killed server's sessions left running, and remove the toolboxes of all that are
    over. Gives the sessions of which it is certain that nothing is left.

    Raises EngineUnreachable, StorageFailed: try again.
    """
    over = {r.session for r in left}

    def is_over(session: str) -> bool:
        if session in over:
            return True
        try:
            return store.get(session).ended is not None
        except NoSuchTerminal:
            return False  # another server's

    boxes = remove_toolboxes(engine, is_over)
    here = [
        (r.session, r.container, r.exec_id, r.pid)
        for r in left
        if r.kind != "toolbox" and r.container
    ]
    # What ran in a toolbox went with it. A command of the host ends with its connection: whoever
    # runs it sees to that.
    apart = over - {session for session, *_ in here} - boxes
    return reaper.end_orphans(here) | apart
