"""Records and stores for the tests of the store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cloudbang.config import StorageSettings
from cloudbang.core.threads import in_thread
from cloudbang.domain.lines import format_time, record
from cloudbang.storage.logs.log_store import LogStore
from tests.support import wait_until

SECOND = 1_000_000_000
NOON = 1_700_000_000 * SECOND  # 2023-11-14T22:13:20Z
A, B = "a" * 12, "b" * 12


def line(
    text: str | bytes, at: float = 0, container: str = A, stream: str = "stdout", ns: int = 0
) -> bytes:
    """A record ``at`` seconds (and ``ns`` nanoseconds) after NOON."""
    raw = text.encode() if isinstance(text, str) else text
    time = format_time(NOON + round(at * 1000) * 1_000_000 + ns).encode()
    return record(time, container.encode(), stream.encode(), raw)


def lines(count: int, start: int = 0, **kwargs: str) -> list[bytes]:
    """``count`` records a millisecond apart."""
    return [line(f"line {i} of the log", i / 1000, **kwargs) for i in range(start, start + count)]


def settings(root: Path, **kwargs: float) -> StorageSettings:
    return StorageSettings.model_validate({"path": root, "keep_free_bytes": 0, **kwargs})


class Clock:
    def __init__(self, ns: int = NOON) -> None:
        self.ns = ns

    def __call__(self) -> int:
        return self.ns


@contextmanager
def opened(root: Path, clock: Clock | None = None, **kwargs: float) -> Iterator[LogStore]:
    store = LogStore(root, settings=settings(root, **kwargs), clock=clock or Clock())
    store.open()
    try:
        yield store
    finally:
        store.close()


def durable(store: LogStore) -> None:
    """Wait until all that was written is safe on the disk, and may be told of."""
    rounds = store._commit._durability
    apps = store._apps.values()

    def all_is() -> bool:
        waits = rounds._dirty or rounds._ended
        return not waits and all(a.indexed == len(a.blocks) for a in apps if a.active)

    wait_until(all_is, what="a round of syncs")
    in_thread(rounds._thread, bool)  # after one that is under way


def searched_by(store: LogStore, whom: str) -> None:
    """From now on ``threads`` search, or a ``process`` of its own does."""
    if whom == "threads":
        store._processes.of = lambda account: None  # type: ignore[method-assign]
    else:
        wait_until(lambda: store._processes.of("") is not None, what="the process for searches")
