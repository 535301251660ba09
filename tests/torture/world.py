"""What a torture run is done to: an engine, a disk and a server of its own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

import httpx

from tests.support import ServerProcess, wait_until
from tests.support_engine import PrivateEngine
from tests.torture.journal import Journal

MIB = 1024**2
DISK = 1024 * MIB
KEEP_FREE = 16 * MIB


class World:
    """Everything is started by the main thread, with which it ends."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.folder = Path(tempfile.mkdtemp(prefix="torture-"))
        self.disk = self.folder / "disk"
        self.disk.mkdir()
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(self.disk)], check=True
        )
        self.can_set_clock = False
        self.engine = PrivateEngine()
        self.server = ServerProcess(
            self.folder,
            {
                "DOCKER_HOST": self.engine.address,
                "CLOUDBANG_STORAGE_PATH": str(self.disk / "data"),
                "CLOUDBANG_LOG_LEVEL": "debug",  # what a reader did, when something is found
                "CLOUDBANG_STORAGE_KEEP_FREE_BYTES": str(KEEP_FREE),
                "CLOUDBANG_STORAGE_SEGMENT_BYTES": str(4 * MIB),
                **self._own_clock(),
            },
        )
        self.starts = 0
        self.started_at = 0.0  # by time.monotonic()
        self.engine_killed: list[str] = []  # when, as lines have it
        self._said_before = 0  # bytes of its log that those before have said

    # -- life

    def open(self) -> str:
        """Start both; the image for containers."""
        self.engine.start()
        image = self.engine.image()
        self.started_at = time.monotonic()
        self.server.start()
        self.starts += 1
        return image

    def close(self) -> None:
        self.server.close()
        self.engine.close()
        subprocess.run(["umount", "-l", str(self.disk)], check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    # -- the clock

    def _own_clock(self) -> dict[str, str]:
        """The environment in which a process goes by ``set_clock``; see clock.c. A library that
        changes all clocks breaks the waiting of threads, and with it what is to be tested."""
        self._clock = self.folder / "clock"
        self.set_clock(0)
        library = self.folder / "clock.so"
        source = Path(__file__).with_name("clock.c")
        try:
            command = ["cc", "-O1", "-shared", "-fPIC", "-o", str(library), str(source), "-ldl"]
            subprocess.run(command, check=True)
        except OSError:
            return {}
        self.can_set_clock = True
        return {"LD_PRELOAD": str(library), "TORTURE_CLOCK": str(self._clock)}

    def set_clock(self, ahead: int) -> None:
        """The server's clock is so many seconds ahead of the machine's."""
        with self._clock.open("r+b" if self._clock.exists() else "wb") as file:
            file.write(ahead.to_bytes(8, sys.byteorder, signed=True))

    # -- the server

    @property
    def is_up(self) -> bool:
        return self.server.process is not None and self.server.process.poll() is None

    def start_server(self) -> None:
        """Start it again after a kill, as supervisord would, and do not wait."""
        self._said_before = self.server.log.stat().st_size
        self.started_at = time.monotonic()
        self.server.spawn()
        self.starts += 1

    @property
    def server_listened(self) -> bool:
        """Whether the present process has said its address; before that it ends at once."""
        with self.server.log.open("rb") as log:
            log.seek(self._said_before)
            return b"CloudBang: http" in log.read()

    def keep_server(self, going: Collection[str]) -> None:
        """Start it again if it ended by itself; that is a finding, unless it did not even start
        while ``going``, faults of disk, database or descriptors, kept it from that."""
        if self.is_up:
            return
        assert self.server.process is not None
        code = self.server.process.returncode
        excused = {"disk full", "database locked", "descriptors used up"} & set(going)
        said = self.server.said(1500)
        if excused and code == 1:
            self.journal.note(f"the server did not start ({', '.join(excused)}): {said[-300:]}")
        else:
            self.journal.finding(f"the server ended by itself with {code}", said)
        time.sleep(1.0)
        self.start_server()

    def wait_answers(self, timeout: float) -> None:
        wait_until(self._healthy, timeout, "the server to be healthy", every=0.1)

    def _healthy(self) -> bool:
        try:
            answer = httpx.get(f"{self.server.url}/healthz", timeout=5.0, trust_env=False)
        except httpx.HTTPError:
            return False
        return answer.status_code == 200

    def mappings(self, most: int = 8) -> str:
        """What is most of that, for the one who reads: MB of each, and what it is."""
        found: list[tuple[int, str]] = []
        for line in Path(f"/proc/{self.server.pid}/smaps").read_text().splitlines():
            words = line.split()
            if "-" in words[0]:
                name = words[5] if len(words) > 5 else f"anonymous {words[0]}"
            elif words[0] == "Rss:":
                found.append((int(words[1]) // 1024, name))
        return ", ".join(f"{size} {name}" for size, name in sorted(found, reverse=True)[:most])

    def descriptors(self) -> Counter[str]:
        """How many the server has open of each kind of file."""
        found: Counter[str] = Counter()
        folder = f"/proc/{self.server.pid}/fd"
        for one in os.listdir(folder):
            with suppress(OSError):
                found[re.sub(r"\d+", "N", os.readlink(f"{folder}/{one}"))] += 1
        return found

    def resident(self) -> int:
        """Bytes."""
        pages = int(Path(f"/proc/{self.server.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")
