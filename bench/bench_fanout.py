"""Fan-out: one app's lines to a thousand live sockets, from ZeroMQ in to bytes out.

Three processes on one machine: the server (this one), a publisher, and a sink that drains all
sockets. What the server does is compared with a process that sends the same frames with bare
blocking sends to the same kind of sink, turn by turn, so that both see the same machine.
"""

from __future__ import annotations

import contextlib
import mmap
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import gevent
import orjson

from bench.fanout_peers import BOARD, RESET, STOP_READING
from cloudbang.accounts import Caller
from cloudbang.bus import Hub
from cloudbang.bus.messages import Message
from cloudbang.config import BusSettings
from cloudbang.core.budget import Budget
from cloudbang.core.notices import Notices
from cloudbang.domain.apps import App
from cloudbang.domain.entries import EntryReader
from cloudbang.domain.lines import format_time, record, rows
from cloudbang.storage.logs.log_store import LogStore
from cloudbang.web.live import lines as live_lines
from cloudbang.web.live import push as live
from cloudbang.web.live.messages import read_lines
from cloudbang.web.server.server import Server
from cloudbang.web.server.socket_handler import SocketRoute
from cloudbang.web.status import Status

ROOT = Path(__file__).parent.parent
VIEWERS = 1_000
APP = "web"
TURNS = 5
STEADY_SECONDS = 4
ENOUGH = 12.0  # seconds after which a comparison makes do with the turns it has
TEXT = b"GET /api/v1/orders/8412 200 31ms user=4711 agent=okhttp/4.12 trace=5f2c9a7be1 region=eu-1"


class NoEngine:
    """There is no engine here: the app is known by its lines."""

    engine_error = None

    def get(self, name: str) -> App | None:
        return App(name)

    def apps(self, teams: Collection[str]) -> list[App]:
        return []

    def counts(self, teams: Collection[str]) -> dict[str, int]:
        return {"gone": 0, "put_away": 0}

    def activity_of(self, name: str) -> list[object]:
        return [1, 0, None]

    def as_json(self, app: App) -> dict[str, object]:
        return app.as_json()


class Board:
    """What the sink tells; see ``fanout_peers``."""

    def __init__(self, folder: Path, name: str) -> None:
        self.path = folder / name
        self.path.write_bytes(bytes(BOARD.size))
        with self.path.open("r+b") as f:
            self._shared = mmap.mmap(f.fileno(), BOARD.size)

    def read(self) -> tuple[int, float, float]:
        """Bytes, and the first and last moment in seconds."""
        size, first, last, _ = BOARD.unpack_from(self._shared, 0)
        return size, first / 1e9, last / 1e9

    def order(self, what: int = RESET) -> None:
        """Start counting at zero; with ``STOP_READING`` one socket is read no more."""
        self._shared[24] = what
        wait(lambda: not self._shared[24], 5)

    def seconds_for(self, expected: int, limit: float) -> float:
        """How long it took, from the first byte, until ``expected`` bytes had come."""
        wait(lambda: self.read()[0] >= expected, limit)
        size, first, last = self.read()
        if not expected <= size <= expected + 100 * VIEWERS:  # pings come along
            raise RuntimeError(f"{size:,} of {expected:,} bytes arrived")
        return last - first


def wait(condition: Any, limit: float) -> None:
    end = time.monotonic() + limit
    while not condition() and time.monotonic() < end:
        gevent.sleep(0.01)


@contextlib.contextmanager
def peer(*arguments: object) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.fanout_peers", *map(str, arguments)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


def tell(process: subprocess.Popen[str], text: str) -> None:
    assert process.stdin is not None
    process.stdin.write(text + "\n")
    process.stdin.flush()


