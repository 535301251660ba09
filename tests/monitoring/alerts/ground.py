"""Alerts over a real database, with a clock that the test moves, apps that it makes up, and services
that it plays."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from cloudbang.core.notices import Notices
from cloudbang.domain.alerts.receivers import Options, Receiver
from cloudbang.domain.alerts.rules import DEFAULTS, Rule
from cloudbang.domain.apps import App, Instance
from cloudbang.domain.events import Event
from cloudbang.domain.lines import format_time
from cloudbang.monitoring.alerts.engine import AlertEngine
from cloudbang.monitoring.alerts.outbox import Outbox, _minute_of, place_of
from cloudbang.storage.database.alert_rows import Message
from cloudbang.storage.database.alert_settings import AlertSettings
from cloudbang.storage.database.alerts import AlertStore
from cloudbang.storage.database.database import Database
from cloudbang.storage.database.events import EventStore
from cloudbang.storage.database.secrets import SecretStore
from tests.monitoring.alerts.services import Asked

WHEN = 1_800_000_000.0


class Clock:
    """Seconds that pass, and those of a clock that somebody may set."""

    def __init__(self) -> None:
        self.passed, self.set_by = 0.0, 0.0

    def monotonic(self) -> float:
        return 1000.0 + self.passed

    def wall(self) -> float:
        return WHEN + self.passed + self.set_by

    def wall_ns(self) -> int:
        return int(self.wall() * 1e9)

    def pass_(self, seconds: float) -> None:
        self.passed += seconds


def instance(app: str, state: str = "running", **more: Any) -> Instance:
    made = Instance(
        id=f"{abs(hash(app)):064x}"[-64:],
        name=app,
        app=app,
        stack=None,
        image="busybox",
        image_id="sha256:1",
        state=state,
        created="2026-01-01T00:00:00.000000000Z",
        inspected=True,
    )
    return replace(made, **more)


@dataclass
class World:
    """What the engine has."""

    found: dict[str, App] = field(default_factory=dict)
    engine_state: str = "connected"

    def get(self, name: str) -> App | None:
        return self.found.get(name)

    def owner(self, name: str) -> str | None:
        return self.found[name].team if name in self.found else None

    def instances(self) -> list[Instance]:
        return [one for app in self.found.values() for one in app.instances]

    def has(self, name: str, state: str = "running", team: str = "default", **more: Any) -> None:
        self.found[name] = App(name, team, (instance(name, state, **more),))


class Ground:
    """``send`` of the outbox is the real one unless a test says otherwise."""

    def __init__(self, folder: Path, **outbox: Any) -> None:
        self.folder = folder
        self.database = Database(folder)
        self.database.open()
        self.clock = Clock()
        self.world = World()
        self.events = EventStore(self.database)
        self.store, self.settings = AlertStore(self.database), AlertSettings(self.database)
        self.secrets = SecretStore(self.database, folder)
        self.notices = Notices()
        self.marked: list[Event] = []
        self.measured: list[Any] = []
        self._more = outbox
        self.restart()

    def restart(self) -> None:
        """As a process that begins anew."""
        self.outbox = Outbox(
            *(
                self.store,
                self.settings,
                self.secrets,
                self.notices,
                lambda lang: lambda text: text,
            ),
            clock=self.clock.wall,
            passes=self.clock.monotonic,
            **self._more,
        )
        self.engine = AlertEngine(
            *(self.store, self.settings, self.world, self.world, self.events, self),
            *(self.outbox.wake, self.measured),
            clock=self.clock.wall_ns,
            monotonic=self.clock.monotonic,
        )
        self.engine.load()

    def restart_with(self, send: Any) -> None:
        """The same, with another way to send."""
        self._more = {**self._more, "send": send}
        self.restart()

    # what the recorder is to the engine

    def listen(self, callback: object) -> None:
        pass

    def record(self, *events: Event) -> None:
        self.marked.extend(events)

    # -- to begin with

    def rules(self, *names: str) -> dict[str, Rule]:
        """The default rules, or some of them."""
        made = {}
        for rule in DEFAULTS:
            if not names or rule.name in names:
                made[rule.name] = self.settings.add_rule(rule)
        self.engine.reload()
        return made

    def receiver(
        self, address: str, name: str = "hook", team: str = "default", **options: Any
    ) -> Receiver:
        made = self.settings.add_receiver(
            Receiver(0, team, name, "webhook", Options(private=True, **options))
        )
        self.secrets.put(place_of(made.id), {"address": address})
        return made

    # -- what happens

    def happens(self, app: str, kind: str, ago: float = 0.0, **data: Any) -> None:
        when = format_time(self.clock.wall_ns() - int(ago * 1e9))
        self.events.add(Event(app, when, kind, "0123456789ab", data))

    def dies(self, app: str, code: int = 1, **data: Any) -> None:
        self.happens(app, "die", exit_code=code, **data)
        team = self.world.found[app].team if app in self.world.found else "default"
        self.world.has(app, "exited", team, exit_code=code, killed=code == 137)

    def look(self, seconds: float = 0.0, step: float = 1.0) -> None:
        """Look for so many seconds."""
        self.engine.look()
        for _ in range(int(seconds / step)):
            self.clock.pass_(step)
            self.engine.look()

    def pump(self, seconds: float = 0.0, step: float = 1.0) -> None:
        """Send what is due, for so many seconds of the clock."""
        self._send_all()
        for _ in range(int(seconds / step)):
            self.clock.pass_(step)
            self._send_all()

    def _send_all(self) -> None:
        for _ in range(100):
            self.outbox._look()
            while greenlets := list(self.outbox._supervisor._group):
                for one in greenlets:
                    one.join()
            if not self._due():
                return

    def _due(self) -> list[Message]:
        until = {one.id: one.until for one in self.settings.receivers()}
        now = self.clock.wall()
        return [m for m in self.store.pending() if m.due <= now and until.get(m.receiver, 0) <= now]

    def states(self) -> list[str]:
        return [one.state for one in self.store.history({"default", "blue"})][::-1]

    def close(self) -> None:
        self.outbox.stop()
        self.engine.stop()
        self.database.close()


@contextmanager
def ground(folder: Path, **outbox: Any) -> Iterator[Ground]:
    made = Ground(folder, **outbox)
    try:
        yield made
    finally:
        made.close()


def changes(asked: list[Asked]) -> list[tuple[str, str]]:
    """What a webhook was told, app and change, in order; what came again under the same name once."""
    seen: dict[str, list[tuple[str, str]]] = {}
    for one in asked:
        told = one.json
        seen[told["id"]] = [(item["app"], item["change"]) for item in told["incidents"]]
    return [item for its in seen.values() for item in its]


def around(made: Ground, before: int = 30, after: int = 30) -> str:
    """Quiet hours from so many minutes ago to so many from now."""
    minute = _minute_of(made.clock.wall())
    begin, end = (minute - before) % 1440, (minute + after) % 1440
    return f"{begin // 60:02}:{begin % 60:02}-{end // 60:02}:{end % 60:02}"
