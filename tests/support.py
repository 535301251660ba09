"""What tests of every part share: waiting on conditions, free ports, a server as a child process.

The server always runs as a process of its own: that is how people run it, it can be killed at any
moment, and it does not matter whether the tests themselves are patched by gevent.
"""

from __future__ import annotations

import atexit
import os
import random
import resource
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx
import psutil

DEEP = "[" * 1000 + "]" * 1000  # JSON that can be read, and that Python cannot write
ROOT = Path(__file__).resolve().parent.parent
BROWSER_ARGS = (
    *("--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--no-first-run"),
)
ARTIFACTS = ROOT / "tests" / "artifacts"
"""Screenshots and the like; outside git, kept after a run."""

PICTURES = bool(os.environ.get("CLOUDBANG_TEST_PICTURES"))
"""Whether to keep pictures of pages that are well, too; each takes a second or so."""

LONG = bool(os.environ.get("CLOUDBANG_TEST_LONG"))
"""Whether this is `make test-long`: what is left to chance is tried many times."""

T = TypeVar("T")
OFTEN, SELDOM = 0.02, 0.1  # seconds between two looks, at first and in the end
_LOAD = os.open("/proc/loadavg", os.O_RDONLY)  # open already where no file can be opened


def slowness() -> float:
    """How many times longer than alone a thing may take now: 1 to 6. By the last minute, and by this moment."""
    minute, running = os.pread(_LOAD, 99, 0).decode().replace("/", " ").split()[0:4:3]
    return min(6.0, max(1.0, max(float(minute), int(running)) / (os.cpu_count() or 1)))


def patient(seconds: float) -> float:
    """So many seconds, and on a busy machine as many times more: for what should end well."""
    return seconds * slowness()


def wait_until(
    condition: Callable[[], T], timeout: float = 10.0, what: str = "", every: float | None = None
) -> T:
    """The first true value of ``condition()``; AssertionError after ``timeout`` seconds, and on a
    busy machine after so many times more as it is busy.

    ``what`` says what was waited for. ``every``: seconds between two looks. Unless said, a tenth of what was
    waited: most ask a server or an engine, and take the processor from what is waited for. Works patched and
    unpatched: time.sleep yields either way.
    """
    started = time.monotonic()
    while True:
        value = condition()
        if value:
            return value
        waited = time.monotonic() - started
        if waited >= patient(timeout):
            name = what or getattr(condition, "__name__", "a condition")
            raise AssertionError(f"waited {waited:.3g} s in vain for {name}; last value: {value!r}")
        time.sleep(every or min(SELDOM, max(OFTEN, waited / 10)))


