"""One session: a process in a container, those who look at it, and what goes between them.

Output is carried by the session's one greenlet: it reads the source as fast as whoever holds the
keyboard draws, records, and hands on to everybody. Input goes the other way without it: from the
greenlet of the socket straight to the source. What lies between a key's echo and its page is kept
short: on a processor that has slept for some milliseconds every step costs ten times what it costs
in a loop.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from typing import Any

import gevent

from cloudbang.config import TerminalSettings
from cloudbang.core.loop import yield_to_loop
from cloudbang.core.supervise import Supervisor
from cloudbang.domain.lines import format_time
from cloudbang.domain.scrollback import Cutter
from cloudbang.domain.terminals import ExitStatus, Recorder, Size, SizedBy, Source, TerminalTarget
from cloudbang.errors import CloudBangError
from cloudbang.terminals.fairness import Fairness
from cloudbang.terminals.owner_logins import OwnerLogins
from cloudbang.terminals.participant import WINDOW, Participant, Tab
from cloudbang.terminals.time_limits import TimeLimits
from cloudbang.terminals.viewers import Viewers

log = logging.getLogger(__name__)

KIB = 1024
READ = 128 * KIB  # bytes asked of the source at a time, in a flood
SHORT = 8 * KIB  # and otherwise
FEW = 64  # short reads in a row after which a look at the clock is worth its time
TURN = 0.002  # seconds a flood may work before the others get theirs
WAITED = 0.0005  # seconds; a read that took as long has let them have theirs
WAITS = 4 * 1024 * KIB  # bytes of input that may wait for the process to read them
ECHO = 0.1  # seconds after a key in which what is printed counts as its echo
CONFIRM = 0.05  # seconds between confirmations of input
TABS = 64  # whose count of input is remembered; overload: who typed longest ago is new again
PAUSED = "the container is paused: what you type waits for it"
NUDGE_WITHIN = 3.0  # seconds the engine gets to take a size


class Session:
    """See the module. ``on_end(session, end)`` is called once, in the session's own greenlet.
    Times in monotonic seconds."""

    __slots__ = (
        *(
            "_confirming",
            "_ending",
            "_fairness",
            "_limits",
            "_on_end",
            "_recorder",
            "_supervisor",
            "_typed",
        ),
        *("_typed_at", "_viewers", "_waiting", "account", "account_id", "address"),
        *("agent", "detached_at", "ended", "id", "login", "logins", "paused", "quiet_since"),
        *("recorded", "source", "started", "started_at", "target", "title"),
    )

    def __init__(
        self,
        target: TerminalTarget,
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
        title: str = "",
    ) -> None:
        self.target, self.source, self.title = target, source, title
        self.id = target.session
        self.account, self.account_id, self.login = account, account_id, login
        self.address, self.agent = address, agent
        self.started_at = time.monotonic()
        self.started = format_time(time.time_ns())
        self.quiet_since = self.started_at  # nothing typed and nothing printed since then
        self.detached_at: float | None = self.started_at  # nobody looks since then
        self.ended: ExitStatus | None = None
        self.recorded = 0  # bytes of its recording, once it has ended
        self.paused = False
        self._viewers = Viewers(size)
        self._recorder: Recorder | None = None
        self.logins = OwnerLogins(login)
        self._typed: dict[Tab, int] = {}  # bytes of input, by the tab they came from
        self._confirming: Any = None  # a timer, while input waits to be confirmed
        self._typed_at = -ECHO  # when the last of it came
        self._waiting = 0  # bytes of input that waited when the last was handed on
        self._limits = TimeLimits()
        self._ending: str | None = None
        self._on_end = on_end
        self._supervisor = supervisor
        self._fairness = fairness

    @property
    def ending(self) -> str:
        """Why it was told to end, or has; "" while it goes on."""
        return self._ending or (self.ended.reason if self.ended else "")

    def record_with(self, recorder: Recorder | None) -> None:
        """Write down what will be printed. Called before it starts."""
        self._recorder = recorder

    def abandon(self) -> None:
        """It could not be started."""
        if self._recorder is not None:
            self._recorder.end()

    # --- output -----------------------------------------------------------------------------------

    def run(self) -> None:
        """Carry output until the source has ended and every byte was read. The source has been
        started."""
        try:
            end = self._carry()
        except CloudBangError as e:
            end = ExitStatus("engine-lost", None, str(e))
        except gevent.GreenletExit:  # it did not end in time, see ``registry``
            end = ExitStatus("closed")
        except Exception:
            log.exception("terminal %s failed", self.id)
            end = ExitStatus("engine-lost", None, "CloudBang failed here: its own log says how")
        if self._ending is not None:
            end = ExitStatus(self._ending, end.code, end.message)
        self.ended = end
        try:
            self._viewers.finish(end)
            if self._recorder is not None:
                self.recorded = self._recorder.end()
        finally:
            # A shell that has exited may have left jobs behind.
            try:
                self.source.end()
            finally:
                self._on_end(self, end)

    def _carry(self) -> ExitStatus:
        source, viewers, recorder = self.source, self._viewers, self._recorder
        fairness = self._fairness
        cutter, limit = Cutter(), SHORT
        since, in_row = time.monotonic(), 0
        while True:
            if not viewers.has_room:
                viewers.wait_for_room()
            asked = time.monotonic() if limit == READ else 0.0
            data = source.read(limit)
            if asked and (now := time.monotonic()) - asked > WAITED:
                since = now
            if not data:
                break
            if piece := cutter.feed(data):
                viewers.hand_on(piece)
                self.quiet_since = now = time.monotonic()
                if fairness.waiting and now - self._typed_at < ECHO:
                    fairness.echoed(now)
                if recorder is not None:
                    recorder.output(piece)
            # A large buffer for a single key would cost more than the key.
            limit = READ if len(data) >= SHORT else SHORT
            in_row = in_row + 1 if limit == SHORT else FEW
            if in_row < FEW:
                continue  # a source that has nothing more waits: everybody has their turn anyway
            in_row = 0
            if recorder is not None and recorder.full:
                recorder.wait_for_room()
            if pause := fairness.pause(self.id, len(data)):
                fairness.give_way(pause)
            if time.monotonic() - since > TURN:
                yield_to_loop()
                since = time.monotonic()
        if rest := cutter.flush():
            viewers.hand_on(rest)
            if recorder is not None:
                recorder.output(rest)
        return source.result()

    # --- input ------------------------------------------------------------------------------------

    def type(self, one: Participant, data: bytes) -> bool:
        """Input of somebody who may type; never waits. False: they may not, or more waits already
        than there is room for; it went nowhere."""
        if one.mode == "watch":
            return False
        if self.ended is not None:
            return True
        # Guests have a quarter of the room, so that they cannot lock the keyboard of the owner.
        if self._waiting and self.source.pending > WAITS // (1 if one.mode == "own" else 4):
            return False
        self._waiting = self.source.write(data)
        typed, tab = self._typed, one.tab
        typed[tab] = typed.pop(tab, 0) + len(data)
        while len(typed) > TABS:
            del typed[next(iter(typed))]
        if self._confirming is None:
            # Again and again until it is closed: one that is started anew in its own callback
            # fires at once.
            self._confirming = gevent.get_hub().loop.timer(CONFIRM, CONFIRM)
            self._confirming.start(self._confirm)
        if self._viewers.keyboard is not one:
            self._viewers.take(one)
            self._fit()
        if one.mode == "own":
            self.logins.used = one.login
        self.quiet_since = self._typed_at = now = time.monotonic()
        self._fairness.typed(self.id, now)
        return True

    @property
    def unread(self) -> int:
        """Bytes of input that the process has not read yet."""
        return self.source.pending

    def _confirm(self) -> None:
        """Confirm what went through, a few times a second and not for every key. On the hub: a
        greenlet for it would cost more than the key."""
        more = False
        unread = self.source.pending
        for one in () if self.ended is not None else tuple(self._viewers.members):
            total = self._typed.get(one.tab, 0)
            one.confirm(total - unread)
            more = more or one.typed < total
        if not more:
            self._confirming.close()
            self._confirming = None

    def take(self, one: Participant) -> None:
        """The owner takes the keyboard back: guests who may type become watchers."""
        self._viewers.take(one)
        self.demote_guests()

    def demote_guests(self) -> None:
        """Whoever types by a link does so no more."""
        self._viewers.demote_guests()
        self._fit()

    def send_away(self, guests: Iterable[Participant]) -> None:
        """They see and type nothing any more from now on, whatever their connections are about."""
        for one in guests:
            one.mode = "watch"
            self.leave(one, lost=False)
            one.connection.ended(ExitStatus("sent-away"))

    # --- those who look ---------------------------------------------------------------------------

    @property
    def participants(self) -> list[Participant]:
        """Those who look now."""
        return list(self._viewers.members)

    @property
    def size(self) -> Size:
        return self._viewers.size

    def join(self, one: Participant, after: int | None) -> None:
        """Let somebody look, from offset ``after`` on if that is still kept."""
        viewers = self._viewers
        begin = viewers.join(one, after, self._typed.get(one.tab, 0))
        self.detached_at = None
        if one.mode == "own":
            self.logins.came(one.login)
        if begin.offset > 0 and begin.reset and "[?1049h" in begin.restore:
            self._supervisor.once("nudge", self._nudge)
        one.connection.tell(
            {
                "op": "attached",
                "session": self.as_json(one.mode == "own"),
                "mode": one.mode,
                "me": one.id,
                "offset": begin.offset,
                "end": viewers.back.end,
                "sizes": viewers.back.sizes(begin.offset),
                "reset": begin.reset,
                "restore": begin.restore,
                "input": one.typed,
                "window": WINDOW,
                "people": viewers.people(),
            }
        )
        self._fit()
        viewers.tell_size(one)
        viewers.tell_people()
        if self.paused:
            one.connection.tell({"op": "notice", "code": "paused", "message": PAUSED})
        viewers.show(one)

    def leave(self, one: Participant, *, lost: bool) -> None:
        """Somebody has gone; ``lost`` when their connection broke and they may come back for
        what they have not seen."""
        if not self._viewers.leave(one, lost=lost):
            return
        if not self._viewers.members:
            self.detached_at = time.monotonic()
        self._fit()
        self._viewers.tell_people()

    def drew(self, one: Participant, offset: int) -> None:
        """A page has drawn up to ``offset``."""
        self._viewers.drew(one, offset)

    def drained(self, one: Participant) -> None:
        """A connection that was full has room again."""
        self._viewers.drained(one)

    def notice(self, code: str, message: str) -> None:
        """Tell everybody something in words."""
        self._viewers.notice(code, message)

    def set_paused(self, paused: bool) -> None:
        """Whether the engine has paused the container."""
        if paused == self.paused:
            return
        self.paused = paused
        if paused:
            self.notice("paused", PAUSED)
        else:
            self.notice("unpaused", "the container goes on")

    # --- the window -------------------------------------------------------------------------------

    def resize(self, one: Participant, size: Size) -> None:
        """A window has changed; the smallest counts."""
        if one.resize(size):
            self._fit()
            self._viewers.tell_people()

    def size_by(self, rule: SizedBy) -> None:
        """Whose window decides from now on."""
        self._viewers.sized_by = rule
        self._fit()
        for one in self._viewers.members:
            self._viewers.tell_size(one)

    def _fit(self) -> None:
        if (size := self._viewers.fit()) is not None:
            self.source.resize(size)
            if self._recorder is not None:
                self._recorder.resize(size.columns, size.rows)

    def _nudge(self) -> None:
        """What a full-screen program drew first has fallen out: have it draw everything again."""
        self.source.resize(Size(self.size.columns, max(1, self.size.rows - 1)))
        # The newest size wins: the first has to be told before there is another.
        until = time.monotonic() + NUDGE_WITHIN
        while self.source.resizing and time.monotonic() < until:
            gevent.sleep(0.02)
        gevent.sleep(0.05)
        self.source.resize(self.size)

    # --- the end ----------------------------------------------------------------------------------

    def end(self, reason: str) -> None:
        """End every process of it, and then the session. Waits, 6 s at most; the first reason
        counts."""
        if self.ended is not None:
            return
        if self._ending is None:
            self._ending = reason
            self._viewers.stop_pacing()
        self.source.end()

    def lose_login(self, login: str) -> bool:
        """That login has ended. Whether the session goes on: while another good one of its owner
        has opened it, used it last or looks at it."""
        own = (one.login for one in self._viewers.members if one.mode == "own")
        return self.logins.lose(login, own)

    def overdue(self, settings: TerminalSettings, now: float) -> str | None:
        """The limit that it has passed, if any: detached, idle or lifetime. Warns of the last two
        when they come near."""
        if self.target.request.kind == "share":
            return None  # it ends with its command
        away = self.detached_at
        if away is not None and now - away > settings.detached_minutes * 60:
            return "detached"
        reason, warning = self._limits.passed(settings, self.quiet_since, self.started_at, now)
        if warning:
            self.notice("ending-soon", warning)
        return reason

    def as_json(self, own: bool = True) -> dict[str, object]:
        """What pages and programs are shown (the S of ``docs/protocols/terminal.md``); guests by a
        link are not told from where its owner opened it."""
        target, end = self.target, self.ended
        return {
            "id": self.id,
            "kind": target.request.kind,
            "team": target.team,
            "app": target.app,
            "container": target.container[:12],
            "name": target.container_name,
            "image": target.image,
            "command": list(target.request.command),
            "user": target.request.user,
            "folder": target.request.folder,
            "account": self.account,
            "account_id": self.account_id if own else None,
            "address": self.address if own else "",
            "started": self.started,
            "ended": None,
            "state": "ended" if end else "running",
            "people": len(self._viewers.members),
            "names": self._viewers.names(),
            "columns": self.size.columns,
            "rows": self.size.rows,
            "exit_code": end.code if end else None,
            "reason": end.reason if end else None,
            "recorded": self._recorder is not None,
            "recording_bytes": self.recorded,
            "title": self.title,
        }
