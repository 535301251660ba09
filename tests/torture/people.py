"""People at work all the time: pages, searches, downloads, terminals, and viewers that watch.

Requests may fail while something is wrong; what may never be is an answer that is not true, an
error of our own making (500), or a thing that stays wrong afterwards.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import docker
import httpx
from websockets.exceptions import WebSocketException

from tests.support import ENDS_WITH_US, ROOT, wait_until
from tests.terminal_support import Person, Terminal
from tests.torture.printers import Printer
from tests.torture.world import World

VIEWERS, STUCK = 30, 5


class People:
    """``calm``: nothing is wrong now, and has not been for a moment: then all has to go well."""

    def __init__(self, world: World, printers: list[Printer], seed: int) -> None:
        self.world, self.journal, self.printers = world, world.journal, printers
        self.calm = threading.Event()
        self.faults = 0  # begun so far: what took long may have met one, though all is calm again
        self.done: dict[str, int] = {}
        self.failed: dict[str, int] = {}
        self._stop = threading.Event()
        self._me: Person | None = None
        self._threads: list[threading.Thread] = []
        self._seed = seed
        self.terminals: list[Terminal] = []

    def start(self) -> None:
        self._me = Person(self.world.server)
        works: list[Callable[[random.Random], None]] = [
            self.look_at_pages,
            self.look_at_pages,
            self.search,
            self.download,
            self.type_in_a_terminal,
        ]
        for n, work in enumerate(works):
            thread = threading.Thread(target=self._repeat, args=(work, n), daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(60)
            if thread.is_alive():
                self.journal.finding("somebody waits for ever", thread.name)

    def _repeat(self, work: Callable[[random.Random], None], number: int) -> None:
        chance = random.Random(f"{self._seed} {number}")
        name = work.__name__
        threading.current_thread().name = name
        while not self._stop.is_set():
            was_calm, began = self.calm.is_set(), time.monotonic()
            faults = self.faults
            try:
                work(chance)
                self.done[name] = self.done.get(name, 0) + 1
            except (httpx.HTTPError, OSError, WebSocketException, AssertionError, EOFError) as e:
                self.failed[name] = self.failed.get(name, 0) + 1
                what = f"{type(e).__name__}: {e}"[:1500]
                if was_calm and self.calm.is_set() and self.faults == faults:
                    took = time.monotonic() - began
                    self.journal.finding(f"{name} failed while all was well ({took:.1f} s)", what)
                elif "500" in what and "internal" in what:
                    self.journal.finding(f"{name}: an error of our own", what)
                self._stop.wait(0.5)
            self._stop.wait(chance.random())

    @property
    def me(self) -> Person:
        assert self._me is not None
        return self._me

    # -- what they do

    def look_at_pages(self, chance: random.Random) -> None:
        """The apps, what is wrong, a page of an app's log, a page in HTML."""
        app = chance.choice(self.printers).app
        self.me.got("/status")
        names = {one["name"] for one in self.me.got("/apps")["apps"]}
        if self.calm.is_set():
            missing = sorted({one.app for one in self.printers} - names)
            assert not missing, (
                f"not among the apps: {missing}; the engine: {self._listed(missing)}"
            )
        rows = self.me.got(f"/apps/{app}/lines?limit=500&before=999999999")["lines"]
        seqs = [row[0] for row in rows]
        if seqs and seqs != list(range(seqs[0], seqs[0] + len(seqs))):
            self.journal.finding("a page of lines has a hole", f"{app}: {seqs[0]} to {seqs[-1]}")
        page = self.me.client.get(f"/apps/{app}/logs")
        assert page.status_code == 200, f"page of {app}: {page.status_code}"

    def _listed(self, names: list[str]) -> list[str]:
        """What the engine says of containers, short."""
        engine = docker.DockerClient(self.world.engine.address, version="1.41", timeout=60)
        try:
            listed = engine.containers.list(all=True, ignore_removed=True)
            return [
                f"{one.name} {one.short_id} {one.status}" for one in listed if one.name in names
            ]
        finally:
            engine.close()

    def _commands_of(self, one: Printer) -> str:
        """Whether the engine itself runs a command in a container at the moment."""
        began, engine = time.monotonic(), docker.DockerClient(self.world.engine.address, timeout=20)
        try:
            done = engine.containers.get(one.container.id).exec_run(["echo", "here"], tty=True)
            what = f"{done.exit_code} {done.output[:200]!r}"
        except Exception as e:
            what = f"{type(e).__name__}: {e}"
        finally:
            engine.close()
        return f"a command by the engine alone, {time.monotonic() - began:.1f} s: {what[:400]}"

    def search(self, chance: random.Random) -> None:
        """A regular expression over all of an app, with its cursor, to the end."""
        one = chance.choice(self.printers)
        after: int | None = 0
        found = 0
        for _ in range(200):
            query = f"q=line+%5B0-9%5D*7+&regex=1&limit=1000&after={after}"
            page = self.me.got(f"/apps/{one.app}/lines?{query}")
            found += len(page["lines"])
            after = page.get("cursor") or (page["lines"][-1][0] if page["lines"] else None)
            if after is None or self._stop.is_set():
                break

    def download(self, chance: random.Random) -> None:
        """All of an app: either it ends as it should and is whole, or it is cut."""
        one = chance.choice(self.printers)
        span = self.me.got(f"/apps/{one.app}/lines?limit=1")
        size = count = 0
        with self.me.client.stream("GET", f"/api/v1/apps/{one.app}/download?format=text") as answer:
            if answer.status_code != 200:
                answer.read()
            assert answer.status_code == 200, f"download: {answer.status_code} {answer.text[:300]}"
            for part in answer.iter_bytes():
                size += len(part)
                count += part.count(b"\n")
        least = span["next"] - span["first"]
        if count < least:
            self.journal.finding(
                "a part of a log passes for the whole",
                f"{one.app}: {count} lines ({size} bytes) of at least {least}",
            )

    def type_in_a_terminal(self, chance: random.Random) -> None:
        """Open one, type, read, sometimes come back to it, and close it."""
        one = chance.choice([p for p in self.printers if p.steady])
        terminal = self.me.terminal(one.app, ["sh"])
        number = chance.randrange(10**6)
        try:
            # Nobody types before there is a prompt; one whose output was lost is another shell's.
            try:
                terminal.wait_for("# ", timeout=10)
            except AssertionError as e:
                raise AssertionError(f"{e}; {self._commands_of(one)}") from None
            terminal.type(f"echo do''ne {number}\n", timeout=10)
            terminal.wait_for(f"done {number}", timeout=10)
            if chance.random() < 0.3:
                session = terminal.session
                terminal.drop()
                terminal = self.me.back(session)
                terminal.type(f"echo ba''ck {number}\n", timeout=10)
                terminal.wait_for(f"back {number}", timeout=10)
            terminal.type("exit\n", timeout=10)
            terminal.wait_closed(10)
        finally:
            with suppress(OSError, WebSocketException):
                terminal.close()


