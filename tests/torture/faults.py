"""What goes wrong, at random moments and several at once."""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from abc import ABC, abstractmethod
from contextlib import suppress
from typing import Any

import docker

from cloudbang.domain.lines import format_time
from tests.support import ENDS_WITH_US, ROOT
from tests.torture.printers import Printer
from tests.torture.world import MIB, World


class Fault(ABC):
    """Begun and ended by the main thread; between the two it lasts for ``seconds``.

    Two that use the same thing are never there at once.
    """

    name = ""
    uses: frozenset[str] = frozenset()

    def __init__(self, world: World, printers: list[Printer], chance: random.Random) -> None:
        self.world, self.printers, self.chance = world, printers, chance
        self.seconds = 0.0

    @abstractmethod
    def begin(self) -> str:
        """Gives what is to be noted."""

    def end(self) -> None:
        """Heal, where it does not by itself."""
        return


class ServerKilled(Fault):
    name = "server killed"
    uses = frozenset({"server"})

    def begin(self) -> str:
        self.seconds = self.chance.choice((0.0, 0.3, 1.0, 4.0))
        self.world.server.kill()
        return f"down for {self.seconds:g} s"

    def end(self) -> None:
        self.world.start_server()


class ServerStopped(Fault):
    """SIGTERM, as at an update."""

    name = "server stopped"
    uses = frozenset({"server"})

    def begin(self) -> str:
        self.seconds = 0.5
        began = time.monotonic()
        assert self.world.server.process is not None
        self.world.server.process.send_signal(signal.SIGTERM)
        try:
            code = self.world.server.process.wait(30)
        except subprocess.TimeoutExpired:
            self.world.journal.finding("SIGTERM does not end the server", self.world.server.said())
            self.world.server.kill()
            return "killed"
        took = time.monotonic() - began
        if code == -signal.SIGTERM and not self.world.server_listened:
            return "while it was being started"
        if code != 0:
            self.world.journal.finding(f"SIGTERM ended with {code}", self.world.server.said(1500))
        return f"took {took:.1f} s"

    def end(self) -> None:
        self.world.start_server()


class EngineKilled(Fault):
    name = "engine killed"
    uses = frozenset({"engine"})

    def begin(self) -> str:
        self.seconds = self.chance.choice((0.0, 2.0, 8.0))
        self.world.engine.kill()
        # Not before: until it is gone it writes lines of later times.
        self.world.engine_killed.append(format_time(time.time_ns()))
        return f"down for {self.seconds:g} s"

    def end(self) -> None:
        for left in (2, 1, 0):
            try:
                self.world.engine.start()
                return
            except AssertionError:  # on a busy machine it waits in vain for its containerd
                self.world.engine.kill()
                if not left:
                    raise


