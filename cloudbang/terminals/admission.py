"""Who may open a terminal, come back to one, or be shown one: everything that lets anybody in.

The permission ``terminal`` opens (``registry`` asks for it), ownership comes back, a link shows. A
ticket leads from the call that asked to the socket that opens: 32 hex digits, an HMAC over what it
opens and a nonce with a key of this process. It is kept too, since "once" has to be remembered; so
the HMAC only keeps it from being guessed, and the table from being used twice.
"""

from __future__ import annotations

import hashlib
import hmac
import math
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from cloudbang.accounts import Caller, token_of
from cloudbang.domain.terminals import Mode, TerminalTarget
from cloudbang.errors import LinkUsed, TicketRefused
from cloudbang.storage.database.terminals import Owner, TerminalRecord
from cloudbang.terminals.participant import Participant
from cloudbang.terminals.session import Session

TICKET_VALID = 60.0  # seconds
MOST_TICKETS = 4096  # that wait; overload: the oldest is void


# --- ownership -----------------------------------------------------------------------------------


def owner_of(caller: Caller) -> Owner:
    """Whose a session is that this caller opens: an account's, or a token's that has none."""
    return _owner(caller.account_id, caller.login)


def owner_of_session(session: Session) -> Owner:
    return _owner(session.account_id, session.login)


def owner_of_participant(one: Participant) -> Owner:
    """Who looks."""
    return _owner(one.account_id, one.login)


def _owner(account_id: int | None, login: str) -> Owner:
    return Owner(account_id, token_of(login) if account_id is None else "")


def is_owner(session: Session, caller: Caller) -> bool:
    """Whether the session is of the same account, or of the same token of the command line; and
    whether the caller may have terminals at all: a token that may only look is no way to a shell.
    """
    may_have_one = caller.can("terminal", session.target.team)
    return may_have_one and owner_of(caller) == owner_of_session(session)


def is_owner_of(record: TerminalRecord, caller: Caller) -> bool:
    """Whether a line of the audit list is the caller's."""
    return record.is_of(Owner(caller.account_id, token_of(caller.login)))


# --- tickets -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ticket:
    """What the asker is given. ``md5`` is the name that the console of 2017 gave it."""

    team: str
    app: str
    container: str  # 12 hex digits
    md5: str
    session: str


class Tickets:
    """Tickets that were given out and not used yet."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._key = secrets.token_bytes(32)
        self._clock = clock
        # What each opens, the login it was given to, and until when.
        self._waiting: OrderedDict[str, tuple[TerminalTarget, str, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._waiting)

    def give(self, target: TerminalTarget, login: str) -> Ticket:
        """A ticket for this terminal, for that login."""
        nonce = secrets.token_hex(16)
        said = "\0".join((nonce, target.team, target.app, target.container, target.session))
        md5 = hmac.new(self._key, said.encode(), hashlib.sha256).hexdigest()[:32]
        while len(self._waiting) >= MOST_TICKETS:
            self._waiting.popitem(last=False)
        self._waiting[md5] = (target, login, self._clock() + TICKET_VALID)
        return Ticket(target.team, target.app, target.container[:12], md5, target.session)

    def redeem(self, login: str, md5: str, team: str, app: str, container: str) -> TerminalTarget:
        """What the ticket opens; it is void from now on. Raises TicketRefused.

        A ticket shown by another login, or with another team, app or container is void, too.
        """
        found = self._waiting.pop(md5, None)
        if found is None:
            raise TicketRefused("it was used already, or never given out")
        target, given_to, until = found
        if self._clock() > until:
            raise TicketRefused(f"it was good for {TICKET_VALID:.0f} seconds")
        if login != given_to:
            raise TicketRefused("it was given to somebody else, or at another sign-in")
        if team != target.team:
            raise TicketRefused("it is for another team")
        if app != target.app:
            raise TicketRefused("it is for another app")
        # Twelve digits as the engine shortens them, or all 64.
        if len(container) < 12 or not target.container.startswith(container):
            raise TicketRefused("it is for another container")
        return target

    def sweep(self) -> None:
        """Forget what has expired."""
        now = self._clock()
        while self._waiting:
            md5, (_, _, until) = next(iter(self._waiting.items()))
            if until >= now:
                return
            del self._waiting[md5]


# --- links ---------------------------------------------------------------------------------------


@dataclass(slots=True)
class ShareLink:
    """What a key opens, and until when. ``once``: only for the first who comes with it, as often as
    they like."""

    key: str
    mode: Mode
    once: bool = False
    until: float = math.inf
    taken_by: Owner | None = None
    sent_away: set[Owner] = field(default_factory=set)  # for whom it opens nothing any more


class ShareLinks:
    """The links that sessions are shown to others with: one for each mode at most, to watch or to
    type as well."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._links: dict[str, list[ShareLink]] = {}

    def make(self, session: str, mode: Mode, once: bool = False, seconds: float = math.inf) -> str:
        """A fresh key, good for so long; an older one of that mode is void."""
        key = secrets.token_urlsafe(18)
        self.void(session, (mode,))
        link = ShareLink(key, mode, once, self._clock() + seconds)
        self._links.setdefault(session, []).append(link)
        return key

    def sweep(self) -> Iterator[tuple[str, Mode]]:
        """Void what has expired: of which session, and what it had let its guests do."""
        now = self._clock()
        for session, links in list(self._links.items()):
            for link in list(links):
                if link.until <= now:
                    self.void(session, (link.mode,))
                    yield session, link.mode

    def void(self, session: str, modes: Iterable[Mode] = ("watch", "type")) -> None:
        """These keys open nothing any more."""
        gone = set(modes)
        kept = [link for link in self._links.get(session, ()) if link.mode not in gone]
        if kept:
            self._links[session] = kept
        else:
            self._links.pop(session, None)

    def send_away(self, session: str, who: Owner) -> None:
        """The keys of now open nothing for that person any more."""
        for link in self._links.get(session, ()):
            link.sent_away.add(who)

    def open(self, session: str, key: str, comes: Owner) -> Mode | None:
        """What the key lets this person do, None for nothing. Raises LinkUsed."""
        for link in self._links.get(session, ()):
            if key and hmac.compare_digest(link.key.encode(), key.encode()):
                if link.until <= self._clock():
                    return None
                if link.once and link.taken_by not in (None, comes):
                    raise LinkUsed(session)
                if comes in link.sent_away:
                    return None
                link.taken_by = comes
                return link.mode
        return None
