"""What is written down of sessions: the audit list, and the events of their apps.

A disk without room must not keep anybody from working, so that what happens later in a session
(who came, how it ended) is logged when it cannot be written; only its beginning has to be.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Protocol

from cloudbang.accounts import Caller
from cloudbang.domain.terminals import ExitStatus
from cloudbang.errors import CloudBangError
from cloudbang.storage.database.terminals import Owner, TerminalRecord
from cloudbang.terminals.participant import Participant
from cloudbang.terminals.session import Session

log = logging.getLogger(__name__)

Tell = Callable[[str, str, str, str], None]
"""``tell(app, container, who, what)`` keeps a person's action as an event of the app."""


class AuditStore(Protocol):
    """The audit list; see ``store.terminals``."""

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


class TerminalAudit:
    """See the module."""

    def __init__(self, audit: AuditStore, tell: Tell | None) -> None:
        self._audit = audit
        self._tell = tell

    def unended(self) -> list[TerminalRecord]:
        """What a killed server left behind."""
        return self._audit.unended()

    def opened(self, session: Session, recorded: bool) -> None:
        """Before anything runs. Raises StorageFull, StorageFailed."""
        self._audit.opened(record_of(session, recorded))

    def running(self, session: Session) -> None:
        self.placed(session)
        self._action(session, "terminal-open")

    def placed(self, session: Session) -> None:
        """Where it runs, so that the next server finds it if this one is killed. The number of
        its process is known a moment after its start, and another shell may be tried."""
        place = (session.source.exec_id, session.source.pid)
        if place != session.place:
            session.place = place
            self._guarded(self._audit.running, session.id, *place)

    def not_started(self, session: Session, reason: str) -> None:
        self._guarded(self._audit.ended, session.id, reason)

    def ended(self, session: Session, end: ExitStatus) -> None:
        self._guarded(self._audit.ended, session.id, end.reason, end.code, session.recorded)
        self._action(session, "terminal-end")

    def lost(self, record: TerminalRecord) -> None:
        """A killed server's session, now that nothing of it runs any more."""
        self._guarded(self._audit.ended, record.session, "server-lost")

    def came(self, session: Session, one: Participant, address: str) -> None:
        written = self._guarded(
            self._audit.visited, session.id, one.account_id, one.account, address, one.mode
        )
        one.visit = written or 0

    def left(self, one: Participant) -> None:
        if one.visit:
            self._guarded(self._audit.left, one.visit)

    def _action(self, session: Session, what: str) -> None:
        if self._tell is not None and session.spec.app:
            spec = session.spec
            self._guarded(self._tell, spec.app, spec.container[:12], session.account, what)

    def _guarded(self, write: Callable[..., Any], *values: object) -> Any:
        try:
            return write(*values)
        except CloudBangError as e:
            log.warning("what happened to a terminal was not written down: %s", e)
            return None


def record_of(session: Session, recorded: bool) -> TerminalRecord:
    """The line of the audit list that a session begins."""
    spec = session.spec
    return TerminalRecord(
        session=session.id,
        kind=spec.wish.kind,
        team=spec.team,
        app=spec.app,
        container=spec.container,
        name=spec.container_name,
        image=spec.image,
        command=spec.wish.command,
        user=spec.wish.user,
        folder=spec.wish.folder,
        account_id=session.account_id,
        account=session.account,
        login=session.login,
        address=session.address,
        agent=session.agent[:300],
        columns=session.size.columns,
        rows=session.size.rows,
        started=session.started,
        title=session.title,
        recorded=recorded,
    )


def owner_of(caller: Caller) -> Owner:
    """Whose a session is that this caller opens: an account's, or a token's that has none."""
    return Owner(caller.account_id, caller.session_id if caller.account_id is None else "")


def owner_of_session(session: Session) -> Owner:
    return Owner(session.account_id, session.login if session.account_id is None else "")


def is_owner(session: Session, caller: Caller) -> bool:
    """Whether the session is of the same account, or of the same token of the command line; and
    whether the caller may have terminals at all: a token that may only look is no way to a shell.
    """
    may_have_one = caller.can("terminal", session.spec.team)
    return may_have_one and owner_of(caller) == owner_of_session(session)


def is_owner_of(record: TerminalRecord, caller: Caller) -> bool:
    """Whether a line of the audit list is the caller's."""
    return record.is_of(Owner(caller.account_id, caller.session_id))
