"""A server without an engine that has logs from before."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page

from cloudbang.config import StorageSettings
from cloudbang.domain.lines import format_time, record
from cloudbang.storage.logs.log_store import LogStore
from tests.support import ServerProcess, wait_until
from tests.terminal_support import Person


def said_until_heard(page: Page, say: Callable[[int], None], heard: Callable[[], object]) -> int:
    """A program says it again and again, each time with another number, until the page shows it: what is said
    before its socket has its way to the hub nobody hears. How often it said it."""
    said = 0

    def tried() -> bool:
        nonlocal said
        if not heard():
            say(said)
            said += 1
            page.wait_for_timeout(50)
        return bool(heard())

    wait_until(tried, 10, "the page to show what a program says")
    return said


Lines = Iterable[tuple[float, str]]
"""When each was written, in seconds since 1970, and what."""


@contextmanager
def kept_logs(
    folder: Path, logs: Mapping[str, Lines], also: Callable[[Path], None] = lambda path: None
) -> Iterator[Person]:
    """``logs`` by app; its admin. ``also`` puts more into its data folder."""
    path = folder / "data"
    store = LogStore(path, settings=StorageSettings(path=path))
    store.open()
    for app, lines in logs.items():
        times = ((format_time(round(at * 10**9)).encode(), text.encode()) for at, text in lines)
        store.append(app, [record(time, b"0123456789ab", b"stdout", text) for time, text in times])
    store.close()
    also(path)
    server = ServerProcess(folder, {"DOCKER_HOST": f"unix://{folder}/none.sock"})
    try:
        with Person(server.start()) as one:
            yield one
    finally:
        server.close()
