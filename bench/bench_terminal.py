"""A terminal through CloudBang, against the engine's own exec socket.

The clients that are timed are one small C program (``exec_reader.c``), compiled here: it reads the
bare exec and speaks ``cloudbang.tty.v1`` in the same way, and costs next to nothing. What is
compared takes turns, so that both see the same machine. Recording is on, as it is shipped.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.bench_live import private_engine, serving
from tests.support_engine import PrivateEngine
from tests.terminal_support import (
    BACKGROUND,
    STARTED,
    STUBBORN,
    TICKET,
    Person,
    Terminal,
    known,
    new_client,
    processes,
    rss,
)

Row = dict[str, object]
SOURCE = Path(__file__).with_name("exec_reader.c")
MB = 1_000_000
TEXT_BYTES = 200 * MB
SESSIONS = 100
TURNS = 6


@dataclass
class Ground:
    """An engine with one container on it, the server, and somebody signed in to it."""

    engine: PrivateEngine
    container: Any
    person: Person
    reader: str | None
    bare: list[str] = field(default_factory=list)  # execs that nobody but this ends

    def exec(self, command: list[str]) -> list[str]:
        """Arguments of the C program for a bare exec."""
        made = self.engine.client.api.exec_create(
            self.container.id, command, stdin=True, tty=True, environment={"TERM": "xterm-256color"}
        )
        self.bare.append(made["Id"])
        return [self.engine.address.removeprefix("unix://"), made["Id"]]

    def page(self, command: list[str], sessions: list[str] | None = None) -> list[str]:
        """Arguments of the C program for the same through the server."""
        made = self.person.ticket(self.container.name, command)
        if sessions is not None:
            sessions.append(made["session"])
        first = {key: made[key] for key in TICKET} | {"columns": 80, "rows": 24}
        headers = "\r\n".join(f"{name}: {text}" for name, text in self.person.headers.items())
        port = str(self.person.server.port)
        return [port, headers, json.dumps({**first, "client": new_client()})]

    def measure(self, what: str, how: str, arguments: list[str], *more: object) -> list[list[str]]:
        """The lines, in words, that the C program printed. RuntimeError with what it complained."""
        assert self.reader is not None
        command = [self.reader, what, how, *arguments, *map(str, more)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        if done.returncode:
            raise RuntimeError(f"{what} {how}: {done.stderr.strip()}")
        return [line.split() for line in done.stdout.splitlines()]

    def end_all(self) -> None:
        """End everything that was opened, and wait until nothing of it runs any more."""
        while self.bare:
            found = self.engine.client.api.exec_inspect(self.bare.pop())
            if found["Running"]:
                os.kill(found["Pid"], signal.SIGKILL)
        for one in self.person.got("/terminals")["terminals"]:
            self.person.ask("DELETE", f"/terminals/{one['id']}")
        until = time.monotonic() + 10
        while self.alive() and time.monotonic() < until:
            time.sleep(0.1)

    def alive(self) -> dict[int, str]:
        """What lives in the container beside its first process."""
        first = self.container.attrs["State"]["Pid"]
        return {p: c for p, c in processes(self.container.id).items() if p != first}


def run() -> list[Row]:
    rows: list[Row] = []
    with ground() as made:
        compared: tuple[Callable[[Ground], list[Row]], ...] = (
            throughput,
            echo,
            shared_echo,
            echo_in_a_flood,
        )
        if made.reader is None:
            rows.append(_failed("terminal: no gcc on this machine, nothing to compare with"))
            compared = ()
        for part in (*compared, memory, complete, left_alive):
            try:
                rows += part(made)
            except Exception as e:  # one that fails does not take the others along
                rows.append(_failed(f"{part.__name__} failed: {type(e).__name__}: {str(e)[:200]}"))
            made.end_all()
    return rows


@contextmanager
def ground() -> Iterator[Ground]:
    with tempfile.TemporaryDirectory() as folder, private_engine() as (engine, image):
        place = Path(folder)
        (place / "text").write_bytes(text(TEXT_BYTES))
        container = engine.client.containers.run(
            image,
            ["sleep", "1000000"],
            name="bench-terminal",
            detach=True,
            network_mode="none",
            init=False,
            volumes={folder: {"bind": "/bench", "mode": "ro"}},
        )
        container.reload()
        try:
            with serving(engine) as server, Person(server) as person:
                known(server, container.name)
                yield Ground(engine, container, person, compiled(place))
        finally:
            container.remove(force=True, v=True)


def compiled(folder: Path) -> str | None:
    """The C program; None where there is no gcc."""
    gcc = shutil.which("gcc")
    if gcc is None:
        return None
    made = folder / "exec_reader"
    subprocess.run([gcc, "-O2", "-o", str(made), str(SOURCE), "-lutil"], check=True)
    return str(made)


def text(size: int) -> bytes:
    """Lines of a log, one in ten of them Chinese."""
    line = "2026-11-22 10:00:00.{:03d} INFO orders: GET /api/v1/orders/{} 200 31ms user=4711\n"
    chinese = "2026-11-22 10:00:00.{:03d} 信息 订单：查询订单 {} 成功，用时 31 毫秒\n"
    block = "".join((line if n % 10 else chinese).format(n, 8000 + n) for n in range(1000)).encode()
    return (block * (size // len(block) + 1))[:size].rpartition(b"\n")[0] + b"\n"


# -- against the bare exec socket -----------------------------------------------------------------


def throughput(at: Ground) -> list[Row]:
    """200 MB through ``cat``, from the first byte to the last."""
    command = ["cat", "/bench/text"]
    rates: dict[str, list[float]] = {"exec": [], "page": []}
    sizes = set()
    for turn in range(2 * TURNS):
        what = ("exec", "page")[turn % 2]
        [[size, seconds]] = at.measure(what, "drain", getattr(at, what)(command))
        sizes.add(int(size))
        rates[what].append(int(size) / MB / float(seconds))
    if len(sizes) != 1:
        return [_failed(f"200 MB through cat: not the same bytes every time: {sorted(sizes)}")]
    bare, ours = statistics.median(rates["exec"]), statistics.median(rates["page"])
    ratio = statistics.median(o / b for o, b in zip(rates["page"], rates["exec"], strict=True))
    name = f"200 MB through cat, {TURNS} turns in pairs: {ours:.1f} MB/s, bare {bare:.1f} MB/s"
    return [_row(name, ratio, "ratio", 0.95, "higher")]


def echo(at: Ground, keys: int = 200) -> list[Row]:
    """A key that the terminal's line discipline echoes, some milliseconds after the one before."""
    found: dict[str, list[float]] = {"exec": [], "page": []}
    for turn in range(4 * TURNS):
        what = ("exec", "page")[turn % 2]
        found[what].append(statistics.median(echoes(at, what, keys, 5)))
    return [_compared("echo of a key", found["page"], found["exec"], 1.4)]


