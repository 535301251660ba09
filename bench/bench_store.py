"""The log store: pages out of ten million lines, bytes on disk, what a line costs to append.

The logs whose packed size is measured are those found on this machine (of its packages and of
the engine), in front of each line what the store puts there; and access logs in two common
shapes, made with the spread of addresses, paths, sizes and ids that such logs have.
"""

from __future__ import annotations

import gzip
import random
import resource
import statistics
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import gevent

from cloudbang.config import StorageSettings
from cloudbang.domain.lines import format_time, record
from cloudbang.storage.logs.log_store import LogStore, Query

SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND
DAY = 86_400 * SECOND
LINES = 10_000_000
PAGES = 200

CORPORA = (
    "/var/log/*.log",
    "/var/log/apt/*.log",
    "/tmp/dockerd*.log",
    "/usr/share/doc/**/*log.gz",
)


class Clock:
    def __init__(self) -> None:
        self.ns = START

    def __call__(self) -> int:
        return self.ns


def _store(root: Path, clock: Clock) -> LogStore:
    settings = StorageSettings(path=root, app_max_bytes=0, total_max_bytes=0)
    store = LogStore(root, settings=settings, clock=clock)
    store.open()
    return store


def _rows(name: str, value: float, unit: str, limit: float | None = None) -> dict[str, object]:
    return {"name": name, "value": value, "unit": unit, "limit": limit, "better": "lower"}


# -- pages


