"""Which apps are known, where they are shown, and when they are forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import gevent
import pytest

from cloudbang.apps import AppInUse, AppRegistry, NotGone
from cloudbang.apps import registry as room
from cloudbang.apps.forgotten_seqs import ForgottenSeqs
from cloudbang.apps.places import Place, Places
from cloudbang.config import StorageSettings
from cloudbang.domain.apps import Instance
from cloudbang.domain.events import Event
from cloudbang.domain.lines import format_time, record
from cloudbang.errors import NoSuchApp
from cloudbang.events.recorder import EventRecorder
from cloudbang.storage.database.apps import AppStore
from cloudbang.storage.database.database import Database
from cloudbang.storage.database.events import EventStore
from cloudbang.storage.logs.log_store import LogStore, Query
from tests.support import patient

TEAM = {"default"}
WHEN = "2026-07-01T12:00:00.000000000Z"


def instance(app: str, number: int = 0) -> Instance:
    return Instance(
        id=f"{number:012x}" + "0" * 52,
        name=app,
        app=app,
        stack=None,
        image="busybox",
        image_id="sha256:0",
        state="running",
        created=WHEN,
    )


class Containers:
    """An inventory by hand."""

    def __init__(self) -> None:
        self.known: dict[str, Instance] = {}

    def instances(self) -> list[Instance]:
        return list(self.known.values())

    def instances_of(self, app: str) -> tuple[Instance, ...]:
        return tuple(one for one in self.known.values() if one.app == app)


class Bus:
    def __init__(self) -> None:
        self.sent: list[tuple[str, bytes, bytes]] = []

    def send(self, topic: str, header: bytes, body: bytes) -> None:
        self.sent.append((topic, header, body))

    def wanted(self, topic: str) -> bool:
        return True

    def topics(self) -> list[str]:
        found = [topic for topic, _, _ in self.sent]
        self.sent.clear()
        return found


class House:
    """A registry over a real store and database."""

    def __init__(self, folder: Path) -> None:
        self.now = 1_000_000.0
        self.logs = LogStore(folder, settings=StorageSettings(path=folder, keep_free_bytes=0))
        self.logs.open()
        self.database = Database(folder)
        self.database.open()
        self.store = AppStore(self.database)
        self.events = EventStore(self.database)
        self.containers, self.bus = Containers(), Bus()
        self.recorder = EventRecorder(self.events, self.bus)
        self.apps = AppRegistry(
            *(self.store, self.logs, self.containers, self.recorder, self.bus),
            clock=lambda: self.now,
        )
        self.apps.load()

    def close(self) -> None:
        self.apps.stop()
        self.kill()

    def kill(self) -> None:
        """What was not written down is lost."""
        self.database.close()
        self.logs.close()

    def log(self, app: str, count: int = 1) -> int:
        when = format_time(1_750_000_000_000_000_000).encode()
        return self.logs.append(app, [record(when, b"0" * 12, b"stdout", b"hello")] * count)

    def run(self, app: str, number: int = 0) -> None:
        one = instance(app, number)
        self.containers.known[one.id] = one
        self.apps.instances_changed([one], [], [])

    def remove(self, app: str) -> None:
        gone = self.containers.instances_of(app)
        for one in gone:
            del self.containers.known[one.id]
        self.apps.instances_changed([], [], gone)

    def names(self, place: Place = "listed") -> list[str]:
        return self.apps.names(TEAM, place)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    yield made
    made.close()


def test_an_app_is_listed_then_gone_then_nothing(house: House) -> None:
    """With containers it is listed; with lines only it is gone; with neither it is not there."""
    house.run("web")
    house.log("web", 3)
    house.run("silent", 1)
    assert house.names() == ["silent", "web"]
    assert house.apps.counts(TEAM) == {"gone": 0, "put_away": 0}
    house.remove("web")
    house.remove("silent")
    assert (house.names(), house.names("gone")) == ([], ["web"])
    assert house.apps.counts(TEAM) == {"gone": 1, "put_away": 0}
    assert house.apps.get("silent") is None
    found = house.apps.get("web")
    assert found
    assert (found.state, found.kind) == ("gone", "found")
    house.run("web", 2)
    assert (house.names(), house.names("gone")) == (["web"], [])


def test_a_program_is_listed_while_it_puts_lines(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newest hundred of them; one that is silent for a day is gone, and comes back."""
    monkeypatch.setattr(room, "PROGRAMS", 2)
    for name in ("a", "b", "c"):
        house.log(name)
        house.apps.activity.look(1.0)
    assert (house.names(), house.names("gone")) == (["b", "c"], ["a"])
    assert house.apps.get("c").kind == "put"  # type: ignore[union-attr]
    house.now += 23 * 3600
    house.log("c")
    assert house.names() == ["b", "c"]
    house.apps.activity.look(1.0)
    house.now += 2 * 3600
    house.apps.forget_empty()
    assert (house.names(), house.names("gone")) == (["c"], ["a", "b"])
    house.log("a")
    assert (house.names(), house.names("gone")) == (["a", "c"], ["b"])