class Watchers:
    """The viewers of the module ``viewers``, in a process of their own."""

    def __init__(self, world: World, printers: list[Printer]) -> None:
        self.folder = world.folder / "seen"
        self.folder.mkdir()
        task = {
            "port": world.server.port,
            "cookie": world.server.cookie,
            "apps": [one.app for one in printers],
            "viewers": VIEWERS,
            "stuck": STUCK,
            "folder": str(self.folder),
        }
        self._process = subprocess.Popen(
            [*ENDS_WITH_US, sys.executable, "-m", "tests.torture.viewers", json.dumps(task)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ages(self) -> dict[str, float]:
        """For each app, seconds since any viewer of it was shown a line."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("?\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        assert isinstance(answer, dict)
        return answer

    def finish(self) -> dict[str, Any]:
        """End them; what they saw, and in ``folder`` what of each app."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        answer = json.loads(self._process.stdout.read())
        self._process.wait(30)
        assert isinstance(answer, dict)
        return answer

    def seen(self, app: str) -> Path:
        return self.folder / f"{app}.seen"


def wait_echo(people: People, printer: Printer, seconds: float) -> float:
    """Open a terminal and have it answer; how long that took. Raises AssertionError."""
    began = time.monotonic()
    last: list[str] = []

    def answers() -> bool:
        try:
            terminal = people.me.terminal(printer.app, ["sh"])
            try:
                terminal.wait_for("# ", timeout=5)
                terminal.type("echo do''ne\n", timeout=5)
                terminal.wait_for("done", timeout=5)
            finally:
                terminal.close()
        except (httpx.HTTPError, OSError, WebSocketException, AssertionError) as e:
            last[:] = [str(e)[:300]]
            return False
        return True

    try:
        wait_until(answers, seconds, f"a terminal in {printer.app}", every=0.2)
    except AssertionError as e:
        raise AssertionError(f"{e}; {last}") from None
    return time.monotonic() - began
