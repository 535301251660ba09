"""Deleting an app when the server dies at any moment of it."""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import Iterator

import gevent
import httpx
import orjson
import pytest

from cloudbang.bus import HEADER, Publisher
from tests.conftest import ServerFactory
from tests.support import ServerProcess, patient, rounds, wait_until

ROUNDS = rounds(3, 60)
LINES, EVENTS = 10_000, 1_200  # of each round: many files, and more than one transaction


class Ground:
    """A server without an engine, a program that puts lines, and what it may expect."""

    def __init__(self, server: ServerProcess) -> None:
        self.server = server
        self.program = Publisher(server.bus_sub)
        self.next = {"web": 1, "keep": 1}
        self.told = 0  # events put down so far

    def put(self, app: str, count: int) -> None:
        """Log ``line <seq>`` so often, and wait until it is stored with these seqs."""
        first = self.next[app]
        end = self.next[app] = first + count
        wait_until(lambda: self.program.wanted(f"put/log/{app}/"))
        for start in range(first, end, 5_000):
            lines = [f"line {seq}" for seq in range(start, min(start + 5_000, end))]
            self.program.send(f"put/log/{app}/", HEADER, orjson.dumps(lines))
        wait_until(lambda: self.app(app).get("next") == end, what=f"line {end - 1} of {app}")

    def happen(self, app: str, count: int) -> None:
        """Write down events, as if there had been so many."""
        moments = range(self.told, self.told + count)
        self.told += count
        with self._database() as database:
            database.executemany(
                "INSERT INTO events (app, container, kind, time, data) VALUES (?, '', 'oom', ?, '{}')",
                [(app, f"2026-07-01T12:00:00.{n:09}Z") for n in moments],
            )
            database.commit()

    def events(self, app: str) -> int:
        with self._database() as database:
            query = "SELECT count(*) FROM events WHERE app = ?"
            return int(database.execute(query, (app,)).fetchone()[0])

    def _database(self) -> sqlite3.Connection:
        return sqlite3.connect(self.server.storage / "cloudbang.db", timeout=10, factory=_Closing)

    def app(self, app: str) -> dict[str, object]:
        answer = self.server.client.get(f"/api/v1/apps/{app}")
        found: dict[str, object] = answer.json() if answer.status_code == 200 else {}
        return found

    def delete(self) -> int:
        """The status of the answer; 0 when there was none."""
        client = self.server.client
        try:
            token = client.get("/api/v1/me").json()["csrf_token"]
            return client.delete("/api/v1/apps/web", headers={"X-CSRF-Token": token}).status_code
        except httpx.TransportError:
            return 0

    def check(self, app: str) -> None:
        """What is left is the end of what was put: in order, each once, as it was written."""
        rows = self.server.lines(app)
        assert [(row[0], row[4]) for row in rows] == [
            (seq, f"line {seq}") for seq in range(self.next[app] - len(rows), self.next[app])
        ]

    def check_nothing_left(self) -> None:
        assert self.app("web") == {}
        assert not (self.server.storage / "default" / "web").exists()
        assert self.events("web") == 0

    def check_neighbour(self) -> None:
        self.check("keep")
        assert len(self.server.lines("keep")) == 100
        assert self.events("keep") == 10


class _Closing(sqlite3.Connection):
    def __exit__(self, *error: object) -> bool:
        self.close()
        return False


@pytest.fixture
def ground(new_server: ServerFactory) -> Iterator[Ground]:
    environ = {
        "DOCKER_HOST": "unix:///nowhere/docker.sock",
        "CLOUDBANG_STORAGE_SEGMENT_BYTES": str(64 * 1024),
    }
    made = Ground(new_server(environ))
    yield made
    made.program.close()


@pytest.mark.slow("each kill needs a start")
@pytest.mark.timeout(240 + 40 * ROUNDS)
def test_kill_9_while_an_app_is_deleted(ground: Ground) -> None:
    """Each time the app is whole, has lost its beginning, or is gone; it comes back at the next seq,
    can be deleted, and another app keeps everything. What was answered stays done."""
    seed = random.randrange(2**32)
    chance = random.Random(seed)
    print(f"seed {seed}")  # shown when it fails
    server = ground.server
    ground.put("keep", 100)
    ground.happen("keep", 10)
    ground.put("web", LINES)
    ground.happen("web", EVENTS)
    started = time.monotonic()
    assert ground.delete() == 204
    takes = time.monotonic() - started
    ground.check_nothing_left()
    answers: list[int] = []
    while len(answers) < ROUNDS or (0 not in answers and len(answers) < 4 * ROUNDS):
        n = len(answers) % ROUNDS
        ground.put("web", LINES)
        ground.happen("web", EVENTS)
        deleting = gevent.spawn(ground.delete)
        gevent.sleep(takes * (n + chance.random()) / ROUNDS)
        server.kill()
        answers.append(deleting.get(timeout=patient(30)))
        server.start()
        assert answers[-1] in (0, 204)
        if answers[-1] == 204:
            takes *= 0.7  # it was quicker than that
            ground.check_nothing_left()
        elif ground.app("web"):
            ground.check("web")
        ground.check_neighbour()
        ground.put("web", 1)
        ground.check("web")
    assert 0 in answers, f"in {takes:.2f} s no deletion was cut: {answers}"
    assert ground.delete() == 204
    ground.check_nothing_left()
    ground.check_neighbour()