def test_put_away_until_it_comes_back(house: House) -> None:
    """An app that is gone is out of sight; a container, or a line, brings it back."""
    house.run("web")
    house.log("web")
    with pytest.raises(NotGone):
        house.apps.put_away("web")
    house.remove("web")
    assert house.apps.put_away("web").put_away
    assert house.names("away") == ["web"], "lines of the moment before do not bring it back"
    house.apps.activity.look(1.0)
    assert house.apps.counts(TEAM) == {"gone": 0, "put_away": 1}
    assert (house.names("gone"), house.names("away")) == ([], ["web"])
    house.apps.put_away("web", False)
    assert house.names("gone") == ["web"]
    house.apps.put_away("web")
    house.log("web")
    assert (house.names("gone"), house.names("away")) == (["web"], [])
    house.apps.activity.look(1.0)
    house.apps.put_away("web")
    house.run("web")
    assert (house.names(), house.names("away")) == (["web"], [])
    house.remove("web")
    assert house.names("gone") == ["web"]
    with pytest.raises(NoSuchApp):
        house.apps.put_away("nothing")


def test_an_app_that_was_found_becomes_a_deployed_one(house: House) -> None:
    """It is listed from then on, whatever runs of it, and stays its team's."""
    house.run("web")
    house.log("web")
    house.remove("web")
    house.apps.put_away("web")
    made = house.apps.create("web", "blue")
    assert (made.kind, made.team, made.put_away) == ("deployed", "default", False)
    assert house.names() == ["web"]
    assert house.apps.create("web", "default", "found").kind == "found"
    assert (house.names(), house.names("gone")) == ([], ["web"])


def test_what_is_known_survives_a_restart_and_a_kill(tmp_path: Path) -> None:
    """Team, kind and what was put away are written down; what was not is found again."""
    one = House(tmp_path)
    one.apps.create("shop", "blue")
    one.log("shop")
    one.log("cron")
    one.apps.activity.look(1.0)
    one.apps.put_away("cron")
    one.close()
    assert (tmp_path / "blue" / "shop").is_dir()
    two = House(tmp_path)
    two.log("late")
    two.kill()
    three = House(tmp_path)
    assert three.names("away") == ["cron"]
    assert three.names("gone") == ["late"]
    assert three.apps.names({"blue"}) == ["shop"]
    assert three.apps.get("shop").kind == "deployed"  # type: ignore[union-attr]
    assert three.logs.totals({"blue"})[1] == 1
    three.close()


def test_an_app_without_anything_is_forgotten_with_its_folder_and_events(
    house: House, tmp_path: Path
) -> None:
    """After a while, not at once; its name begins again, and its seqs go on."""
    house.run("web")
    house.log("web", 5)
    house.run("never", 1)
    for name in ("web", "never"):
        house.events.add(Event(name, WHEN, "start"))
        house.remove(name)
    house.logs.delete_lines("web")  # as when they expire
    assert house.apps.forget_empty() == 0
    assert house.apps.get("web") is None
    house.now += room.EMPTY_KEPT - 1
    assert house.apps.forget_empty() == 0
    house.now += 1
    assert house.apps.forget_empty() == 2
    assert not (tmp_path / "default" / "web").exists()
    assert len(house.apps) == 0
    assert house.events.list("web") == house.events.list("never") == []
    assert house.log("web") == 6
    assert house.log("never") == 1
    assert house.names() == ["never", "web"]


def test_an_event_that_waits_is_forgotten_with_its_app(house: House) -> None:
    """It is not stored afterwards: nothing would take it away any more. Others' are."""
    for name in ("web", "api"):
        house.log(name)
        house.recorder.record(Event(name, WHEN, "remove"))
    house.apps.delete("web")
    house.recorder.start()
    house.recorder.stop()
    assert house.events.list("web") == []
    assert [event.kind for event in house.events.list("api")] == ["remove"]


