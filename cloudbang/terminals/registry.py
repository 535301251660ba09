"""The sessions of this server: who may open one, come back to it, look at it, and when it ends."""

from __future__ import annotations

import logging
import math
import secrets
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Protocol, cast

import gevent

from cloudbang.accounts import Caller
from cloudbang.config import TerminalSettings
from cloudbang.core.counters import export
from cloudbang.core.deadline import UNHURRIED, Deadline
from cloudbang.core.supervise import Supervisor, backoff
from cloudbang.domain.apps import App, Instance
from cloudbang.domain.terminals import (
    ExitStatus,
    Kind,
    Mode,
    Orphan,
    Recorder,
    Size,
    Source,
    TerminalRequest,
    TerminalTarget,
)
from cloudbang.errors import (
    CloudBangError,
    ContainerNotRunning,
    NoSuchTerminal,
    TooManyTerminals,
)
from cloudbang.storage.database.terminals import TerminalRecord
from cloudbang.terminals.admission import (
    ShareLinks,
    Ticket,
    Tickets,
    is_owner,
    owner_of,
    owner_of_participant,
)
from cloudbang.terminals.audit import AuditStore, RecordAction, TerminalAudit
from cloudbang.terminals.fairness import Fairness
from cloudbang.terminals.participant import Participant, ParticipantConnection
from cloudbang.terminals.session import Session

log = logging.getLogger(__name__)

LINGER = 60.0  # seconds an ended session's last output can be come back for
LINGERING = 64  # of them; overload: the oldest goes, its recording stays
STOP_WITHIN = 3.0  # seconds that ending all sessions may take at a stop: SIGKILL comes after one
KEEP = 0.2  # of these, for what is left of the sessions when one does not end
ORPHANS_AGAIN = 300.0  # seconds at most between two tries to end what a killed server left
GIVE_UP = 7.0  # seconds after the order to end until a session is over whatever hangs


GOOD_BYES = ("signed-out", "admin", "closed")  # after which links open nothing, not even the end

RECORDING_STOPPED = {
    "limit": "recording has stopped here: it reached its limit; the terminal goes on",
    "disk-full": "recording has stopped here: the disk is full; the terminal goes on",
    "failed": "recording has stopped here: it could not be written; the terminal goes on",
}


class Sources(Protocol):
    """What opens terminals where their containers are; see ``node.terminals.sources``."""

    def new(self, target: TerminalTarget) -> Source: ...
    def end_orphans(
        self, orphans: Sequence[Orphan], is_over: Callable[[str], bool]
    ) -> Collection[str]: ...


class RecordingStore(Protocol):
    """What records; see ``storage.recordings``."""

    def begin(
        self,
        session: str,
        *,
        columns: int,
        rows: int,
        command: Sequence[str],
        title: str,
        started: str,
        on_stopped: Callable[[str], None],
    ) -> Recorder: ...


