"""The live set of containers: listed once, then kept by the engine's events.

The engine replays only its last 256 events and forgets them when it restarts, so after every
(re)connection the containers are listed and inspected again, and what happened meanwhile is
told from the difference.
"""

from __future__ import annotations

import itertools
import logging
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from math import inf
from typing import Protocol

import gevent
from gevent.event import Event as Flag
from gevent.pool import Pool
from gevent.queue import PriorityQueue

from cloudbang.core.deadline import UNHURRIED, Deadline
from cloudbang.core.notices import Notices
from cloudbang.core.retry import Retries
from cloudbang.core.supervise import Supervisor, backoff
from cloudbang.domain.apps import KILLED, Instance, nothing_kept
from cloudbang.domain.lines import format_time
from cloudbang.domain.names import fitting
from cloudbang.engine import Engine, EngineEvent, EngineEvents
from cloudbang.errors import EngineRefused, EngineUnreachable, NoSuchContainer
from cloudbang.node.container_events import EventSink, event_of, remembered
from cloudbang.node.engine_link import EngineLink, State
from cloudbang.node.memory_kills import AROUND, MemoryKills
from cloudbang.node.recent_ends import RecentEnds
from cloudbang.node.unreadable import Call, Unreadable

log = logging.getLogger(__name__)

AT_ONCE = 8  # containers inspected at the same time
REPLAY_NS = 24 * 3600 * 10**9  # how far back events are asked for at the first connection
SETTLE = 2.0  # seconds between two looks at who has not been restarted for a while
STARTING = 60.0  # seconds in which a container that was created is likely to be started
COMPARE = 60.0  # seconds between two comparisons with the engine's own list
POLL = 5.0  # the same while it tells of no events
EVENTS_AGAIN = 60.0  # seconds until events that were refused are asked for again
PING, PING_WITHIN = 15.0, 10.0  # seconds between two, and until one has to be answered
REMOVED_KNOWN = 1000  # removed containers that are remembered, while an answer may be on its way

Listener = Callable[[list[Instance], list[Instance], list[Instance]], None]
"""Called on the hub with the instances added, changed and removed; may not block."""


class Names(Protocol):
    """Who remembers by which name a container was first known. Answered from memory."""

    def app_of(self, container: str, name: str, app: str) -> str: ...
    def known(self, container: str) -> str | None: ...
    def keep(self, containers: Collection[str]) -> None: ...
    def forget(self, container: str) -> None: ...


