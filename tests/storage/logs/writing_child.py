"""A process that writes until it is killed and says on its output what was acknowledged.

``python -m tests.storage.logs.writing_child FOLDER``
"""

# ruff: noqa: E402 - patching comes before every import
import gevent.monkey

gevent.monkey.patch_all()

import os
import sys
from pathlib import Path

import gevent

from cloudbang.storage.logs.log_store import LogStore
from tests.storage.logs.records import line, opened

APPS = [f"app{n}" for n in range(5)]


def write(store: LogStore, app: str) -> None:
    number = store.next_seq(app)
    while True:
        count = number % 7 * 9 + 1
        batch = [line(f"{app} {number + i}", number + i) for i in range(count)]
        assert store.append(app, batch) == number
        number += count
        # One write a message: a pipe takes it whole or not at all.
        os.write(1, f"{app} {number - 1}\n".encode())


if __name__ == "__main__":
    with opened(Path(sys.argv[1]), segment_bytes=64 * 1024) as writable:
        os.write(1, b"open\n")
        gevent.joinall([gevent.spawn(write, writable, app) for app in APPS], raise_error=True)