class EngineHalted(Fault):
    """SIGSTOP: it takes connections and says nothing."""

    name = "engine halted"
    uses = frozenset({"engine"})
    seconds = 20.0

    def begin(self) -> str:
        self.seconds = 20.0
        self._signal(signal.SIGSTOP)
        return ""

    def end(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        assert self.world.engine.process is not None
        os.kill(self.world.engine.process.pid, number)


class ContainerdKilled(Fault):
    name = "containerd killed"
    uses = frozenset({"engine"})

    def begin(self) -> str:
        assert self.world.engine.process is not None
        self.seconds = 5.0
        found = self.world.engine.containerd()
        for one in found:
            one.kill()
        return "" if found else "there is none"


class DiskFull(Fault):
    name = "disk full"
    uses = frozenset({"disk"})

    def begin(self) -> str:
        self.seconds = self.chance.uniform(10, 40)
        self._ballast = self.world.disk / "ballast"
        keep = self.chance.choice((0, 8 * MIB))
        with suppress(OSError), self._ballast.open("wb", buffering=0) as file:
            while True:
                left = os.statvfs(self.world.disk)
                room = left.f_bavail * left.f_frsize - keep
                if room <= 0:
                    break
                os.posix_fallocate(file.fileno(), file.tell(), min(room, 64 * MIB))
                file.seek(0, os.SEEK_END)
        return f"{keep} bytes left, for {self.seconds:.0f} s"

    def end(self) -> None:
        self._ballast.unlink(missing_ok=True)


class FolderUnwritable(Fault):
    """Of one app: whatever is opened in it fails."""

    name = "folder unwritable"
    uses = frozenset({"folder"})

    def begin(self) -> str:
        self.seconds = self.chance.uniform(5, 30)
        self._place = ""
        one = self.chance.choice(self.printers)
        place = self.world.disk / "data" / "default" / one.app
        if not place.is_dir():
            return f"{one.app} has none yet"
        self._place = str(place)
        subprocess.run(["mount", "--bind", self._place, self._place], check=True)
        remount = ["mount", "-o", "remount,ro,bind", self._place]
        subprocess.run(remount, check=True, capture_output=True)
        return f"{one.app}, for {self.seconds:.0f} s"

    def end(self) -> None:
        if self._place:
            subprocess.run(["umount", "-l", self._place], check=True)


class DatabaseLocked(Fault):
    name = "database locked"
    uses = frozenset({"database"})

    def begin(self) -> str:
        self.seconds = self.chance.choice((2.0, 8.0, 15.0))
        self._link: sqlite3.Connection | None = None
        with suppress(sqlite3.Error):
            path = self.world.disk / "data" / "cloudbang.db"
            link = sqlite3.connect(path, timeout=0.5, isolation_level=None, check_same_thread=False)
            link.execute("BEGIN IMMEDIATE")
            self._link = link
        return f"for {self.seconds:g} s" if self._link else "could not be locked"

    def end(self) -> None:
        if self._link is not None:
            self._link.execute("ROLLBACK")
            self._link.close()


class ClockAhead(Fault):
    name = "clock ahead"
    uses = frozenset({"clock"})

    def begin(self) -> str:
        self.seconds = self.chance.uniform(5, 30)
        self.world.set_clock(90)
        return "by 90 s" if self.world.can_set_clock else "not: there is no C compiler"

    def end(self) -> None:
        self.world.set_clock(0)


class DescriptorsUsedUp(Fault):
    name = "descriptors used up"
    uses = frozenset({"server"})  # a new process would start with other limits

    def begin(self) -> str:
        self.seconds = self.chance.uniform(3, 10)
        self._pid = self.world.server.pid
        now = self.world.descriptors().total()
        self._before = resource.prlimit(self._pid, resource.RLIMIT_NOFILE)
        resource.prlimit(self._pid, resource.RLIMIT_NOFILE, (now + 2, self._before[1]))
        return f"at {now + 2}, for {self.seconds:.0f} s"

    def end(self) -> None:
        with suppress(ProcessLookupError):
            resource.prlimit(self._pid, resource.RLIMIT_NOFILE, self._before)


class Strangers(Fault):
    """A program on the bus and the ports: see the module ``strangers``."""

    what = ""

    def begin(self) -> str:
        self.seconds = self.chance.uniform(4, 10)
        self._process = stranger(
            self.world, self.what, self.seconds, self.chance.getrandbits(32), self.printers
        )
        return f"for {self.seconds:.0f} s"

    def end(self) -> None:
        self._process.kill()
        self._process.wait(10)


class FloodOfNames(Strangers):
    name, what = "flood of names", "names"
    uses = frozenset({"names"})


class Forged(Strangers):
    name, what = "forged facts", "forge"
    uses = frozenset({"forged"})


class Garbage(Strangers):
    name, what = "garbage", "garbage"
    uses = frozenset({"garbage"})


class ComeAndGo(Fault):
    """Containers that are made and removed, about ten a second."""

    name = "containers come and go"
    uses = frozenset({"engine"})

    def begin(self) -> str:
        self.seconds = self.chance.uniform(4, 8)
        self._until = time.monotonic() + self.seconds
        self._made = 0
        self._tag = f"{self.chance.getrandbits(32):08x}"
        self._threads = [threading.Thread(target=self._work, args=(n,)) for n in range(3)]
        for one in self._threads:
            one.start()
        return f"for {self.seconds:.0f} s"

    def _work(self, number: int) -> None:
        client = docker.DockerClient(self.world.engine.address, version="1.41", timeout=60)
        image = "cloudbang-test/busybox:1"
        while time.monotonic() < self._until:
            self._made += 1
            name = f"torture-brief-{self._tag}-{self._made}-{number}"
            try:
                one = client.containers.create(
                    image, ["echo", "brief line 1 of one"], name=name, network_mode="none"
                )
                if number == 0:
                    one.start()
                one.remove(force=True)
            except docker.errors.DockerException as e:
                self.world.journal.note(f"{name}: {e}")
        client.close()

    def end(self) -> None:
        for one in self._threads:
            one.join(60)
        self.world.journal.note(f"{self._made} containers came and went")


def stranger(
    world: World, what: str, seconds: float, seed: int, printers: list[Printer]
) -> subprocess.Popen[bytes]:
    """Start one."""
    task: dict[str, Any] = {
        "what": what,
        "in": world.server.bus_sub,
        "out": world.server.bus_pub,
        "http": world.server.url,
        "seconds": seconds,
        "seed": seed,
        "apps": [one.app for one in printers],
    }
    command = [*ENDS_WITH_US, sys.executable, "-m", "tests.torture.strangers", json.dumps(task)]
    return subprocess.Popen(command, cwd=ROOT)


ALL: tuple[type[Fault], ...] = (
    ServerKilled,
    ServerKilled,  # the one that matters most
    ServerStopped,
    EngineKilled,
    EngineHalted,
    ContainerdKilled,
    DiskFull,
    FolderUnwritable,
    DatabaseLocked,
    ClockAhead,
    DescriptorsUsedUp,
    FloodOfNames,
    Forged,
    Garbage,
    ComeAndGo,
)