class Inventory:
    """What the engine has. Everything is answered from memory."""

    def __init__(
        self,
        engine: Engine,
        events: EventSink,
        notices: Notices,
        names: Names,
        jobs: Collection[tuple[str, int]] = (),
    ) -> None:
        """``jobs``: apps and numbers of the releases that are there to end, whatever the labels of
        their containers say."""
        self.ready = Flag()  # set once the running containers are known in full
        self._engine, self._events, self._notices = engine, events, notices
        self._names, self._jobs = names, frozenset(jobs)
        self._link = EngineLink(engine.host)
        self._stream: EngineEvents | None = None  # of events, that is read now
        self._silent = ""  # why it was given up, when it was
        self._instances: dict[str, Instance] = {}  # by full id
        self._short: dict[str, str] = {}
        self._by_app: dict[str, dict[str, Instance]] = {}
        self._unreadable = Unreadable(notices)
        self._listeners: list[Listener] = []
        self._reconnected: list[Callable[[bool], None]] = []
        self._seen_ns = 0  # time of the newest event of the engine
        # Containers to look at: each at most once, so as many as there are at most.
        self._waiting: PriorityQueue[tuple[int, int, str]] = PriorityQueue()
        self._queued: dict[str, int] = {}
        self._order = itertools.count(1)
        # Two may ask about the same container at once: which question the answer we have was to.
        self._answered: dict[str, int] = {}
        # The last ones that the engine had no more: questions up to this one were about before.
        self._removed: dict[str, float] = {}
        # The engine says so once; what it tells of the container afterwards may not mention it.
        self._oom_at: dict[str, str] = {}
        self._memory_kills = MemoryKills(self._memory_is_told, self._on)
        self._ends = RecentEnds()
        # Containers that the engine did not tell of when it was asked.
        self._unknown = Retries(
            self._ask_again, 0.5, 120.0, begins=self._begin_unknown, ends=self._end_unknown
        )
        self._supervisor = Supervisor("inventory")

    # --- what others ask ----------------------------------------------------------------------

    @property
    def engine_state(self) -> State:
        """ "starting": it was not asked yet; "connecting": it was well a moment ago."""
        return self._link.state

    @property
    def engine_error(self) -> str | None:
        """Why the engine cannot be asked; None while it can, or nobody knows yet."""
        return self._link.error

    def instances_of(self, app: str) -> tuple[Instance, ...]:
        """The instances of an app, the oldest first."""
        return tuple(sorted(self._by_app.get(app, {}).values(), key=lambda i: i.created))

    def instances(self) -> list[Instance]:
        return list(self._instances.values())

    def instance(self, container: str) -> Instance | None:
        """By full or short id."""
        return self._instances.get(self._short.get(container, container))

    def listen(self, callback: Listener) -> None:
        """Be told of every change from now on."""
        self._listeners.append(callback)

    def listen_reconnected(self, callback: Callable[[bool], None]) -> None:
        """Be told each time the engine was connected to anew: with True when it had vanished, and
        what is still open to it is dead."""
        self._reconnected.append(callback)

    # --- what others tell ---------------------------------------------------------------------

    def refresh(self, container: str) -> Instance | None:
        """Ask the engine about one container now; None when it has it no more.

        Raises EngineUnreachable, EngineRefused.
        """
        asked = next(self._order)
        try:
            found = self._engine.inspect(container)
        except NoSuchContainer:
            # And not only when the event comes that says so. Not for ever: an engine may list one
            # that it is just making, and not find it a moment later.
            self._remove(container, next(self._order))
            return None
        if found.hidden:
            return None
        if self._is_news(asked, found):
            self._change([found])
        return self._instances.get(found.id)

    def _is_news(self, asked: int, found: Instance) -> bool:
        """Whether nothing is known that is newer than this answer."""
        if asked < self._answered.get(found.id, 0) or asked < self._removed.get(found.id, 0):
            return False
        self._removed.pop(found.id, None)
        self._answered[found.id] = asked
        return True

    def unreadable(self, container: str, reason: str) -> None:
        """The engine cannot read this container's log back."""
        self._unreadable.says(container, "logs", reason)
        self._again(container)

    def log_refused(self, container: str, error: EngineRefused) -> None:
        """Its log may not be read; whoever tries goes on trying."""
        self._refused(container, "logs", error)

    def log_readable(self, container: str) -> None:
        """Its log could be read again."""
        if self._unreadable.well(container, "logs"):
            self._again(container)

    def _refused(self, container: str, call: Call, error: EngineRefused) -> None:
        known = self._instances.get(container)
        self._unreadable.refused(container, known.app if known else "", call, error)
        self._again(container)

    def _again(self, container: str) -> None:
        """What is said of its log may be something else now."""
        if known := self._instances.get(container):
            reason = nothing_kept(known.log_driver)
            self._change([replace(known, readable=reason is None, unreadable_reason=reason)])

    # --- running ------------------------------------------------------------------------------

    def start(self, after: float = 0.0) -> None:
        """Begin, and ask the engine for the first time in ``after`` seconds."""
        self._supervisor.run("events", self._watch, after)
        for n in range(4):
            self._supervisor.run(f"inspect-{n}", self._inspect_waiting)
        self._supervisor.run("again", self._unknown.loop)
        self._supervisor.run("compare", self._compare)
        self._supervisor.run("ping", self._ping)
        self._supervisor.run("memory kills", self._memory_kills.run)
        self._supervisor.run("settle", self._settle)

    def stop(self, deadline: Deadline = UNHURRIED) -> None:
        self._supervisor.stop(deadline)

    def _watch(self, after: float) -> None:
        gevent.sleep(after)
        self._link.asked()
        # Where nothing listens that is found out at once, and costs nothing.
        waits = backoff(0.2, 1)
        while True:
            began = time.monotonic()
            try:
                self._session()
                reason = str(EngineUnreachable(self._engine.host, "it ended the connection"))
                self._link.ended(reason)
            except (EngineUnreachable, EngineRefused) as e:
                self._link.failed(str(e))
            if time.monotonic() - began > 10:
                waits = backoff(0.2, 1)
            gevent.sleep(next(waits))

    def _session(self) -> None:
        """One connection to the engine, from the listing to the end of its events."""
        # Connected before the listing, so that nothing happens unseen between the two.
        now = time.time_ns()
        try:
            events = self._engine.events(now)
        except EngineRefused as e:
            self._notices.begin("refused-events", str(e))
            self._without_events()
            return
        self._notices.end("refused-events", "the engine tells of events again")
        self._stream = events
        try:
            seen = self._seen_ns or now - REPLAY_NS
            alive = self._connect()
            for event in self._engine.past_events(seen, now):
                if not event.hidden:
                    self._ends.tell(event)
                    self._record(event, self._app_of(event))
            self._take_stock(alive)
            for event in events:
                self._on(event)
        finally:
            self._stream = None
            events.close()
        if self._silent:
            raise EngineUnreachable(self._engine.host, self._silent)

    def _without_events(self) -> None:
        """For a while: what the engine lists is compared with what is known again and again."""
        self._take_stock(self._connect())
        until = time.monotonic() + EVENTS_AGAIN
        while time.monotonic() < until:
            gevent.sleep(POLL)
            self._compare_once()

    def _connect(self) -> list[Instance]:
        """List what there is; then everything that waits for the engine is told that it is there.
        What vanished may have left connections that look alive."""
        alive = self._list()
        self._link.connected()
        self.ready.set()
        vanished, self._silent = bool(self._silent) and self._engine.is_remote, ""
        for callback in self._reconnected:
            callback(vanished)
        return alive

    def _take_stock(self, alive: list[Instance]) -> None:
        for instance in alive:
            self._events.record(*remembered(instance))
        for instance in self.instances():
            if not instance.inspected:
                self._look_at(instance.id, urgent=False)

    def _ping(self) -> None:
        """Notice an engine that says nothing any more: a host that vanished ends no connection."""
        while True:
            gevent.sleep(PING)
            if self._stream is None:
                continue
            try:
                self._engine.ping(PING_WITHIN)
            except EngineUnreachable as e:
                self._silent = e.reason
                if self._stream is not None:
                    self._stream.give_up()

    def _list(self) -> list[Instance]:
        """Know every container, and those that run in full; returns these.

        Thousands of old containers cost one listing; they are inspected later, one by one.
        """
        listed = [instance for instance in self._engine.containers() if not instance.hidden]
        ids = {instance.id for instance in listed}
        self._names.keep(ids)
        fresh, old = [], []
        for instance in listed:
            known = self._instances.get(instance.id)
            if known and known.inspected:
                old.append(known)
            else:
                fresh.append(instance)
        self._change(fresh, removed=[i for i in self._instances if i not in ids])
        # What ran when the engine was last seen may have ended since.
        doubtful = {i.id for i in listed if i.alive or i.state == "restarting"}
        states = {i.id: i.state for i in listed}
        doubtful |= {k.id for k in old if k.state != states[k.id] or k.alive}
        answers: list[tuple[int, Instance]] = []
        for one in Pool(AT_ONCE).imap_unordered(self._inspected, doubtful):
            if isinstance(one, EngineUnreachable):
                raise one
            if one is not None:
                answers.append(one)
        self._change(found for asked, found in answers if self._is_news(asked, found))
        return [found for _, found in answers]

    def _inspected(self, container: str) -> tuple[int, Instance] | EngineUnreachable | None:
        """When it was asked and what it is. An engine that is away is given and not raised: each
        that asks at that moment would leave a traceback."""
        asked = next(self._order)
        try:
            found = self._engine.inspect(container)
        except NoSuchContainer:
            return None
        except EngineUnreachable as e:
            return e
        except EngineRefused as e:
            self._not_told(container, e)
            return None
        self._unknown.went_well(container)
        return asked, found

    # --- events -------------------------------------------------------------------------------

    def _on(self, event: EngineEvent) -> None:
        self._seen_ns = max(self._seen_ns, event.time_ns)
        if event.hidden:
            return
        known = self._instances.get(event.container) or self._whose(event)
        self._ends.tell(event)
        labelled = event.labelled(self._engine.app_label) or not event.tells_labels
        if known is None and event.name and not labelled:
            # Before it is inspected: it may be called otherwise by then.
            self._names.app_of(event.container, event.name, fitting(event.name))
        if event.action == "oom":
            self._oom_at[event.container] = event.time
        if (
            event.action == "die"
            and event.attributes.get("exitCode") == str(KILLED)
            and not self._engine.is_remote
            and not self._ends.was_asked(event.container)
        ):
            self._memory_kills.ended(event)
        if known and known.inspected:
            # Said at once and checked right after: of a container that lives for a moment only,
            # the log has to be opened before it is gone.
            if event.action == "start":
                running = replace(known, state="running", started_at=event.time, pid=0)
                self._change([running])
            elif event.action == "die":
                code = event.attributes.get("exitCode", "")
                exit_code = int(code) if code.isdecimal() else None
                ended = replace(
                    known,
                    state="restarting" if self._ends.comes_back(known) else "exited",
                    finished_at=event.time,
                    exit_code=exit_code,
                    health=None,
                    pid=0,
                )
                self._change([ended])
        app = self._app_of(event)
        if event.action == "destroy":
            self._remove(event.container)
        else:
            self._look_at(event.container)
        self._record(event, app)

    def _memory_is_told(self, end: EngineEvent) -> bool:
        """Whether it needs not be asked why a container ended: that is known, or it is gone. One that
        is started again may have run out of memory at another end before."""
        since = format_time(end.time_ns - int(AROUND * 1e9))
        return end.container not in self._instances or self._oom_at.get(end.container, "") >= since

    def _record(self, told: EngineEvent, app: str | None) -> None:
        if app is None:
            return
        asked = self._ends.was_asked(told.container)
        if (event := event_of(told, app, asked)) is not None:
            self._events.record(event)

    def _whose(self, event: EngineEvent) -> Instance | None:
        """The container of an event that does not tell its labels: they may name its app, or hide
        it. None when they are told, or it is gone."""
        if event.tells_labels or event.action == "destroy":
            return None
        try:
            return self.refresh(event.container)
        except (EngineUnreachable, EngineRefused):
            return None  # it is asked about again below

    def _app_of(self, event: EngineEvent) -> str | None:
        """None when nobody knows: it is gone, and its labels were not told."""
        known = self._instances.get(event.container)
        if known:
            return known.app
        named = event.app(self._engine.app_label) if event.tells_labels else None
        return self._names.known(event.container) or named

    def _look_at(self, container: str, urgent: bool = True) -> None:
        rank = 0 if urgent else 1
        if self._queued.get(container, 2) > rank:
            self._queued[container] = rank
            self._waiting.put((rank, next(self._order), container))

    def _inspect_waiting(self) -> None:
        while True:
            rank, _, container = self._waiting.get()
            if self._queued.get(container) != rank:
                continue  # it was taken with more urgency already
            del self._queued[container]
            before = self._instances.get(container)
            try:
                found = self.refresh(container)
            except (EngineUnreachable, EngineRefused) as e:
                self._not_told(container, e)
                continue
            self._unknown.went_well(container)
            if found and rank and found != before:
                self._events.record(*remembered(found))

    def _begin_unknown(self, container: str, reason: str) -> None:
        log.warning("asked about %s: %s; it is asked again", container[:12], reason)

    def _end_unknown(self, container: str) -> None:
        log.info("the engine tells of %s again", container[:12])
        if self._unreadable.well(container, "inspect"):
            self._again(container)

    def _ask_again(self, container: str) -> None:
        self._look_at(container, urgent=False)

    def _not_told(self, container: str, error: EngineRefused | EngineUnreachable) -> None:
        """The engine did not say how a container is: ask until it does, or has it no more."""
        self._unknown.failed(container, str(error))
        if isinstance(error, EngineRefused):
            self._refused(container, "inspect", error)

    def _compare(self) -> None:
        """What was missed, whyever, heals: what the engine lists is compared with what is known."""
        while True:
            gevent.sleep(COMPARE)
            if self._stream is None:
                continue  # the listing after the reconnection does the same
            try:
                self._compare_once()
            except (EngineUnreachable, EngineRefused) as e:
                log.debug("comparing with the engine's list: %s", e)

    def _compare_once(self) -> None:
        listed = self._engine.states()
        for container in {*listed, *self._instances}:
            known, found = self._instances.get(container), listed.get(container)
            # Of these the engine tells nothing when they change: a start that was refused, a check
            # that has failed once more.
            silent = known is not None and (found == "created" or known.health == "unhealthy")
            if known is None or found is None or known.state != found or silent:
                self._look_at(container, urgent=False)

    def _settle(self) -> None:
        """Who has run for a while since its last restart is well again. And that one could not be
        started the engine tells to nobody who does not ask."""
        while True:
            gevent.sleep(SETTLE)
            if over := [known for c in self._ends.over() if (known := self._instances.get(c))]:
                self._change(over)
            if self._stream is None:
                continue  # it is away, or asked all the time since it tells of nothing
            since = format_time(time.time_ns() - int(STARTING * 1e9))
            for known in self.instances():
                if known.condition == "created" and known.created > since:
                    self._look_at(known.id, urgent=False)

    # --- changes ------------------------------------------------------------------------------

    def _remove(self, container: str, asked: float = inf) -> None:
        """The engine has it no more, whatever an answer says that is still on its way: to a question
        before ``asked``, or to any, where the engine told that it was removed."""
        self._removed[container] = max(asked, self._removed.pop(container, 0))
        if len(self._removed) > REMOVED_KNOWN:
            del self._removed[next(iter(self._removed))]
        self._change(removed=[container])

    def _change(self, found: Iterable[Instance] = (), removed: Iterable[str] = ()) -> None:
        """Take over what was found out, and tell of what is different."""
        added: list[Instance] = []
        changed: list[Instance] = []
        gone: list[Instance] = []
        for instance in found:
            if not instance.labelled:
                app = self._names.app_of(instance.id, instance.name, instance.app)
                if app != instance.app:
                    instance = replace(instance, app=app)
            if reason := self._unreadable.reason(instance.id):
                instance = replace(instance, readable=False, unreadable_reason=reason)
            if self._oom_at.get(instance.id, "") > (instance.started_at or "~"):
                instance = replace(instance, oom_killed=True)
            if instance.release and (instance.app, instance.release) in self._jobs:
                instance = replace(instance, job=True)
            instance = self._ends.judge(instance)
            before = self._instances.get(instance.id)
            if before == instance:
                continue
            if before:
                self._forget(before)
            self._instances[instance.id] = instance
            self._short[instance.short] = instance.id
            self._by_app.setdefault(instance.app, {})[instance.id] = instance
            (changed if before else added).append(instance)
        for container in removed:
            self._ends.forget(container)
            self._unknown.gone(container)
            self._unreadable.forget(container)
            self._names.forget(container)
            for facts in (self._answered, self._oom_at):
                facts.pop(container, None)
            if before := self._instances.pop(container, None):
                self._forget(before)
                self._short.pop(before.short, None)
                gone.append(before)
        if not (added or changed or gone):
            return
        for listener in self._listeners:
            try:
                listener(added, changed, gone)
            except Exception:  # it concerns none of the others
                log.exception("somebody who is told of containers failed")

    def _forget(self, instance: Instance) -> None:
        siblings = self._by_app.get(instance.app, {})
        siblings.pop(instance.id, None)
        if not siblings:
            self._by_app.pop(instance.app, None)
