"""A process that writes a log and deletes it again and again, until it is killed.

``python -m tests.storage.logs.deleting_child FOLDER``
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


def write(store: LogStore) -> None:
    while True:
        number = store.next_seq("web")
        batch = [line(f"line {number + n}", number + n) for n in range(40)]
        assert store.append("web", batch) == number
        os.write(1, b"%d\n" % (number + 39))


def delete(store: LogStore) -> None:
    while True:
        gevent.sleep(0.01)
        store.delete_lines("web", ["a" * 12])


if __name__ == "__main__":
    with opened(Path(sys.argv[1]), segment_bytes=64 * 1024) as writable:
        os.write(1, b"open\n")
        both = [gevent.spawn(write, writable), gevent.spawn(delete, writable)]
        gevent.joinall(both, raise_error=True)