def _ten_million(store: LogStore) -> None:
    """A thousand lines a second, 130 bytes each, of 20,000 different texts."""
    chance = random.Random(1)
    ends = [
        b".%03d%06dZ 0123456789ab stdout %s\n"
        % (i % 1000, chance.randrange(1_000_000), text.ljust(78)[:78])
        for i, text in enumerate(_access(20_000, chance))
    ]
    for second in range(LINES // 1000):
        begin = format_time(START + second * SECOND)[:19].encode()
        part = second % 20 * 1000
        store.append("web", [begin + end for end in ends[part : part + 1000]])


def _pages(root: Path) -> Iterator[dict[str, object]]:
    clock = Clock()
    store = _store(root, clock)
    try:
        _ten_million(store)
        clock.ns += DAY
        store.tidy()  # everything is packed now, as it is a day later
    finally:
        store.close()
    store = _store(root, clock)
    chance = random.Random(2)
    try:
        for name, limit, query in (
            ("after a seq", 2, lambda n: Query(after=n)),
            ("before a seq", 2, lambda n: Query(before=n + 500)),
            ("from a time on", 2, lambda n: Query(since=START + n * SECOND // 1000)),
            ("up to a time", 2, lambda n: Query(until=START + (n + 500) * SECOND // 1000)),
        ):
            took = []
            for _ in range(PAGES):
                wanted = query(chance.randrange(LINES - 2000))
                begun = time.perf_counter()
                page = store.read("web", wanted)
                took.append((time.perf_counter() - begun) * 1000)
                assert len(page.lines) == 500
            what = f"page of 500 from {LINES // 1_000_000} million lines, {name}"
            yield _rows(f"{what} (95 of 100)", statistics.quantiles(took, n=20)[-1], "ms", limit)
    finally:
        store.close()


# -- bytes


def _found() -> Iterator[bytes]:
    """Lines of real logs, at most 20,000 of each."""
    for pattern in CORPORA:
        for path in sorted(Path("/").glob(pattern[1:])):
            try:
                raw = (
                    gzip.decompress(path.read_bytes())
                    if path.suffix == ".gz"
                    else path.read_bytes()
                )
            except (OSError, EOFError):
                continue
            if not path.stem.startswith(("changelog", "NEWS")):
                yield from (text for text in raw.split(b"\n")[:20_000] if text)


def _access(count: int, chance: random.Random) -> Iterator[bytes]:
    """nginx's combined format: few addresses and paths are frequent, many are rare."""
    hosts = [".".join(str(chance.randrange(1, 255)) for _ in range(4)) for _ in range(3000)]
    paths = ["/", "/login", "/api/v1/orders", "/static/app.js"] + [f"/p/{i}" for i in range(800)]
    agents = [
        f"Mozilla/5.0 ({system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{v}.0.0.0 Safari/537.36"
        for system in ("Windows NT 10.0; Win64; x64", "X11; Linux x86_64", "Linux; Android 10; K")
        for v in range(110, 128)
    ]
    for i in range(count):
        host = hosts[int(3000 * chance.random() ** 3)]
        path = paths[int(len(paths) * chance.random() ** 3)]
        agent = agents[int(len(agents) * chance.random() ** 2)]
        status = chance.choices((200, 304, 404, 302, 500), (85, 8, 4, 2, 1))[0]
        size = int(chance.lognormvariate(8, 1.5))
        at = f"14/Nov/2023:22:{i // 3000 % 60:02d}:{i // 50 % 60:02d} +0000"
        yield f'{host} - - [{at}] "GET {path} HTTP/1.1" {status} {size} "-" "{agent}"'.encode()


def _json(count: int, chance: random.Random) -> Iterator[bytes]:
    """What a service writes: a random id and a time of its own in each line."""
    for i in range(count):
        level = chance.choices(("info", "debug", "warn", "error"), (80, 12, 6, 2))[0]
        what = chance.choice(("request handled", "cache miss", "order stored", "slow query"))
        at = f"2023-11-14T22:{i // 3000 % 60:02d}:{i // 50 % 60:02d}.{chance.randrange(1000):03d}Z"
        yield (
            f'{{"level":"{level}","ts":"{at}","logger":"http.access","msg":"{what}",'
            f'"path":"/api/v1/orders/{chance.randrange(100_000)}","status":200,'
            f'"duration_ms":{chance.lognormvariate(2, 1):.3f},"id":"{chance.randbytes(8).hex()}"}}'
        ).encode()


def _packed(root: Path, texts: Iterable[bytes], chance: random.Random) -> tuple[float, float]:
    """Bytes on disk for each byte of the same file as plain text, and of the bare lines."""
    clock = Clock()
    store = _store(root, clock)
    containers = [chance.randbytes(6).hex().encode() for _ in range(3)]
    now, plain, bare = START, 0, 0
    batch: list[bytes] = []
    try:
        for text in texts:
            now += int(chance.expovariate(50) * SECOND)
            stream = b"stderr" if chance.random() < 0.05 else b"stdout"
            who = containers[int(3 * chance.random() ** 2)]
            batch.append(record(format_time(now).encode(), who, stream, text))
            bare += len(text) + 1
            if len(batch) == 500:
                store.append("web", batch)
                batch = []
        if batch:
            store.append("web", batch)
        plain = store.stats()["web"].bytes
        clock.ns += DAY
        store.tidy()
        stored = store.stats()["web"].bytes
    finally:
        store.close()
    return stored / plain, stored / bare


def _ratios(root: Path) -> Iterator[dict[str, object]]:
    for name, texts in (
        ("logs found on this machine", _found()),
        ("access log", _access(40_000, random.Random(3))),
        ("JSON log", _json(40_000, random.Random(4))),
    ):
        of_file, of_text = _packed(root / name, texts, random.Random(5))
        yield _rows(f"closed segments on disk, {name}", of_file, "of the plain file", 0.2)
        yield _rows(f"the same, {name}, prefix not counted", of_text, "of the bare text")


# -- appending


def _append(root: Path, apps: int, batch: int, lines: int) -> dict[str, object]:
    store = _store(root, Clock())
    part = [
        record(format_time(START + i).encode(), b"0123456789ab", b"stdout", text[:100])
        for i, text in enumerate(_access(batch, random.Random(6)))
    ]

    def write(app: str) -> None:
        for _ in range(lines // batch // apps):
            # Records of one's own each time: as they come from a decoder.
            store.append(app, [raw[:40] + raw[40:] for raw in part])

    try:
        store.append("warm", part)
        begun = time.process_time()
        for _ in range(lines // batch):
            _ = [raw[:40] + raw[40:] for raw in part]
        making = time.process_time() - begun
        began, used = time.perf_counter(), _cpu()
        gevent.joinall([gevent.spawn(write, f"a{n}") for n in range(apps)], raise_error=True)
        took, used = time.perf_counter() - began, _cpu() - used - making
    finally:
        store.close()
    name = f"append, {apps} app{'s' * (apps > 1)}, {batch} lines a batch"
    return _rows(
        f"{name}: CPU ({lines / took / 1000:,.0f}k lines/s)", used / lines * 1e6, "µs a line"
    )


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def run() -> list[dict[str, object]]:
    """About a minute and 1.5 GB of disk for a while."""
    with tempfile.TemporaryDirectory(prefix="cloudbang-bench-") as folder:
        root = Path(folder)
        return [
            _append(root / "append-1", 1, 200, 400_000),
            _append(root / "append-20", 20, 200, 1_000_000),
            _append(root / "append-20-small", 20, 20, 400_000),
            *_ratios(root),
            *_pages(root / "pages"),
        ]


if __name__ == "__main__":
    from gevent import monkey

    monkey.patch_all()
    for row in run():
        print(row)
