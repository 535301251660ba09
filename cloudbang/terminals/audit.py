"""What is written down of sessions: the audit list, and the events of their apps.

A disk without room must not keep anybody from working, so that what happens later in a session
(who came, how it ended) is logged when it cannot be written; only its beginning has to be.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Protocol

from cloudbang.accounts import token_of
from cloudbang.domain.terminals import ExitStatus
from cloudbang.errors import CloudBangError, NoSuchTerminal
from cloudbang.storage.database.terminals import TerminalRecord
from cloudbang.terminals.participant import Participant
from cloudbang.terminals.session import Session

log = logging.getLogger(__name__)

RecordAction = Callable[[str, str, str, str], None]
"""``record_action(app, container, who, what)`` keeps a person's action as an event of the app."""


class AuditStore(Protocol):
    """The audit list; see ``storage.database.terminals``."""

    def opened(self, record: TerminalRecord) -> None: ...
    def running(self, session: str, exec_id: str, pid: int) -> None: ...
    def ended(
        self, session: str, reason: str, exit_code: int | None = None, recording_bytes: int = 0
    ) -> None: ...
    def visited(
        self, session: str, account_id: int | None, account: str, address: str, mode: str
    ) -> int: ...
    def left(self, visit: int) -> None: ...
    def unended(self) -> list[TerminalRecord]: ...
    def get(self, session: str) -> TerminalRecord: ...


class TerminalAudit:
    """See the module."""

    def __init__(self, store: AuditStore, record_action: RecordAction | None) -> None:
        self._store, self._record_action = store, record_action
        self._places: dict[str, tuple[str, int]] = {}  # exec id and pid, as they were written down
        self._visits: dict[Participant, int] = {}  # the rows of those who look

    def unended(self) -> list[TerminalRecord]:
        """What a killed server left behind."""
        return self._store.unended()

    def is_over(self, session: str) -> bool:
        """Whether a session of this installation is known to have ended. Raises StorageFailed."""
        try:
            return self._store.get(session).ended is not None
        except NoSuchTerminal:
            return False  # another server's

    def opened(self, session: Session, recorded: bool) -> None:
        """Before anything runs. Raises StorageFull, StorageFailed."""
        self._store.opened(record_of(session, recorded))

    def running(self, session: Session) -> None:
        self.placed(session)
        self._action(session, "terminal-open")

    def placed(self, session: Session) -> None:
        """Where it runs, so that the next server finds it if this one is killed. The number of
        its process is known a moment after its start, and another shell may be tried."""
        place = (session.source.exec_id, session.source.pid)
        if place != self._places.get(session.id, ("", 0)):
            self._places[session.id] = place
            self._guarded(self._store.running, session.id, *place)

    def not_started(self, session: Session, reason: str) -> None:
        self._places.pop(session.id, None)
        self._guarded(self._store.ended, session.id, reason)

    def ended(self, session: Session, end: ExitStatus) -> None:
        self._places.pop(session.id, None)
        self._guarded(self._store.ended, session.id, end.reason, end.code, session.recorded)
        self._action(session, "terminal-end")

    def lost(self, record: TerminalRecord) -> None:
        """A killed server's session, now that nothing of it runs any more."""
        self._guarded(self._store.ended, record.session, "server-lost")

    def came(self, session: Session, one: Participant, address: str) -> None:
        visit = self._guarded(
            self._store.visited, session.id, one.account_id, one.account, address, one.mode
        )
        if visit:
            self._visits[one] = visit

    def left(self, one: Participant) -> None:
        if visit := self._visits.pop(one, None):
            self._guarded(self._store.left, visit)

    def _action(self, session: Session, what: str) -> None:
        if self._record_action is not None and session.target.app:
            target = session.target
            who = session.account
            self._guarded(self._record_action, target.app, target.container[:12], who, what)

    def _guarded(self, write: Callable[..., Any], *values: object) -> Any:
        try:
            return write(*values)
        except CloudBangError as e:
            log.warning("what happened to a terminal was not written down: %s", e)
            return None


def record_of(session: Session, recorded: bool) -> TerminalRecord:
    """The line of the audit list that a session begins."""
    target = session.target
    return TerminalRecord(
        session=session.id,
        kind=target.request.kind,
        team=target.team,
        app=target.app,
        container=target.container,
        name=target.container_name,
        image=target.image,
        command=target.request.command,
        user=target.request.user,
        folder=target.request.folder,
        account_id=session.account_id,
        account=session.account,
        login=token_of(session.login),
        address=session.address,
        agent=session.agent[:300],
        columns=session.size.columns,
        rows=session.size.rows,
        started=session.started,
        title=session.title,
        recorded=recorded,
    )
