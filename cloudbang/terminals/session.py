"""One session: a process in a container, those who look at it, and the pump between them.

Output goes through the pump, which is the session's one greenlet. Input goes the other way without
it: from the greenlet of the socket straight to the source.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

import gevent

from cloudbang.core.supervise import Supervisor
from cloudbang.domain.lines import format_time
from cloudbang.domain.terminals import ExitStatus, Recording, Size, Source, TerminalTarget
from cloudbang.errors import CloudBangError
from cloudbang.terminals.fairness import Fairness
from cloudbang.terminals.input import Input
from cloudbang.terminals.participant import WINDOW, Participant
from cloudbang.terminals.pump import Pump
from cloudbang.terminals.viewers import Viewers

log = logging.getLogger(__name__)

LOST_WAIT = 30.0  # seconds the output of a lost page waits for it to come back
PAUSED = "the container is paused: what you type waits for it"
NUDGE_WITHIN = 3.0  # seconds the engine gets to take a size


class Session:
    """See the module. ``on_end(session, end)`` is called once, in the session's own greenlet."""

    __slots__ = (
        *("_company", "_ending", "_fairness", "_on_end", "_pump", "_source", "_supervisor"),
        "account",
        *(
            "account_id",
            "address",
            "agent",
            "detached_at",
            "ended",
            "input",
            "login",
        ),
        *("paused", "place", "recorded", "spec", "started", "started_at", "title", "warned"),
    )

    def __init__(
        self,
        spec: TerminalTarget,
        source: Source,
        *,
        account: str,
        account_id: int | None,
        login: str,
        address: str,
        agent: str,
        size: Size,
        on_end: Callable[[Session, ExitStatus], None],
        supervisor: Supervisor,
        fairness: Fairness,
    ) -> None:
        self.spec = spec
        self.account, self.account_id, self.login = account, account_id, login
        self.address, self.agent = address, agent
        self.title = ""
        self.started_at = time.monotonic()
        self.started = format_time(time.time_ns())
        self.ended: ExitStatus | None = None
        self.recorded = 0  # bytes of its recording, once it has ended
        self._company = Viewers(size)
        self.input = Input(source, self._company)
        self.detached_at: float | None = self.started_at  # nobody looks since then
        self.paused = False
        self.place = ("", 0)  # exec id and pid, as they were written down
        self.warned = ""  # the limit it was warned of
        self._source = source
        self._pump = Pump(spec.session, source, self._company, fairness)
        self._ending: str | None = None
        self._on_end = on_end
        self._supervisor = supervisor
        self._fairness = fairness

    @property
    def id(self) -> str:
        return self.spec.session

    @property
    def source(self) -> Source:
        return self._source

    @property
    def ending(self) -> str:
        """Why it was told to end, or has; "" while it goes on."""
        return self._ending or (self.ended.reason if self.ended else "")

    @property
    def quiet_since(self) -> float:
        """Nothing was typed and nothing printed since then, in monotonic seconds."""
        return self._pump.quiet_since

    def record_with(self, recording: Recording | None) -> None:
        """Write down what will be printed. Called before it starts."""
        self._pump.recording = recording

    def abandon(self) -> None:
        """It could not be started."""
        if self._pump.recording is not None:
            self._pump.recording.end()

    def run(self) -> None:
        """Pump until the source has ended and every byte was read. The source has been started."""
        try:
            end = self._pump.run()
        except CloudBangError as e:
            end = ExitStatus("engine-lost", None, str(e))
        except gevent.GreenletExit:  # it did not end in time, see ``sessions``
            end = ExitStatus("closed")
        except Exception:
            log.exception("terminal %s failed", self.id)
            end = ExitStatus("engine-lost", None, "CloudBang failed here: its own log says how")
        if self._ending is not None:
            end = ExitStatus(self._ending, end.code, end.message)
        self.ended = end
        self.input.closed = True
        try:
            for one in list(self._company.members):
                self._push(one)
            if self._pump.recording is not None:
                self.recorded = self._pump.recording.end()
        finally:
            # A shell that has exited may have left jobs behind.
            try:
                self._source.end()
            finally:
                self._on_end(self, end)

    # --- those who look ---------------------------------------------------------------------------

    @property
    def participants(self) -> list[Participant]:
        """Those who look now."""
        return list(self._company.members)

    @property
    def size(self) -> Size:
        return self._company.size

    def join(self, one: Participant, size: Size | None, after: int | None) -> None:
        """Let somebody look. A second connection of the same tab replaces the first."""
        company = self._company
        older = company.same_tab(one)
        one.size = size
        company.add(one)
        for other in older:
            if company.keyboard is other:
                company.keyboard = one  # before the other goes: nobody else is to get it
            company.remove(other)
            other.peer.close(4409, "this terminal was opened again by the same page")
        self.detached_at = None
        if company.keyboard is not None:
            self._pump.lost_until = 0.0  # output waits for somebody who is here
        begin = one.begin(self._pump.back, after, company.keyboard is one)
        if begin.offset > 0 and begin.reset and "[?1049h" in begin.restore:
            self._supervisor.once("nudge", self._nudge)
        one.typed = self.input.of(one)
        one.peer.tell(
            {
                "op": "attached",
                "session": self.as_json(one.mode == "own"),
                "mode": one.mode,
                "me": one.id,
                "offset": begin.offset,
                "end": self._pump.back.end,
                "reset": begin.reset,
                "restore": begin.restore,
                "input": one.typed,
                "window": WINDOW,
                "people": company.people(),
            }
        )
        self._fit()
        company.tell_size(one)
        company.tell_people()
        if self.paused:
            one.peer.tell({"op": "notice", "code": "paused", "message": PAUSED})
        self._push(one)
        self._pump.changed.set()

    def leave(self, one: Participant, *, lost: bool) -> None:
        """Somebody has gone; ``lost`` when their connection broke and they may come back for
        what they have not seen."""
        company = self._company
        if one not in company.members:
            return
        held = company.remove(one)
        if held and lost and company.keyboard is None:
            self._pump.lost, self._pump.lost_until = one.drawn, time.monotonic() + LOST_WAIT
        if not company.members:
            self.detached_at = time.monotonic()
        else:
            self._fit()
            company.tell_people()
        self._pump.changed.set()

    def drew(self, one: Participant, offset: int) -> None:
        """A page has drawn up to ``offset``."""
        one.drew(offset)
        self._push(one)
        self._pump.changed.set()

    def drained(self, one: Participant) -> None:
        """A connection that was full has room again."""
        one.full = False
        if not one.peer.counts_drawn:
            one.drawn = one.sent
        self._push(one)
        self._pump.changed.set()

    def resize(self, one: Participant, size: Size) -> None:
        """A window has changed; the smallest counts."""
        if one.size != size:
            one.size = size
            self._fit()
            self._company.tell_people()

    def _fit(self) -> None:
        if (size := self._company.fit()) is not None:
            self._source.resize(size)
            if self._pump.recording is not None:
                self._pump.recording.resize(size.columns, size.rows)

    def _nudge(self) -> None:
        """What a full-screen program drew first has fallen out: have it draw everything again."""
        self._source.resize(Size(self.size.columns, max(1, self.size.rows - 1)))
        # The newest size wins: the first has to be told before there is another.
        until = time.monotonic() + NUDGE_WITHIN
        while self._source.resizing and time.monotonic() < until:
            gevent.sleep(0.02)
        gevent.sleep(0.05)
        self._source.resize(self.size)

    def set_paused(self, paused: bool) -> None:
        """Whether the engine has paused the container."""
        if paused == self.paused:
            return
        self.paused = paused
        if paused:
            self.notice("paused", PAUSED)
        else:
            self.notice("unpaused", "the container goes on")

    def notice(self, code: str, message: str) -> None:
        """Tell everybody something in words."""
        self._company.notice(code, message)

    # --- the keyboard -----------------------------------------------------------------------------

    def type(self, one: Participant, data: bytes) -> bool:
        """Input of somebody who may type. False: they may not, or more waits already than there is
        room for; it went nowhere."""
        if not one.may_type:
            return False
        if self.ended is not None:
            return True
        if not self.input.put(one, data):
            return False
        if self._company.keyboard is not one:
            self._company.take(one)
            self._pump.changed.set()
        self._pump.quiet_since = now = time.monotonic()
        self._fairness.typed(self.id, now)
        return True

    def take(self, one: Participant) -> None:
        """The owner takes the keyboard back: guests who may type become watchers."""
        self._company.take(one)
        self.demote_guests()

    def demote_guests(self) -> None:
        """Whoever types by a link does so no more."""
        self._company.demote_guests()
        self._pump.changed.set()

    def _push(self, one: Participant) -> None:
        one.push(self._pump.back, one is self._company.keyboard or self.ended is not None)
        if self.ended is not None and one.sent == self._pump.back.end:
            one.peer.ended(self.ended)

    # --- the end ----------------------------------------------------------------------------------

    def end(self, reason: str) -> None:
        """End every process of it, and then the session. Waits, 6 s at most; the first reason
        counts."""
        if self.ended is not None:
            return
        if self._ending is None:
            self._ending = reason
            self._pump.ending = True
            self._pump.changed.set()
        self._source.end()

    def as_json(self, own: bool = True) -> dict[str, object]:
        """What pages and programs are shown (the S of ``docs/protocols/terminal.md``); guests by a link are
        not told from where its owner opened it."""
        spec, end = self.spec, self.ended
        return {
            "id": self.id,
            "kind": spec.wish.kind,
            "team": spec.team,
            "app": spec.app,
            "container": spec.container[:12],
            "name": spec.container_name,
            "image": spec.image,
            "command": list(spec.wish.command),
            "user": spec.wish.user,
            "folder": spec.wish.folder,
            "account": self.account,
            "account_id": self.account_id if own else None,
            "address": self.address if own else "",
            "started": self.started,
            "ended": None,
            "state": "ended" if end else "running",
            "people": len(self._company.members),
            "names": self._company.names(),
            "columns": self.size.columns,
            "rows": self.size.rows,
            "exit_code": end.code if end else None,
            "reason": end.reason if end else None,
            "recorded": self._pump.recording is not None,
            "recording_bytes": self.recorded,
            "title": self.title,
        }
