"""Registries of the tests: Debian's, with users, and a way to it that hangs or breaks off.

On loopback, where an engine asks without TLS; it has to be an engine in the same network.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx

from tests import support
from tests.support import free_port, patient, wait_until

USER, PASSWORD = "ada", "open-sesame-1"
# htpasswd's line for them; of the least rounds there are.
_USERS = f"{USER}:$2b$04$0/E2mELyBFJ2zZx3Q/ThSuxRR3BruGRLYZH/HLQEcAAof4oq5rdoq\n"
_CONFIG = """version: 0.1
log: {{level: warn}}
storage:
  filesystem: {{rootdirectory: {folder}/data}}
  delete: {{enabled: true}}
http: {{addr: "127.0.0.1:{port}"}}
"""
_AUTH = "auth:\n  htpasswd: {{realm: tests, path: {folder}/users}}\n"


class Registry:
    """A registry with a folder of its own; with ``users``, only ``ada`` gets in."""

    def __init__(self, users: bool = True) -> None:
        self._program = support.script("test-registry")
        self.folder = Path(tempfile.mkdtemp(prefix="cloudbang-registry-"))
        self.port = free_port()
        self.host = f"127.0.0.1:{self.port}"
        config = _CONFIG + (_AUTH if users else "")
        (self.folder / "users").write_text(_USERS)
        (self.folder / "config.yml").write_text(config.format(folder=self.folder, port=self.port))
        self._serve()
        wait_until(self._answers, 20, "the registry")

    def _serve(self, *where: str) -> None:
        command = [self._program, "serve", str(self.folder / "config.yml")]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*support.ENDS_WITH_US, *where, *command], stdout=log, stderr=log
            )

    def move_to(self, namespace: str) -> None:
        """From now on it is on the loopback of that network namespace."""
        self._process.kill()
        self._process.wait(patient(10))
        inside = ("nsenter", f"--net=/run/netns/{namespace}")
        self._serve(*inside)
        asks = [
            *inside,
            "python3",
            "-c",
            f"import socket; socket.create_connection(('127.0.0.1', {self.port}))",
        ]
        wait_until(lambda: not subprocess.run(asks, capture_output=True).returncode, 20, "it", 0.1)

    def _answers(self) -> bool:
        with suppress(httpx.HTTPError):
            return httpx.get(f"http://{self.host}/v2/", timeout=2).status_code in (200, 401)
        return False

    def close(self) -> None:
        self._process.kill()
        self._process.wait(patient(10))
        shutil.rmtree(self.folder, ignore_errors=True)


@contextmanager
def way_to(
    port: int, *, after: int | None = None, dies: bool = False, silent_for: bytes = b""
) -> Iterator[int]:
    """A port of loopback that leads to another one. A connection goes silent ``after`` so many bytes
    of answers, or, if it ``dies``, breaks off and all is gone; None: it takes connections and never
    says a word. Nor does a connection once a request holds ``silent_for``. Threads of the system,
    since whoever is tested may hold the loop."""
    way = _Way(port, after, dies, silent_for)
    try:
        yield way.port
    finally:
        way.close()


class _Way:
    def __init__(self, to: int, after: int | None, dies: bool, silent_for: bytes) -> None:
        self._to, self._after, self._dies, self._silent_for = to, after, dies, silent_for
        self._open = True
        self._links: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", free_port()))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._open = False
        for link in [self._listener, *self._links]:
            with suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)
            link.close()

    def _accept(self) -> None:
        while self._open:
            try:
                here, _ = self._listener.accept()
            except OSError:
                return
            self._links.append(here)
            if self._after is None:
                continue
            there = socket.create_connection(("127.0.0.1", self._to))
            self._links.append(there)
            silent = threading.Event()
            for way in (self._ask, here, there), (self._answer, there, here):
                threading.Thread(target=way[0], args=(*way[1:], silent), daemon=True).start()

    def _ask(self, from_: socket.socket, to: socket.socket, silent: threading.Event) -> None:
        with suppress(OSError):
            while data := from_.recv(16384):
                if self._silent_for and self._silent_for in data:
                    silent.set()
                to.sendall(data)
        with suppress(OSError):
            to.shutdown(socket.SHUT_WR)

    def _answer(self, from_: socket.socket, to: socket.socket, silent: threading.Event) -> None:
        left = self._after
        assert left is not None
        with suppress(OSError):
            while data := from_.recv(16384):
                left -= len(data)
                if left <= 0:
                    if self._dies:
                        self.close()
                        return
                    silent.set()
                while silent.is_set() and self._open:
                    time.sleep(0.05)
                to.sendall(data)
        with suppress(OSError):
            to.shutdown(socket.SHUT_WR)