@contextmanager
def no_descriptor_left() -> Iterator[None]:
    """Meanwhile this process can open no further file."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def rounds(few: int, many: int) -> int:
    """How often to repeat what is left to chance: a few times, many in `make test-long`."""
    return many if LONG else few


class Stopwatch:
    """Seconds since it was made, but for those in which somebody on the machine waited for a
    processor or the disk: they say nothing about what is measured. For times that are promised."""

    def __init__(self) -> None:
        self._stalled = _stalled()
        self._started = time.monotonic()

    @property
    def seconds(self) -> float:
        elapsed = time.monotonic() - self._started
        return elapsed - min(elapsed, _stalled() - self._stalled)


def _stalled() -> float:
    """Seconds since the machine's start that were such ones; where the kernel does not count them,
    all, if the machine is busy."""
    total = 0
    try:
        for what in ("cpu", "io"):
            some = Path(f"/proc/pressure/{what}").read_text().partition("\n")[0]
            total += int(some.rpartition("total=")[2])
    except OSError:
        return time.monotonic() if slowness() > 1 else 0.0
    return total / 1e6


def free_port() -> int:
    """A TCP port on loopback that nobody listens on now.

    From below the range the kernel gives to outgoing connections, and held (bound, not listened
    at) for a while, so that nobody else's tests get it before the server under test takes it,
    which shares the address as every server does.
    """
    for _ in range(200):
        port = random.randint(15_000, 31_999)
        held = socket.socket()
        try:
            held.bind(("127.0.0.1", port))
        except OSError:
            held.close()
            continue
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        _held.append(held)
        if len(_held) > HELD_AT_MOST:
            _held.popleft().close()
        return port
    raise AssertionError("no free port on loopback in 200 tries")


HELD_AT_MOST = 32
_held: deque[socket.socket] = deque()


@atexit.register
def _let_go() -> None:
    while _held:
        _held.pop().close()


def http_client(**options: Any) -> httpx.Client:
    """For servers on this machine: nothing of the environment is heeded, no certificates are read (20 ms each)."""
    return httpx.Client(**{"trust_env": False, "verify": _NO_TLS, "timeout": patient(20)} | options)


_NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def command_lines() -> Iterator[tuple[psutil.Process, list[str]]]:
    """Every process that runs, with its arguments. What ends between the list and the question is none,
    nor is what has ended and was not waited for, as children of other tests."""
    for one in psutil.process_iter():
        try:
            arguments = one.cmdline()
        except psutil.Error:
            continue
        yield one, arguments


def running(word: str) -> list[psutil.Process]:
    """The processes that have it in an argument, but for ours."""
    found = (one for one, said in command_lines() if any(word in part for part in said))
    return [one for one in found if one.pid != os.getpid()]


def holding(folder: Path, text: str) -> list[Path]:
    """The files below that hold it. What is removed while this looks, as by a server that runs, holds
    nothing."""
    found = []
    for place, _, names in os.walk(folder):
        for path in (Path(place, name) for name in names):
            with suppress(FileNotFoundError):
                if path.is_file() and text.encode() in path.read_bytes():
                    found.append(path)
    return found


def script(name: str, *arguments: str, environ: Mapping[str, str] | None = None) -> str:
    """Standard output of one of ``scripts/``, stripped; AssertionError with what it said."""
    done = subprocess.run(
        [str(ROOT / "scripts" / name), *arguments],
        capture_output=True,
        text=True,
        timeout=600,
        env=dict(environ) if environ is not None else None,
    )
    assert done.returncode == 0, f"scripts/{name}: {done.stderr.strip() or done.stdout.strip()}"
    return done.stdout.strip()


ENDS_WITH_US = ["setpriv", "--pdeathsig", "TERM"] if shutil.which("setpriv") else []
"""Before a command: a run that is killed leaves nothing behind that reads every log there is. What
is started so ends with the thread that started it: the main one."""


class ServerProcess:
    """``python -m cloudbang serve`` as a child, with ports and a data folder of its own.

    ``environ`` is laid over the settings chosen here. ``log`` is the file with all it printed.
    """

    password = "correct horse battery"

    def __init__(self, folder: Path, environ: Mapping[str, str] | None = None) -> None:
        self.storage = folder / "data"
        self.log = folder / "server.log"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.bus_sub, self.bus_pub, self.bus_pub2 = (
            f"tcp://127.0.0.1:{free_port()}" for _ in range(3)
        )
        inherited = {
            k: v for k, v in os.environ.items() if not k.startswith(("CLOUDBANG_", "ZMQ_"))
        }
        self.environ = inherited | {
            "CLOUDBANG_SERVER_HOST": "127.0.0.1",
            "CLOUDBANG_SERVER_PORT": str(self.port),
            "CLOUDBANG_STORAGE_PATH": os.path.relpath(self.storage, ROOT),  # as of `make run`
            "CLOUDBANG_ADMIN_PASSWORD": self.password,
            "ZMQ_BIND_SUB": self.bus_sub,
            "ZMQ_BIND_PUB": self.bus_pub,
            "ZMQ_BIND_PUB2": self.bus_pub2,
            "PYTHONUNBUFFERED": "1",
            **(environ or {}),
        }
        self.before: list[str] = []  # a command that starts it, such as one that sets a limit
        self.process: subprocess.Popen[bytes] | None = None
        self._client: httpx.Client | None = None

    def spawn(self) -> None:
        """Start the process and do not wait for anything."""
        assert self.process is None or self.process.poll() is not None, "it runs already"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*ENDS_WITH_US, *self.before, sys.executable, "-m", "cloudbang", "serve"],
                cwd=ROOT,
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def start(self, timeout: float = 40.0) -> ServerProcess:
        """Start the process and wait until ``/healthz`` answers."""
        self.spawn()
        wait_until(self._answers, timeout, f"{self.url}/healthz", every=0.05)
        return self

    def _answers(self) -> bool:
        assert self.process is not None
        code = self.process.poll()
        assert code is None, f"the server ended with {code}:\n{self.said()}"
        at = urlsplit(self.url)
        link = HTTPConnection(at.hostname or "", at.port, timeout=2.0)
        try:
            link.request("GET", "/healthz")
            link.getresponse().read()
        except (OSError, HTTPException):
            return False
        finally:
            link.close()
        return True  # any answer counts: a server whose engine is away says so with 503

    def said(self, last: int = 4000) -> str:
        """The end of what the process printed, in characters."""
        return self.log.read_text(errors="replace")[-last:] if self.log.exists() else ""

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def kill(self) -> None:
        """``kill -9``, and wait for the end."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(patient(10))

    def terminate(self, timeout: float = 10.0) -> int:
        """SIGTERM; the exit code. subprocess.TimeoutExpired when it does not end."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(patient(timeout))

    def restart(self) -> None:
        """SIGTERM, then a start on the same ports and data."""
        self.terminate()
        self.start()

    def close(self) -> None:
        """End the process and everything opened here."""
        if self._client is not None:
            self._client.close()
            self._client = None
        self.kill()

    @property
    def client(self) -> httpx.Client:
        """An HTTP client signed in as admin; sessions outlive a restart of the server."""
        if self._client is None:
            client = http_client(base_url=self.url)
            answer = client.post(
                "/api/v1/session",
                json={"username": "admin", "password": self.password},
                headers={"Origin": self.url},
            )
            if answer.status_code != 204:
                client.close()
                raise AssertionError(f"sign-in answered {answer.status_code}: {answer.text[:500]}")
            self._client = client
        return self._client

    @property
    def cookie(self) -> str:
        """The Cookie header of the signed-in client, for sockets."""
        return "; ".join(f"{k}={v}" for k, v in self.client.cookies.items())

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """``python -m cloudbang …`` with the settings of this server."""
        return subprocess.run(
            [sys.executable, "-m", "cloudbang", *arguments],
            cwd=ROOT,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=patient(60),
        )

    def get(self, path: str, **parameters: Any) -> Any:
        """JSON of ``GET path`` as admin; AssertionError when it is not 200."""
        answer = self.client.get(path, params=parameters or None)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text[:500]}"
        return answer.json()

    def lines(self, app: str, after: int = 0) -> list[list[Any]]:
        """Every line kept of ``app`` after ``after``: ``[seq, time, container, stream, text]``."""
        return [row for page in self._pages(app, after) for row in page]

    def _pages(self, app: str, after: int) -> Iterator[list[list[Any]]]:
        while True:
            page = self.get(f"/api/v1/apps/{app}/lines", after=after, limit=5000)["lines"]
            if not page:
                return
            yield page
            after = page[-1][0]


@contextmanager
def flood(first: bytes, again: bytes, *, reads: bool = True) -> Iterator[int]:
    """Listens at that port of loopback, says this, and then the same again and again, as fast as it is
    heard, from a thread: it gives no greenlet a turn. Whoever hears it has to, which is checked."""
    import gevent
    from gevent.monkey import get_original

    plain = get_original("socket", "socket")
    listening, turns = plain(), [0]
    listening.bind(("127.0.0.1", 0))
    listening.listen()

    def serve() -> None:
        # Not what accept gives, which waits in a hub of its own, and gets its turn when we give way.
        with suppress(OSError), plain(fileno=listening._accept()[0]) as sock:
            if reads:
                sock.recv(65536)
            sock.sendall(first)
            while True:
                sock.sendall(again * 20_000)

    def count() -> None:
        while True:
            turns[0] += 1
            gevent.sleep(0)

    get_original("_thread", "start_new_thread")(serve, ())
    counting = gevent.spawn(count)
    try:
        yield listening.getsockname()[1]
    finally:
        counting.kill()
        listening.close()
    assert turns[0] > 1