class Terminals:
    """See the module. ``record_action(app, container, who, what)`` keeps what a person did."""

    def __init__(
        self,
        settings: TerminalSettings,
        store: AuditStore,
        sources: Sources,
        *,
        recordings: RecordingStore | None = None,
        record_action: RecordAction | None = None,
    ) -> None:
        self._settings = settings
        self._audit = TerminalAudit(store, record_action)
        self._sources, self._recordings = sources, recordings
        self._tickets = Tickets()
        self._live: dict[str, Session] = {}
        self._links = ShareLinks()
        self._fairness = Fairness()
        self._over: dict[str, tuple[Session, float]] = {}  # ended, and since when
        self._pumps: dict[str, gevent.Greenlet] = {}
        self._listeners: list[Callable[[Session], None]] = []
        self._supervisor = Supervisor("terminal")
        export(self, "terminals", counters={"opened": "Terminals ever opened."}, of_teams=True)
        self._stopping = False
        self.opened = 0  # since the start

    def start(self) -> None:
        """Look after limits, and end what a killed server left behind."""
        self._supervisor.run("limits", self._watch)
        left = self._audit.unended()
        if left:
            log.info("%d terminals of a server that was killed are ended", len(left))
        self._supervisor.run("orphans", self._end_orphans, left)

    def stop(self, deadline: Deadline = UNHURRIED) -> None:
        """End every session; 3 s at most. What is left then is found at the next start."""
        self._stopping = True
        ending = deadline.keeping(KEEP).at_most(STOP_WITHIN)
        self._end_all(list(self._live.values()), "server-stopped", ending)
        self._supervisor.stop(deadline)

    def _end_orphans(self, left: Sequence[TerminalRecord]) -> None:
        """Until it is certain that nothing of them is left: for as long as their containers are
        there. A paused one's processes cannot be ended, nor any while the engine is away."""
        for record in left:
            if not record.container:  # a command of the host ended with its connection
                self._audit.lost(record)
        left = [record for record in left if record.container]
        for wait in backoff(1.0, ORPHANS_AGAIN):
            orphans = [
                Orphan(r.session, r.container, r.exec_id, r.pid, cast(Kind, r.kind)) for r in left
            ]
            try:
                gone = self._sources.end_orphans(orphans, self._audit.is_over)
            except CloudBangError as e:
                log.warning("what a killed server may have left is looked for again: %s", e)
            else:
                for record in left:
                    if record.session in gone:
                        self._audit.lost(record)
                left = [record for record in left if record.session not in gone]
                if not left:
                    return
            gevent.sleep(wait)

    def listen(self, listener: Callable[[Session], None]) -> None:
        """Call ``listener(session)`` when one has begun, ended, or been joined or left."""
        self._listeners.append(listener)

    def _changed(self, session: Session) -> None:
        for listener in self._listeners:
            listener(session)

    # --- opening ----------------------------------------------------------------------------------

    def ticket(
        self, caller: Caller, app: App, instance: Instance, request: TerminalRequest
    ) -> Ticket:
        """A ticket for a terminal in this instance; the caller has been found to reach the app.

        Raises Unauthorised, ContainerNotRunning, TooManyTerminals.
        """
        caller.require("terminal", app.team)
        if instance.state != "running":
            raise ContainerNotRunning(instance.name, instance.state)
        self._check_limits(caller)
        target = TerminalTarget(
            session=secrets.token_hex(8),
            team=app.team,
            app=app.name,
            container=instance.id,
            container_name=instance.name,
            image=instance.image,
            request=request,
        )
        return self._tickets.give(target, caller.login)

    def redeem(
        self, caller: Caller, md5: str, team: str, app: str, container: str
    ) -> TerminalTarget:
        """What a ticket opens, once, for the login it was given to. Raises TicketRefused."""
        return self._tickets.redeem(caller.login, md5, team, app, container)

    def open(
        self, target: TerminalTarget, caller: Caller, address: str, agent: str, size: Size
    ) -> Session:
        """Start it. Raises Unauthorised, NoSuchApp, TooManyTerminals, and what the engine says."""
        caller.require_app(target.app, target.team, "terminal")
        return self._open(target, self._sources.new(target), caller, address, agent, size)

    def open_source(
        self,
        target: TerminalTarget,
        source: Source,
        caller: Caller,
        address: str,
        agent: str,
        size: Size,
        title: str = "",
    ) -> Session:
        """A session of a source that somebody else made: a command of the host."""
        return self._open(target, source, caller, address, agent, size, title)

    def _open(
        self,
        target: TerminalTarget,
        source: Source,
        caller: Caller,
        address: str,
        agent: str,
        size: Size,
        title: str = "",
    ) -> Session:
        self._check_limits(caller)
        if self._stopping:
            raise NoSuchTerminal(target.session)
        session = Session(
            target,
            source,
            account=caller.name,
            account_id=caller.account_id,
            login=caller.login,
            address=address,
            agent=agent,
            size=size,
            on_end=self._ended,
            supervisor=self._supervisor,
            fairness=self._fairness,
            title=title,
        )
        # In the list before it runs: two hundred at once are counted, too.
        self._live[session.id] = session
        try:
            self._audit.opened(session, recorded=self._recordings is not None)
            if self._recordings is not None:
                session.record_with(self._recorder(self._recordings, session))
            source.start(size)
            if session.ending:  # signed out, or the server stops, while it was starting
                raise NoSuchTerminal(session.id)
            self._audit.running(session)
        except BaseException as e:
            self._live.pop(session.id, None)
            session.abandon()
            reason = session.ending or getattr(e, "code", "closed")
            self._supervisor.once("end", self._abandon, session, reason)
            raise
        self.opened += 1
        self._pumps[session.id] = self._supervisor.once(f"session-{session.id}", session.run)
        self._changed(session)
        return session

    @staticmethod
    def _recorder(recordings: RecordingStore, session: Session) -> Recorder:
        def stopped(reason: str) -> None:
            said = RECORDING_STOPPED.get(reason, RECORDING_STOPPED["failed"])
            session.notice("recording-stopped", said)

        target = session.target
        return recordings.begin(
            session.id,
            columns=session.size.columns,
            rows=session.size.rows,
            command=target.request.command,
            title=session.title or " · ".join(filter(None, (target.app, target.container_name))),
            started=session.started,
            on_stopped=stopped,
        )

    def _abandon(self, session: Session, reason: str) -> None:
        session.source.end()
        self._wait_for_late(session)
        self._audit.not_started(session, reason)

    @staticmethod
    def _wait_for_late(session: Session) -> None:
        """A session is not over while the engine may still start it."""
        while session.source.may_start_late:
            gevent.sleep(0.5)

    def _check_limits(self, caller: Caller) -> None:
        """One that has ended takes no place, though what it left may still be ended: its page was told
        so. As many again as may run may be on their way out like that, so that nobody leaves any
        number behind."""
        who = (caller.account_id, caller.name)
        every = list(self._live.values())
        theirs = [s for s in every if (s.account_id, s.account) == who]
        for sessions, limit, whose in (
            (every, self._settings.in_all, "all"),
            (theirs, self._settings.per_person, "person"),
        ):
            run = sum(session.ended is None for session in sessions)
            if run >= limit or len(sessions) >= 2 * limit:
                raise TooManyTerminals(limit, whose)

    # --- coming and going -------------------------------------------------------------------------

    def admit(self, session_id: str, caller: Caller, key: str = "") -> tuple[Session, Mode]:
        """The session and what the caller may do there. Raises NoSuchTerminal, LinkUsed.

        Sessions that ended within the last minute are admitted to as well: their last output can
        still be read.
        """
        session = self.get(session_id)
        if is_owner(session, caller):
            return session, "own"
        mode = self._links.open(session_id, key, owner_of(caller))
        if mode is not None:
            if session.target.app:
                caller.require_app(session.target.app, session.target.team)
            return session, mode
        raise NoSuchTerminal(session_id)

    def join(
        self,
        session: Session,
        mode: Mode,
        connection: ParticipantConnection,
        caller: Caller,
        *,
        client: str,
        size: Size | None,
        after: int | None,
        address: str,
    ) -> Participant:
        """Let somebody who was admitted look."""
        one = Participant(
            connection,
            mode=mode,
            account=caller.name,
            account_id=caller.account_id,
            login=caller.login,
            client=client or secrets.token_hex(8),
            size=size,
        )
        session.join(one, after)
        try:
            self._audit.came(session, one, address)
            self._changed(session)
        except BaseException:
            session.leave(one, lost=False)  # nobody is left with the keyboard who does not read
            raise
        return one

    def leave(self, session: Session, one: Participant, *, lost: bool) -> None:
        """Somebody has gone; see :meth:`Session.leave`."""
        session.leave(one, lost=lost)
        self._audit.left(one)
        self._changed(session)

    # --- what there is ----------------------------------------------------------------------------

    def get(self, session_id: str) -> Session:
        """A session that runs or has just ended. Raises NoSuchTerminal."""
        found = self._live.get(session_id)
        if found is None and session_id in self._over:
            found = self._over[session_id][0]
        if found is None:
            raise NoSuchTerminal(session_id)
        return found

    def live(self, caller: Caller | None = None) -> list[Session]:
        """Those that run, oldest first: the caller's own, or all."""
        return [s for s in self._live.values() if caller is None or is_owner(s, caller)]

    def __len__(self) -> int:
        return len(self._live)

    # --- links ------------------------------------------------------------------------------------

    def link(
        self, session: Session, mode: Mode, once: bool = False, seconds: float = math.inf
    ) -> str:
        """A fresh key to look (``watch``) or to type as well (``type``), good for so long; then
        whoever came by it is out. An older one is void."""
        return self._links.make(session.id, mode, once, seconds)

    def stop_sharing(self, session: Session) -> None:
        """The keys are void, and whoever came by one is out."""
        self._links.void(session.id)
        session.send_away([one for one in session.participants if one.mode != "own"])
        self._changed(session)

    def send_away(self, session: Session, one: Participant, number: int) -> None:
        """The owner sends one guest out, who does not come back by the links there are."""
        guests = [
            guest
            for guest in session.participants
            if guest.id == number and guest.mode != "own" and one.mode == "own"
        ]
        for guest in guests:
            self._links.send_away(session.id, owner_of_participant(guest))
        session.send_away(guests)
        self._changed(session)

    def take(self, session: Session, one: Participant) -> None:
        """The owner takes the keyboard back: the link to type is void, guests watch."""
        if one.mode == "own":
            self._links.void(session.id, ("type",))
            session.take(one)

    # --- ending -----------------------------------------------------------------------------------

    def end(self, session_id: str, reason: str) -> None:
        """End it with every process in it; waits until that is done, 7 s at most."""
        session = self._live.get(session_id)
        if session is not None:
            self._end(session, reason)

    def end_soon(self, session: Session, reason: str) -> None:
        """End it, without waiting for that."""
        if not session.ending:
            self._supervisor.once(reason, self._end, session, reason)

    def end_login(self, login: str) -> None:
        """That login has ended or may do less: so do the sessions that no other login of their
        owner has, see :meth:`Session.lose_login`. Does not wait."""
        for session in list(self._live.values()):
            if session.target.request.kind != "share" and not session.lose_login(login):
                self._supervisor.once("signed-out", self._end, session, "signed-out")

    def _end(self, session: Session, reason: str) -> None:
        if reason in GOOD_BYES:
            self._links.void(session.id)
        pump = self._pumps.get(session.id)
        with gevent.Timeout(GIVE_UP, False):
            session.end(reason)
            if pump is not None:
                pump.join()
        if pump is not None and not pump.dead:
            log.warning("terminal %s did not end in time and was given up", session.id)
            pump.kill(timeout=1.0)

    def _end_all(self, sessions: Iterable[Session], reason: str, within: float) -> None:
        ends = [self._supervisor.once("end", self._end, session, reason) for session in sessions]
        gevent.joinall(ends, timeout=within)

    def _ended(self, session: Session, end: ExitStatus) -> None:
        """Called by a session's own greenlet when all its output has been read."""
        self._pumps.pop(session.id, None)
        self._live.pop(session.id, None)
        while len(self._over) >= LINGERING:
            oldest = next(iter(self._over))
            del self._over[oldest]
            self._links.void(oldest)
        self._over[session.id] = (session, time.monotonic())
        if session.source.may_start_late:
            self._supervisor.once("late", self._ended_late, session, end)
        else:
            self._audit.ended(session, end)
        self._changed(session)

    def _ended_late(self, session: Session, end: ExitStatus) -> None:
        self._wait_for_late(session)
        self._audit.ended(session, end)

    # --- limits -----------------------------------------------------------------------------------

    def containers_changed(
        self, added: list[Instance], changed: list[Instance], removed: list[Instance]
    ) -> None:
        """What the inventory tells: a paused container's terminals say so."""
        for instance in (*added, *changed):
            for session in self._live.values():
                if session.target.container == instance.id:
                    session.set_paused(instance.state == "paused")

    def _watch(self) -> None:
        while True:
            gevent.sleep(1.0)
            now = time.monotonic()
            self._tickets.sweep()
            for session_id, mode in self._links.sweep():
                if (shared := self._live.get(session_id)) is not None:
                    shared.send_away([one for one in shared.participants if one.mode == mode])
                    self._changed(shared)
            for session in list(self._live.values()):
                self._audit.placed(session)
                if (reason := session.overdue(self._settings, now)) is not None:
                    self.end_soon(session, reason)
            for session_id, (_, since) in list(self._over.items()):
                if now - since > LINGER:
                    del self._over[session_id]
                    self._links.void(session_id)