def hear(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


class Ground:
    """The server's parts, as ``app.py`` makes them, without an engine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = LogStore(folder / "data")
        self.store.open()
        self.hub = Hub(BusSettings(bind_sub=ANY, bind_pub=ANY, bind_pub2=""))
        self.hub.start()
        self.publisher = self.hub.publisher()
        self.push = live.LivePush(
            self.store,
            NoEngine(),
            Status(NoEngine(), Notices(), lambda app: "default"),
            self.hub.subscriber(ours_alone=True),
            Budget(),
        )
        self.push.start()
        caller = Caller("s1", 1, "bench", {"default": "viewer"}, b"")
        route = SocketRoute(serve=self.push.serve, authorize=lambda environ: caller)
        self.server = Server(
            ("127.0.0.1", 0),
            lambda environ, start: [],
            {"/websocket": route},
        )
        self.server.registry.drop_after = 3600.0  # the sink only counts; it answers no pings
        self.server.start()
        self.store.append(APP, make(1))

    def put(self, app: str, records: list[bytes], entries: EntryReader | None = None) -> None:
        """Store lines and publish them, as the log's sink does."""
        first = self.store.append(app, records)
        body, header = message(first, records, entries)
        self.publisher.send(f"log/{app}/", header, body)

    def close(self) -> None:
        self.server.stop(0.5)
        self.push.stop()
        self.publisher.close()
        self.hub.stop()
        self.store.close()

    @contextlib.contextmanager
    def viewers(self, count: int = VIEWERS, apps: Collection[str] = (APP,)) -> Iterator[Board]:
        """So many sockets, each of which follows all of these apps' logs."""
        board = Board(self.folder, f"board-{time.monotonic_ns()}")
        channels = [f"log/{app}" for app in apps]
        with peer("sink", board.path, self.server.port, count, ",".join(channels)) as process:
            if hear(process) != "ready":
                raise RuntimeError("the viewers could not connect")
            live = self.push.live_viewers
            wait(lambda: all(live.get(name, 0) == count for name in channels), 20)
            yield board
        wait(lambda: self.push.connections == 0, 10)

    def signed(self, header: bytes, body: bytes) -> bytes:
        """A header as one of the server's own messages has it: nothing else is shown."""
        return self.hub._mark.sign(f"log/{APP}/".encode(), header, body)

    @property
    def live(self) -> int:
        return self.push.live_viewers.get(f"log/{APP}", 0)

    @property
    def at_end(self) -> bool:
        """Whether everything stored has been handed to the viewers."""
        channel = self.push._logs.get(f"log/{APP}/")
        return channel is not None and channel.position == self.store.next_seq(APP)


ANY = "tcp://127.0.0.1:*"
_number = 0
_entries = EntryReader()


def make(count: int) -> list[bytes]:
    """The next ``count`` records."""
    global _number
    start, _number = _number, _number + count
    return [
        record(
            format_time(1_700_000_000_000_000_000 + n * 200_000).encode(),
            b"0123456789ab",
            b"stdout",
            b"%b %d" % (TEXT, 100_000_000 + n),
        )
        for n in range(start, start + count)
    ]


def message(
    first: int, records: list[bytes], reader: EntryReader | None = None
) -> tuple[bytes, bytes]:
    """The body and the header of a message of these lines, as the log's sink makes them."""
    levels, entries = (reader or _entries).read(first, records)
    header = {
        "v": 1,
        "first": first,
        "next": first + len(records),
        "levels": levels,
        "entries": [entry.extent for entry in entries.values()],
    }
    return orjson.dumps(rows(first, records)), orjson.dumps(header)


def burst(
    ground: Ground, board: Board, publisher: Any, lines: int, frames: int, to: int = VIEWERS
) -> tuple[float, float]:
    """Seconds, and seconds of the hub's CPU, in which ``frames`` messages of ``lines`` lines
    reach ``to`` viewers."""
    records = make(lines * frames)
    first = ground.store.append(APP, records)
    path = ground.folder / "bodies"
    size = 0
    head = len(b'{"op":"lines","channel":"log/%b",' % APP.encode())
    with path.open("wb") as f:
        for n in range(frames):
            part = records[n * lines : (n + 1) * lines]
            body, header = message(first + n * lines, part)
            for piece in (ground.signed(header, body), body):
                f.write(struct.pack("I", len(piece)) + piece)
            frame = head + len(read_lines(Message("", header, body), 2**62).message)
            size += frame + (4 if frame < 65536 else 10)
    board.order()
    started = time.thread_time()
    tell(publisher, str(path))
    seconds = board.seconds_for(size * to, 20)
    hear(publisher)
    print(
        f"  {lines} lines a frame: {frames * lines * to / seconds / 1e6:.1f} M lines/s",
        file=sys.stderr,
    )
    return seconds, time.thread_time() - started


def compare(
    ground: Ground, board: Board, publisher: Any, lines: int, frames: int
) -> tuple[float, float]:
    """Throughput through the server as a share of that of bare sends, and the same for the CPU
    that a frame costs. Medians of the turns."""
    body, header = message(10_000, make(lines))
    size = len(read_lines(Message("", header, body), 2**62).message) + 45
    # The same frames, not fewer and larger ones, which is what a busy server makes of them.
    live_lines.MERGE_LINES = lines
    throughput, cpu = [], []
    with contextlib.ExitStack() as stack:
        sender = stack.enter_context(peer("bare", VIEWERS, size, frames))
        bare = Board(ground.folder, f"bare-{lines}")
        sink = stack.enter_context(peer("sink", bare.path, hear(sender), VIEWERS, ""))
        hear(sink)
        started = time.monotonic()
        for turn in range(TURNS + 1):
            if throughput and time.monotonic() - started > ENOUGH:
                break
            bare.order()
            tell(sender, "go")
            reference = bare.seconds_for(size * VIEWERS * frames, 20)
            reference_cpu = float(hear(sender))
            measured, measured_cpu = burst(ground, board, publisher, lines, frames)
            if turn:  # the first warms both up
                throughput.append(reference / measured)
                cpu.append(reference_cpu / measured_cpu)
    return statistics.median(throughput), statistics.median(cpu)


def stuck(ground: Ground, board: Board, publisher: Any) -> float:
    """By how much, in per cent, one viewer that stops reading delays the lines of the others."""
    live_lines.MERGE_LINES = 100

    def best(to: int) -> float:
        started, found = time.monotonic(), []
        while len(found) < 5 and (not found or time.monotonic() - started < ENOUGH):
            found.append(burst(ground, board, publisher, 100, 30, to)[0])
        return min(found)

    burst(ground, board, publisher, 100, 30)
    free = best(VIEWERS)
    slow = ground.push.slow_viewers
    board.order(STOP_READING)
    for _ in range(20):  # until the kernel's buffers and ours are full
        burst(ground, board, publisher, 100, 30, VIEWERS - 1)
        if ground.push.slow_viewers > slow:
            break
    held = best(VIEWERS - 1)
    return (held / free - 1) * 100


def steady(ground: Ground, board: Board) -> tuple[float, float, float]:
    """1,000 viewers of 5,000 lines/s, stored, published and sent: the share of lines delivered,
    the share of a core used by all of it, and the 99th percentile of the hub's latency (ms)."""
    live_lines.MERGE_LINES = 500
    late: list[float] = []

    def feel() -> None:
        while True:
            due = time.perf_counter() + 0.002
            gevent.sleep(0.002)
            late.append(time.perf_counter() - due)

    wait(lambda: ground.publisher.wanted(f"log/{APP}/"), 5)
    records = make(5_000 * STEADY_SECONDS)
    board.order()
    bytes_before = ground.server.registry.sent
    feeler = gevent.spawn(feel)
    cpu, started = time.process_time(), time.monotonic()
    for n in range(50 * STEADY_SECONDS):
        part = records[n * 100 : (n + 1) * 100]
        ground.put(APP, part)
        gevent.sleep(max(started + (n + 1) / 50 - time.monotonic(), 0.0001))
    used = (time.process_time() - cpu) / (time.monotonic() - started)
    feeler.kill()
    sent = 0

    def arrived() -> bool:
        nonlocal sent
        sent = ground.server.registry.sent - bytes_before
        return ground.at_end and board.read()[0] >= sent

    wait(arrived, 5)
    delivered = board.read()[0] / sent if ground.at_end and not ground.push.slow_viewers else 0.0
    return delivered, used, sorted(late)[int(len(late) * 0.99)] * 1000


def run() -> list[dict[str, object]]:
    every, live.LOOK_EVERY = live.LOOK_EVERY, 3600.0
    # A burst is stored before the bus brings it: nobody may look for what the bus left out.
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        ground = Ground(Path(folder))
        stack.callback(ground.close)
        board = stack.enter_context(ground.viewers())
        delivered, used, latency = steady(ground, board)
        publisher = stack.enter_context(peer("publish", ground.hub.publish_to, f"log/{APP}/"))
        hear(publisher)
        hundred, hundred_cpu = compare(ground, board, publisher, 100, 60)
        ten, ten_cpu = compare(ground, board, publisher, 10, 150)
        delay = stuck(ground, board, publisher)
    live.LOOK_EVERY = every
    what = f"fan-out to {VIEWERS:,} sockets"
    rate = f"{VIEWERS:,} viewers of 5,000 lines/s"
    return [
        row(f"{what}, 100 lines a frame, against bare sends", hundred, "ratio", 0.93, "higher"),
        row(f"{what}, 100 lines a frame, CPU of bare sends", hundred_cpu, "ratio", None, "higher"),
        row(f"{what}, 10 lines a frame, against bare sends", ten, "ratio", 0.9, "higher"),
        row(f"{what}, 10 lines a frame, CPU of bare sends", ten_cpu, "ratio", None, "higher"),
        row(f"{rate}: delivered", delivered, "share", 1.0, "higher"),
        row(f"{rate}: CPU, storing included", used * 100, "% of a core", 30, "lower"),
        row(f"{rate}: hub latency, p99", latency, "ms", 5, "lower"),
        row(f"{what}: one stuck viewer delays the others by", delay, "%", 2, "lower"),
    ]


def row(name: str, value: float, unit: str, limit: float | None, better: str) -> dict[str, object]:
    return {"name": name, "value": value, "unit": unit, "limit": limit, "better": better}