def test_seqs_go_on_after_a_restart(tmp_path: Path) -> None:
    """Of a forgotten app the next seq is kept; of one that is known again, too, by its log."""
    for expected in (1, 4, 7):
        house = House(tmp_path)
        assert house.log("web", 3) == expected
        house.apps.delete("web")
        house.close()
    house = House(tmp_path)
    assert house.log("web") == 10
    house.kill()  # the row still says that it is forgotten
    house = House(tmp_path)
    assert house.log("web") == 11
    assert house.apps.get("web")
    house.close()


def test_sixty_thousand_names_cost_nothing(house: House) -> None:
    """What is left of a name that came and went is 16 bytes; a look at the apps walks none."""
    seqs = ForgottenSeqs((f"job-{n}", n + 2) for n in range(60_000))
    assert len(seqs) == 60_000
    assert (seqs.get("job-59999"), seqs.get("another")) == (60_001, 1)
    seqs.add("another", 7)
    seqs.add("job-1", 9)
    seqs.add("nothing", 1)
    assert (seqs.get("another"), seqs.get("job-1"), len(seqs)) == (7, 9, 60_001)
    for n in range(300):
        house.run(f"job-{n}", n)
        house.remove(f"job-{n}")
    house.now += room.EMPTY_KEPT
    assert house.apps.forget_empty() == 300
    left = [len(v) for v in vars(house.apps).values() if isinstance(v, dict | Places)]
    assert sum(left) == 0
    assert house.store.load() == ([], [])


def test_only_so_many_forgotten_names_are_kept(house: House) -> None:
    """The longest forgotten go first."""
    for n in range(5):
        house.store.forget(f"job-{n}", 10, 1000 + n)
    assert house.store.trim(keep=2) == 3
    assert sorted(house.store.load()[1]) == [("job-3", 10), ("job-4", 10)]


def test_deleting_an_app(house: House, tmp_path: Path) -> None:
    """Its log, events and record go; one with containers is refused and keeps all of it."""
    house.run("web")
    house.log("web", 4)
    house.events.add(Event("web", WHEN, "start"))
    removal = house.apps.removal("web")
    assert (removal.lines, removal.events) == (4, 1)
    assert removal.bytes == house.logs.size("web") > 0
    assert removal.first_time == removal.last_time == "2025-06-15T15:06:40.000000000Z"
    with pytest.raises(AppInUse, match="1 containers"):
        house.apps.delete("web")
    assert house.apps.removal("web") == removal
    house.remove("web")
    house.apps._written_down.save()
    assert house.apps.delete("web").lines == 4
    assert house.apps.get("web") is None
    assert house.events.list("web") == []
    assert not (tmp_path / "default" / "web").exists()
    assert house.store.load() == ([], [("web", 5)])
    with pytest.raises(NoSuchApp):
        house.apps.delete("web")


def test_deleting_a_log_keeps_the_app(house: House) -> None:
    """A running app goes on with the next seq; who listens is told which lines went."""
    told: list[tuple[str, int, int]] = []
    house.apps.listen_deleted(lambda *what: told.append(what))
    house.run("web")
    house.log("web", 4)
    house.apps.delete_lines("web")
    assert told == [("web", 1, 5)]
    assert house.names() == ["web"]
    assert house.log("web") == 5
    assert house.apps.removal("web").lines == 1


def test_a_line_while_an_app_is_deleted(house: House) -> None:
    """The app is there again, or still; its line has a seq of its own."""
    expected = 1
    for _ in range(15):
        house.log("web", 2)
        expected += 2
        deleting = gevent.spawn(house.apps.delete, "web")
        gevent.sleep(0.001)
        assert house.log("web") == expected
        expected += 1
        deleting.get(timeout=patient(10))
        house.apps._written_down.save()
        assert house.apps.get("web")
        last = house.logs.read("web", Query()).lines[-1:]
        assert not last or last[0][0] == expected - 1
        assert house.logs.next_seq("web") == expected


def test_killed_after_the_database_and_before_the_folder(tmp_path: Path) -> None:
    """The next start finds a folder without lines: its seqs go on, and it is forgotten again."""
    house = House(tmp_path)
    house.log("web", 3)
    house.apps._written_down.save()
    house.logs.delete_lines("web")
    house.store.forget("web", 4, 1)
    house.kill()
    house = House(tmp_path)
    assert house.apps.get("web") is None
    house.now += room.EMPTY_KEPT
    assert house.apps.forget_empty() == 1
    assert not (tmp_path / "default" / "web").exists()
    assert house.log("web") == 4
    house.close()
