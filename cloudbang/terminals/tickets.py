"""One-time tickets: who may open which terminal, for a minute, once.

A ticket is 32 hex digits, an HMAC over what it opens and a nonce with a key of this process. It is
kept too, since "once" has to be remembered; so the HMAC only keeps it from being guessed, and the
table from being used twice.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from cloudbang.domain.terminals import TerminalTarget
from cloudbang.errors import TicketRefused

VALID = 60.0  # seconds
MOST = 4096  # tickets that wait; overload: the oldest is void


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
        self._waiting: OrderedDict[str, tuple[TerminalTarget, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._waiting)

    def give(self, spec: TerminalTarget) -> Ticket:
        """A ticket for this terminal."""
        nonce = secrets.token_hex(16)
        said = "\0".join((nonce, spec.team, spec.app, spec.container, spec.session))
        md5 = hmac.new(self._key, said.encode(), hashlib.sha256).hexdigest()[:32]
        while len(self._waiting) >= MOST:
            self._waiting.popitem(last=False)
        self._waiting[md5] = (spec, self._clock() + VALID)
        return Ticket(spec.team, spec.app, spec.container[:12], md5, spec.session)

    def redeem(self, md5: str, team: str, app: str, container: str) -> TerminalTarget:
        """What the ticket opens; it is void from now on. Raises TicketRefused.

        A ticket shown with another team, app or container is void, too.
        """
        found = self._waiting.pop(md5, None)
        if found is None:
            raise TicketRefused("it was used already, or never given out")
        spec, until = found
        if self._clock() > until:
            raise TicketRefused(f"it was good for {VALID:.0f} seconds")
        if team != spec.team:
            raise TicketRefused("it is for another team")
        if app != spec.app:
            raise TicketRefused("it is for another app")
        # Twelve digits as the engine shortens them, or all 64.
        if len(container) < 12 or not spec.container.startswith(container):
            raise TicketRefused("it is for another container")
        return spec

    def sweep(self) -> None:
        """Forget what has expired."""
        now = self._clock()
        while self._waiting:
            md5, (_, until) = next(iter(self._waiting.items()))
            if until >= now:
                return
            del self._waiting[md5]
