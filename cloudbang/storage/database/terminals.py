"""The audit list of terminals: who opened what, where, when, from which address, how it ended.

And the memory from which the orphans of a killed server are found: a terminal without an end.
"""

from __future__ import annotations

import builtins
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson
import sqlalchemy as sa

from cloudbang.domain.lines import format_time
from cloudbang.errors import NoSuchTerminal
from cloudbang.storage.database.database import Database
from cloudbang.storage.database.tables import terminal_visits as visits
from cloudbang.storage.database.tables import terminals

KEEP_DAYS = 365.0  # a record, from its start on; recordings have a time of their own
_DAY_NS = 86_400 * 1_000_000_000
_AT_ONCE = 500  # records that go in one transaction: others write in between


class Owner(NamedTuple):
    """Whose terminals: an account's, or, of a token that belongs to no account, the token's."""

    account_id: int | None
    login: str


@dataclass(frozen=True, slots=True)
class TerminalRecord:
    """One line of the audit list. Times are RFC 3339 text with nanoseconds, UTC."""

    session: str  # 16 hex digits
    kind: str  # exec | toolbox | share
    team: str
    app: str
    container: str  # 64 hex digits, "" for a command of the host
    name: str  # of the container
    image: str
    command: tuple[str, ...]
    user: str
    folder: str
    account_id: int | None
    account: str
    login: str
    address: str
    agent: str
    columns: int
    rows: int
    started: str
    title: str = ""
    recorded: bool = False
    # Known later:
    exec_id: str = ""
    pid: int = 0
    ended: str | None = None
    reason: str = ""
    exit_code: int | None = None
    recording_bytes: int = 0  # as asciicast, not as packed on disk
    number: int = 0  # its place in the list, given by the store: what ``before`` names

    @property
    def owner(self) -> Owner:
        return Owner(self.account_id, self.login)

    def is_of(self, owner: Owner) -> bool:
        """Whether it is ``owner``'s: of the same account, whatever it was signed in with."""
        if self.account_id is None or owner.account_id is None:
            return self.owner == owner
        return self.account_id == owner.account_id

    def as_json(self) -> dict[str, object]:
        """What the API shows of a terminal that does not run here (any more)."""
        return {
            "id": self.session,
            "kind": self.kind,
            "app": self.app,
            "team": self.team,
            "container": self.container[:12],
            "name": self.name,
            "image": self.image,
            "command": list(self.command),
            "user": self.user,
            "folder": self.folder,
            "account": self.account,
            "account_id": self.account_id,
            "address": self.address,
            "started": self.started,
            "ended": self.ended,
            "state": "ended" if self.ended else "running",
            "people": 0,
            "names": [],
            "columns": self.columns,
            "rows": self.rows,
            "exit_code": self.exit_code,
            "reason": self.reason or None,
            "recorded": self.recorded,
            "recording_bytes": self.recording_bytes,
            "title": self.title,
        }


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody was there: the owner (``own``) or a guest (``type``, ``watch``)."""

    account_id: int | None
    account: str
    address: str
    mode: str
    joined: str
    left: str | None


class TerminalStore:
    """All methods raise StorageFailed, those that write StorageFull as well."""

    def __init__(self, database: Database, clock: Callable[[], int] = time.time_ns) -> None:
        self._database = database
        self._clock = clock  # nanoseconds since 1970
        self._pruned = 0

    def opened(self, record: TerminalRecord) -> None:
        """Keep the start of one. Records that are too old go, once a day."""
        values = {c.name: getattr(record, c.name) for c in terminals.c if c.name != "id"}
        values["command"] = orjson.dumps(record.command).decode()
        self._database.write(lambda c: c.execute(sa.insert(terminals).values(values)).rowcount)
        if self._clock() - self._pruned > _DAY_NS:
            self._pruned = self._clock()
            self.prune()

    def running(self, session: str, exec_id: str, pid: int) -> None:
        """Where it runs, so that it can be found and ended when this server is killed."""
        self._set(terminals.c.session == session, exec_id=exec_id, pid=pid)

    def ended(
        self, session: str, reason: str, exit_code: int | None = None, recording_bytes: int = 0
    ) -> None:
        """Keep its end; the first one told counts. Whoever is still there has left."""
        now = format_time(self._clock())
        its_end = (
            sa.update(terminals)
            .where(terminals.c.session == session, terminals.c.ended.is_(None))
            .values(ended=now, reason=reason, exit_code=exit_code, recording_bytes=recording_bytes)
        )
        their_leaving = (
            sa.update(visits)
            .where(visits.c.session == session, visits.c.left.is_(None))
            .values(left=now)
        )
        self._database.write(lambda c: (c.execute(its_end), c.execute(their_leaving))[0].rowcount)

    def recordings_removed(self, sessions: Iterable[str]) -> None:
        """Their recordings are gone (see ``Recordings``): there is nothing to replay."""
        gone = [*sessions]
        for at in range(0, len(gone), _AT_ONCE):
            self._set(terminals.c.session.in_(gone[at : at + _AT_ONCE]), recorded=False)

    def visited(
        self, session: str, account_id: int | None, account: str, address: str, mode: str
    ) -> int:
        """Somebody has come (``own``, ``type`` or ``watch``). Gives the number of the visit."""
        statement = (
            sa.insert(visits)
            .values(
                session=session,
                account_id=account_id,
                account=account,
                address=address,
                mode=mode,
                joined=format_time(self._clock()),
            )
            .returning(visits.c.id)
        )
        return int(self._database.write(lambda c: c.execute(statement).scalar_one()))

    def left(self, visit: int) -> None:
        """The visit of this number is over."""
        statement = (
            sa.update(visits)
            .where(visits.c.id == visit, visits.c.left.is_(None))
            .values(left=format_time(self._clock()))
        )
        self._database.write(lambda c: c.execute(statement).rowcount)

    def visits(self, session: str) -> builtins.list[Visit]:
        """Who was there, in the order in which they came."""
        wanted = sa.select(visits).where(visits.c.session == session).order_by(visits.c.id)
        found = self._database.read(lambda c: c.execute(wanted).all())
        return [Visit(r.account_id, r.account, r.address, r.mode, r.joined, r.left) for r in found]

    def get(self, session: str) -> TerminalRecord:
        """Raises NoSuchTerminal."""
        found = self._records(sa.select(terminals).where(terminals.c.session == session))
        if not found:
            raise NoSuchTerminal(session)
        return found[0]

    def list(
        self,
        owner: Owner | None,
        app: str | None = None,
        account: str | None = None,
        before: int | None = None,
        limit: int = 50,
        also: Collection[str] = (),
    ) -> builtins.list[TerminalRecord]:
        """The newest ``limit`` of ``owner`` (None: of everybody) and of the teams in ``also``,
        newest first; ``before`` the ``number`` of one: those older than it."""
        wanted = sa.select(terminals)
        if owner is not None:
            theirs = terminals.c.account_id == owner.account_id
            if owner.account_id is None:
                theirs = sa.and_(terminals.c.account_id.is_(None), terminals.c.login == owner.login)
            wanted = wanted.where(sa.or_(theirs, terminals.c.team.in_(also)))
        if app is not None:
            wanted = wanted.where(terminals.c.app == app)
        if account is not None:
            wanted = wanted.where(terminals.c.account == account)
        if before is not None:
            wanted = wanted.where(terminals.c.id < before)
        return self._records(wanted.order_by(terminals.c.id.desc()).limit(limit))

    def unended(self) -> builtins.list[TerminalRecord]:
        """Those without an end, oldest first. At start: what a killed server left behind."""
        return self._records(
            sa.select(terminals).where(terminals.c.ended.is_(None)).order_by(terminals.c.id)
        )

    def prune(self, days: float = KEEP_DAYS) -> int:
        """Delete those that ended and began more than ``days`` ago, with their visits; gives how
        many."""
        oldest = format_time(max(self._clock() - int(days * _DAY_NS), 0))
        some = (
            sa.select(terminals.c.id)
            .where(terminals.c.started < oldest, terminals.c.ended.is_not(None))
            .limit(_AT_ONCE)
        )
        statement = sa.delete(terminals).where(terminals.c.id.in_(some))
        gone = 0
        while count := self._database.write(lambda c: c.execute(statement).rowcount):
            gone += count
        return gone

    def _set(self, where: sa.ColumnElement[bool], **values: Any) -> None:
        statement = sa.update(terminals).where(where).values(**values)
        self._database.write(lambda c: c.execute(statement).rowcount)

    def _records(self, wanted: sa.Select[Any]) -> builtins.list[TerminalRecord]:
        rows = self._database.read(lambda c: c.execute(wanted).mappings().all())
        return [_record(dict(row)) for row in rows]


def _record(row: dict[str, Any]) -> TerminalRecord:
    number = row.pop("id")
    row["command"] = tuple(orjson.loads(row["command"]))
    return TerminalRecord(**row, number=number)
