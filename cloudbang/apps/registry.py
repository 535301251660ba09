"""Every app that is known: whose it is, what it is, where it is shown, when it is forgotten.

Everything is answered from memory and changed there; the database is written a second later, by a
greenlet of its own, so that neither a line nor the discovery of a container waits for it. What is
lost in between by a kill is found again: a container on the engine, a log in its folder.

An app is there as long as it has containers or lines (or was deployed). It is *listed* while it has
containers, or while a program puts lines; *gone* when only lines are left, *away* when somebody put
it away. Without either it is shown nowhere, and after a while it is forgotten: its folder and its
events. What stays of it is the seq that its next line would get (see :mod:`forgotten_seqs`).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace

import gevent
import orjson

from cloudbang.apps.activity import Activity, Bus, last_line
from cloudbang.apps.around import Containers, Events
from cloudbang.apps.errors import AppInUse, NotGone
from cloudbang.apps.forgotten_seqs import ForgottenSeqs
from cloudbang.apps.log_keeping import LogKeeping
from cloudbang.apps.other_logs import OtherLogs
from cloudbang.apps.places import Place, Places
from cloudbang.apps.removal import Removal, removal_of
from cloudbang.apps.write_behind import WriteBehind
from cloudbang.core.deadline import UNHURRIED, Deadline
from cloudbang.core.loop import in_turns
from cloudbang.core.supervise import Supervisor
from cloudbang.domain.apps import App, Instance
from cloudbang.domain.names import DEFAULT_TEAM, is_app_name
from cloudbang.errors import CloudBangError, NoSuchApp
from cloudbang.storage.database.apps import AppRow, AppStore
from cloudbang.storage.logs.log_store import Deleted, LogStore

log = logging.getLogger(__name__)

FORGET_EVERY = 60.0  # seconds between two looks at what may be forgotten
EMPTY_KEPT = 600.0  # seconds without containers and lines after which an app is forgotten
PROGRAMS = 100  # apps without containers that are listed since a program puts lines: the newest
PROGRAM_QUIET = 24 * 3600.0  # seconds without a line after which such an app is gone


class AppRegistry:
    """See the module. ``load`` before the first question, ``start`` for what runs beside it."""

    def __init__(
        self,
        store: AppStore,
        logs: LogStore,
        containers: Containers,
        events: Events,
        bus: Bus,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store, self._logs, self._containers = store, logs, containers
        self._events, self._bus = events, bus
        self._clock = clock
        self._rows: dict[str, AppRow] = {}
        self._places = Places()
        self._programs: dict[str, float] = {}  # when each last put a line; the longest silent first
        self._put_away_at: dict[str, int] = {}  # the next seq of each when it was put away
        self._app_of: dict[str, str] = {}  # by the full id of its containers
        self._forgotten = ForgottenSeqs()
        self.other_logs = OtherLogs(logs)
        self.log_keeping = LogKeeping(store, logs)
        self._written_down = WriteBehind(store)
        self._deleted: list[Callable[[str, int, int], None]] = []
        self._new: list[Callable[[str, str], None]] = []
        self.activity = Activity(logs, bus, self._wrote)
        self._supervisor = Supervisor("apps")

    # -- life

    def load(self) -> None:
        """Take over what the database knows, and the logs that are there. Raises StorageFailed."""
        rows, forgotten = self._store.load()
        self.log_keeping.load()
        self._forgotten = ForgottenSeqs(forgotten)
        self._rows = {row.name: row for row in rows}
        for name, team in self.other_logs.load(self._logs.names()):
            if name not in self._rows:
                self._add(name, "found", team)
        for name in self._rows:
            self._settle(name)
        self._logs.team_of = lambda name: self.other_logs.team_of(name) or self.team_of(name)
        self._logs.begin_at = self._begin_at

    def start(self) -> None:
        """Begin to write down, to tell who logs, and to forget."""
        self._supervisor.run("save", self._written_down.loop)
        self._supervisor.run("activity", self.activity.run)
        self._supervisor.run("forget", self._forget_loop)

    def stop(self, deadline: Deadline = UNHURRIED) -> None:
        """Stop; what is not written down yet is."""
        self._supervisor.stop(deadline)
        try:
            self.save()
        except CloudBangError as e:
            log.warning("what is new about apps is not written down: %s", e)

    def listen_deleted(self, callback: Callable[[str, int, int], None]) -> None:
        """Call ``callback(app, first, end)`` on the hub when lines ``first`` up to but without
        ``end`` were deleted by somebody."""
        self._deleted.append(callback)

    def listen_new(self, callback: Callable[[str, str], None]) -> None:
        """Call ``callback(app, team)`` on the hub when a name becomes an app's of that team, before
        anything of it is told. It does not wait."""
        self._new.append(callback)

    # -- what is asked

    def get(self, name: str) -> App | None:
        """The app of this name; None when there is none, or nothing left of it."""
        self._take_in(name)
        return self._app(name) if self._places[name] != "empty" else None

    def _there(self, name: str) -> App:
        """Raises NoSuchApp."""
        if (app := self.get(name)) is None:
            raise NoSuchApp(name)
        return app

    def owner(self, name: str) -> str | None:
        """The team that a name is, also one of which nothing is left; None for one that is free."""
        self._take_in(name)
        return row.team if (row := self._rows.get(name)) else None

    def team_of(self, name: str) -> str:
        """Who owns an app, or would."""
        return row.team if (row := self._rows.get(name)) else DEFAULT_TEAM

    def apps(self, teams: Collection[str], place: Place = "listed") -> list[App]:
        """The apps of some teams in one place, by name."""
        return [self._app(name) for name in self.names(teams, place)]

    def names(self, teams: Collection[str], place: Place = "listed") -> list[str]:
        """Their names."""
        for name in [*self._logs.written]:
            self._take_in(name)
        return sorted(self._places.names(teams, place))

    def counts(self, teams: Collection[str]) -> dict[str, int]:
        """How many apps of some teams are gone, and how many put away."""
        places = self._places
        return {"gone": places.count(teams, "gone"), "put_away": places.count(teams, "away")}

    def __len__(self) -> int:
        return len(self._rows)

    def as_json(self, app: App) -> dict[str, object]:
        """The app as the API and the live socket show it, with what is known of its log."""
        return app.as_json(
            {
                "last_line": last_line(self._logs, app.name),
                "first": self._logs.first_seq(app.name),
                "next": self._logs.next_seq(app.name),
                "rate": self.activity.rate(app.name),
            }
        )

    def activity_of(self, name: str) -> list[object]:
        """Next seq, lines in the last second, last row."""
        return self.activity.of(name)

    def removal(self, name: str) -> Removal:
        """What there is of an app that could be deleted. Raises NoSuchApp, StorageFailed."""
        self._there(name)
        return removal_of(name, self._logs, self._store)

    # -- what is done

    def create(self, name: str, team: str, kind: str = "deployed") -> App:
        """Register an app before there is anything of it, or as what it has become; one that is
        known stays its team's."""
        row = self._add(name, kind, team)
        if row.kind != kind:
            row = self._rows[name] = replace(row, kind=kind, put_away=None)
            self._written_down.later(row)
        self._show(name)
        return self._app(name)

    def save(self) -> None:
        """Write down at once what is new. Raises StorageFailed, StorageFull; then it is later."""
        self._written_down.save()

    def keep_log(self, name: str, app: str) -> None:
        """Lines will be kept under a name that is no app's, for who owns ``app``."""
        self.other_logs.keep(name, self.team_of(app))

    def put_away(self, name: str, away: bool = True) -> App:
        """Out of sight until it comes back: a container, or a line. Raises NoSuchApp, NotGone."""
        app = self._there(name)
        if away and app.instances:
            raise NotGone(name, len(app.instances))
        self._programs.pop(name, None)
        self._put_away_at[name] = self._logs.next_seq(name)
        self._update(name, put_away=int(self._clock()) if away else None)
        self._settle(name)
        self._tell(name)
        return self._app(name)

    def delete_lines(self, name: str) -> Deleted:
        """Delete an app's log; its seqs go on. Raises NoSuchApp, StorageFailed, StorageFull."""
        app = self._there(name)
        done = self._logs.delete_lines(name, [i.short for i in app.instances])
        self._settle(name)
        for callback in self._deleted:
            callback(name, done.first, done.end)
        self._tell(name)
        return done

    def delete(self, name: str) -> Deleted:
        """Delete everything that is kept of an app without containers: log, events, record.

        Raises NoSuchApp, AppInUse, StorageFailed, StorageFull; then what is left of it is an app
        without a part of its lines.
        """
        app = self._there(name)
        if app.instances:
            raise AppInUse(name, len(app.instances))
        done = self.delete_lines(name)
        if not self._forget(name) and (here := self._containers.instances_of(name)):
            raise AppInUse(name, len(here), done)
        return done

    # -- what others tell

    def instances_changed(
        self, added: Iterable[Instance], changed: Iterable[Instance], gone: Iterable[Instance]
    ) -> None:
        """Listener of the inventory."""
        touched: dict[str, None] = {}
        for instance in (*added, *changed):
            if before := self._app_of.get(instance.id):
                touched[before] = None
            self._app_of[instance.id] = instance.app
            touched[instance.app] = None
            self._add(instance.app, "found")
            self._programs.pop(instance.app, None)
            if self._rows[instance.app].put_away is not None:
                self._update(instance.app, put_away=None)
        for instance in gone:
            self._app_of.pop(instance.id, None)
            touched[instance.app] = None
        for name in touched:
            self._settle(name)
            self._tell(name)

    def _wrote(self, names: Iterable[str]) -> None:
        for name in names:
            self._take_in(name, wrote=True)

    def _take_in(self, name: str, wrote: bool = False) -> None:
        """Lines may have come of an app that has no containers: of one that is new, or is back."""
        wrote = wrote or name in self._logs.written
        if (not wrote and name in self._places) or not is_app_name(name):
            return
        row = self._rows.get(name)
        if row is None:
            if not self._logs.has_lines(name):
                return
            row = self._add(name, "put")
        if self._containers.instances_of(name):
            return
        if row.put_away is not None and wrote:
            if self._logs.next_seq(name) <= self._put_away_at.get(name, 0):
                return  # those that had come when it was put away
            self._update(name, put_away=None)
        if row.kind == "put":
            self._programs.pop(name, None)
            self._programs[name] = self._clock()
            while len(self._programs) > PROGRAMS:
                oldest = next(iter(self._programs))
                del self._programs[oldest]
                self._show(oldest)
        self._show(name)

    # -- memory

    def _app(self, name: str) -> App:
        row = self._rows[name]
        instances = self._containers.instances_of(name)
        return App(name, row.team, instances, row.kind, row.put_away is not None)

    def _begin_at(self, name: str) -> int:
        row = self._rows.get(name)
        return row.begins if row else self._forgotten.get(name)

    def _add(self, name: str, kind: str, team: str = DEFAULT_TEAM) -> AppRow:
        known = self._rows.get(name)
        if known is not None:
            return known
        begins = self._forgotten.get(name)
        row = self._rows[name] = AppRow(name, team, kind, int(self._clock()), begins=begins)
        self._written_down.later(row)
        for callback in self._new:
            callback(name, team)
        return row

    def _update(self, name: str, put_away: int | None) -> None:
        row = self._rows[name] = replace(self._rows[name], put_away=put_away)
        self._written_down.later(row)

    def _place_of(self, name: str) -> Place:
        row = self._rows[name]
        if self._containers.instances_of(name) or row.kind == "deployed":
            return "listed"
        if not self._logs.has_lines(name):
            return "empty"
        if row.put_away is not None:
            return "away"
        return "listed" if name in self._programs else "gone"

    def _settle(self, name: str) -> bool:
        """Put an app where it belongs now; whether that is another place."""
        return self._places.move(name, self._rows[name].team, self._place_of(name), self._clock())

    def _show(self, name: str) -> None:
        if self._settle(name):
            self._tell(name)

    def _tell(self, name: str) -> None:
        topic = f"app/{name}/"
        if not self._bus.wanted(topic):
            return
        row = self._rows.get(name)
        if row is None or self._places[name] == "empty":
            header = orjson.dumps({"v": 1, "kind": "removed", "team": self.team_of(name)})
            self._bus.send(topic, header, b"{}")
        else:
            body = orjson.dumps(self.as_json(self._app(name)))
            self._bus.send(topic, b'{"v":1,"kind":"app"}', body)

    # -- forgetting

    def _forget_loop(self) -> None:
        while True:
            gevent.sleep(FORGET_EVERY)
            try:
                self.forget_empty()
            except CloudBangError as e:
                log.warning("apps are forgotten later: %s", e)

    def forget_empty(self, kept: float = EMPTY_KEPT) -> int:
        """Forget the apps of which nothing has been left for ``kept`` seconds; gives how many.
        Raises StorageFull, StorageFailed."""
        now = self._clock()
        for name in [n for n, seen in self._programs.items() if now - seen > PROGRAM_QUIET]:
            del self._programs[name]
            self._show(name)
        for name in in_turns((*self._places.all_in("gone"), *self._places.all_in("away"))):
            if name in self._rows and not self._logs.has_lines(name):  # they expire by themselves
                self._show(name)
        self.other_logs.forget_empty()
        count = 0
        for name in self._places.empty_until(now - kept):
            count += self._places[name] == "empty" and self._forget(name)
        if count:
            self._store.trim()
        return count

    def _forget(self, name: str) -> bool:
        """Forget an app without containers and lines: the database first, which tells at the next
        start that a folder is a leftover, and at which seq the name goes on."""
        next_seq, now = self._logs.next_seq(name), int(self._clock())

        def write() -> None:
            self._events.forget(name)
            self._store.forget(name, next_seq, now)

        self._written_down.instead(name, write)

        def leaving() -> bool:
            if self._containers.instances_of(name) or name not in self._rows:
                return False
            # From here to its end nothing comes between: a line now begins a new life.
            self._forgotten.add(name, self._logs.next_seq(name))
            self._places.remove(name, self._rows.pop(name).team)
            self._programs.pop(name, None)
            self._put_away_at.pop(name, None)
            self.log_keeping.forget(name)
            return True

        if self._logs.forget(name, leaving):
            return True
        if name in self._rows:  # it came back meanwhile
            self._written_down.later(self._rows[name])
        return False