def shared_echo(at: Ground, keys: int = 150) -> list[Row]:
    """A key of a command of the host that is shown by ``python -m cloudbang share``, against a pty
    over one WebSocket that a C program of one process serves."""
    found: dict[str, list[float]] = {"pty": [], "share": []}
    with shared(at, "cat") as opens:
        for turn in range(4 * TURNS):
            if turn % 2:
                lines = at.measure("page", "echo", opens(), keys, 5000)
            else:
                lines = at.measure("pty", "echo", [], keys, 5000)
            times = [float(line[0]) / 1000 for line in lines]
            found["share" if turn % 2 else "pty"].append(statistics.median(times))
    return [_compared("echo of a shared command", found["share"], found["pty"], 2)]


@contextmanager
def shared(at: Ground, *command: str) -> Iterator[Callable[[], list[str]]]:
    """A command of the host, shared; gives what makes arguments of the C program for it."""
    server = at.person.server
    child = subprocess.Popen(
        [sys.executable, "-m", "cloudbang", "share", "-w", *command],
        cwd=Path(__file__).parent.parent,
        env=server.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert child.stdout is not None
        session, _, key = child.stdout.readline().decode().strip().rpartition("/")[2].partition("#")

        def opens() -> list[str]:
            first = {"session": session, "key": key, "columns": 80, "rows": 24}
            headers = "\r\n".join(f"{name}: {text}" for name, text in at.person.headers.items())
            return [str(server.port), headers, json.dumps({**first, "client": new_client()})]

        yield opens
    finally:
        child.terminate()
        child.wait(10)
        if child.stdout is not None:
            child.stdout.close()


def _compared(what: str, ours: list[float], bare: list[float], limit: float) -> Row:
    """Turns in pairs, so that both of a pair saw the same machine; medians of all of them."""
    ratio = statistics.median(o / b for o, b in zip(ours, bare, strict=True))
    a, b = statistics.median(ours), statistics.median(bare)
    return _row(
        f"{what}, {len(ours)} turns in pairs: {a:.3f} ms, bare {b:.3f} ms", ratio, "times", limit
    )


def echoes(at: Ground, what: str, keys: int, pause_ms: int) -> list[float]:
    """Milliseconds to the echo of each key."""
    lines = at.measure(what, "echo", getattr(at, what)(["cat"]), keys, pause_ms * 1000)
    return [float(line[0]) / 1000 for line in lines]


def echo_in_a_flood(at: Ground, keys: int = 1000) -> list[Row]:
    """The same while three other sessions print what they can, each to a page that reads it."""
    assert at.reader is not None
    flood = ["sh", "-c", "while :; do cat /bench/text; done"]
    pages = []
    for _ in range(3):
        command = [at.reader, "page", "drain", *at.page(flood)]
        pages.append(subprocess.Popen(command, stdout=subprocess.DEVNULL))
    try:
        time.sleep(2)  # until they flow
        found = sorted(echoes(at, "page", keys, 5))
        bare = sorted(echoes(at, "exec", keys, 5))  # what the engine makes of it in the same flood
        if any(one.poll() is not None for one in pages):
            return [_failed("echo in a flood: a flood ended before its time")]
    finally:
        for one in pages:
            one.kill()
            one.wait()
    p99, bare_p99 = found[int(keys * 0.99)], bare[int(keys * 0.99)]
    median = statistics.median(found)
    name = f"echo in the flood of three others, p99 (median {median:.1f}, bare p99 {bare_p99:.1f})"
    return [_row(name, p99, "ms", 5)]


# -- alone ----------------------------------------------------------------------------------------


def memory(at: Ground, first: int = 20) -> list[Row]:
    """Shells at their prompt, each with its page's socket open."""

    def open_one() -> Terminal:
        made = at.person.terminal(at.container.name)
        made.wait_for("# ", 20)
        return made

    pages = [open_one() for _ in range(first)]  # what is made once and not for each
    before = _settled(at.person.server.pid)
    pages += [open_one() for _ in range(SESSIONS)]
    each = (_settled(at.person.server.pid) - before) / SESSIONS / 1000
    for page in pages:
        page.close()
    return [_row(f"memory of an idle session, over {SESSIONS}", each, "kB each", 60)]


def complete(at: Ground, times: int = 100) -> list[Row]:
    """Commands that end at once: their output to the last byte, and their exit code."""
    numbers = "".join(f"{n}\r\n" for n in range(1, 20_001)).encode()
    rows = []
    for command, wanted in ((["seq", "1", "20000"], numbers), (["echo", "hi"], b"hi\r\n")):

        def one(_: int, command: list[str] = command, wanted: bytes = wanted) -> bool:
            page = at.person.terminal(at.container.name, command)
            said = page.ended(30)
            return bytes(page.output) == wanted and said["reason"] == "exit" and said["code"] == 0

        with ThreadPoolExecutor(4) as pool:
            whole = sum(pool.map(one, range(times)))
        name = f"{' '.join(command)}: complete to the last byte, of {times} times"
        rows.append(_row(name, whole, "times", times, "higher"))
    return rows


def left_alive(at: Ground) -> list[Row]:
    """What runs 5 s after 100 sessions were ended all at once."""
    kinds: list[tuple[list[str] | None, str]] = [
        (None, ""),
        (["top"], ""),
        (["vi", "/tmp/file"], ""),
        (None, STUBBORN),
        (None, BACKGROUND),
    ]

    def open_one(number: int) -> Terminal:
        command, typed = kinds[number % len(kinds)]
        made = at.person.terminal(at.container.name, command)
        made.wait_for("# " if command is None else "\x1b", 30)
        if typed:
            made.type(typed)
            made.wait_for(STARTED, 10)
        return made

    with ThreadPoolExecutor(8) as pool:
        pages = list(pool.map(open_one, range(SESSIONS)))
    time.sleep(1)  # until what was typed has started
    before = at.alive()
    for page in pages:
        page.say("end")
    closed = time.monotonic()
    while at.alive() and time.monotonic() < closed + 5:
        time.sleep(0.25)
    took, left = time.monotonic() - closed, at.alive()
    for page in pages:
        page.close()
    if len(before) < SESSIONS:
        return [_failed(f"left alive: only {len(before)} processes ran before the end")]
    name = f"processes alive 5 s after {SESSIONS} sessions ended ({len(before)} ran, {took:.1f} s)"
    return [_row(name, len(left), "processes", 0)]


def _settled(pid: int) -> int:
    """Resident bytes of a process once they no longer grow."""
    last, since = rss(pid), time.monotonic()
    while time.monotonic() < since + 1:
        time.sleep(0.2)
        if (now := rss(pid)) > last:
            last, since = now, time.monotonic()
    return rss(pid)


def _row(name: str, value: float, unit: str, limit: float, better: str = "lower") -> Row:
    return {"name": name, "value": value, "unit": unit, "limit": limit, "better": better}


def _failed(name: str) -> Row:
    return {"name": name, "value": None}
